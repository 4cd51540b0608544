package jsonsr

import (
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/formats/json"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// What Connect calls the types that JSON has no type for.
const (
	titleDecimal   = "org.apache.kafka.connect.data.Decimal"
	titleDate      = "org.apache.kafka.connect.data.Date"
	titleTime      = "org.apache.kafka.connect.data.Time"
	titleTimestamp = "org.apache.kafka.connect.data.Timestamp"
)

// unionField begins the names of a STRUCT's fields that stand for the alternatives of a union; a number follows.
const unionField = "io.confluent.connect.json.OneOf.field."

// isUnion says whether a STRUCT stands for a union: by the names of its fields, as ksqlDB has it, in whatever case.
func isUnion(t *types.Type) bool {
	for _, f := range t.Fields {
		if len(f.Name) < len(unionField) || !strings.EqualFold(f.Name[:len(unionField)], unionField) {
			return false
		}
	}
	return len(t.Fields) > 0
}

// appendObject appends the schema of an object with a property for each field, numbered in their order.
func appendObject(dst []byte, fields []types.Field) []byte {
	dst = append(dst, `{"type":"object","properties":{`...)
	for i, f := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(json.AppendText(dst, []byte(f.Name)), ':')
		dst = appendOptional(dst, f.Type, i)
	}
	return append(dst, "}}"...)
}

// appendOptional appends the schema of what can be null; an index below 0 is none.
func appendOptional(dst []byte, t *types.Type, index int) []byte {
	dst = append(dst, '{')
	if index >= 0 {
		dst = strconv.AppendInt(append(dst, `"connect.index":`...), int64(index), 10)
		dst = append(dst, ',')
	}
	dst = append(dst, `"oneOf":[{"type":"null"}`...)
	if t.Kind == types.Struct && isUnion(t) {
		for i, f := range t.Fields {
			dst = append(dst, ',')
			plain := appendPlain(nil, f.Type)
			dst = append(dst, `{"connect.index":`...)
			dst = append(strconv.AppendInt(dst, int64(i), 10), ',')
			dst = append(dst, plain[1:]...)
		}
		return append(dst, "]}"...)
	}
	dst = appendPlain(append(dst, ','), t)
	return append(dst, "]}"...)
}

// appendPlain appends the schema of what is not null.
func appendPlain(dst []byte, t *types.Type) []byte {
	switch t.Kind {
	case types.Boolean:
		return append(dst, `{"type":"boolean"}`...)
	case types.Int:
		return append(dst, `{"type":"integer","connect.type":"int32"}`...)
	case types.Bigint:
		return append(dst, `{"type":"integer","connect.type":"int64"}`...)
	case types.Double:
		return append(dst, `{"type":"number","connect.type":"float64"}`...)
	case types.Bytes:
		return append(dst, `{"type":"string","connect.type":"bytes"}`...)
	case types.Decimal:
		dst = append(dst, `{"type":"number","title":"`+titleDecimal+`","connect.version":1,"connect.type":"bytes",`...)
		dst = append(dst, `"connect.parameters":{"scale":"`...)
		dst = append(strconv.AppendInt(dst, int64(t.Scale), 10), `","connect.decimal.precision":"`...)
		return append(strconv.AppendInt(dst, int64(t.Precision), 10), `"}}`...)
	case types.Date:
		return append(dst, `{"type":"integer","title":"`+titleDate+`","connect.version":1,"connect.type":"int32"}`...)
	case types.Time:
		return append(dst, `{"type":"integer","title":"`+titleTime+`","connect.version":1,"connect.type":"int32"}`...)
	case types.Timestamp:
		return append(dst, `{"type":"integer","title":"`+titleTimestamp+`","connect.version":1,"connect.type":"int64"}`...)
	case types.Array:
		dst = appendOptional(append(dst, `{"type":"array","items":`...), t.Elem, -1)
		return append(dst, '}')
	case types.Map:
		// ksqlDB's keys can be null, so Connect writes the entries as a list of objects.
		dst = append(dst, `{"type":"array","items":`...)
		dst = appendObject(dst, []types.Field{{Name: "key", Type: t.Key}, {Name: "value", Type: t.Elem}})
		return append(dst, `,"connect.type":"map"}`...)
	case types.Struct:
		return appendObject(dst, t.Fields)
	}
	return append(dst, `{"type":"string"}`...)
}
