package avro

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// encoded writes one row with a schema that is in the registry.
func encoded(t *testing.T, schema string, columns []types.Column, unwrapped bool, values ...any) ([]byte, error) {
	t.Helper()
	reg, header := registered(t, schema)
	spec, l := specOf(columns, formats.PropertySchemaID, "1")
	spec.Unwrapped = unwrapped
	enc, err := New(reg).NewEncoder(spec)
	if err != nil {
		t.Fatal(err)
	}
	row := l.NewRow()
	for i, v := range values {
		row.SetBoxed(l.Locs[i], columns[i].Type, v)
	}
	writable := New(reg).CheckWritable(spec, avroSchema(schema), nil)
	data, isNull, err := enc.Append([]byte("before"), row)
	switch {
	case err != nil:
		if string(data) != "before" {
			t.Errorf("%s: an error leaves %q", schema, data)
		}
		return nil, err
	case writable != nil:
		t.Errorf("%s: written, but CheckWritable says %v", schema, writable)
	case isNull:
		return nil, nil
	case !bytes.HasPrefix(data, append([]byte("before"), header...)):
		t.Errorf("%s: got % x", schema, data)
	}
	return data[6+len(header):], nil
}

func TestEncodeWithAGivenSchema(t *testing.T) {
	t.Parallel()
	fields := func(f string) string { return `{"type":"record","name":"R","fields":[` + f + `]}` }
	f := func(typ string) string { return fields(`{"name":"f","type":` + typ + `}`) }
	m := &types.MapValue{}
	m.Put("k", int32(1))
	union := types.StructOf(types.Field{Name: "INT", Type: types.IntType}, types.Field{Name: "STRING", Type: types.StringType})
	for _, c := range []struct {
		schema string
		as     *types.Type
		value  any
		want   any // bytes, or the error's text
	}{
		{f(`"boolean"`), types.BooleanType, true, "\x01"},
		{f(`"int"`), types.IntType, int32(-1), "\x01"},
		{f(`"long"`), types.IntType, int32(-1), "\x01"},
		{f(`"double"`), types.IntType, int32(1), "\x00\x00\x00\x00\x00\x00\xf0\x3f"},
		{f(`"double"`), types.DoubleType, 1.0, "\x00\x00\x00\x00\x00\x00\xf0\x3f"},
		{f(`"int"`), types.IntType, nil, errors.New("field `f`: Invalid value: null used for required field, schema type: int")},
		{fields(`{"name":"f","type":"int","default":10}`), types.IntType, nil, "\x14"},
		{fields(`{"name":"f","type":["int","null"],"default":10}`), types.IntType, nil, "\x02"},
		{f(`["int","null"]`), types.IntType, nil, "\x02"},
		{f(`["int","null"]`), types.IntType, int32(1), "\x00\x02"},
		{f(`["string","null","int"]`), types.IntType, int32(1), "\x04\x02"},
		{f(`["string","null","int"]`), types.IntType, nil, "\x02"},
		{f(`["int","null","string"]`), union, types.StructValue{nil, "a"}, "\x04\x02a"},
		{f(`["int","null","string"]`), union, types.StructValue{nil, nil}, "\x02"},
		{f(`["int","null","string"]`), union, nil, "\x02"},
		{f(`["int","string","long"]`), union, types.StructValue{nil, nil}, errors.New("null used for required field")},
		{f(`["int","null","string"]`), union, types.StructValue{int32(1), "a"}, errors.New("only one can have a value")},
		{f(`["int","null","long"]`), union, nil, errors.New("without a type called STRING")},
		{f(`"int"`), types.BigintType, int64(1), errors.New("field `f`: the schema has the type int: BIGINT cannot be written as that")},
		{f(`"float"`), types.DoubleType, 1.0, "\x00\x00\x80\x3f"},
		{f(`"float"`), types.DoubleType, 0.1, "\xcd\xcc\xcc\x3d"},
		{f(`"float"`), types.DoubleType, math.Inf(-1), "\x00\x00\x80\xff"},
		{f(`"float"`), types.DoubleType, 1e300, errors.New("1.0E300 is too big for a float")},
		{f(`"float"`), types.IntType, int32(1), errors.New("INTEGER cannot be written as that")},
		{f(`"long"`), types.TimestampType, types.TimestampValue(1), errors.New("TIMESTAMP cannot be written as that")},
		{f(`{"type":"long","logicalType":"timestamp-millis"}`), types.TimestampType, types.TimestampValue(1), "\x02"},
		{f(`{"type":"long","logicalType":"timestamp-millis"}`), types.BigintType, int64(1), errors.New("type long (timestamp-millis): BIGINT")},
		{f(`"string"`), types.StringType, "ab", "\x04ab"},
		{f(`"bytes"`), types.StringType, "ab", errors.New("STRING cannot be written as that")},
		{f(`{"type":"enum","name":"E","symbols":["A","B"]}`), types.StringType, "B", "\x02"},
		{f(`{"type":"enum","name":"E","symbols":["A","B"]}`), types.StringType, "C", errors.New(`"C" is no symbol of the enum E`)},
		{f(`{"type":"fixed","name":"F","size":2}`), types.BytesType, []byte("ab"), "ab"},
		{f(`{"type":"fixed","name":"F","size":2}`), types.BytesType, []byte("abc"), errors.New("3 bytes do not fit the fixed F, which has 2")},
		{f(`{"type":"bytes","logicalType":"decimal","precision":6,"scale":3}`), types.DecimalOf(4, 2), apd.New(-100, -2), "\x04\xfc\x18"},
		{f(`{"type":"fixed","name":"D","size":4,"logicalType":"decimal","precision":6,"scale":2}`), types.DecimalOf(4, 2), apd.New(-100, -2), "\xff\xff\xff\x9c"},
		{f(`{"type":"fixed","name":"D","size":1,"logicalType":"decimal","precision":6,"scale":2}`), types.DecimalOf(4, 2), apd.New(1000, -2), errors.New("the DECIMAL 10.00 does not fit the fixed D of 1 bytes")},
		{f(`{"type":"bytes","logicalType":"decimal","precision":6,"scale":1}`), types.DecimalOf(4, 2), apd.New(1, -2), errors.New("type bytes (decimal 6,1): DECIMAL(4, 2)")},
		{f(`{"type":"array","items":"int"}`), types.ArrayOf(types.IntType), []any{int32(1)}, "\x02\x02\x00"},
		{f(`{"type":"array","items":"int"}`), types.ArrayOf(types.IntType), []any{nil}, errors.New("field `f`->ARRAY: Invalid value: null")},
		{f(`{"type":"array","items":"string"}`), types.ArrayOf(types.IntType), nil, errors.New("field `f`->ARRAY: the schema has the type string")},
		{f(`{"type":"map","values":"int"}`), types.MapOf(types.StringType, types.IntType), m, "\x02\x02k\x02\x00"},
		{f(`{"type":"array","items":` + strings.Replace(entryOf, "%", `"string"`, 1) + `}`), types.MapOf(types.StringType, types.IntType), m, "\x02\x02k\x02\x00"},
		{f(inner), types.StructOf(types.Field{Name: "X", Type: types.IntType}), types.StructValue{int32(1)}, "\x02\x02"},
		{f(inner), types.StructOf(types.Field{Name: "Y", Type: types.IntType}), nil, errors.New("field `f`: Schema from Schema Registry misses field with name: Y")},
		{fields(`{"name":"g","type":"int"}`), types.IntType, int32(1), errors.New("Missing default value for required Avro field: [g]. This field appears in Avro schema in Schema Registry")},
		{fields(``), types.IntType, int32(1), errors.New("Schema from Schema Registry misses field with name: F")},
		{`"int"`, types.IntType, int32(1), errors.New("the schema has the type int: STRUCT<`F` INTEGER> cannot be written as that")},
		{`["null",` + f(`"int"`) + `]`, types.IntType, int32(1), "\x02\x02"},
	} {
		got, err := encoded(t, c.schema, []types.Column{column("F", c.as)}, false, c.value)
		if want, ok := c.want.(error); ok {
			if err == nil || !strings.Contains(err.Error(), want.Error()) {
				t.Errorf("%s: got %v, want %v", c.schema, err, want)
			}
		} else if err != nil || string(got) != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.schema, got, err, c.want)
		}
	}
	for _, c := range []struct {
		schema string
		value  any
		want   string
	}{{`"int"`, int32(1), "\x02"}, {`["null","int"]`, int32(1), "\x02\x02"}, {`"int"`, nil, ""}} {
		if got, err := encoded(t, c.schema, []types.Column{column("F", types.IntType)}, true, c.value); err != nil || string(got) != c.want {
			t.Errorf("%s unwrapped: got %q, %v; want %q", c.schema, got, err, c.want)
		}
	}
}

func TestEncodeDefaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, def, want string }{
		{`"null"`, `null`, ""},
		{`"boolean"`, `true`, "\x01"},
		{`"int"`, `-3`, "\x05"},
		{`"long"`, `4294967296`, "\x80\x80\x80\x80\x20"},
		{`"float"`, `1`, "\x00\x00\x80\x3f"},
		{`"double"`, `1.0`, "\x00\x00\x00\x00\x00\x00\xf0\x3f"},
		{`"string"`, `"é"`, "\x04é"},
		{`"bytes"`, `"\u00ffA"`, "\x04\xffA"},
		{`{"type":"fixed","name":"F","size":2}`, `"\u00ffA"`, "\xffA"},
		{`{"type":"enum","name":"E","symbols":["A","B"]}`, `"B"`, "\x02"},
		{`{"type":"array","items":"int"}`, `[1,2]`, "\x04\x02\x04\x00"},
		{`{"type":"array","items":"int"}`, `[]`, "\x00"},
		{`{"type":"map","values":"int"}`, `{"b":1,"a":2}`, "\x04\x02a\x04\x02b\x02\x00"},
		{`{"type":"record","name":"I","fields":[{"name":"x","type":"int"},{"name":"y","type":"int","default":5}]}`, `{"x":1}`, "\x02\x0a"},
		{`["null","int"]`, `null`, "\x00"},
		{`["int","null"]`, `1`, "\x00\x02"},
		{`["null","int"]`, `1`, "\x02\x02"},
		{`"int"`, `"a"`, "error"},
		{`"int"`, `4294967296`, "error"},
		{`"int"`, `1.5`, "error"},
		{`"bytes"`, `"ž"`, "error"},
		{`{"type":"fixed","name":"F","size":2}`, `"A"`, "error"},
		{`{"type":"record","name":"I","fields":[{"name":"i","type":"I","default":{}}]}`, `{}`, "error"},
		{`{"type":"record","name":"I","fields":[{"name":"i","type":{"type":"array","items":"I"},"default":[{},{}]}]}`, `{}`, "error"},
		{`{"type":"record","name":"A","fields":[{"name":"x","type":["A",{"type":"record","name":"B","fields":[{"name":"y","type":["B","A"],"default":{}}]}],"default":{}}]}`, `{}`, "error"},
	} {
		schema := `{"type":"record","name":"R","fields":[{"name":"f","type":"int"},{"name":"d","type":` + c.typ + `,"default":` + c.def + `}]}`
		got, err := encoded(t, schema, []types.Column{column("F", types.IntType)}, false, int32(1))
		if c.want == "error" {
			if err == nil {
				t.Errorf("%s default %s: got %q", c.typ, c.def, got)
			}
		} else if err != nil || string(got) != "\x02"+c.want {
			t.Errorf("%s default %s: got %q, %v; want %q", c.typ, c.def, got, err, c.want)
		}
	}
}

