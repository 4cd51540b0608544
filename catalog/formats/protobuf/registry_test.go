package protobuf_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/formats/protobuf"
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

func schemaOf(text string) schemas.Schema {
	return schemas.Schema{Kind: schemas.Protobuf, Text: text}
}

// The texts are what Connect's converter writes, to the letter.
func TestSchemaText(t *testing.T) {
	t.Parallel()
	category := types.StructOf(field("ID", types.BigintType), field("NAME", types.StringType))
	item := types.StructOf(field("ITEMID", types.BigintType), field("CATEGORY", category))
	for _, c := range []struct {
		name     string
		columns  []types.Column
		nullable string
		fullName string
		want     string
	}{
		{"scalars", named("B", types.BooleanType, "I", types.IntType, "L", types.BigintType, "D", types.DoubleType, "S", types.StringType, "Y", types.BytesType), "", "",
			"syntax = \"proto3\";\n\nmessage ConnectDefault1 {\n  bool B = 1;\n  int32 I = 2;\n  int64 L = 3;\n  double D = 4;\n  string S = 5;\n  bytes Y = 6;\n}\n"},
		{"optional", named("I", types.IntType, "A", types.ArrayOf(types.IntType), "S", category), "OPTIONAL", "",
			"syntax = \"proto3\";\n\nmessage ConnectDefault1 {\n  optional int32 I = 1;\n  repeated int32 A = 2;\n  optional ConnectDefault2 S = 3;\n\n" +
				"  message ConnectDefault2 {\n    optional int64 ID = 1;\n    optional string NAME = 2;\n  }\n}\n"},
		{"wrappers", named("I", types.IntType, "M", types.MapOf(types.StringType, types.IntType)), "wrapper", "",
			"syntax = \"proto3\";\n\nimport \"google/protobuf/wrappers.proto\";\n\nmessage ConnectDefault1 {\n  google.protobuf.Int32Value I = 1;\n" +
				"  repeated ConnectDefault2Entry M = 2;\n\n  message ConnectDefault2Entry {\n    google.protobuf.StringValue key = 1;\n" +
				"    google.protobuf.Int32Value value = 2;\n  }\n}\n"},
		{"nested", named("ITEM", item, "M", types.MapOf(types.StringType, types.DoubleType), "L", types.ArrayOf(category)), "", "",
			"syntax = \"proto3\";\n\nmessage ConnectDefault1 {\n  ConnectDefault2 ITEM = 1;\n  repeated ConnectDefault4Entry M = 2;\n  repeated ConnectDefault5 L = 3;\n\n" +
				"  message ConnectDefault2 {\n    int64 ITEMID = 1;\n    ConnectDefault3 CATEGORY = 2;\n  \n    message ConnectDefault3 {\n      int64 ID = 1;\n      string NAME = 2;\n    }\n  }\n" +
				"  message ConnectDefault4Entry {\n    string key = 1;\n    double value = 2;\n  }\n" +
				"  message ConnectDefault5 {\n    int64 ID = 1;\n    string NAME = 2;\n  }\n}\n"},
		{"logical", named("DEC", types.DecimalOf(6, 4), "DATE", types.DateType, "TIME", types.TimeType, "TS", types.TimestampType, "D2", types.DateType), "", "",
			"syntax = \"proto3\";\n\nimport \"confluent/type/decimal.proto\";\nimport \"google/type/date.proto\";\nimport \"google/type/timeofday.proto\";\n" +
				"import \"google/protobuf/timestamp.proto\";\n\nmessage ConnectDefault1 {\n  confluent.type.Decimal DEC = 1 [(confluent.field_meta) = {\n    params: [\n" +
				"      {\n        value: \"6\",\n        key: \"precision\"\n      },\n      {\n        value: \"4\",\n        key: \"scale\"\n      }\n    ]\n  }];\n" +
				"  google.type.Date DATE = 2;\n  google.type.TimeOfDay TIME = 3;\n  google.protobuf.Timestamp TS = 4;\n  google.type.Date D2 = 5;\n}\n"},
		{"full name", named("S", category), "", "com.acme.Order",
			"syntax = \"proto3\";\npackage com.acme;\n\nmessage Order {\n  ConnectDefault1 S = 1;\n\n  message ConnectDefault1 {\n    int64 ID = 1;\n    string NAME = 2;\n  }\n}\n"},
		{"default name", named("S", category), "", "ConnectDefault7",
			"syntax = \"proto3\";\n\nmessage ConnectDefault1 {\n  ConnectDefault2 S = 1;\n\n  message ConnectDefault2 {\n    int64 ID = 1;\n    string NAME = 2;\n  }\n}\n"},
		{"a field called as its message", named("ConnectDefault2", category), "", "",
			"syntax = \"proto3\";\n\nmessage ConnectDefault1 {\n  ConnectDefault2Message ConnectDefault2 = 1;\n\n  message ConnectDefault2Message {\n    int64 ID = 1;\n    string NAME = 2;\n  }\n}\n"},
		{"nothing", nil, "", "", "syntax = \"proto3\";\n\nmessage ConnectDefault1 {}\n"},
	} {
		f := protobuf.NewSchema(&schemas.Memory{})
		props := map[string]string{}
		if c.nullable != "" {
			props["PROTOBUF_NULLABLE_REPRESENTATION"] = c.nullable
		}
		if c.fullName != "" {
			props[formats.PropertySchemaFullName] = c.fullName
		}
		spec := &formats.Spec{Columns: c.columns, Properties: props}
		s, err := f.Schema(spec)
		if err != nil || s.Text != c.want || s.Kind != schemas.Protobuf {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, s.Text, c.want)
			continue
		}
		// What is written is read as the same columns, and rows of them can be written with it.
		if len(c.columns) == 0 {
			continue
		}
		if got, err := f.Columns(s, nil, false, ""); err != nil || !types.EqualColumns(got, c.columns) {
			t.Errorf("%s: columns %v, %v", c.name, got, err)
		}
		delete(props, formats.PropertySchemaFullName)
		if err := f.CheckWritable(spec, s, nil); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	event := map[string]schemas.Schema{"event.proto": schemaOf(`syntax = "proto3"; import "deep/more.proto"; message Event { int64 ts = 1; More more = 2; }`),
		"deep/more.proto": schemaOf(`syntax = "proto3"; message More { string s = 1; }`)}
	for _, c := range []struct {
		text     string
		fullName string
		want     string
	}{
		{`syntax = "proto3"; message A { double a = 3; float b = 1; int32 c = 2; int64 d = 4; uint32 e = 5; uint64 f = 6; sint32 g = 7; sint64 h = 8;
			fixed32 i = 9; fixed64 j = 10; sfixed32 k = 11; sfixed64 l = 12; bool m = 13; string n = 14; bytes o = 15; }`, "",
			"`a` DOUBLE, `b` DOUBLE, `c` INTEGER, `d` BIGINT, `e` BIGINT, `f` BIGINT, `g` INTEGER, `h` BIGINT, `i` BIGINT, `j` BIGINT, `k` INTEGER, `l` BIGINT, " +
				"`m` BOOLEAN, `n` STRING, `o` BYTES"},
		{`syntax = "proto3"; message A { enum S { X = 0; } S s = 1; repeated S l = 2; optional int32 o = 3; }`, "", "`s` STRING, `l` ARRAY<STRING>, `o` INTEGER"},
		{`syntax = "proto3"; message A { map<string, int32> m = 1; map<int64, B> n = 2; repeated PEntry p = 3; repeated B b = 4;
			message B { bool x = 1; } message PEntry { string key = 1; repeated int32 value = 2; } }`, "",
			"`m` MAP<STRING, INTEGER>, `n` MAP<STRING, STRUCT<`x` BOOLEAN>>, `p` ARRAY<STRUCT<`key` STRING, `value` ARRAY<INTEGER>>>, `b` ARRAY<STRUCT<`x` BOOLEAN>>"},
		{`syntax = "proto3"; import "google/protobuf/wrappers.proto"; message A { google.protobuf.UInt32Value w = 1; repeated google.protobuf.StringValue s = 2; }`, "",
			"`w` BIGINT, `s` ARRAY<STRING>"},
		{`syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/type/date.proto"; import "google/type/timeofday.proto";
			import "confluent/meta.proto"; import "confluent/type/decimal.proto";
			message A { google.protobuf.Timestamp t = 1; google.type.Date d = 2; google.type.TimeOfDay o = 3; confluent.type.Decimal x = 4;
			confluent.type.Decimal y = 5 [(confluent.field_meta).params = { key: "precision" value: "10" }, (confluent.field_meta).params = { key: "scale" value: "3" }]; }`, "",
			"`t` TIMESTAMP, `d` DATE, `o` TIME, `x` DECIMAL(64, 0), `y` DECIMAL(10, 3)"},
		{`syntax = "proto3"; message A { string before = 1; oneof kind { int32 i = 2; string s = 3; } oneof other { bool b = 4; } string after = 5; optional bool opt = 6; }`, "",
			"`kind_0` STRUCT<`i` INTEGER, `s` STRING>, `other_1` STRUCT<`b` BOOLEAN>, `before` STRING, `after` STRING, `opt` BOOLEAN"},
		{`syntax = "proto3"; package x.y; message A { int32 a = 1; message In { int32 n = 1; } } message B { string b = 1; }`, "x.y.B", "`b` STRING"},
		{`syntax = "proto3"; package x.y; message A { int32 a = 1; message In { int32 n = 1; } } message B { string b = 1; }`, "x.y.A.In", "`n` INTEGER"},
		{`syntax = "proto3"; import "event.proto"; message L { Event event = 1; }`, "", "`event` STRUCT<`ts` BIGINT, `more` STRUCT<`s` STRING>>"},
		{`message A { required int32 r = 1; optional string o = 2 [default = "x"]; repeated int64 p = 3 [packed = true]; optional group G = 4 { optional bool z = 1; }
			extensions 100 to 200; } extend A { optional int32 ext = 100; }`, "", "`r` INTEGER, `o` STRING, `p` ARRAY<BIGINT>, `g` STRUCT<`z` BOOLEAN>"},
		// What registries take though compilers would not.
		{`syntax = "proto3"; option (my.opt) = "x"; message A { option (my.msg) = true; int32 a_b = 1 [(my.field).x = 3]; int32 aB = 2; }`, "", "`a_b` INTEGER, `aB` INTEGER"},
		{`syntax = "proto3"; import "google/type/datetime.proto"; import "google/type/money.proto"; message A { google.type.Money m = 1; }`, "",
			"`m` STRUCT<`currency_code` STRING, `units` BIGINT, `nanos` INTEGER>"},
	} {
		got, err := protobuf.NewSchema(schemas.None{}).Columns(schemaOf(c.text), event, false, c.fullName)
		if err != nil || formats.Describe(&formats.Spec{Columns: got}) != c.want {
			t.Errorf("%s\n%v, %v\nwant %s", c.text, formats.Describe(&formats.Spec{Columns: got}), err, c.want)
		}
	}
	for _, c := range []struct {
		text     string
		fullName string
		want     string
	}{
		{`syntax = "proto3"; message A { A a = 1; }`, "", "message A contains itself: ksqlDB has no types that contain themselves"},
		{`syntax = "proto3"; message A { repeated B b = 1; } message B { map<string, A> a = 1; }`, "", "message A contains itself"},
		{`syntax = "proto3"; message A { int32 a = 1; } message B { int32 b = 1; }`, "C", "the schema has no message C; it has A, B"},
		{`syntax = "proto3"; import "missing.proto"; message A { int32 a = 1; }`, "", `import "missing.proto": the schema has no reference of this name`},
		{`syntax = "proto3"; import "schema.proto"; message A { int32 a = 1; }`, "", "the files import each other in a circle"},
		{`syntax = "proto3"; message A { Missing a = 1; }`, "", "Missing"},
		{`syntax = "proto3"; message A {}`, "", "Schema does not include any columns with types that ksqlDB supports."},
		{`syntax = "proto3"; enum A { X = 0; }`, "", "the schema has no message"},
		{`{"type": "record"}`, "", "syntax error"},
		{`syntax = "proto3"; import "confluent/type/decimal.proto"; message A { confluent.type.Decimal d = 1 [(confluent.field_meta) = { params: [{ key: "scale", value: "99" }] }]; }`,
			"", "field A.d has no DECIMAL of 64 digits, 99 of them behind the point"},
	} {
		if _, err := protobuf.NewSchema(schemas.None{}).Columns(schemaOf(c.text), nil, false, c.fullName); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
	if _, err := protobuf.NewSchema(schemas.None{}).Columns(schemas.Schema{Kind: schemas.Avro, Text: "{}"}, nil, false, ""); err == nil {
		t.Error("an AVRO schema is taken")
	}
	one, err := protobuf.NewSchema(schemas.None{}).Columns(schemaOf(`syntax = "proto3"; message A { int32 a = 1; }`), nil, true, "")
	if err != nil || len(one) != 1 || one[0].Type.String() != "STRUCT<`a` INTEGER>" {
		t.Errorf("unwrapped: %v, %v", one, err)
	}
}

// side is a registry with a schema, and a decoder of columns.
func side(t testing.TB, text string, columns []types.Column, props map[string]string) (*schemas.Memory, *formats.Spec, formats.Decoder, *types.Row) {
	t.Helper()
	registry := &schemas.Memory{}
	if _, err := registry.Register("t-value", schemaOf(text)); err != nil {
		t.Fatal(err)
	}
	layout := types.NewLayout(columns)
	spec := &formats.Spec{Topic: "t", Columns: columns, Locs: layout.Locs, Properties: props}
	dec, err := protobuf.NewSchema(registry).NewDecoder(spec)
	if err != nil {
		t.Fatal(err)
	}
	return registry, spec, dec, layout.NewRow()
}

func boxed(spec *formats.Spec, row *types.Row) string {
	list := make([]string, len(spec.Columns))
	for i, c := range spec.Columns {
		v := row.Boxed(spec.Locs[i], c.Type)
		switch x := v.(type) {
		case string:
			list[i] = fmt.Sprintf("%q", x)
		case *types.MapValue:
			list[i] = fmt.Sprint(x.Keys, x.Values)
		default:
			list[i] = fmt.Sprint(v)
		}
	}
	return strings.Join(list, " ")
}

// Records are given in hexadecimal behind the header: indexes, then the message.
func TestDecodeBySchema(t *testing.T) {
	t.Parallel()
	several := `syntax = "proto3"; message A { int32 a = 1; message In { string n = 1; } } message B { string a = 5; int32 b = 2; }`
	for _, c := range []struct {
		name    string
		text    string
		columns []types.Column
		record  string
		want    string
	}{
		{"the first message", several, named("a", types.IntType), "00 0807", "7"},
		{"the first message, written out", several, named("a", types.IntType), "0200 0807", "7"},
		{"another one", several, named("a", types.StringType, "B", types.IntType), "0202 2a0178 1003", `"x" 3`},
		{"a nested one", several, named("n", types.StringType), "040000 0a0178", `"x"`},
		{"names in upper case, and columns that the schema does not have", several, named("A", types.IntType, "Z", types.IntType, "L", types.ArrayOf(types.IntType)), "00 0807", "7 <nil> <nil>"},
		{"an exact name wins", `syntax = "proto3"; message M { int32 a = 1; int32 A = 2; }`, named("A", types.IntType), "00 0801 1002", "2"},
		{"no fields at all", `syntax = "proto3"; enum E { X = 0; Y = 1; } message M { string s = 1; E e = 2; repeated E l = 3; map<string, E> m = 4; optional E o = 5; M.N n = 6; message N {} }`,
			named("s", types.StringType, "e", types.StringType, "l", types.ArrayOf(types.StringType), "m", types.MapOf(types.StringType, types.StringType), "o", types.StringType,
				"n", types.StructOf()), "00", `"" "X" [] [] [] <nil> <nil>`},
		{"enums without a name", `syntax = "proto3"; enum E { X = 0; } message M { E e = 1; repeated E l = 2; }`,
			named("e", types.StringType, "l", types.ArrayOf(types.StringType)), "00 0805 12020005", `"UNKNOWN_ENUM_VALUE_E_5" [X UNKNOWN_ENUM_VALUE_E_5]`},
		{"numbers as texts", `syntax = "proto3"; message M { int32 i = 1; bool b = 2; double d = 3; float f = 4; map<sint32, bool> m = 5; string s = 6; }`,
			named("i", types.StringType, "b", types.StringType, "d", types.StringType, "f", types.StringType, "m", types.MapOf(types.StringType, types.StringType), "s", types.StringType),
			"00 08ffffffffffffffffff01 1001 19000000000000f83f 25cdcc8c3f 2a0408011001 2a00", `"-1" "true" "1.5" "1.1" [-1 0] [true false] ""`},
		{"wider numbers", `syntax = "proto3"; import "google/protobuf/timestamp.proto"; message M { sint32 i = 1; google.protobuf.Timestamp t = 2; int64 l = 3; sfixed32 d = 4; }`,
			named("i", types.BigintType, "t", types.BigintType, "l", types.TimestampType, "d", types.DateType), "00 0803 12020801 18e807 2505000000", "-2 1000 1000 5"},
		{"numbers beyond the usual", `syntax = "proto3"; message M { int32 a = 536870911; int32 b = 64; int32 c = 63; }`, named("a", types.IntType, "b", types.IntType, "c", types.IntType),
			"00 f8ffffff0f01 800402 f80303", "1 2 3"},
		{"the last member of a oneof", `syntax = "proto3"; message M { oneof k { int32 i = 1; string s = 2; bool gone = 3; } }`, named("K_0", types.StructOf(field("I", types.IntType), field("S", types.StringType))),
			"00 0801 120178", "[<nil> x]"},
		{"a member that the column does not have", `syntax = "proto3"; message M { oneof k { int32 i = 1; string s = 2; bool gone = 3; } }`, named("k_0", types.StructOf(field("i", types.IntType))),
			"00 0801 1801", "[<nil>]"},
		{"proto2", `message M { required int32 r = 1; optional string o = 2 [default = "x"]; repeated int32 p = 3; optional group G = 4 { optional bool z = 1; } }`,
			named("r", types.IntType, "o", types.StringType, "p", types.ArrayOf(types.IntType), "g", types.StructOf(field("z", types.BooleanType))), "00 1801 1a020203 23080124", "<nil> <nil> [1 2 3] [true]"},
		{"a MAP by its shape", `syntax = "proto3"; message M { repeated Pair m = 1; message Pair { string key = 1; repeated int32 value = 2; } }`, named("m", types.MapOf(types.StringType, types.ArrayOf(types.IntType))),
			"00 0a070a016b12020102", "[k] [[1 2]]"},
	} {
		_, spec, dec, row := side(t, c.text, c.columns, nil)
		data, err := hex.DecodeString(strings.ReplaceAll(c.record, " ", ""))
		if err != nil {
			t.Fatal(c.name, err)
		}
		if err := dec.Decode(append(schemas.AppendHeader(nil, 1), data...), row); err != nil || boxed(spec, row) != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, boxed(spec, row), err, c.want)
		}
	}
}

