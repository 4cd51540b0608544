package protobuf_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/formats/protobuf"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// The messages that Google's library reads and writes in the tests are described as a user of protobuf would.
const schema = `
name: "test.proto" syntax: "proto3" dependency: ["google/protobuf/timestamp.proto", "google/protobuf/wrappers.proto"]
message_type { name: "Date"
  field { name: "year" number: 1 type: TYPE_INT32 } field { name: "month" number: 2 type: TYPE_INT32 } field { name: "day" number: 3 type: TYPE_INT32 } }
message_type { name: "TimeOfDay"
  field { name: "hours" number: 1 type: TYPE_INT32 } field { name: "minutes" number: 2 type: TYPE_INT32 }
  field { name: "seconds" number: 3 type: TYPE_INT32 } field { name: "nanos" number: 4 type: TYPE_INT32 } }
message_type { name: "Decimal"
  field { name: "value" number: 1 type: TYPE_BYTES } field { name: "precision" number: 2 type: TYPE_UINT32 } field { name: "scale" number: 3 type: TYPE_INT32 } }
message_type { name: "Inner" field { name: "A" number: 1 type: TYPE_INT32 } field { name: "B" number: 2 type: TYPE_STRING label: LABEL_REPEATED } }
message_type { name: "Row"
  field { name: "b" number: 1 type: TYPE_BOOL } field { name: "i" number: 2 type: TYPE_INT32 } field { name: "l" number: 3 type: TYPE_INT64 }
  field { name: "d" number: 4 type: TYPE_DOUBLE } field { name: "s" number: 5 type: TYPE_STRING } field { name: "y" number: 6 type: TYPE_BYTES }
  field { name: "dec" number: 7 type: TYPE_MESSAGE type_name: ".Decimal" } field { name: "date" number: 8 type: TYPE_MESSAGE type_name: ".Date" }
  field { name: "time" number: 9 type: TYPE_MESSAGE type_name: ".TimeOfDay" } field { name: "ts" number: 10 type: TYPE_MESSAGE type_name: ".google.protobuf.Timestamp" }
  field { name: "list" number: 11 type: TYPE_INT32 label: LABEL_REPEATED } field { name: "texts" number: 12 type: TYPE_STRING label: LABEL_REPEATED }
  field { name: "map" number: 13 type: TYPE_MESSAGE type_name: ".Row.MapEntry" label: LABEL_REPEATED }
  field { name: "inner" number: 14 type: TYPE_MESSAGE type_name: ".Inner" }
  field { name: "inners" number: 15 type: TYPE_MESSAGE type_name: ".Inner" label: LABEL_REPEATED }
  nested_type { name: "MapEntry" options { map_entry: true } field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_INT64 label: LABEL_OPTIONAL } } }
message_type { name: "Wrapped"
  field { name: "i" number: 1 type: TYPE_MESSAGE type_name: ".google.protobuf.Int32Value" } field { name: "s" number: 2 type: TYPE_MESSAGE type_name: ".google.protobuf.StringValue" } }
message_type { name: "Optional"
  field { name: "i" number: 1 type: TYPE_INT32 proto3_optional: true oneof_index: 0 } field { name: "s" number: 2 type: TYPE_STRING proto3_optional: true oneof_index: 1 }
  oneof_decl { name: "_i" } oneof_decl { name: "_s" } }`

func message(t testing.TB, name protoreflect.Name) *dynamicpb.Message {
	t.Helper()
	var file descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(schema), &file); err != nil {
		t.Fatal(err)
	}
	desc, err := protodesc.NewFile(&file, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return dynamicpb.NewMessage(desc.Messages().ByName(name))
}

var inner = types.StructOf(types.Field{Name: "A", Type: types.IntType}, types.Field{Name: "B", Type: types.ArrayOf(types.StringType)})

func columns(list ...*types.Type) (out []types.Column) {
	for i, t := range list {
		out = append(out, types.Column{Name: fmt.Sprintf("C%d", i), Type: t})
	}
	return out
}

var rowColumns = columns(types.BooleanType, types.IntType, types.BigintType, types.DoubleType, types.StringType, types.BytesType,
	types.DecimalOf(10, 2), types.DateType, types.TimeType, types.TimestampType, types.ArrayOf(types.IntType), types.ArrayOf(types.StringType),
	types.MapOf(types.StringType, types.BigintType), inner, types.ArrayOf(inner))

var scalars = columns(types.IntType, types.StringType)

