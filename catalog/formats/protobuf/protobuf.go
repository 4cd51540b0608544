// Package protobuf is the formats PROTOBUF and PROTOBUF_NOSR: a side of a topic as one protobuf message. One codec reads and
// writes both by a plan (message.go) of which columns are which fields. The plan of a PROTOBUF side is made of the schema that a
// record names (registry.go, bind.go); of a PROTOBUF_NOSR side, which has no header and no schema, of the columns, numbered from
// 1 in their order. The fields that columns get have the types that Kafka Connect's converter gives them:
//
//	BOOLEAN, INTEGER, BIGINT, DOUBLE, STRING, BYTES  bool, int32, int64, double, string, bytes
//	DECIMAL    confluent.type.Decimal: value = 1 (two's complement, big-endian), precision = 2, scale = 3
//	DATE       google.type.Date: year = 1, month = 2, day = 3
//	TIME       google.type.TimeOfDay: hours = 1, minutes = 2, seconds = 3, nanos = 4
//	TIMESTAMP  google.protobuf.Timestamp: seconds = 1, nanos = 2
//	ARRAY      repeated, scalars packed
//	MAP        repeated messages: key = 1, value = 2
//	STRUCT     a message, its fields numbered from 1
//
// The other way round, schemas of others can have any field; kind.go says which type it becomes.
//
// A null scalar is not written, and what is not there is read as 0, false or empty: proto3 cannot tell them apart unless
// PROTOBUF_NULLABLE_REPRESENTATION says how. Messages that are not there are null, arrays and maps empty.
package protobuf

import (
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Format is the PROTOBUF_NOSR format.
type Format struct{}

// New makes the format.
func New() Format { return Format{} }

const name = "PROTOBUF_NOSR"

// nullableProperty says how a null scalar is told from its default value: OPTIONAL or WRAPPER; not at all when unset.
const nullableProperty = "PROTOBUF_NULLABLE_REPRESENTATION"

// Name is PROTOBUF_NOSR.
func (Format) Name() string { return name }

// Wrapping is optional. A single column that is not wrapped looks the same, but null is null bytes, and a STRUCT is the
// message itself.
func (Format) Wrapping() formats.Wrapping { return formats.WrapOptional }

// Properties are PROTOBUF_NULLABLE_REPRESENTATION.
func (Format) Properties() []string { return []string{nullableProperty} }

// Check refuses what proto3 has no field for.
func (f Format) Check(spec *formats.Spec) error {
	if err := formats.CheckProperties(f, spec); err != nil {
		return err
	}
	if _, err := representationOf(spec); err != nil {
		return err
	}
	for _, c := range spec.Columns {
		if reason := unsupported(c.Type, false); reason != "" {
			return formats.Unsupported(name, spec, fmt.Sprintf("column %s: %s", types.QuoteName(c.Name), reason))
		}
	}
	return nil
}

// unsupported says why a type cannot be a field, "" if it can. An element of an array cannot repeat by itself.
func unsupported(t *types.Type, element bool) string {
	switch t.Kind {
	case types.Array:
		if element {
			return "an ARRAY of ARRAYs cannot be written; put the inner one into a STRUCT"
		}
		return unsupported(t.Elem, true)
	case types.Map:
		if element {
			return "an ARRAY of MAPs cannot be written; put the MAP into a STRUCT"
		}
		if reason := unsupported(t.Key, true); reason != "" {
			return reason
		}
		return unsupported(t.Elem, false)
	case types.Struct:
		for _, f := range t.Fields {
			if reason := unsupported(f.Type, false); reason != "" {
				return reason
			}
		}
	}
	return ""
}

// representation is how null scalars are written.
type representation uint8

const (
	// asDefault: they are not, and read as their default values.
	asDefault representation = iota
	// asOptional: fields are optional; what is there is not null, even the default.
	asOptional
	// asWrapper: fields, elements, keys and values are messages around the scalar.
	asWrapper
)

func representationOf(spec *formats.Spec) (representation, error) {
	switch v := spec.Properties[nullableProperty]; strings.ToUpper(v) {
	case "":
		return asDefault, nil
	case "OPTIONAL":
		return asOptional, nil
	case "WRAPPER":
		return asWrapper, nil
	default:
		return 0, fmt.Errorf("%s is %q: it can be OPTIONAL or WRAPPER", nullableProperty, v)
	}
}

// NewDecoder makes a decoder.
func (f Format) NewDecoder(spec *formats.Spec) (formats.Decoder, error) {
	m, err := f.message(spec)
	if err != nil {
		return nil, err
	}
	return newDecoder(spec, m), nil
}

// NewEncoder makes an encoder.
func (f Format) NewEncoder(spec *formats.Spec) (formats.Encoder, error) {
	m, err := f.message(spec)
	if err != nil {
		return nil, err
	}
	return &encoder{spec: spec, message: m}, nil
}

func (f Format) message(spec *formats.Spec) (*message, error) {
	if err := formats.CheckSpec(spec); err != nil {
		return nil, err
	}
	if err := f.Check(spec); err != nil {
		return nil, err
	}
	nullable, err := representationOf(spec)
	if err != nil {
		return nil, err
	}
	fields := make([]types.Field, len(spec.Columns))
	for i, c := range spec.Columns {
		fields[i] = types.Field(c)
	}
	return numbered(fields, nullable), nil
}
