// Package avro is the AVRO format: a side of a topic as Avro with the number of its schema before it, types mapped as Kafka
// Connect's converter does it:
//
//	BOOLEAN, INTEGER, BIGINT, DOUBLE, STRING, BYTES  boolean, int, long, double, string, bytes
//	DECIMAL    bytes, logical type decimal: unscaled, two's complement, big-endian
//	DATE       int, logical type date
//	TIME       int, logical type time-millis
//	TIMESTAMP  long, logical type timestamp-millis
//	ARRAY      array
//	MAP        array of records with key and value: Connect's way where a key might be null
//	STRUCT     record, named after what it is in: KsqlDataSourceSchema_COLUMN_FIELD
//
// Everything is a union with null but an unwrapped column. Read are also the schemas of others: float, enum, fixed, maps,
// unions of several types (a STRUCT with a field for each), decimals in fixed, and so on.
//
// Reading and writing bytes is this package's own work, by steps that are made once per schema.
package avro

import (
	"errors"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Format is the AVRO format.
type Format struct{ registry schemas.Registry }

var _ formats.SchemaFormat = Format{}

// New makes the format over a schema registry.
func New(registry schemas.Registry) Format { return Format{registry} }

const name = "AVRO"

// Name is AVRO.
func (Format) Name() string { return name }

// Kind is Avro.
func (Format) Kind() schemas.Kind { return schemas.Avro }

// Wrapping is optional: values are records unless told otherwise, single key columns are bare.
func (Format) Wrapping() formats.Wrapping { return formats.WrapOptional }

// Properties are SCHEMA_ID and SCHEMA_FULL_NAME.
func (Format) Properties() []string {
	return []string{formats.PropertySchemaID, formats.PropertySchemaFullName}
}

// Check refuses names that Avro does not take, and maps whose keys are no strings.
func (f Format) Check(spec *formats.Spec) error {
	if err := formats.CheckProperties(f, spec); err != nil {
		return err
	}
	if recordName(spec) == "" {
		return errors.New("fullSchemaName cannot be empty. Format configuration: {fullSchemaName=}")
	}
	if _, err := ownSchema(spec); err != nil {
		return formats.Unsupported(name, spec, err.Error())
	}
	for _, c := range spec.Columns {
		if formats.HasNonStringKeys(c.Type) {
			return formats.Unsupported(name, spec, "Avro only supports MAPs with STRING keys")
		}
	}
	return nil
}

// Schema is the schema that is registered for a side; see [formats.SchemaFormat].
func (f Format) Schema(spec *formats.Spec) (schemas.Schema, error) {
	if err := f.Check(spec); err != nil {
		return schemas.Schema{}, err
	}
	text, err := ownSchema(spec)
	return schemas.Schema{Kind: schemas.Avro, Text: text}, err
}

// Columns reads the columns out of a schema; see [formats.SchemaFormat]. Of a schema that is a union of records, fullName
// chooses one; elsewhere it does not matter, as ksqlDB ignores it.
func (Format) Columns(s schemas.Schema, imports map[string]schemas.Schema, unwrapped bool, fullName string) ([]types.Column, error) {
	n, err := parseSchema(s, imports)
	if err != nil {
		return nil, err
	}
	if at := chosen(n, fullName); at >= 0 {
		n = n.branches[at]
	}
	return columnsOf(n, unwrapped)
}

// chosen is the branch of a union of several types that a full name means, -1 if it means none.
func chosen(n *node, full string) int {
	if n.kind != kindUnion || full == "" {
		return -1
	}
	if _, _, ok := n.optional(); ok {
		return -1
	}
	for i, b := range n.branches {
		if b.name == strings.TrimSpace(full) {
			return i
		}
	}
	return -1
}

// CheckWritable says why rows of a spec cannot be written with a schema; see [formats.SchemaFormat].
func (f Format) CheckWritable(spec *formats.Spec, s schemas.Schema, imports map[string]schemas.Schema) error {
	if err := f.Check(spec); err != nil {
		return err
	}
	n, err := parseSchema(s, imports)
	if err != nil {
		return err
	}
	_, err = compileEncoder(spec, n)
	return err
}

// NewDecoder makes a decoder.
func (f Format) NewDecoder(spec *formats.Spec) (formats.Decoder, error) {
	if err := f.usable(spec); err != nil {
		return nil, err
	}
	return newDecoder(f.registry, spec), nil
}

// NewEncoder makes an encoder.
func (f Format) NewEncoder(spec *formats.Spec) (formats.Encoder, error) {
	if err := f.usable(spec); err != nil {
		return nil, err
	}
	return newEncoder(f.registry, spec)
}

func (f Format) usable(spec *formats.Spec) error {
	if err := formats.CheckSpec(spec); err != nil {
		return err
	}
	return f.Check(spec)
}
