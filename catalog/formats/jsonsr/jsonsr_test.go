package jsonsr_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/formats/jsonsr"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func field(name string, t *types.Type) types.Field { return types.Field{Name: name, Type: t} }

func named(list ...any) (out []types.Column) {
	for i := 0; i < len(list); i += 2 {
		out = append(out, types.Column{Name: list[i].(string), Type: list[i+1].(*types.Type)})
	}
	return out
}

func schemaOf(text string) schemas.Schema { return schemas.Schema{Kind: schemas.JSON, Text: text} }

const (
	union0 = "io.confluent.connect.json.OneOf.field.0"
	union1 = "io.confluent.connect.json.OneOf.field.1"
)

var pick = types.StructOf(field(union0, types.StringType), field(union1, types.BigintType))

// The schemas are what Connect's converter makes of the columns.
func TestSchemaText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		columns   []types.Column
		unwrapped bool
		want      string
	}{
		{"one", named("FOO", types.IntType), false,
			`{"type": "object", "properties": {"FOO": {"connect.index": 0, "oneOf": [{"type": "null"}, {"type": "integer", "connect.type": "int32"}]}}}`},
		{"unwrapped", named("FOO", types.BigintType), true, `{"oneOf": [{"type": "null"}, {"type": "integer", "connect.type": "int64"}]}`},
		{"unwrapped object", named("FOO", types.StructOf(field("F1", types.StringType))), true,
			`{"oneOf": [{"type": "null"}, {"type": "object", "properties": {"F1": {"connect.index": 0, "oneOf": [{"type": "null"}, {"type": "string"}]}}}]}`},
		{"scalars", named("B", types.BooleanType, "D", types.DoubleType, "S", types.StringType, "Y", types.BytesType), false,
			`{"type": "object", "properties": {"B": {"connect.index": 0, "oneOf": [{"type": "null"}, {"type": "boolean"}]},
			"D": {"connect.index": 1, "oneOf": [{"type": "null"}, {"type": "number", "connect.type": "float64"}]},
			"S": {"connect.index": 2, "oneOf": [{"type": "null"}, {"type": "string"}]}, "Y": {"connect.index": 3, "oneOf": [{"type": "null"}, {"type": "string", "connect.type": "bytes"}]}}}`},
		{"logical", named("DEC", types.DecimalOf(4, 2), "D", types.DateType, "T", types.TimeType, "TS", types.TimestampType), false,
			`{"type": "object", "properties": {
			"DEC": {"connect.index": 0, "oneOf": [{"type": "null"}, {"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.version": 1, "connect.type": "bytes",
				"connect.parameters": {"scale": "2", "connect.decimal.precision": "4"}}]},
			"D": {"connect.index": 1, "oneOf": [{"type": "null"}, {"type": "integer", "title": "org.apache.kafka.connect.data.Date", "connect.version": 1, "connect.type": "int32"}]},
			"T": {"connect.index": 2, "oneOf": [{"type": "null"}, {"type": "integer", "title": "org.apache.kafka.connect.data.Time", "connect.version": 1, "connect.type": "int32"}]},
			"TS": {"connect.index": 3, "oneOf": [{"type": "null"}, {"type": "integer", "title": "org.apache.kafka.connect.data.Timestamp", "connect.version": 1, "connect.type": "int64"}]}}}`},
		{"collections", named("A", types.ArrayOf(types.StringType), "M", types.MapOf(types.StringType, types.IntType)), false,
			`{"type": "object", "properties": {"A": {"connect.index": 0, "oneOf": [{"type": "null"}, {"type": "array", "items": {"oneOf": [{"type": "null"}, {"type": "string"}]}}]},
			"M": {"connect.index": 1, "oneOf": [{"type": "null"}, {"type": "array", "connect.type": "map", "items": {"type": "object", "properties": {
				"key": {"connect.index": 0, "oneOf": [{"type": "null"}, {"type": "string"}]}, "value": {"connect.index": 1, "oneOf": [{"type": "null"}, {"type": "integer", "connect.type": "int32"}]}}}}]}}}`},
		{"union", named("U", pick), false,
			`{"type": "object", "properties": {"U": {"connect.index": 0, "oneOf": [{"type": "null"}, {"type": "string", "connect.index": 0}, {"type": "integer", "connect.type": "int64", "connect.index": 1}]}}}`},
	} {
		f := jsonsr.New(&schemas.Memory{})
		spec := &formats.Spec{Columns: c.columns, Unwrapped: c.unwrapped}
		s, err := f.Schema(spec)
		if err != nil || s.Kind != schemas.JSON || !sameJSON(t, s.Text, c.want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, s.Text, c.want)
			continue
		}
		got, err := f.Columns(s, nil, c.unwrapped, "")
		if c.unwrapped && len(got) == 1 {
			got[0].Name = c.columns[0].Name
		}
		if err != nil || !types.EqualColumns(got, c.columns) {
			t.Errorf("%s: columns %v, %v", c.name, got, err)
		}
		if err := f.CheckWritable(spec, s, nil); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