// What Google's library writes is read, and what is written is read by it as the same.
func TestAsGooglesLibrary(t *testing.T) {
	for _, c := range []struct {
		message  protoreflect.Name
		columns  []types.Column
		nullable string
		text     string
		row      []any
	}{
		{"Row", rowColumns, "", `b: true i: -5 l: 9007199254740993 d: 12.25 s: "žluťoučký" y: "\x00\xff" dec { value: "\xfb\x2e" precision: 4 scale: 2 }
			date { year: 1969 month: 12 day: 22 } time { hours: 23 minutes: 59 seconds: 58 nanos: 7000000 } ts { seconds: -1 nanos: 999000000 }
			list: [1, 0, -1] texts: ["a", "", "b"] map { key: "k" value: -7 } map { key: "" value: 0 } inner { A: 3 B: "x" B: "y" } inners { A: 1 } inners { }`,
			[]any{true, int32(-5), int64(9007199254740993), 12.25, "žluťoučký", []byte{0, 255}, apd.New(-1234, -2), types.DateValue(-10),
				types.TimeValue(86_398_007), types.TimestampValue(-1), []any{int32(1), int32(0), int32(-1)}, []any{"a", "", "b"},
				&types.MapValue{Keys: []any{"k", ""}, Values: []any{int64(-7), int64(0)}}, types.StructValue{int32(3), []any{"x", "y"}},
				[]any{types.StructValue{int32(1), []any{}}, types.StructValue{int32(0), []any{}}}}},
		{"Row", rowColumns, "", `s: "` + strings.Repeat("long ", 100) + `" inner { B: "` + strings.Repeat("x", 300) + `" }`,
			[]any{false, int32(0), int64(0), 0.0, strings.Repeat("long ", 100), []byte{}, nil, nil, nil, nil, []any{}, []any{}, &types.MapValue{},
				types.StructValue{int32(0), []any{strings.Repeat("x", 300)}}, []any{}}},
		{"Row", rowColumns, "", `i: 2147483647 l: -9223372036854775808 d: -0 dec { } date { year: 9999 month: 12 day: 31 }`,
			[]any{false, int32(math.MaxInt32), int64(math.MinInt64), math.Copysign(0, -1), "", []byte{}, apd.New(0, -2), types.DateValue(2932896), nil, nil,
				[]any{}, []any{}, &types.MapValue{}, nil, []any{}}},
		{"Wrapped", scalars, "WRAPPER", `i { }`, []any{int32(0), nil}},
		{"Wrapped", scalars, "WRAPPER", `i { value: -1 } s { value: "t" }`, []any{int32(-1), "t"}},
		{"Optional", scalars, "OPTIONAL", `i: 0`, []any{int32(0), nil}},
		{"Optional", scalars, "optional", `s: ""`, []any{nil, ""}},
	} {
		want := message(t, c.message)
		if err := prototext.Unmarshal([]byte(c.text), want); err != nil {
			t.Fatal(err)
		}
		theirs, err := proto.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		spec, layout := specOf(c.columns, c.nullable)
		enc, dec := codec(t, spec)
		row := layout.NewRow()
		if err := dec.Decode(theirs, row); err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		for i, col := range c.columns {
			if have := row.Boxed(spec.Locs[i], col.Type); !types.EqualBoxed(have, c.row[i]) {
				t.Errorf("%.40s: column %d is %#v, want %#v", c.text, i, have, c.row[i])
			}
			row.SetBoxed(spec.Locs[i], col.Type, c.row[i])
		}
		ours, isNull, err := enc.Append(nil, row)
		if err != nil || isNull {
			t.Fatal(isNull, err)
		}
		have := dynamicpb.NewMessage(want.Descriptor())
		if err := proto.Unmarshal(ours, have); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(have, want) && !strings.Contains(c.text, "dec { }") {
			t.Errorf("written as %s, want %s", prototext.Format(have), prototext.Format(want))
		}
	}
}

func specOf(list []types.Column, nullable string) (*formats.Spec, *types.Layout) {
	layout := types.NewLayout(list)
	spec := &formats.Spec{Columns: list, Locs: layout.Locs}
	if nullable != "" {
		spec.Properties = map[string]string{"PROTOBUF_NULLABLE_REPRESENTATION": nullable}
	}
	return spec, layout
}

func codec(t testing.TB, spec *formats.Spec) (formats.Encoder, formats.Decoder) {
	t.Helper()
	enc, err := protobuf.New().NewEncoder(spec)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := protobuf.New().NewDecoder(spec)
	if err != nil {
		t.Fatal(err)
	}
	return enc, dec
}