func TestRecordErrors(t *testing.T) {
	t.Parallel()
	text := `syntax = "proto3"; import "google/type/date.proto"; message A { int64 a = 1; repeated fixed64 l = 2; map<string, string> m = 3; A.B b = 4; google.type.Date d = 5; message B { string s = 1; } }`
	all := named("a", types.BigintType, "l", types.ArrayOf(types.BigintType), "m", types.MapOf(types.StringType, types.StringType), "b", types.StructOf(field("s", types.StringType)), "d", types.DateType)
	deep := strings.Repeat("a306", 20_000)
	for _, c := range []struct {
		name    string
		columns []types.Column
		record  string
		want    string
	}{
		{"no header", all, "01", "Unknown magic byte!"},
		{"no indexes", all, "0000000001", "does not say which message"},
		{"too many indexes", all, "0000000001 feffffff0f", "does not say which message"},
		{"indexes below 0", all, "0000000001 0201", "a message that its schema does not have"},
		{"an index too high", all, "0000000001 0202", "a message that its schema does not have"},
		{"no such schema", all, "0000000009 00", "Schema 9 not found"},
		{"a varint of 2 GB", all, "0000000001 00 08ffffffffffffffffff7f", "no protobuf message"},
		{"a length that lies", all, "0000000001 00 12ffffffff0700", "no protobuf message"},
		{"a packed list that ends early", all, "0000000001 00 120301020300", "no protobuf message"},
		{"a nested length that lies", all, "0000000001 00 22040a7f7878", "no protobuf message"},
		{"groups without end", all, "0000000001 00" + deep, "no protobuf message"},
		{"an entry that lies", all, "0000000001 00 1a030a0578", "no protobuf message"},
		{"another wire type", all, "0000000001 00 0a0178", "field 1 (a): the record has another type of field there"},
		{"no date", all, "0000000001 00 2a02100d", "field 5 (d): no date"},
		{"number 0", all, "0000000001 00 0001", "no protobuf message"},
		{"a narrower column", named("a", types.IntType), "0000000001 00", "Cannot deserialize type int64 as type int32 for path: ->a"},
		{"another type", named("b", types.StructOf(field("s", types.IntType))), "0000000001 00", "Cannot deserialize type string as type int32 for path: ->b->s"},
		{"no list", named("a", types.ArrayOf(types.BigintType)), "0000000001 00", "Cannot deserialize type int64 as type array for path: ->a"},
		{"no map", named("l", types.MapOf(types.StringType, types.BigintType)), "0000000001 00", "Cannot deserialize type array as type map for path: ->l"},
	} {
		_, _, dec, row := side(t, text, c.columns, nil)
		data, err := hex.DecodeString(strings.ReplaceAll(c.record, " ", ""))
		if err != nil {
			t.Fatal(c.name, err)
		}
		for range 2 { // What is wrong with a schema is remembered.
			if err := dec.Decode(data, row); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %s", c.name, err, c.want)
			}
		}
	}
}

