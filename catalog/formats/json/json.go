// Package json is the JSON format: a decoder that knows the schema and predicts the order of fields, and an encoder that
// appends.
package json

import (
	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// MaxDepth is how deep arrays and objects may nest in a record; deeper is an error of the record.
const MaxDepth = 500

// Format is the JSON format.
type Format struct{}

// New makes the format.
func New() Format { return Format{} }

// Connect says what a decoder reads that Kafka Connect's converter for JSON with schemas writes and nobody else: MAPs as lists of
// entries ({"key": ..., "value": ...}) as well as objects, and unions.
type Connect struct {
	// DecimalText reads a DECIMAL that is text; nil where such text is the number.
	DecimalText func(t *types.Type, text []byte) (*apd.Decimal, error)
	// IsUnion says whether a STRUCT is a union: the first of its fields that fits what is there gets it, the others are null.
	IsUnion func(t *types.Type) bool
}

// NewConnectDecoder makes a decoder of what Kafka Connect writes; see [formats.Format]. How decimals are read can be changed
// between records.
func NewConnectDecoder(spec *formats.Spec, c *Connect) (formats.Decoder, error) {
	if err := formats.CheckSpec(spec); err != nil {
		return nil, err
	}
	d := newDecoder(spec)
	d.connect = c
	return d, nil
}

// Name is JSON.
func (Format) Name() string { return "JSON" }

// Wrapping is optional: values are objects unless told otherwise, single key columns are bare.
func (Format) Wrapping() formats.Wrapping { return formats.WrapOptional }

// Properties are none.
func (Format) Properties() []string { return nil }

// Check refuses maps whose keys are no strings.
func (f Format) Check(spec *formats.Spec) error {
	if err := formats.CheckProperties(f, spec); err != nil {
		return err
	}
	for _, c := range spec.Columns {
		if formats.HasNonStringKeys(c.Type) {
			return formats.Unsupported("JSON", spec, "JSON only supports MAP types with STRING keys")
		}
	}
	return nil
}

// NewDecoder makes a decoder.
func (f Format) NewDecoder(spec *formats.Spec) (formats.Decoder, error) {
	if err := f.usable(spec); err != nil {
		return nil, err
	}
	return newDecoder(spec), nil
}

// NewEncoder makes an encoder.
func (f Format) NewEncoder(spec *formats.Spec) (formats.Encoder, error) {
	if err := f.usable(spec); err != nil {
		return nil, err
	}
	return newEncoder(spec), nil
}

func (f Format) usable(spec *formats.Spec) error {
	if err := formats.CheckSpec(spec); err != nil {
		return err
	}
	return f.Check(spec)
}
