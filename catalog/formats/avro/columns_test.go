package avro

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func avroSchema(text string) schemas.Schema { return schemas.Schema{Kind: schemas.Avro, Text: text} }

// recordWith is a schema with one field f.
func recordWith(typ string) string {
	return `{"type":"record","name":"R","namespace":"n","fields":[{"name":"f","type":` + typ + `}]}`
}

const (
	entryOf = `{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":%},{"name":"value","type":"int"}]}`
	inner   = `{"type":"record","name":"I","fields":[{"name":"x","type":["null","int"]}]}`
)

func TestColumnTypes(t *testing.T) {
	t.Parallel()
	entries := func(key string) string {
		return `{"type":"array","items":` + strings.Replace(entryOf, "%", key, 1) + `}`
	}
	for typ, want := range map[string]string{
		`"boolean"`: "BOOLEAN", `"int"`: "INTEGER", `"long"`: "BIGINT", `"float"`: "DOUBLE", `"double"`: "DOUBLE", `"string"`: "STRING", `"bytes"`: "BYTES",
		`{"type":"int"}`: "INTEGER", `{"type":{"type":"int"}}`: "INTEGER", `["int"]`: "INTEGER", `["null","int"]`: "INTEGER", `["int","null"]`: "INTEGER",
		`{"type":"int","connect.type":"int8"}`:                                       "INTEGER",
		`{"type":"int","logicalType":"date"}`:                                        "DATE",
		`{"type":"int","logicalType":"time-millis"}`:                                 "TIME",
		`{"type":"long","logicalType":"timestamp-millis"}`:                           "TIMESTAMP",
		`{"type":"long","logicalType":"timestamp-micros"}`:                           "BIGINT",
		`{"type":"long","logicalType":"time-micros"}`:                                "BIGINT",
		`{"type":"long","logicalType":"local-timestamp-millis"}`:                     "BIGINT",
		`{"type":"string","logicalType":"uuid"}`:                                     "STRING",
		`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`:           "DECIMAL(4, 2)",
		`{"type":"bytes","logicalType":"decimal","precision":4}`:                     "DECIMAL(4, 0)",
		`{"type":"bytes","logicalType":"decimal","scale":2}`:                         "DECIMAL(64, 2)",
		`{"type":"fixed","name":"D","size":8,"logicalType":"decimal","precision":9}`: "DECIMAL(9, 0)",
		`{"type":"fixed","name":"F","size":8}`:                                       "BYTES",
		`{"type":"enum","name":"E","symbols":["A"]}`:                                 "STRING",
		`{"type":"array","items":["null","long"]}`:                                   "ARRAY<BIGINT>",
		`{"type":"map","values":"long"}`:                                             "MAP<STRING, BIGINT>",
		entries(`"string"`):                                                          "MAP<STRING, INTEGER>",
		entries(`["null","long"]`):                                                   "MAP<STRING, INTEGER>",
		inner:                                                                        "STRUCT<`x` INTEGER>",
		`["null","int","string",` + inner + `]`:                                      "STRUCT<`int` INTEGER, `string` STRING, `I` STRUCT<`x` INTEGER>>",
		`{"type":"record","name":"o.P","fields":[{"name":"a","type":` + inner + `},{"name":"b","type":"I"},{"name":"c","type":"o.I"}]}`: "STRUCT<`a` STRUCT<`x` INTEGER>, `b` STRUCT<`x` INTEGER>, `c` STRUCT<`x` INTEGER>>",
	} {
		got, err := New(nil).Columns(avroSchema(recordWith(typ)), nil, false, "")
		if err != nil || len(got) != 1 || got[0].Name != "f" || got[0].Type.String() != want {
			t.Errorf("%s: %v, %v; want %s", typ, got, err, want)
		}
		got, err = New(nil).Columns(avroSchema(typ), nil, true, "")
		if err != nil || len(got) != 1 || got[0].Name != "" || got[0].Type.String() != want {
			t.Errorf("%s unwrapped: %v, %v; want %s", typ, got, err, want)
		}
	}
}