// A record of a few bytes does not make many values.
func TestEmptyMessages(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	fields := make([]types.Field, 200)
	for i := range fields {
		fields[i] = field(fmt.Sprintf("f%d", i), types.IntType)
		fmt.Fprintf(&text, "int32 f%d = %d; ", i, i+1)
	}
	_, spec, dec, row := side(t, `syntax = "proto3"; message M { repeated B b = 1; message B { `+text.String()+` } }`, named("b", types.ArrayOf(types.StructOf(fields...))), nil)
	record := func(n int) []byte {
		return append(append(schemas.AppendHeader(nil, 1), 0), strings.Repeat("\x0a\x00", n)...)
	}
	if err := dec.Decode(record(1000), row); err != nil || len(row.R[spec.Locs[0].Slot].([]any)) != 1000 {
		t.Error(err)
	}
	if err := dec.Decode(record(300_000), row); err == nil || !strings.Contains(err.Error(), "the record holds too many values") {
		t.Error(err)
	}
}

// A registry that does not answer is no error of the record, and is asked again.
type silent struct {
	schemas.Registry
	isSilent bool
}

func (s *silent) ByID(id int) (schemas.Schema, error) {
	if s.isSilent {
		return schemas.Schema{}, &schemas.UnavailableError{Cause: errors.New("gone")}
	}
	return s.Registry.ByID(id)
}

