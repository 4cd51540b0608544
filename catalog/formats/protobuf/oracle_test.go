package protobuf

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// randomSchema writes a schema with fields of all kinds, numbers in any order.
func randomSchema(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString(`syntax = "proto3";
package p.q;
import "confluent/type/decimal.proto";
import "google/type/date.proto";
import "google/type/timeofday.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Other { string x = 1; }
message Row {
  enum Suit { SPADES = 0; HEARTS = 1; CLUBS = 4; NEGATIVE = -3; }
  message Inner { sint32 a = 9; repeated fixed64 b = 2; Leaf leaf = 100; map<string, Suit> m = 70; }
  message Leaf { string s = 1; optional bool o = 3; }
  message PairEntry { string key = 1; double value = 2; }
`)
	kinds := []string{
		"double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "bool",
		"string", "bytes", "Suit", "Inner", "google.type.Date", "google.type.TimeOfDay", "google.protobuf.Timestamp",
		"google.protobuf.Int32Value", "google.protobuf.StringValue", "google.protobuf.UInt64Value", "google.protobuf.BytesValue",
		"google.protobuf.BoolValue", "google.protobuf.FloatValue",
		"confluent.type.Decimal/[(confluent.field_meta) = { params: [{key: \"precision\", value: \"9\"}, {key: \"scale\", value: \"2\"}] }]",
	}
	labels := []string{"", "", "optional ", "repeated "}
	numbers := r.Perm(200)
	n := 0
	next := func() int { n++; return numbers[n] + 1 }
	one := func(label string) {
		kind, option, _ := strings.Cut(kinds[r.IntN(len(kinds))], "/")
		fmt.Fprintf(&b, "  %s%s f%d = %d%s;\n", label, kind, n, next(), option)
	}
	for range 3 + r.IntN(12) {
		switch r.IntN(8) {
		case 0:
			keys := []string{"string", "int32", "sint64", "bool", "fixed32"}
			values := []string{"string", "int64", "Suit", "google.protobuf.Timestamp", "Inner", "float"}
			fmt.Fprintf(&b, "  map<%s, %s> f%d = %d;\n", keys[r.IntN(len(keys))], values[r.IntN(len(values))], n, next())
		case 1:
			fmt.Fprintf(&b, "  repeated PairEntry f%d = %d;\n", n, next())
		case 2:
			fmt.Fprintf(&b, "  oneof choice%d {\n", n)
			for range 1 + r.IntN(3) {
				one("")
			}
			b.WriteString("  }\n")
		default:
			one(labels[r.IntN(len(labels))])
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// fill sets random fields of a message to values that ksqlDB's types can carry.
func fill(r *rand.Rand, m protoreflect.Message, always bool) {
	switch m.Descriptor().FullName() {
	case decimalName:
		v := apd.New(r.Int64N(2_000_000_000-2)-999_999_999, -2)
		fields := m.Descriptor().Fields()
		m.Set(fields.ByName("value"), protoreflect.ValueOfBytes(formats.AppendUnscaled(nil, v)))
		m.Set(fields.ByName("precision"), protoreflect.ValueOfUint32(uint32(v.NumDigits())))
		m.Set(fields.ByName("scale"), protoreflect.ValueOfInt32(2))
		return
	case dateName:
		setInts(m, int64(1+r.IntN(9999)), int64(1+r.IntN(12)), int64(1+r.IntN(28)))
		return
	case timeName:
		setInts(m, int64(r.IntN(24)), int64(r.IntN(60)), int64(r.IntN(60)), int64(r.IntN(1000))*1_000_000)
		return
	case timestampName:
		setInts(m, r.Int64N(1<<40)-1<<39, int64(r.IntN(1000))*1_000_000)
		return
	}
	list := m.Descriptor().Fields()
	for i := range list.Len() {
		fd := list.Get(i)
		if !always && r.IntN(3) == 0 {
			continue
		}
		switch {
		case fd.IsMap():
			for range r.IntN(4) {
				v := m.NewField(fd).Map().NewValue()
				if fd.MapValue().Message() != nil {
					fill(r, v.Message(), false)
				} else {
					v = randomScalar(r, fd.MapValue())
				}
				m.Mutable(fd).Map().Set(randomScalar(r, fd.MapKey()).MapKey(), v)
			}
		case fd.IsList():
			for range r.IntN(4) {
				if fd.Message() != nil {
					fill(r, m.Mutable(fd).List().AppendMutable().Message(), strings.HasSuffix(string(fd.Message().Name()), "Entry"))
				} else {
					m.Mutable(fd).List().Append(randomScalar(r, fd))
				}
			}
		case fd.Message() != nil:
			fill(r, m.Mutable(fd).Message(), false)
		default:
			m.Set(fd, randomScalar(r, fd))
		}
	}
}

func setInts(m protoreflect.Message, list ...int64) {
	for i, v := range list {
		fd := m.Descriptor().Fields().ByNumber(protoreflect.FieldNumber(i + 1))
		if v == 0 {
			continue
		}
		if fd.Kind() == protoreflect.Int64Kind {
			m.Set(fd, protoreflect.ValueOfInt64(v))
		} else {
			m.Set(fd, protoreflect.ValueOfInt32(int32(v)))
		}
	}
}

func randomScalar(r *rand.Rand, fd protoreflect.FieldDescriptor) protoreflect.Value {
	bits := r.Uint64() >> r.IntN(64)
	if r.IntN(4) == 0 {
		bits = ^bits
	}
	if r.IntN(8) == 0 {
		bits = 0
	}
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(bits&1 == 1)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(fd.Enum().Values().Get(r.IntN(fd.Enum().Values().Len())).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(bits))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(bits))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(int64(bits))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(bits)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(r.NormFloat64()))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(r.NormFloat64() * 1e9)
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(strconv.FormatUint(bits, 16))[:r.IntN(2)])
	}
	return protoreflect.ValueOfString([]string{"", "a", "žluť", "long " + strings.Repeat("x", 200)}[r.IntN(4)])
}