// Lists that are not packed, fields of other numbers, and fields that are there twice.
func TestOtherWaysToWrite(t *testing.T) {
	spec, layout := specOf(columns(types.ArrayOf(types.IntType), types.IntType), "")
	_, dec := codec(t, spec)
	row := layout.NewRow()
	data := []byte("\x08\x05\x4a\x02ab\x0a\x02\x06\x07\x10\x01\x10\x03\x08\x08")
	if err := dec.Decode(data, row); err != nil {
		t.Fatal(err)
	}
	if have := fmt.Sprint(row.Boxed(spec.Locs[0], spec.Columns[0].Type), row.Boxed(spec.Locs[1], types.IntType)); have != "[5 6 7 8] 3" {
		t.Error(have)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		typ   *types.Type
		props map[string]string
		want  string
	}{
		{types.ArrayOf(types.ArrayOf(types.IntType)), nil, "an ARRAY of ARRAYs cannot be written"},
		{types.MapOf(types.StringType, types.ArrayOf(types.MapOf(types.StringType, types.IntType))), nil, "an ARRAY of MAPs cannot be written"},
		{types.IntType, map[string]string{"PROTOBUF_NULLABLE_REPRESENTATION": "MAYBE"}, `is "MAYBE": it can be OPTIONAL or WRAPPER`},
		{types.IntType, map[string]string{"DELIMITER": ";"}, "does not support the following configs: [delimiter]"},
	} {
		spec, _ := specOf(columns(c.typ), "")
		spec.Properties = c.props
		if err := protobuf.New().Check(spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v", c.typ, c.props, err)
		}
	}
	for _, c := range []struct {
		data string
		want string
	}{
		{"\x0a\x01x", "field 1 (C0): the record has another type of field there (wire type 2)"},
		{"\x08", "no protobuf message"},
		{"\x12\x05ab", "no protobuf message"},
		{"\x3a\x06\x0a\x02\x7f\xff\x18\x01", "field 7 (C6): Cannot fit decimal '3276.7' into DECIMAL(3, 2)"},
		{"\x42\x02\x10\x0d", "field 8 (C7): no date"},
	} {
		list := columns(types.IntType, types.StringType, types.IntType, types.IntType, types.IntType, types.IntType, types.DecimalOf(3, 2), types.DateType)
		spec, layout := specOf(list, "")
		_, dec := codec(t, spec)
		if err := dec.Decode([]byte(c.data), layout.NewRow()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.data, err)
		}
	}
}

func TestUnwrapped(t *testing.T) {
	for _, c := range []struct {
		typ  *types.Type
		v    any
		want string
	}{
		{types.IntType, int32(7), "\x08\x07"}, {types.IntType, int32(0), ""}, {inner, types.StructValue{int32(1), []any{"a"}}, "\x08\x01\x12\x01a"},
	} {
		spec, layout := specOf(columns(c.typ), "")
		spec.Unwrapped = true
		enc, dec := codec(t, spec)
		row := layout.NewRow()
		if _, isNull, err := enc.Append(nil, row); !isNull || err != nil {
			t.Errorf("null is %v, %v", isNull, err)
		}
		row.SetBoxed(spec.Locs[0], c.typ, c.v)
		data, isNull, err := enc.Append(nil, row)
		if err != nil || isNull || string(data) != c.want {
			t.Errorf("%v is written as %q, %v, %v", c.v, data, isNull, err)
		}
		row.Reset()
		if err := dec.Decode(data, row); err != nil || !types.EqualBoxed(row.Boxed(spec.Locs[0], c.typ), c.v) {
			t.Errorf("%v is read as %v, %v", c.v, row.Boxed(spec.Locs[0], c.typ), err)
		}
	}
}

// Whatever is read can be written, and is read as the same then.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x08\x01\x10\x02\x2a\x02ab\x5a\x02\x01\x02\x6a\x05\x0a\x01k\x10\x01\x72\x02\x08\x01"), "")
	f.Add([]byte("\x0a\x02\x08\x01\x12\x00"), "WRAPPER")
	f.Add([]byte("\x08\x00\x42\x06\x08\xb1\x0f\x10\x0c\x18\x16"), "OPTIONAL")
	f.Fuzz(func(t *testing.T, data []byte, nullable string) {
		switch nullable {
		case "", "OPTIONAL", "WRAPPER":
		default:
			return
		}
		spec, layout := specOf(rowColumns, nullable)
		enc, dec := codec(t, spec)
		row, again := layout.NewRow(), layout.NewRow()
		if dec.Decode(data, row) != nil {
			return
		}
		out, _, err := enc.Append(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode(out, again); err != nil {
			t.Fatalf("%x, read from %x: %v", out, data, err)
		}
		row = layout.NewRow()
		if err := dec.Decode(data, row); err != nil {
			t.Fatal(err)
		}
		for i, c := range rowColumns {
			was, is := row.Boxed(spec.Locs[i], c.Type), again.Boxed(spec.Locs[i], c.Type)
			if !types.EqualBoxed(was, is) && !(c.Type.Kind == types.Double && was != was) {
				t.Errorf("column %d was %#v, is %#v", i, was, is)
			}
		}
	})
}