func (s *silent) Register(subject string, x schemas.Schema) (int, error) {
	if s.isSilent {
		return 0, &schemas.UnavailableError{Cause: errors.New("gone")}
	}
	return s.Registry.Register(subject, x)
}

func TestSilentRegistry(t *testing.T) {
	t.Parallel()
	registry := &silent{&schemas.Memory{}, true}
	columns := named("A", types.IntType)
	layout := types.NewLayout(columns)
	spec := &formats.Spec{Topic: "t", Columns: columns, Locs: layout.Locs}
	f := protobuf.NewSchema(registry)
	enc, err := f.NewEncoder(spec)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := f.NewDecoder(spec)
	if err != nil {
		t.Fatal(err)
	}
	row := layout.NewRow()
	row.SetInt64(layout.Locs[0], 7)
	if _, _, err := enc.Append(nil, row); !schemas.IsUnavailable(err) {
		t.Error(err)
	}
	record := append(schemas.AppendHeader(nil, 1), 0, 8, 9)
	if err := dec.Decode(record, row); !schemas.IsUnavailable(err) {
		t.Error(err)
	}
	registry.isSilent = false
	row.SetInt64(layout.Locs[0], 7)
	data, _, err := enc.Append(nil, row)
	if err != nil || hex.EncodeToString(data) != "0000000001000807" {
		t.Errorf("%x, %v", data, err)
	}
	if s, err := registry.Latest("t-value"); err != nil || !strings.Contains(s.Text, "int32 A = 1;") {
		t.Error(s, err)
	}
	if err := dec.Decode(record, row); err != nil || boxed(spec, row) != "9" {
		t.Error(boxed(spec, row), err)
	}
}

