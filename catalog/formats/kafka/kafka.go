// Package kafka is the KAFKA format: one column in the bytes of Kafka's own serializers.
//
//	INTEGER  4 bytes, big-endian
//	BIGINT   8 bytes, big-endian
//	DOUBLE   8 bytes, big-endian IEEE 754
//	STRING   UTF-8
//	BYTES    as they are
package kafka

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Format is the KAFKA format.
type Format struct{}

// New makes the format.
func New() Format { return Format{} }

// Name is KAFKA.
func (Format) Name() string { return "KAFKA" }

// Wrapping is never.
func (Format) Wrapping() formats.Wrapping { return formats.WrapNever }

// Properties are none.
func (Format) Properties() []string { return nil }

// Check refuses more than one column and types that Kafka has no serializer for.
func (f Format) Check(spec *formats.Spec) error {
	if err := formats.CheckProperties(f, spec); err != nil {
		return err
	}
	if len(spec.Columns) > 1 {
		return formats.Unsupported("KAFKA", spec, fmt.Sprintf(
			"The 'KAFKA' format only supports a single field. Got: [%s]", formats.Describe(spec)))
	}
	for _, c := range spec.Columns {
		switch c.Type.Kind {
		case types.Int, types.Bigint, types.Double, types.String, types.Bytes:
		default:
			return formats.Unsupported("KAFKA", spec, fmt.Sprintf("The 'KAFKA' format does not support type '%s'", c.Type.Kind))
		}
	}
	return nil
}

// NewDecoder makes a decoder.
func (f Format) NewDecoder(spec *formats.Spec) (formats.Decoder, error) { return f.codec(spec) }

// NewEncoder makes an encoder.
func (f Format) NewEncoder(spec *formats.Spec) (formats.Encoder, error) { return f.codec(spec) }

func (f Format) codec(spec *formats.Spec) (*codec, error) {
	if err := formats.CheckSpec(spec); err != nil {
		return nil, err
	}
	if err := f.Check(spec); err != nil {
		return nil, err
	}
	c := &codec{}
	if len(spec.Columns) == 1 {
		c.kind, c.loc = spec.Columns[0].Type.Kind, spec.Locs[0]
	}
	return c, nil
}

// codec reads and writes the one column; kind Invalid means that there is none.
type codec struct {
	kind    types.Kind
	loc     types.Loc
	scratch []byte
}

// Decode reads the column. The error texts are those of Kafka's deserializers.
func (c *codec) Decode(data []byte, row *types.Row) error {
	var want int
	var name string
	switch c.kind {
	case types.Int:
		want, name = 4, "IntegerDeserializer"
	case types.Bigint:
		want, name = 8, "LongDeserializer"
	case types.Double:
		want, name = 8, "DoubleDeserializer"
	}
	if want != 0 && len(data) != want {
		return fmt.Errorf("Size of data received by %s is not %d", name, want)
	}
	if c.loc.Class == types.ClassNone {
		return nil
	}
	switch c.kind {
	case types.Int:
		row.SetInt64(c.loc, int64(int32(binary.BigEndian.Uint32(data))))
	case types.Bigint, types.Double:
		row.SetInt64(c.loc, int64(binary.BigEndian.Uint64(data)))
	case types.String:
		data, c.scratch = formats.ValidText(data, c.scratch[:0])
		row.SetBytes(c.loc, data)
	case types.Bytes:
		row.SetBytes(c.loc, data)
	}
	return nil
}

// Append writes the column; a null column and a side without columns are null bytes.
func (c *codec) Append(dst []byte, row *types.Row) ([]byte, bool, error) {
	if c.kind == types.Invalid || row.IsNull(c.loc) {
		return dst, true, nil
	}
	switch c.kind {
	case types.Int:
		v := row.I[c.loc.Slot]
		if v < math.MinInt32 || v > math.MaxInt32 {
			return dst, false, fmt.Errorf("kafka: %d is no INTEGER", v)
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(v))
	case types.Bigint, types.Double:
		dst = binary.BigEndian.AppendUint64(dst, uint64(row.I[c.loc.Slot]))
	default:
		dst = append(dst, row.B[c.loc.Slot]...)
	}
	return dst, false, nil
}
