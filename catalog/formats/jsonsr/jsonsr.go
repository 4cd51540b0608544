// Package jsonsr is the JSON_SR format: JSON behind the number of a JSON schema in a registry. Schemas are read and written as
// Kafka Connect's converter has them. Of the JSON itself three things differ from the format JSON: MAPs are lists of entries
// where the schema says so (ksqlDB's own schemas do), unions are STRUCTs with a field for each alternative, and the DECIMALs of
// some schemas are texts of bytes.
package jsonsr

import (
	"errors"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Format is the JSON_SR format over a registry. Safe for concurrent use.
type Format struct{ registry schemas.Registry }

var _ formats.SchemaFormat = Format{}

// New makes the format over a registry.
func New(r schemas.Registry) Format { return Format{registry: r} }

const name = "JSON_SR"

// Name is JSON_SR.
func (Format) Name() string { return name }

// Wrapping is optional, as that of JSON.
func (Format) Wrapping() formats.Wrapping { return formats.WrapOptional }

// Kind is JSON.
func (Format) Kind() schemas.Kind { return schemas.JSON }

// Properties are the number of the schema and its name, which JSON schemas do not have.
func (Format) Properties() []string {
	return []string{formats.PropertySchemaID, formats.PropertySchemaFullName}
}

// Check refuses maps whose keys are no strings.
func (f Format) Check(spec *formats.Spec) error {
	if err := formats.CheckProperties(f, spec); err != nil {
		return err
	}
	if _, _, err := spec.SchemaID(); err != nil {
		return err
	}
	for _, c := range spec.Columns {
		if formats.HasNonStringKeys(c.Type) {
			return formats.Unsupported(name, spec, "JSON only supports MAP types with STRING keys")
		}
	}
	return nil
}

func fieldsOf(spec *formats.Spec) []types.Field {
	fields := make([]types.Field, len(spec.Columns))
	for i, c := range spec.Columns {
		fields[i] = types.Field(c)
	}
	return fields
}

// Schema is the schema of the columns: see [formats.SchemaFormat].
func (f Format) Schema(spec *formats.Spec) (schemas.Schema, error) {
	if err := f.Check(spec); err != nil {
		return schemas.Schema{}, err
	}
	var text []byte
	if spec.Unwrapped {
		if len(spec.Columns) != 1 {
			return schemas.Schema{}, errors.New("only a single column can be unwrapped")
		}
		text = appendOptional(nil, spec.Columns[0].Type, -1)
	} else {
		text = appendObject(nil, fieldsOf(spec))
	}
	return schemas.Schema{Kind: schemas.JSON, Text: string(text)}, nil
}

// Columns reads the columns out of a schema: see [formats.SchemaFormat].
func (Format) Columns(s schemas.Schema, imports map[string]schemas.Schema, unwrapped bool, _ string) ([]types.Column, error) {
	root, err := shapeOf(s, imports)
	if err != nil {
		return nil, err
	}
	if unwrapped {
		return []types.Column{{Type: root.typ}}, nil
	}
	if root.typ.Kind != types.Struct {
		return nil, errors.New("Schema returned from schema registry is anonymous type. " +
			"To use this schema with ksqlDB, set 'WRAP_SINGLE_VALUE=false' in the WITH clause properties.")
	}
	if len(root.fields) == 0 {
		return nil, errors.New("Schema does not include any columns with types that ksqlDB supports.\nschema: " + root.typ.String())
	}
	columns := make([]types.Column, len(root.fields))
	for i, p := range root.fields {
		columns[i] = types.Column{Name: p.name, Type: p.shape.typ}
	}
	return columns, nil
}

// CheckWritable says why rows cannot be written with a schema: see [formats.SchemaFormat].
func (Format) CheckWritable(spec *formats.Spec, s schemas.Schema, imports map[string]schemas.Schema) error {
	_, err := bindSpec(spec, s, imports)
	return err
}

// NewDecoder makes a decoder.
func (f Format) NewDecoder(spec *formats.Spec) (formats.Decoder, error) {
	if err := errors.Join(formats.CheckSpec(spec), f.Check(spec)); err != nil {
		return nil, err
	}
	return newDecoder(f.registry, spec)
}

// NewEncoder makes an encoder.
func (f Format) NewEncoder(spec *formats.Spec) (formats.Encoder, error) {
	if err := errors.Join(formats.CheckSpec(spec), f.Check(spec)); err != nil {
		return nil, err
	}
	return &encoder{format: f, spec: spec}, nil
}
