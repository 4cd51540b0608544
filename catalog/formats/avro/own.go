package avro

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// defaultFullName is what ksqlDB calls the record of a side.
const defaultFullName = "io.confluent.ksql.avro_schemas.KsqlDataSourceSchema"

// ownSchema is the text of the schema that ksqlDB registers for a side: attributes and their order are those of Connect's
// converter, so that another server that registers the same columns finds the same schema.
func ownSchema(spec *formats.Spec) (string, error) {
	full := recordName(spec)
	w := &writer{defined: map[string]bool{}}
	if spec.Unwrapped {
		w.bare(spec.Columns[0].Type, full, "")
	} else {
		fields := make([]types.Field, len(spec.Columns))
		for i, c := range spec.Columns {
			fields[i] = types.Field(c)
		}
		w.record(fields, full, "")
	}
	return w.b.String(), w.err
}

// recordName is the full name of the outermost record of a side.
func recordName(spec *formats.Spec) string {
	if name, ok := spec.Properties[formats.PropertySchemaFullName]; ok {
		return strings.TrimSpace(name)
	}
	return defaultFullName
}

// writer writes a schema.
type writer struct {
	b strings.Builder
	// defined are the full names of the records so far.
	defined map[string]bool
	// err is the first thing that Avro does not take.
	err error
}

func (w *writer) failed(err error) {
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("Schema is not compatible with Avro: %w", err)
	}
}

func (w *writer) string(s string) {
	b, _ := json.Marshal(s)
	w.b.Write(b)
}

// optional writes a union of null and a type. path is the name of the record there would be, namespace the one that a record
// in this place is in without saying so.
func (w *writer) optional(t *types.Type, path, namespace string) {
	w.b.WriteString(`["null",`)
	w.bare(t, path, namespace)
	w.b.WriteByte(']')
}

// plainTypes are the types that are only a name.
var plainTypes = map[types.Kind]string{
	types.Boolean: `"boolean"`, types.Int: `"int"`, types.Bigint: `"long"`, types.Double: `"double"`, types.String: `"string"`,
	types.Bytes: `"bytes"`,
}

// logicalTypes are those of time: the type, Connect's name, the logical type.
var logicalTypes = map[types.Kind][3]string{
	types.Date: {"int", "Date", "date"}, types.Time: {"int", "Time", "time-millis"}, types.Timestamp: {"long", "Timestamp", "timestamp-millis"},
}

func (w *writer) bare(t *types.Type, path, namespace string) {
	switch t.Kind {
	case types.Decimal:
		scale, precision := strconv.Itoa(t.Scale), strconv.Itoa(t.Precision)
		w.b.WriteString(`{"type":"bytes","scale":` + scale + `,"precision":` + precision + `,"connect.version":1,"connect.parameters":{"scale":"` +
			scale + `","connect.decimal.precision":"` + precision + `"},"connect.name":"` + connectTypePrefix + `Decimal","logicalType":"decimal"}`)
	case types.Date, types.Time, types.Timestamp:
		l := logicalTypes[t.Kind]
		w.b.WriteString(`{"type":"` + l[0] + `","connect.version":1,"connect.name":"` + connectTypePrefix + l[1] + `","logicalType":"` + l[2] + `"}`)
	case types.Array:
		w.b.WriteString(`{"type":"array","items":`)
		w.optional(t.Elem, path, namespace)
		w.b.WriteByte('}')
	case types.Map:
		// The keys of ksqlDB's maps may be null, so that Connect writes an array of entries rather than a map.
		w.b.WriteString(`{"type":"array","items":`)
		inner := w.open(path, namespace)
		w.field(keyField, types.StringType, path+"_MapKey", inner)
		w.b.WriteByte(',')
		w.field(valueField, t.Elem, path+"_MapValue", inner)
		w.b.WriteString(`],"` + entryProperty + `":"` + entryName + `"},"connect.name":`)
		w.string(path)
		w.b.WriteByte('}')
	case types.Struct:
		w.record(t.Fields, path, namespace)
	default:
		w.b.WriteString(plainTypes[t.Kind])
	}
}

// open writes the beginning of a record up to its fields and returns the namespace within.
func (w *writer) open(full, namespace string) string {
	if w.defined[full] {
		w.failed(fmt.Errorf("Can't redefine: %s", full))
	}
	w.defined[full] = true
	w.failed(checkFullName(full))
	inner := namespaceOf(full)
	w.b.WriteString(`{"type":"record","name":`)
	w.string(strings.TrimPrefix(full[len(inner):], "."))
	if inner != namespace {
		w.b.WriteString(`,"namespace":`)
		w.string(inner)
	}
	w.b.WriteString(`,"fields":[`)
	return inner
}

func (w *writer) record(fields []types.Field, full, namespace string) {
	inner := w.open(full, namespace)
	seen := map[string]bool{}
	for i, f := range fields {
		if i > 0 {
			w.b.WriteByte(',')
		}
		name := fieldName(f.Name)
		w.failed(checkName(name))
		if seen[name] {
			w.failed(fmt.Errorf("Duplicate field %s in record %s", name, full))
		}
		seen[name] = true
		w.field(name, f.Type, full+"_"+f.Name, inner)
	}
	w.b.WriteString(`],"connect.name":`)
	w.string(full)
	w.b.WriteByte('}')
}

func (w *writer) field(name string, t *types.Type, path, namespace string) {
	w.b.WriteString(`{"name":`)
	w.string(name)
	w.b.WriteString(`,"type":`)
	w.optional(t, path, namespace)
	w.b.WriteString(`,"default":null}`)
}