func TestColumns(t *testing.T) {
	t.Parallel()
	imports := map[string]schemas.Schema{
		"address.json":            schemaOf(`{"type": "object", "properties": {"street": {"type": "string"}}, "definitions": {"zip": {"type": "integer"}}}`),
		"http://x.test/more.json": schemaOf(`{"$id": "http://x.test/more.json", "$ref": "#/$defs/m", "$defs": {"m": {"type": "boolean"}}}`),
	}
	properties := func(text string) string { return `{"type": "object", "properties": {` + text + `}}` }
	for _, c := range []struct{ text, want string }{
		{properties(`"i": {"type": "integer"}`), "`i` BIGINT"},
		// The order is that of Java's HashMap.
		{properties(`"NAME": {"type": "string"}, "FOREIGN_KEY": {"type": "integer"}`), "`FOREIGN_KEY` BIGINT, `NAME` STRING"},
		{properties(`"ID": {"type": "number"}, "NAME": {"type": "string"}, "VALUE": {"type": "integer"}`), "`ID` DOUBLE, `VALUE` BIGINT, `NAME` STRING"},
		{properties(`"ID": {"type": "integer"}, "foo": {"type": "boolean"}`), "`foo` BOOLEAN, `ID` BIGINT"},
		{properties(`"ID": {"type": "integer"}, "VAL": {"type": "string"}`), "`VAL` STRING, `ID` BIGINT"},
		{properties(`"b": {"type": "string", "connect.index": 0}, "a": {"type": "string", "connect.index": 1}`), "`b` STRING, `a` STRING"},
		{properties(`"a": {"type": "integer", "connect.type": "int16", "connect.index": 0}, "b": {"type": "number", "connect.type": "float32", "connect.index": 1}, "c": {"type": "string", "connect.type": "bytes", "connect.index": 2}`),
			"`a` INTEGER, `b` DOUBLE, `c` BYTES"},
		{properties(`"d": {"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes", "connect.parameters": {"scale": "3"}}`), "`d` DECIMAL(64, 3)"},
		{properties(`"d": {"type": "string", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes", "connect.parameters": {"scale": "3", "connect.decimal.precision": "5"}}`), "`d` DECIMAL(5, 3)"},
		{properties(`"a": {"type": "array", "items": {"type": "array", "items": {"type": "boolean"}}}`), "`a` ARRAY<ARRAY<BOOLEAN>>"},
		{properties(`"a": {"type": "object", "additionalProperties": {"type": "number"}}`), "`a` MAP<STRING, DOUBLE>"},
		{properties(`"a": {"type": "object", "connect.type": "map", "additionalProperties": {"type": "integer", "connect.type": "int32"}}`), "`a` MAP<STRING, INTEGER>"},
		{properties(`"a": {"type": "object", "additionalProperties": false, "properties": {"x": {"type": "string"}}}`), "`a` STRUCT<`x` STRING>"},
		{properties(`"a": {"oneOf": [{"type": "string"}, {"type": "null"}]}`), "`a` STRING"},
		{properties(`"a": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"x": {"type": "string"}}}]}`), "`a` STRUCT<`x` STRING>"},
		{properties(`"a": {"type": ["integer", "null"]}`), "`a` BIGINT"},
		{properties(`"a": {"type": ["string", "integer"]}`), "`a` STRUCT<`" + union0 + "` STRING, `" + union1 + "` BIGINT>"},
		{properties(`"a": {"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "integer"}]}`), "`a` STRUCT<`" + union0 + "` STRING, `" + union1 + "` BIGINT>"},
		{properties(`"a": {"enum": ["x", "y"]}`), "`a` STRING"},
		{properties(`"a": {"type": "integer", "enum": [1, 2]}`), "`a` BIGINT"},
		{properties(`"a": {"const": "x"}`), "`a` STRING"},
		{properties(`"a": {}`), "`a` STRING"},
		{properties(`"a": true`), "`a` STRING"},
		{`{"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/R", "definitions": {"R": {"type": "object", "properties": {"a": {"$ref": "#/definitions/S~1x"}}}, "S/x": {"type": "boolean"}}}`,
			"`a` BOOLEAN"},
		{`{"type": "object", "properties": {"a": {"$ref": "#/$defs/D"}, "b": {"$ref": "#named"}}, "$defs": {"D": {"type": "string"}, "E": {"$anchor": "named", "type": "integer"}}}`, "`a` STRING, `b` BIGINT"},
		{properties(`"a": {"$ref": "address.json"}, "b": {"$ref": "address.json#/definitions/zip"}, "c": {"$ref": "more.json"}`), "`a` STRUCT<`street` STRING>, `b` BIGINT, `c` BOOLEAN"},
		{`{"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"$ref": "address.json"}], "properties": {"z": {"type": "boolean"}}}`, "`z` BOOLEAN, `a` STRING, `street` STRING"},
		{properties(`"a": {"allOf": [{"type": "string"}, {"maxLength": 3}]}`), "`a` STRING"},
		{properties(`"a": {"type": "array", "connect.type": "map", "items": {"type": "object", "properties": {"key": {"type": "string", "connect.index": 0}, "value": {"type": "boolean", "connect.index": 1}}}}`),
			"`a` MAP<STRING, BOOLEAN>"},
		{`{"type": "object", "title": "T", "description": "d", "required": ["a"], "properties": {"a": {"type": "integer", "title": "org.apache.kafka.connect.data.Date"}}}`, "`a` BIGINT"},
	} {
		got, err := jsonsr.New(schemas.None{}).Columns(schemaOf(c.text), imports, false, "")
		if err != nil || formats.Describe(&formats.Spec{Columns: got}) != c.want {
			t.Errorf("%s\n%v, %v\nwant %s", c.text, formats.Describe(&formats.Spec{Columns: got}), err, c.want)
		}
	}
	for _, c := range []struct{ text, want string }{
		{`{"type": "integer"}`, "Schema returned from schema registry is anonymous type. To use this schema with ksqlDB, set 'WRAP_SINGLE_VALUE=false' in the WITH clause properties."},
		{`{"type": "object"}`, "Schema does not include any columns with types that ksqlDB supports."},
		{`{"type": "object", "properties": {"a": {"$ref": "#"}}}`, "the schema contains itself"},
		{`{"type": "object", "properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {"A": {"type": "array", "items": {"$ref": "#/definitions/A"}}}}`, `the schema contains itself by the reference "#/definitions/A"`},
		{properties(`"a": {"$ref": "#/definitions/A"}`), `a: the reference "#/definitions/A" leads nowhere: there is no "definitions"`},
		{properties(`"a": {"$ref": "missing.json"}`), `the schema has no reference of the name "missing.json"`},
		{properties(`"a": {"type": "null"}`), "null is its only value"},
		{properties(`"a": {"type": "array"}`), "Array schema did not specify the items type"},
		{properties(`"a": {"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes"}`), "Invalid Decimal schema: scale parameter not found."},
		{properties(`"a": {"type": "strong"}`), "Unsupported type strong"},
		{properties(`"a": false`), "no value fits it"},
		{`[1]`, "no JSON schema"},
		{`{"type": "object", "properties": ` + strings.Repeat(`{"a": {"type": "object", "properties": `, 200) + `{}` + strings.Repeat(`}}`, 200) + `}`, "nested deeper than 100"},
	} {
		if _, err := jsonsr.New(schemas.None{}).Columns(schemaOf(c.text), imports, false, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200s: %v, want %s", c.text, err, c.want)
		}
	}
	one, err := jsonsr.New(schemas.None{}).Columns(schemaOf(`{"oneOf": [{"type": "null"}, {"type": "integer", "connect.type": "int32"}]}`), nil, true, "")
	if err != nil || len(one) != 1 || one[0].Type.Kind != types.Int || one[0].Name != "" {
		t.Errorf("unwrapped: %v, %v", one, err)
	}
}