func TestEncodeBySchema(t *testing.T) {
	t.Parallel()
	dec := apd.New(-1234, -2)
	for _, c := range []struct {
		name     string
		text     string
		fullName string
		columns  []types.Column
		row      []any
		want     string // The record behind the header in hexadecimal, or the error.
	}{
		{"numbers in order, fields that no column has", `syntax = "proto3"; message M { int32 z = 1; string b = 9; int32 a = 3; }`, "", named("b", types.StringType, "a", types.IntType),
			[]any{"x", int32(5)}, "00 1805 4a0178"},
		{"another message", `syntax = "proto3"; package p; message M { int32 z = 1; } message N { message O { sint32 a = 1; } }`, "p.N.O", named("a", types.IntType), []any{int32(-1)}, "040200 0801"},
		{"kinds", `syntax = "proto3"; enum E { X = 0; Y = 2; } message M { uint32 a = 1; fixed32 b = 2; float c = 3; E d = 4; uint64 e = 5; sfixed64 f = 6; bool g = 7; bytes h = 8; }`, "",
			named("a", types.BigintType, "b", types.BigintType, "c", types.DoubleType, "d", types.StringType, "e", types.BigintType, "f", types.BigintType, "g", types.BooleanType, "h", types.BytesType),
			[]any{int64(1 << 31), int64(5), 1.5, "Y", int64(-1), int64(-2), true, []byte{1}}, "00 088080808008 1505000000 1d0000c03f 2002 28ffffffffffffffffff01 31feffffffffffffff 3801 420101"},
		{"defaults are left out, but for optional", `syntax = "proto3"; enum E { X = 0; } message M { int32 a = 1; optional int32 b = 2; E c = 3; optional E d = 4; optional string e = 5; }`, "",
			named("a", types.IntType, "b", types.IntType, "c", types.StringType, "d", types.StringType, "e", types.StringType), []any{int32(0), int32(0), "X", "X", ""}, "00 1000 2000 2a00"},
		{"lists", `syntax = "proto3"; message M { repeated sint64 a = 1; repeated int32 b = 2 [packed = false]; repeated string c = 3; }`, "",
			named("a", types.ArrayOf(types.BigintType), "b", types.ArrayOf(types.IntType), "c", types.ArrayOf(types.StringType)),
			[]any{[]any{int64(-1), nil}, []any{int32(1), int32(2)}, []any{"x", nil}}, "00 0a020100 1001 1002 1a0178 1a00"},
		{"oneof", `syntax = "proto3"; message M { oneof k { int32 i = 5; string s = 6; } }`, "", named("k_0", types.StructOf(field("i", types.IntType), field("s", types.StringType))),
			[]any{types.StructValue{nil, ""}}, "00 3200"},
		{"oneof that is null", `syntax = "proto3"; message M { oneof k { int32 i = 5; string s = 6; } }`, "", named("k_0", types.StructOf(field("i", types.IntType))), []any{nil}, "00"},
		{"wrappers, groups", `import "google/protobuf/wrappers.proto"; message M { optional google.protobuf.Int64Value w = 1; optional group G = 2 { optional int32 z = 1; } required int32 r = 3; }`, "",
			named("w", types.BigintType, "g", types.StructOf(field("z", types.IntType)), "r", types.IntType), []any{int64(0), types.StructValue{int32(1)}, int32(0)}, "00 0a00 13080114 1800"},
		{"decimals", `syntax = "proto3"; import "confluent/type/decimal.proto"; message M { confluent.type.Decimal d = 1; }`, "", named("d", types.DecimalOf(9, 2)), []any{dec}, "00 0a08 0a02fb2e 1004 1802"},
		{"too wide", `syntax = "proto3"; message M { uint32 a = 1; }`, "", named("a", types.BigintType), []any{int64(-1)}, "field 1 (a): -1 does not fit the type of the field in the schema"},
		{"too wide in a list", `syntax = "proto3"; message M { repeated int32 a = 1; }`, "", named("a", types.ArrayOf(types.BigintType)), []any{[]any{int64(1 << 31)}}, "field 1 (a): 2147483648 does not fit"},
		{"no such value", `syntax = "proto3"; enum E { X = 0; } message M { E a = 1; }`, "", named("a", types.StringType), []any{"Z"}, `field 1 (a): "Z" is no value of enum E`},
		{"required but null", `message M { required int32 r = 1; }`, "", named("r", types.IntType), []any{nil}, "field 1 (r): it is null, but the schema says that it is required"},
		{"missing", `syntax = "proto3"; message M { int32 r = 1; }`, "", named("x", types.IntType), []any{nil}, "Schema from Schema Registry misses field with name: x"},
		{"missing within", `syntax = "proto3"; message M { N n = 1; message N { int32 a = 1; } }`, "", named("n", types.StructOf(field("x", types.IntType))), []any{nil}, "Schema from Schema Registry misses field with name: x"},
		{"required without a column", `message M { required int32 r = 1; optional int32 x = 2; }`, "", named("x", types.IntType), []any{nil}, "Missing default value for required Protobuf field: [r]."},
		{"another type", `syntax = "proto3"; message M { string x = 1; }`, "", named("x", types.IntType), []any{nil}, "type string as type int32"},
		{"keys that are no texts", `syntax = "proto3"; message M { map<int32, int32> m = 1; }`, "", named("m", types.MapOf(types.StringType, types.IntType)), []any{nil}, "type int32 as type string"},
	} {
		props := map[string]string{formats.PropertySchemaID: "1"}
		if c.fullName != "" {
			props[formats.PropertySchemaFullName] = c.fullName
		}
		registry, spec, _, row := side(t, c.text, c.columns, props)
		f := protobuf.NewSchema(registry)
		enc, err := f.NewEncoder(spec)
		if err != nil {
			t.Fatal(c.name, err)
		}
		for i, v := range c.row {
			row.SetBoxed(spec.Locs[i], c.columns[i].Type, v)
		}
		data, isNull, err := enc.Append([]byte("before"), row)
		if isNull || !strings.HasPrefix(string(data), "before") {
			t.Errorf("%s: %v, %q", c.name, isNull, data)
		}
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %s", c.name, err, c.want)
			}
			continue
		}
		if want := "0000000001" + strings.ReplaceAll(c.want, " ", ""); hex.EncodeToString(data[6:]) != want {
			t.Errorf("%s: %x, want %s", c.name, data[6:], want)
		}
		if err := f.CheckWritable(spec, schemaOf(c.text), nil); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRefusedColumns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		columns []types.Column
		props   map[string]string
		want    string
	}{
		{named("M", types.MapOf(types.IntType, types.DoubleType)), nil, "PROTOBUF format only supports MAP types with STRING keys"},
		{named("M", types.ArrayOf(types.StructOf(field("X", types.MapOf(types.IntType, types.DoubleType))))), nil, "PROTOBUF format only supports MAP types with STRING keys"},
		{named("a b", types.IntType), nil, `"a b" is no name of a field`},
		{named("S", types.StructOf(field("1", types.IntType))), nil, `"1" is no name of a field`},
		{named("A", types.ArrayOf(types.ArrayOf(types.IntType))), nil, "an ARRAY of ARRAYs cannot be written"},
		{named("A", types.IntType), map[string]string{"SCHEMA_ID": "x"}, `SCHEMA_ID is "x"`},
		{named("A", types.IntType), map[string]string{"SCHEMA_FULL_NAME": "a..b"}, `SCHEMA_FULL_NAME is "a..b"`},
		{named("A", types.IntType), map[string]string{"DELIMITER": ";"}, "PROTOBUF does not support the following configs: [delimiter]"},
	} {
		f := protobuf.NewSchema(schemas.None{})
		spec := &formats.Spec{Columns: c.columns, Properties: c.props, Locs: types.NewLayout(c.columns).Locs}
		if err := f.Check(spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.columns, err, c.want)
		}
		if _, err := f.NewEncoder(spec); err == nil {
			t.Errorf("%v: an encoder is made", c.columns)
		}
	}
}