func TestEncodeRegistersWithTheFirstRecord(t *testing.T) {
	t.Parallel()
	reg := &flaky{fail: &schemas.UnavailableError{Cause: errors.New("down")}}
	spec, l := specOf([]types.Column{column("F", types.IntType)})
	spec.IsKey = true
	enc, err := New(reg).NewEncoder(spec)
	if err != nil {
		t.Fatal(err)
	}
	row := l.NewRow()
	for range 2 {
		if _, _, err := enc.Append(nil, row); !schemas.IsUnavailable(err) {
			t.Fatalf("got %v", err)
		}
	}
	reg.fail = errors.New("incompatible")
	if _, _, err := enc.Append(nil, row); !schemas.IsRegistryFailure(err) || !strings.Contains(err.Error(), "subject t-key: incompatible") {
		t.Errorf("got %v", err)
	}
	reg.fail, reg.asked = nil, 0
	for range 3 {
		if _, _, err = enc.Append(nil, row); err != nil {
			t.Fatal(err)
		}
	}
	got, lerr := reg.Latest("t-key")
	want, serr := New(reg).Schema(spec)
	if lerr != nil || serr != nil || got.Text != want.Text || reg.asked != 1 {
		t.Errorf("%v, %v: registered %s after %d questions", lerr, serr, got.Text, reg.asked)
	}
	spec.Properties[formats.PropertySchemaID] = "x"
	if _, err := New(reg).NewEncoder(spec); err == nil {
		t.Error("a schema numbered x")
	}
	spec.Properties[formats.PropertySchemaID] = "77"
	if enc, err = New(reg).NewEncoder(spec); err == nil {
		if _, _, err = enc.Append(nil, row); !schemas.IsNotFound(err) || !schemas.IsRegistryFailure(err) {
			t.Errorf("got %v", err)
		}
	}
}