// side is a registry with a schema of number 1, and a spec with a row.
func side(t testing.TB, text string, columns []types.Column, unwrapped bool, props map[string]string) (jsonsr.Format, *formats.Spec, *types.Row) {
	t.Helper()
	registry := &schemas.Memory{}
	if _, err := registry.Register("t-value", schemaOf(text)); err != nil {
		t.Fatal(err)
	}
	layout := types.NewLayout(columns)
	return jsonsr.New(registry), &formats.Spec{Topic: "t", Columns: columns, Locs: layout.Locs, Unwrapped: unwrapped, Properties: props}, layout.NewRow()
}

func boxed(spec *formats.Spec, row *types.Row) string {
	list := make([]string, len(spec.Columns))
	for i, c := range spec.Columns {
		list[i] = show(row.Boxed(spec.Locs[i], c.Type))
	}
	return strings.Join(list, " ")
}

// show prints a value with all that is in it.
func show(v any) string {
	var list []any
	switch x := v.(type) {
	case *types.MapValue:
		return show(x.Keys) + " " + show(x.Values)
	case []any:
		list = x
	case types.StructValue:
		list = x
	default:
		return fmt.Sprint(v)
	}
	parts := make([]string, len(list))
	for i := range list {
		parts[i] = show(list[i])
	}
	return "[" + strings.Join(parts, " ") + "]"
}