// Records of many schemas and messages take turns.
func TestManySchemas(t *testing.T) {
	t.Parallel()
	registry, spec, dec, row := side(t, `syntax = "proto3"; message M { int32 a = 1; } message N { int64 a = 2; }`, named("a", types.BigintType), nil)
	for i := range 100 {
		if _, err := registry.Register("t-value", schemaOf(fmt.Sprintf(`syntax = "proto3"; message M { int64 a = %d; }`, i+1))); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 3 {
		for i := range 100 {
			// Fields of number 1 to 100 of the schemas 2 to 101.
			record := append(schemas.AppendHeader(nil, i+2), 0)
			number := uint64(i+1) << 3
			if number < 128 {
				record = append(record, byte(number))
			} else {
				record = append(record, byte(number)|0x80, byte(number>>7))
			}
			if err := dec.Decode(append(record, byte(i)), row); err != nil || boxed(spec, row) != strconv.Itoa(i) {
				t.Fatalf("round %d, schema %d: %s, %v", round, i+2, boxed(spec, row), err)
			}
			if err := dec.Decode(append(schemas.AppendHeader(nil, 1), 2, 2, 0x10, 7), row); err != nil || boxed(spec, row) != "7" {
				t.Fatal(boxed(spec, row), err)
			}
		}
	}
}

// Whatever is read can be written by the same schema, and is read as the same then.
func FuzzDecodeBySchema(f *testing.F) {
	text := `syntax = "proto3"; import "google/protobuf/wrappers.proto"; import "google/protobuf/timestamp.proto"; import "google/type/date.proto"; import "confluent/type/decimal.proto";
		message M { sint32 a = 1; repeated fixed32 l = 2; map<string, E> m = 3; oneof k { M.B b = 4; float f = 5; } google.protobuf.StringValue w = 6; optional uint64 u = 77;
		google.protobuf.Timestamp t = 8; google.type.Date d = 9; confluent.type.Decimal x = 10; enum E { X = 0; Y = 1; } message B { string s = 1; repeated B2 r = 2; } message B2 { bytes y = 1; } }`
	columns, err := protobuf.NewSchema(schemas.None{}).Columns(schemaOf(text), nil, false, "")
	if err != nil {
		f.Fatal(err)
	}
	registry, spec, _, _ := side(f, text, columns, map[string]string{formats.PropertySchemaID: "1"})
	format := protobuf.NewSchema(registry)
	for _, seed := range []string{"00", "000803120401000000", "001a050a016b1001", "0022030a0178", "002d0000c03f", "003200", "00e80401", "00420208014a02080a52050a01051001", "0200", "040000"} {
		data, err := hex.DecodeString(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
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
		if dec.Decode(record, row) != nil || data[0] != 0 {
			return // Other messages are read, but the first one is written.
		}
		out, _, err := enc.Append(nil, row)
		if err != nil {
			if strings.Contains(err.Error(), "UNKNOWN_ENUM_VALUE") {
				return
			}
			t.Fatal(err)
		}
		if err := dec.Decode(out, again); err != nil {
			t.Fatalf("%x, read from %x: %v", out, record, err)
		}
		row = layout.NewRow()
		if err := dec.Decode(record, row); err != nil {
			t.Fatal(err)
		}
		for i, c := range columns {
			was, is := row.Boxed(spec.Locs[i], c.Type), again.Boxed(spec.Locs[i], c.Type)
			if !types.EqualBoxed(was, is) {
				t.Errorf("%x: column %s was %#v, is %#v", record, c.Name, was, is)
			}
		}
	})
}

// No text of a schema is more than an error, and what columns it gives can be checked.
func FuzzColumns(f *testing.F) {
	for _, seed := range []string{
		`syntax = "proto3"; message A { int32 a = 1; oneof k { string s = 2; } map<string, A2> m = 3; } message A2 { repeated E e = 1; } enum E { X = 0; }`,
		`message A { required group G = 1 { optional int32 x = 1 [default = 3]; } extensions 4; }`,
		`syntax = "proto3"; import "confluent/type/decimal.proto"; message A { confluent.type.Decimal d = 1 [(confluent.field_meta) = { params: [{ key: "scale", value: "2" }] }]; }`,
		`edition = "2023"; import "google/protobuf/wrappers.proto"; message A { google.protobuf.BoolValue b = 1; int32 x = 2 [features.field_presence = IMPLICIT]; }`,
		`syntax = "proto3"; message A { B b = 1; message B { A a = 1; } }`,
	} {
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, text, fullName string) {
		format := protobuf.NewSchema(schemas.None{})
		columns, err := format.Columns(schemaOf(text), nil, false, fullName)
		if err != nil {
			return
		}
		spec := &formats.Spec{Columns: columns, Locs: types.NewLayout(columns).Locs}
		_ = format.CheckWritable(spec, schemaOf(text), nil)
		_ = format.Check(spec)
	})
}

