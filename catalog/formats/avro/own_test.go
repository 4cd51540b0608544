package avro

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func column(name string, t *types.Type) types.Column { return types.Column{Name: name, Type: t} }

// specOf lays out columns in the order they are given.
func specOf(columns []types.Column, properties ...string) (*formats.Spec, *types.Layout) {
	l := types.NewLayout(columns)
	spec := &formats.Spec{Topic: "t", Columns: columns, Locs: l.Locs, Properties: map[string]string{}}
	for i := 0; i+1 < len(properties); i += 2 {
		spec.Properties[properties[i]] = properties[i+1]
	}
	return spec, l
}

const (
	before   = `{"type":"record","name":"KsqlDataSourceSchema","namespace":"io.confluent.ksql.avro_schemas","fields":[`
	after    = `],"connect.name":"io.confluent.ksql.avro_schemas.KsqlDataSourceSchema"}`
	decimal2 = `{"type":"bytes","scale":2,"precision":4,"connect.version":1,"connect.parameters":{"scale":"2","connect.decimal.precision":"4"},` +
		`"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}`
	nested = "io.confluent.ksql.avro_schemas.KsqlDataSourceSchema_"
)

func TestOwnSchema(t *testing.T) {
	t.Parallel()
	structF := types.StructOf(types.Field{Name: "F", Type: types.IntType})
	optional := func(name, typ string) string {
		return `{"name":"` + name + `","type":["null",` + typ + `],"default":null}`
	}
	record := func(name, fields string) string {
		return `{"type":"record","name":"KsqlDataSourceSchema_` + name + `","fields":[` + fields + `],"connect.name":"` + nested + name + `"}`
	}
	entries := func(name, value string) string {
		return `{"type":"array","items":{"type":"record","name":"KsqlDataSourceSchema_` + name + `","fields":[` + optional("key", `"string"`) + `,` +
			optional("value", value) + `],"connect.internal.type":"MapEntry"},"connect.name":"` + nested + name + `"}`
	}
	for _, c := range []struct {
		typ  *types.Type
		want string
	}{
		{types.BooleanType, `"boolean"`},
		{types.IntType, `"int"`},
		{types.BigintType, `"long"`},
		{types.DoubleType, `"double"`},
		{types.StringType, `"string"`},
		{types.BytesType, `"bytes"`},
		{types.DecimalOf(4, 2), decimal2},
		{types.DateType, `{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}`},
		{types.TimeType, `{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Time","logicalType":"time-millis"}`},
		{types.TimestampType, `{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}`},
		{types.ArrayOf(types.DecimalOf(4, 2)), `{"type":"array","items":["null",` + decimal2 + `]}`},
		{types.MapOf(types.StringType, types.BigintType), entries("C", `"long"`)},
		{structF, record("C", optional("F", `"int"`))},
		{types.ArrayOf(structF), `{"type":"array","items":["null",` + record("C", optional("F", `"int"`)) + `]}`},
		{types.MapOf(types.StringType, structF), entries("C", record("C_MapValue", optional("F", `"int"`)))},
		{types.StructOf(types.Field{Name: "S", Type: structF}, types.Field{Name: "M", Type: types.MapOf(types.StringType, types.IntType)}),
			record("C", optional("S", record("C_S", optional("F", `"int"`)))+","+optional("M", entries("C_M", `"int"`)))},
	} {
		spec, _ := specOf([]types.Column{column("C", c.typ)})
		got, err := New(&schemas.Memory{}).Schema(spec)
		if want := before + optional("C", c.want) + after; err != nil || got.Text != want {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.typ, got.Text, err, want)
		}
		// Unwrapped the outermost name is the whole side's, and the type is no union.
		spec.Unwrapped = true
		want := strings.ReplaceAll(c.want, "KsqlDataSourceSchema_C", "KsqlDataSourceSchema")
		want = strings.Replace(want, `"name":"KsqlDataSourceSchema",`, `"name":"KsqlDataSourceSchema","namespace":"io.confluent.ksql.avro_schemas",`, 1)
		if got, err = New(&schemas.Memory{}).Schema(spec); err != nil || got.Text != want {
			t.Errorf("%s unwrapped:\n got %s, %v\nwant %s", c.typ, got.Text, err, want)
		}
	}
}

func TestFullName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"com.acme.Order": `{"type":"record","name":"Order","namespace":"com.acme","fields":[{"name":"C","type":["null","int"],"default":null}],"connect.name":"com.acme.Order"}`,
		" Order ":        `{"type":"record","name":"Order","fields":[{"name":"C","type":["null","int"],"default":null}],"connect.name":"Order"}`,
	} {
		spec, _ := specOf([]types.Column{column("C", types.IntType)}, formats.PropertySchemaFullName, name)
		if got, err := New(&schemas.Memory{}).Schema(spec); err != nil || got.Text != want {
			t.Errorf("%q: got %s, %v\nwant %s", name, got.Text, err, want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	structOf := func(names ...string) *types.Type {
		out := &types.Type{Kind: types.Struct}
		for _, name := range names {
			out.Fields = append(out.Fields, types.Field{Name: name, Type: types.IntType})
		}
		return out
	}
	for _, c := range []struct {
		columns    []types.Column
		properties []string
		want       string
	}{
		{columns: []types.Column{column("Ä_1", types.IntType), column("A.B", types.IntType)}},
		{columns: []types.Column{column("1A", types.IntType)}, want: "reason: Schema is not compatible with Avro: Illegal initial character: 1A"},
		{columns: []types.Column{column("A B", types.IntType)}, want: "reason: Schema is not compatible with Avro: Illegal character in: A B"},
		{columns: []types.Column{column("", types.IntType)}, want: "reason: Schema is not compatible with Avro: Empty name"},
		{columns: []types.Column{column("S", structOf("F-G"))}, want: "reason: Schema is not compatible with Avro: Illegal character in: F-G"},
		{columns: []types.Column{column("A.B", types.IntType), column("A_B", types.IntType)}, want: "Duplicate field A_B in record"},
		{columns: []types.Column{column("A_B", structOf("F")), column("A", types.StructOf(types.Field{Name: "B", Type: structOf("F")}))},
			want: "Can't redefine: io.confluent.ksql.avro_schemas.KsqlDataSourceSchema_A_B"},
		{columns: []types.Column{column("M", types.MapOf(types.IntType, types.IntType))}, want: "reason: Avro only supports MAPs with STRING keys"},
		{columns: []types.Column{column("M", types.ArrayOf(types.MapOf(types.IntType, types.IntType)))}, want: "reason: Avro only supports MAPs with STRING keys"},
		{properties: []string{formats.PropertySchemaFullName, " "}, want: "fullSchemaName cannot be empty. Format configuration: {fullSchemaName=}"},
		{properties: []string{formats.PropertySchemaFullName, "a.1"}, want: "Illegal initial character: 1"},
		{properties: []string{"DELIMITER", ";"}, want: "AVRO does not support the following configs: [delimiter]"},
	} {
		spec, _ := specOf(c.columns, c.properties...)
		switch err := New(&schemas.Memory{}).Check(spec); {
		case c.want == "" && err != nil:
			t.Errorf("%v: %v", c.columns, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v %v: got %v, want %s", c.columns, c.properties, err, c.want)
		}
	}
}