// expected is a message as ksqlDB has it, by the words of Connect's converter: oneofs first.
func expected(m protoreflect.Message) types.StructValue {
	var out types.StructValue
	d := m.Descriptor()
	for i := range d.Oneofs().Len() {
		od := d.Oneofs().Get(i)
		if od.IsSynthetic() {
			continue
		}
		set := m.WhichOneof(od)
		if set == nil {
			out = append(out, nil)
			continue
		}
		members := make(types.StructValue, od.Fields().Len())
		for k := range members {
			if od.Fields().Get(k) == set {
				members[k] = expectedValue(set, m.Get(set))
			}
		}
		out = append(out, members)
	}
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		v := m.Get(fd)
		switch {
		case fd.ContainingOneof() != nil && !fd.ContainingOneof().IsSynthetic():
		case fd.IsMap():
			entries := &types.MapValue{}
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				entries.Put(fmt.Sprint(k.Interface()), expectedValue(fd.MapValue(), v))
				return true
			})
			out = append(out, entries)
		case fd.IsList() && fd.Message() != nil && fd.Message().Name() == "PairEntry":
			entries := &types.MapValue{}
			for k := range v.List().Len() {
				entry := expected(v.List().Get(k).Message())
				entries.Put(entry[0], entry[1])
			}
			out = append(out, entries)
		case fd.IsList():
			list := make([]any, v.List().Len())
			for k := range list {
				list[k] = expectedValue(fd, v.List().Get(k))
			}
			out = append(out, list)
		case fd.HasPresence() && !m.Has(fd):
			out = append(out, nil)
		default:
			out = append(out, expectedValue(fd, v))
		}
	}
	return out
}

func expectedValue(fd protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch fd.Kind() {
	case protoreflect.EnumKind:
		return string(fd.Enum().Values().ByNumber(v.Enum()).Name())
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return int64(v.Uint())
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return v.Float()
	case protoreflect.MessageKind:
	default:
		return v.Interface()
	}
	m := v.Message()
	number := func(name protoreflect.Name) int64 { return m.Get(m.Descriptor().Fields().ByName(name)).Int() }
	switch name := m.Descriptor().FullName(); name {
	case decimalName:
		d, err := formats.Unscaled(m.Get(m.Descriptor().Fields().ByName("value")).Bytes(), int(number("scale")), types.DecimalOf(9, 2))
		if err != nil {
			panic(err)
		}
		return d
	case dateName:
		var days int64
		for y := int64(1970); y < number("year"); y++ {
			days += 365 + isLeap(y)
		}
		for y := number("year"); y < 1970; y++ {
			days -= 365 + isLeap(y)
		}
		for month := int64(1); month < number("month"); month++ {
			days += []int64{31, 28 + isLeap(number("year")), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
		}
		return types.DateValue(days + number("day") - 1)
	case timeName:
		return types.TimeValue(((number("hours")*60+number("minutes"))*60+number("seconds"))*1000 + number("nanos")/1_000_000)
	case timestampName:
		return types.TimestampValue(number("seconds")*1000 + number("nanos")/1_000_000)
	default:
		if _, ok := wrappers[name]; ok {
			inner := m.Descriptor().Fields().ByName("value")
			return expectedValue(inner, m.Get(inner))
		}
	}
	return expected(m)
}

func isLeap(y int64) int64 {
	if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		return 1
	}
	return 0
}