var benchText = `syntax = "proto3"; message Order { int64 ordertime = 1; string orderid = 2; string itemid = 3; double units = 4; bool paid = 5; int32 n = 6; }`

func benchSide(b *testing.B) (formats.Encoder, formats.Decoder, *types.Row, []byte) {
	columns := named("ORDERTIME", types.BigintType, "ORDERID", types.StringType, "ITEMID", types.StringType, "UNITS", types.DoubleType, "PAID", types.BooleanType, "N", types.IntType)
	registry, spec, dec, row := side(b, benchText, columns, nil)
	enc, err := protobuf.NewSchema(registry).NewEncoder(spec)
	if err != nil {
		b.Fatal(err)
	}
	for i, v := range []any{int64(1_700_000_000_000), "order_12345", "item_77", 2.5, true, int32(42)} {
		row.SetBoxed(spec.Locs[i], columns[i].Type, v)
	}
	data, _, err := enc.Append(nil, row)
	if err != nil {
		b.Fatal(err)
	}
	return enc, dec, row, data
}

func BenchmarkDecodeBySchema(b *testing.B) {
	_, dec, row, data := benchSide(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := dec.Decode(data, row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeBySchema(b *testing.B) {
	enc, _, row, data := benchSide(b)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		var err error
		if data, _, err = enc.Append(data[:0], row); err != nil {
			b.Fatal(err)
		}
	}
}