func TestColumnsThatCannotBe(t *testing.T) {
	t.Parallel()
	doubling := `{"type":"record","name":"R0","fields":[]}`
	for i := range 40 {
		n := string(rune('a' + i%26))
		doubling = `{"type":"record","name":"S` + n + string(rune('0'+i/26)) + `","fields":[{"name":"l","type":` + doubling + `},{"name":"r","type":"` +
			strings.Split(strings.SplitN(doubling, `"name":"`, 2)[1], `"`)[0] + `"}]}`
	}
	for _, c := range []struct{ schema, want string }{
		{`"int"`, "Schema returned from schema registry is anonymous type. To use this schema with ksqlDB, set 'WRAP_SINGLE_VALUE=false'"},
		{`{"type":"record","name":"R","fields":[]}`, "Schema does not include any columns with types that ksqlDB supports."},
		{recordWith(`"null"`), "field `f`: Standalone null schemas are not supported"},
		{recordWith(`{"type":"array","items":["null","n.R"]}`), "field `f`: the record n.R contains itself"},
		{recordWith(`{"type":"record","name":"S","fields":[{"name":"g","type":{"type":"array","items":"R"}}]}`), "field `f`->`g`: the record n.R contains itself"},
		{recordWith(`["int","long",{"type":"record","name":"a.X","fields":[]},{"type":"record","name":"b.X","fields":[]}]`), "Multiple union schemas"},
		{recordWith(`{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}`), "field `f`: DECIMAL precision must be >= scale"},
		{recordWith(`{"type":"bytes","logicalType":"decimal","precision":0}`), "field `f`: DECIMAL precision must be >= 1"},
		{recordWith(`{"type":"array","items":{"type":"record","name":"E","connect.internal.type":"MapEntry","fields":[]}}`), "field `f`: Found map encoded as array"},
		{recordWith(`"n.S"`), `the schema does not say what "n.S" is`},
		{recordWith(`["null",["int"]]`), "a union of the schema holds another union"},
		{recordWith(`["int","int"]`), "a union of the schema holds int twice"},
		{recordWith(`{"type":"fixed","name":"F","size":-1}`), "has the size -1"},
		{recordWith(`{"type":"record","name":"R","fields":[]}`), "Can't redefine: n.R"},
		{`{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}`, "Duplicate field a in record R"},
		{`{"type":"record","name":"R"}`, "no list of fields"},
		{`{"type":"record","name":"R","fields":[5]}`, "has no name"},
		{`{`, "the schema is no JSON"},
		{`"int" 5`, "more after the end"},
		{`5`, "a type of the schema is 5"},
		{strings.Repeat(`{"type":"array","items":`, 300) + `"int"` + strings.Repeat("}", 300), "nests deeper"},
		{doubling, "stands for more than"},
	} {
		if got, err := New(nil).Columns(avroSchema(c.schema), nil, false, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200s: got %v, %v; want %s", c.schema, got, err, c.want)
		}
	}
	// A field whose type ksqlDB does not have is left out.
	left := strings.Replace(entryOf, "%", `"double"`, 1)
	got, err := New(nil).Columns(avroSchema(`{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":`+left+`}},{"name":"b","type":"int"}]}`), nil, false, "")
	if err != nil || len(got) != 1 || got[0].Name != "b" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := New(nil).Columns(schemas.Schema{Kind: schemas.JSON, Text: "{}"}, nil, false, ""); err == nil {
		t.Error("a JSON schema was taken for an Avro schema")
	}
}

func TestColumnsOfReferencesAndChosenRecords(t *testing.T) {
	t.Parallel()
	main := schemas.Schema{Kind: schemas.Avro, Text: `["x.A","x.B"]`, References: []schemas.Reference{{Name: "x.B"}, {Name: "x.A"}}}
	imports := map[string]schemas.Schema{
		"x.A": {Kind: schemas.Avro, Text: `{"type":"record","name":"x.A","fields":[{"name":"b","type":"x.B"}]}`, References: []schemas.Reference{{Name: "x.B"}}},
		"x.B": {Kind: schemas.Avro, Text: `{"type":"record","name":"B","namespace":"x","fields":[{"name":"i","type":"int"}]}`},
	}
	for full, want := range map[string]string{
		"":        "`A` STRUCT<`b` STRUCT<`i` INTEGER>>, `B` STRUCT<`i` INTEGER>",
		"x.A":     "`b` STRUCT<`i` INTEGER>",
		"x.B":     "`i` INTEGER",
		"x.Other": "`A` STRUCT<`b` STRUCT<`i` INTEGER>>, `B` STRUCT<`i` INTEGER>",
	} {
		got, err := New(nil).Columns(main, imports, false, full)
		schema := types.Schema{Value: got}
		if err != nil || schema.String() != want {
			t.Errorf("%s: got %s, %v; want %s", full, schema.String(), err, want)
		}
	}
	delete(imports, "x.B")
	if _, err := New(nil).Columns(main, imports, false, ""); err == nil {
		t.Error("a missing reference is no error")
	}
}