func TestDecode(t *testing.T) {
	t.Parallel()
	decimals := `{"type": "object", "properties": {"dec": {"oneOf": [{"type": "null"}, {"type": "string", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes", "connect.parameters": {"scale": "2"}}]},
		"list": {"type": "array", "items": {"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes", "connect.parameters": {"scale": "1"}}}}}`
	texts := types.MapOf(types.StringType, types.BigintType)
	pair := types.StructOf(field(union0, types.StructOf(field("a", types.BigintType))), field(union1, types.StructOf(field("a", types.BigintType), field("b", types.BigintType))))
	for _, c := range []struct {
		name      string
		schema    string
		columns   []types.Column
		unwrapped bool
		text      string
		want      string
	}{
		{"as JSON", `{}`, named("A", types.BigintType, "B", types.StringType), false, `{"a": 1, "b": [1, 2], "c": {}}`, "1 [1, 2]"},
		{"unwrapped", `{}`, named("A", types.ArrayOf(types.StringType)), true, `["a", 1, null]`, "[a 1 <nil>]"},
		{"a MAP that is an object", `{}`, named("M", texts), false, `{"M": {"a": 1, "b": null}}`, "[a b] [1 <nil>]"},
		{"a MAP that is a list", `{}`, named("M", texts, "N", texts), false, `{"M": [{"key": "a", "value": 1}, {"value": null, "key": "b"}, {"key": "a", "value": 3}], "N": []}`, "[a b] [3 <nil>] [] []"},
		{"a MAP in a MAP", `{}`, named("M", types.MapOf(types.StringType, texts)), false, `{"M": [{"key": "a", "value": [{"key": "b", "value": 2}]}]}`, "[a] [[b] [2]]"},
		{"unions", `{}`, named("U", pick, "V", pick, "W", pick), false, `{"U": "x", "V": 7, "W": null}`, "[x <nil>] [<nil> 7] <nil>"},
		{"unions of objects", `{}`, named("U", pair, "V", pair), false, `{"U": {"a": 1, "b": 2}, "V": {"a": 3}}`, "[<nil> [1 2]] [[3] <nil>]"},
		{"numbers as decimals", decimals, named("dec", types.DecimalOf(6, 2)), false, `{"dec": 12.5}`, "12.50"},
		{"bytes as decimals", decimals, named("dec", types.DecimalOf(6, 2), "list", types.ArrayOf(types.DecimalOf(6, 3))), false, `{"dec": "+y4=", "list": [1.5, "2.5", null]}`, "-12.34 [1.500 2.500 <nil>]"},
		{"of another scale", decimals, named("DEC", types.DecimalOf(8, 4)), false, `{"dec": "+y4="}`, "-12.3400"},
	} {
		f, spec, row := side(t, c.schema, c.columns, c.unwrapped, nil)
		dec, err := f.NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode(append(schemas.AppendHeader(nil, 1), c.text...), row); err != nil || boxed(spec, row) != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, boxed(spec, row), err, c.want)
		}
	}
	for _, c := range []struct {
		name    string
		schema  string
		columns []types.Column
		record  string
		want    string
	}{
		{"no header", `{}`, named("A", types.BigintType), `{"A": 1}`, "Unknown magic byte!"},
		{"no JSON", `{}`, named("A", types.BigintType), "\x00\x00\x00\x00\x01{", "the text ends inside an object"},
		{"another type", `{}`, named("A", types.BigintType), "\x00\x00\x00\x00\x01{\"A\": \"x\"}", "Can't convert type. sourceType: TextNode, requiredType: BIGINT, path: $.A"},
		{"no entry", `{}`, named("M", texts), "\x00\x00\x00\x00\x01{\"M\": [1]}", "Can't convert type. sourceType: IntNode, requiredType: STRUCT<`key` STRING, `value` BIGINT>, path: $.M[0]"},
		{"none of a union", `{}`, named("U", pick), "\x00\x00\x00\x00\x01{\"U\": true}", "Can't convert type. sourceType: BooleanNode"},
		{"no schema for decimals", `{}`, named("D", types.DecimalOf(4, 2)), "\x00\x00\x00\x00\x09{}", "Schema 9 not found"},
		{"no bytes", decimals, named("dec", types.DecimalOf(4, 2)), "\x00\x00\x00\x00\x01{\"dec\": \"1.5\"}", "Invalid bytes for Decimal field, path: $.dec"},
		{"bytes that do not fit", decimals, named("dec", types.DecimalOf(3, 2)), "\x00\x00\x00\x00\x01{\"dec\": \"+y4=\"}", "Cannot fit decimal '-12.34' into DECIMAL(3, 2)"},
	} {
		f, spec, row := side(t, c.schema, c.columns, false, nil)
		dec, err := f.NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode([]byte(c.record), row); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	byID := map[string]string{formats.PropertySchemaID: "1"}
	texts := types.MapOf(types.StringType, types.IntType)
	m := &types.MapValue{Keys: []any{"a", "b"}, Values: []any{int32(1), nil}}
	for _, c := range []struct {
		name      string
		schema    string
		columns   []types.Column
		unwrapped bool
		props     map[string]string
		row       []any
		want      string // The JSON, or the error.
	}{
		{"columns", `{}`, named("A", types.IntType, "B", types.StringType, "D", types.DecimalOf(6, 4)), false, nil, []any{nil, "x\"", apd.New(100000, -4)}, `{"A":null,"B":"x\"","D":10.0000}`},
		{"unwrapped", `{}`, named("A", types.BooleanType), true, nil, []any{true}, `true`},
		{"unwrapped null", `{}`, named("A", types.BooleanType), true, nil, []any{nil}, `<null>`},
		{"maps and unions", `{}`, named("M", texts, "U", pick, "V", pick), false, nil, []any{m, types.StructValue{nil, int64(3)}, types.StructValue{nil, nil}},
			`{"M":[{"key":"a","value":1},{"key":"b","value":null}],"U":3,"V":null}`},
		{"nested", `{}`, named("S", types.StructOf(field("x", types.ArrayOf(texts)), field("y", types.IntType))), false, nil, []any{types.StructValue{[]any{m, nil}, nil}},
			`{"S":{"x":[[{"key":"a","value":1},{"key":"b","value":null}],null],"y":null}}`},
		{"by a schema, in its order", `{"type": "object", "properties": {"b": {"type": "string", "connect.index": 0}, "more": {"type": ["null", "string"], "connect.index": 1}, "gone": {"type": "string", "connect.index": 2},
			"a": {"type": "integer", "connect.index": 3}}}`, named("a", types.BigintType, "b", types.StringType), false, byID, []any{int64(1), "x"}, `{"b":"x","more":null,"a":1}`},
		{"null is left out where it is no value", `{"type": "object", "properties": {"a": {"type": "integer"}, "s": {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": ["null", "string"]}}}}}`,
			named("a", types.BigintType, "s", types.StructOf(field("x", types.StringType), field("y", types.StringType))), false, byID, []any{nil, types.StructValue{nil, nil}}, `{"s":{"y":null}}`},
		{"maps that are objects", `{"type": "object", "properties": {"m": {"type": "object", "connect.type": "map", "additionalProperties": {"type": ["null", "integer"]}}}}`, named("m", types.MapOf(types.StringType, types.BigintType)), false, byID,
			[]any{&types.MapValue{Keys: []any{"a", "b"}, Values: []any{int64(1), nil}}}, `{"m":{"a":1,"b":null}}`},
		{"decimals that are bytes", `{"type": "object", "properties": {"d": {"type": "string", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes", "connect.parameters": {"scale": "2", "connect.decimal.precision": "9"}}}}`,
			named("d", types.DecimalOf(9, 2)), false, byID, []any{apd.New(-1234, -2)}, `{"d":"+y4="}`},
		{"anything", `{"type": "object", "properties": {"a": {}}}`, named("a", types.ArrayOf(types.IntType)), false, byID, []any{[]any{int32(1)}}, `{"a":[1]}`},
		{"a struct that is the value", `{"type": "object", "properties": {"id": {"type": "integer"}}}`, named("ROWKEY", types.StructOf(field("id", types.BigintType))), true, byID, []any{types.StructValue{int64(42)}}, `{"id":42}`},
		{"required but null", `{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}`, named("a", types.BigintType), false, byID, []any{nil}, "column `a`: it is null, which the schema does not take"},
		{"an element that is null", `{"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}}`, named("a", types.ArrayOf(types.BigintType)), false, byID, []any{[]any{nil}}, "column `a`: it is null"},
		{"missing", `{"type": "object", "properties": {"a": {"type": "integer"}}}`, named("b", types.BigintType), false, byID, []any{nil}, "Schema from Schema Registry misses field with name: b"},
		{"required without a column", `{"type": "object", "required": ["x"], "properties": {"a": {"type": "integer"}, "x": {"type": "string"}}}`, named("a", types.BigintType), false, byID, []any{nil}, "requires field x, which no column has"},
		{"another type", `{"type": "object", "properties": {"a": {"type": "string"}}}`, named("a", types.BigintType), false, byID, []any{nil}, "a: the schema has STRING where BIGINT would be written"},
		{"another DECIMAL", `{"type": "object", "properties": {"a": {"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes", "connect.parameters": {"scale": "2"}}}}`,
			named("a", types.DecimalOf(4, 3)), false, byID, []any{nil}, "a: the schema has DECIMAL(64, 2) where DECIMAL(4, 3) would be written"},
		{"no object", `{"type": "integer"}`, named("a", types.BigintType), false, byID, []any{nil}, "the schema is one of BIGINT, not of an object"},
		{"no such schema", `{}`, named("a", types.BigintType), false, map[string]string{formats.PropertySchemaID: "7"}, []any{nil}, "Schema 7 not found"},
	} {
		f, spec, row := side(t, c.schema, c.columns, c.unwrapped, c.props)
		enc, err := f.NewEncoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range c.row {
			row.SetBoxed(spec.Locs[i], c.columns[i].Type, v)
		}
		data, isNull, err := enc.Append([]byte("before"), row)
		data = data[len("before"):]
		switch {
		case err != nil:
			if !strings.Contains(err.Error(), c.want) || len(data) > 0 {
				t.Errorf("%s: %v, %q, want %s", c.name, err, data, c.want)
			}
			continue
		case isNull:
			if c.want != "<null>" {
				t.Errorf("%s: null bytes", c.name)
			}
			continue
		}
		id, text, err := schemas.SplitHeader(data)
		if want := 1 + btoi(c.props == nil); err != nil || id != want || string(text) != c.want {
			t.Errorf("%s: %d %s, %v, want %d %s", c.name, id, text, err, want, c.want)
		}
		// What is written is read as the same.
		dec, err := f.NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		was := boxed(spec, row)
		if strings.HasPrefix(c.name, "maps and unions") {
			was = strings.Replace(was, "[<nil> <nil>]", "<nil>", 1) // A union without a value is null.
		}
		if err := dec.Decode(data, row); err != nil || boxed(spec, row) != was {
			t.Errorf("%s: read as %s, %v, was %s", c.name, boxed(spec, row), err, was)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		columns []types.Column
		props   map[string]string
		want    string
	}{
		{named("M", types.MapOf(types.IntType, types.DoubleType)), nil, "Value format does not support schema.\nformat: JSON_SR\n"},
		{named("M", types.ArrayOf(types.MapOf(types.IntType, types.DoubleType))), nil, "reason: JSON only supports MAP types with STRING keys"},
		{named("A", types.IntType), map[string]string{"SCHEMA_ID": "-1"}, `SCHEMA_ID is "-1": it must be the number of a schema`},
		{named("A", types.IntType), map[string]string{"DELIMITER": ";"}, "JSON_SR does not support the following configs: [delimiter]"},
	} {
		if err := jsonsr.New(schemas.None{}).Check(&formats.Spec{Columns: c.columns, Properties: c.props}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.columns, err, c.want)
		}
	}
}