// Messages that Google's library writes are read as Connect reads them, and what is written of them is the same message for it.
func TestRandomMessagesAsGooglesLibrary(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		text := randomSchema(r)
		registry := &schemas.Memory{}
		s := schemas.Schema{Kind: schemas.Protobuf, Text: text}
		id, err := registry.Register("t-value", s)
		if err != nil {
			t.Fatal(err)
		}
		file, err := compile(s, nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		d := file.Messages().ByName("Row")
		f := NewSchema(registry)
		columns, err := f.Columns(s, nil, false, "p.q.Row")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		layout := types.NewLayout(columns)
		spec := &formats.Spec{Topic: "t", Columns: columns, Locs: layout.Locs, Properties: map[string]string{
			formats.PropertySchemaID: strconv.Itoa(id), formats.PropertySchemaFullName: "p.q.Row"}}
		dec, err := f.NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		enc, err := f.NewEncoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		row := layout.NewRow()
		for range 20 {
			m := dynamicpb.NewMessage(d)
			fill(r, m, false)
			data, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			framed := append(appendIndexes(schemas.AppendHeader(nil, id), d), data...)
			if err := dec.Decode(framed, row); err != nil {
				t.Fatalf("%s\n%s: %v", text, prototext.Format(m), err)
			}
			for i, v := range expected(m) {
				if got := row.Boxed(layout.Locs[i], columns[i].Type); !types.EqualBoxed(got, v) {
					t.Fatalf("%s\n%s: column %s is %#v, want %#v", text, prototext.Format(m), columns[i].Name, got, v)
				}
			}
			if strings.Contains(text, "map<int32") || strings.Contains(text, "map<sint64") || strings.Contains(text, "map<bool") ||
				strings.Contains(text, "map<fixed32") {
				continue // Their keys are read as text and cannot be written.
			}
			out, _, err := enc.Append(nil, row)
			if err != nil {
				t.Fatalf("%s\n%s: %v", text, prototext.Format(m), err)
			}
			head := len(framed) - len(data)
			if string(out[:head]) != string(framed[:head]) {
				t.Fatalf("the frame is % x, want % x", out[:head], framed[:head])
			}
			again := dynamicpb.NewMessage(d)
			if err := proto.Unmarshal(out[head:], again); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(m, again) && !hasRepeatedKeys(m) {
				t.Fatalf("%s\nread\n%s\nwritten\n%s", text, prototext.Format(m), prototext.Format(again))
			}
		}
	}
}

// hasRepeatedKeys says whether entries of a MAP that is no map have the same key: only the last one is read.
func hasRepeatedKeys(m protoreflect.Message) (found bool) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.IsList() && fd.Message() != nil && fd.Message().Name() == "PairEntry" {
			seen := map[string]bool{}
			for i := range v.List().Len() {
				entry := v.List().Get(i).Message()
				key := entry.Get(entry.Descriptor().Fields().Get(0)).String()
				found = found || seen[key]
				seen[key] = true
			}
		}
		return true
	})
	return found
}

// Floats in texts have the digits that name the float.
func TestFloatText(t *testing.T) {
	t.Parallel()
	for f, want := range map[float32]string{1.1: "1.1", 0: "0.0", 1e10: "1.0E10", math.MaxFloat32: "3.4028235E38"} {
		if got := string(kindFloat.appendText(nil, int64(math.Float64bits(float64(f))))); got != want {
			t.Errorf("%v is %s, want %s", f, got, want)
		}
	}
}