// Whatever is read can be written, and is read as the same then.
func FuzzDecode(f *testing.F) {
	columns := named("A", types.BigintType, "S", types.StringType, "M", types.MapOf(types.StringType, types.ArrayOf(types.DoubleType)), "U", pick, "D", types.DecimalOf(10, 2),
		"T", types.StructOf(field("x", types.BytesType), field("U", pick)))
	for _, seed := range []string{
		`{"A": 1, "S": "x", "M": [{"key": "a", "value": [1.5, null]}], "U": "s", "D": "12.5", "T": {"x": "AQI=", "u": 3}}`, `{"m": {"a": []}, "U": 9}`, `null`, `{"M": [{}]}`, `{"U": {}}`,
	} {
		f.Add([]byte(seed))
	}
	format, spec, _ := side(f, `{}`, columns, false, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		dec, err := format.NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		enc, err := format.NewEncoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		layout := types.NewLayout(columns)
		row, again := layout.NewRow(), layout.NewRow()
		record := append(schemas.AppendHeader(nil, 1), data...)
		if dec.Decode(record, row) != nil {
			return
		}
		out, _, err := enc.Append(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode(out, again); err != nil {
			t.Fatalf("%s, read from %s: %v", out, data, err)
		}
		row = layout.NewRow()
		if err := dec.Decode(record, row); err != nil {
			t.Fatal(err)
		}
		for i, c := range columns {
			if was, is := row.Boxed(spec.Locs[i], c.Type), again.Boxed(spec.Locs[i], c.Type); !types.EqualBoxed(was, is) {
				t.Errorf("%s: column %s was %#v, is %#v", data, c.Name, was, is)
			}
		}
	})
}

// No text of a schema is more than an error, and rows of the columns it gives can be written with it.
func FuzzColumns(f *testing.F) {
	for _, seed := range []string{
		`{"type": "object", "properties": {"a": {"type": ["string", "integer"]}, "b": {"$ref": "#/definitions/x"}, "c": {"connect.index": 3, "enum": [1]}}, "definitions": {"x": {"type": "array", "items": {"type": "boolean"}}}}`,
		`{"allOf": [{"$ref": "#/$defs/A"}, {"oneOf": [{"type": "null"}, {"type": "object", "additionalProperties": true}]}], "$defs": {"A": {"properties": {"x": false}}}}`,
		`{"properties": {"a": {"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes", "connect.parameters": {"scale": "2"}}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		format := jsonsr.New(schemas.None{})
		columns, err := format.Columns(schemaOf(text), nil, false, "")
		if err != nil {
			return
		}
		if err := format.CheckWritable(&formats.Spec{Columns: columns, Locs: types.NewLayout(columns).Locs}, schemaOf(text), nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	})
}

func benchSide(b *testing.B) (formats.Encoder, formats.Decoder, *types.Row, []byte) {
	columns := named("ORDERTIME", types.BigintType, "ORDERID", types.StringType, "UNITS", types.DoubleType, "PAID", types.BooleanType)
	format, spec, row := side(b, `{}`, columns, false, nil)
	enc, err := format.NewEncoder(spec)
	if err != nil {
		b.Fatal(err)
	}
	dec, err := format.NewDecoder(spec)
	if err != nil {
		b.Fatal(err)
	}
	for i, v := range []any{int64(1_700_000_000_000), "order_12345", 2.5, true} {
		row.SetBoxed(spec.Locs[i], columns[i].Type, v)
	}
	data, _, err := enc.Append(nil, row)
	if err != nil {
		b.Fatal(err)
	}
	return enc, dec, row, data
}

func BenchmarkDecode(b *testing.B) {
	_, dec, row, data := benchSide(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := dec.Decode(data, row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	enc, _, row, data := benchSide(b)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if data, _, err = enc.Append(data[:0], row); err != nil {
			b.Fatal(err)
		}
	}
}
