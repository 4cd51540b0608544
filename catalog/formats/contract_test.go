package formats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// columnSets are the sides that the contract is tried with; a format skips those that its Check refuses.
func columnSets() map[string][]types.Column {
	nested := types.StructOf(
		types.Field{Name: "A", Type: types.IntType},
		types.Field{Name: "b c", Type: types.ArrayOf(types.MapOf(types.StringType, types.DecimalOf(6, 3)))},
		types.Field{Name: "S", Type: types.StructOf(types.Field{Name: "T", Type: types.TimestampType})})
	scalars := []*types.Type{
		types.BooleanType, types.IntType, types.BigintType, types.DoubleType, types.DecimalOf(12, 4), types.StringType,
		types.BytesType, types.DateType, types.TimeType, types.TimestampType,
	}
	out := map[string][]types.Column{"nothing": {}}
	all := []types.Column{}
	for i, t := range append(scalars, types.ArrayOf(types.StringType), types.MapOf(types.StringType, types.DoubleType), nested) {
		c := types.Column{Name: fmt.Sprintf("C%d", i), Type: t}
		out["one "+t.Kind.String()] = []types.Column{c}
		all = append(all, c)
		if i == len(scalars)-1 {
			out["scalars"] = append([]types.Column{}, all...)
		}
	}
	out["all"] = all
	// What formats with stricter names and elements carry.
	plain := types.StructOf(
		types.Field{Name: "A", Type: types.IntType},
		types.Field{Name: "M", Type: types.MapOf(types.StringType, types.DecimalOf(6, 3))},
		types.Field{Name: "S", Type: types.StructOf(types.Field{Name: "T", Type: types.TimestampType})})
	out["one plain struct"] = []types.Column{{Name: "C0", Type: plain}}
	out["plain collections"] = append(append([]types.Column{}, all[:len(scalars)+2]...),
		types.Column{Name: "P", Type: plain}, types.Column{Name: "L", Type: types.ArrayOf(plain)})
	return out
}

// value makes a random boxed value of type t, seldom null.
func value(r *rand.Rand, t *types.Type) any {
	if r.IntN(8) == 0 {
		return nil
	}
	switch t.Kind {
	case types.Boolean:
		return r.IntN(2) == 0
	case types.Int:
		return int32(r.Uint32())
	case types.Bigint:
		return int64(r.Uint64() >> r.IntN(64))
	case types.Double:
		switch r.IntN(4) {
		case 0:
			return float64(r.IntN(1_000_000)) / 100
		case 1:
			return -float64(r.IntN(100))
		case 2:
			return r.NormFloat64() * 1e-8
		}
		f := math.Float64frombits(r.Uint64())
		if math.IsNaN(f) {
			return math.Inf(1)
		}
		return f
	case types.Decimal:
		limit := int64(math.Pow10(t.Precision))
		return apd.New(r.Int64N(2*limit)-limit, -int32(t.Scale))
	case types.String:
		pool := []string{"", "a", "user_12345", "with \"quotes\" and \\", "line\nend\ttab", "žluťoučký 🐎", "a,b;c", "  x ", "\u0001"}
		return pool[r.IntN(len(pool))]
	case types.Bytes:
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	case types.Date:
		return types.DateValue(r.IntN(40000) - 10000)
	case types.Time:
		return types.TimeValue(r.IntN(86_400_000))
	case types.Timestamp:
		return types.TimestampValue(r.Int64N(1 << 42))
	case types.Array:
		items := make([]any, r.IntN(4))
		for i := range items {
			items[i] = value(r, t.Elem)
		}
		return items
	case types.Map:
		m := &types.MapValue{}
		for i := range r.IntN(25) {
			m.Put(fmt.Sprintf("k\"%d", i), value(r, t.Elem))
		}
		return m
	default:
		fields := make(types.StructValue, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = value(r, f.Type)
		}
		return fields
	}
}

// side is one schema set up for a format, with a row in which the side's columns stand between foreign ones.
type side struct {
	spec   *formats.Spec
	layout *types.Layout
	dec    formats.Decoder
	enc    formats.Encoder
}

func newSide(t *testing.T, f formats.Format, columns []types.Column, unwrapped bool, skip int) (side, bool) {
	t.Helper()
	foreign := types.Column{Name: "FOREIGN", Type: types.StringType}
	layout := types.NewLayout(append(append([]types.Column{foreign}, columns...), foreign))
	spec := &formats.Spec{
		Topic: "t", Columns: columns, Locs: append([]types.Loc{}, layout.Locs[1:1+len(columns)]...), Unwrapped: unwrapped,
	}
	s := side{spec: spec, layout: layout}
	if f.Check(spec) != nil {
		return s, false
	}
	var err error
	if s.enc, err = f.NewEncoder(spec); err != nil {
		t.Fatal(err)
	}
	readSpec := *spec
	if skip >= 0 {
		readSpec.Locs = append([]types.Loc{}, spec.Locs...)
		readSpec.Locs[skip] = types.Loc{}
	}
	if s.dec, err = f.NewDecoder(&readSpec); err != nil {
		t.Fatal(err)
	}
	return s, true
}

// eachSide runs a test over all formats and schemas, wrapped and not, each with a schema registry of its own.
func eachSide(t *testing.T, run func(t *testing.T, f formats.Format, columns []types.Column, unwrapped bool)) {
	for _, name := range builtin.Registry(schemas.None{}).Names() {
		for label, columns := range columnSets() {
			for _, unwrapped := range []bool{false, true} {
				f, _ := builtin.Registry(&schemas.Memory{}).Lookup(name)
				if unwrapped && (f.Wrapping() != formats.WrapOptional || len(columns) != 1) {
					continue
				}
				if f.Check(&formats.Spec{Topic: "t", Columns: columns, Unwrapped: unwrapped}) != nil {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/unwrapped=%v", name, label, unwrapped), func(t *testing.T) {
					run(t, f, columns, unwrapped)
				})
			}
		}
	}
}

// asRead is what a value of type t looks like after a round trip through the format.
func asRead(f formats.Format, t *types.Type, v any) any {
	switch f.Name() {
	case "DELIMITED":
		switch x := v.(type) {
		case string:
			if x == "" {
				return nil
			}
		case []byte:
			if len(x) == 0 {
				return nil
			}
		}
	case "PROTOBUF", "PROTOBUF_NOSR":
		return withDefaults(t, v)
	}
	return v
}

// withDefaults is a value as proto3 has it: there is no null but for messages, and none of these in a list.
func withDefaults(t *types.Type, v any) any {
	switch t.Kind {
	case types.Boolean:
		return cmpNil(v, false)
	case types.Int:
		return cmpNil(v, int32(0))
	case types.Bigint:
		return cmpNil(v, int64(0))
	case types.Double:
		return cmpNil(v, 0.0)
	case types.String:
		return cmpNil(v, "")
	case types.Bytes:
		return cmpNil(v, []byte{})
	case types.Array:
		list, _ := v.([]any)
		out := make([]any, len(list))
		for i, item := range list {
			if item == nil && t.Elem.Kind == types.Struct {
				item = make(types.StructValue, len(t.Elem.Fields)) // a message without fields
			}
			out[i] = withDefaults(t.Elem, item)
		}
		return out
	case types.Map:
		out := &types.MapValue{}
		if m, ok := v.(*types.MapValue); ok {
			for i, k := range m.Keys {
				out.Put(withDefaults(t.Key, k), withDefaults(t.Elem, m.Values[i]))
			}
		}
		return out
	case types.Struct:
		fields, ok := v.(types.StructValue)
		if !ok {
			return nil
		}
		out := make(types.StructValue, len(fields))
		for i := range fields {
			out[i] = withDefaults(t.Fields[i].Type, fields[i])
		}
		return out
	}
	return v
}

func cmpNil(v, otherwise any) any {
	if v == nil {
		return otherwise
	}
	return v
}

func TestContractRoundTrip(t *testing.T) {
	eachSide(t, func(t *testing.T, f formats.Format, columns []types.Column, unwrapped bool) {
		for skip := -1; skip < len(columns); skip++ {
			s, _ := newSide(t, f, columns, unwrapped, skip)
			r := rand.New(rand.NewPCG(1, uint64(len(columns))))
			out, in := s.layout.NewRow(), s.layout.NewRow()
			var data []byte
			for n := range 100 {
				want := make([]any, len(columns))
				for i, c := range columns {
					want[i] = value(r, c.Type)
					out.SetBoxed(s.spec.Locs[i], c.Type, want[i])
				}
				in.SetBytes(s.layout.Locs[0], []byte("untouched"))
				in.SetNull(s.layout.Locs[len(columns)+1])
				// The buffer is the same for every record: a decoder that kept something of the last one would show.
				var isNull bool
				var err error
				data, isNull, err = s.enc.Append(append(data[:0], "prefix"...), out)
				if err != nil {
					t.Fatal(err)
				}
				if string(data[:6]) != "prefix" {
					t.Fatalf("the encoder touched what it was to append to: %q", data)
				}
				if isNull {
					if len(columns) == 1 && want[0] != nil {
						t.Fatalf("%v became null bytes", want[0])
					}
					continue
				}
				if f.Name() == "DELIMITED" && len(data) == 6 {
					continue // a line of one empty field cannot be told from no line
				}
				if err := s.dec.Decode(data[6:], in); err != nil {
					t.Fatalf("record %d %q: %v", n, data[6:], err)
				}
				for i, c := range columns {
					if i == skip {
						continue
					}
					if got := in.Boxed(s.spec.Locs[i], c.Type); !types.EqualBoxed(got, asRead(f, c.Type, want[i])) {
						t.Fatalf("record %d %q: column %s is %#v, want %#v", n, data[6:], c.Name, got, want[i])
					}
				}
				if string(in.B[0]) != "untouched" || !in.IsNull(s.layout.Locs[len(columns)+1]) {
					t.Fatal("a column of the other side was changed")
				}
			}
		}
	})
}

func TestContractReferencesOutliveTheRecord(t *testing.T) {
	eachSide(t, func(t *testing.T, f formats.Format, columns []types.Column, unwrapped bool) {
		s, _ := newSide(t, f, columns, unwrapped, -1)
		r := rand.New(rand.NewPCG(7, 7))
		row := s.layout.NewRow()
		for range 50 {
			kept := map[int]any{}
			want := map[int]any{}
			var data []byte
			for i, c := range columns {
				v := value(r, c.Type)
				want[i] = v
				row.SetBoxed(s.spec.Locs[i], c.Type, v)
			}
			data, isNull, err := s.enc.Append(nil, row)
			if err != nil {
				t.Fatal(err)
			}
			if isNull || len(data) == 0 || s.dec.Decode(data, row) != nil {
				continue
			}
			for i := range columns {
				if l := s.spec.Locs[i]; l.Class == types.ClassRef && !row.IsNull(l) {
					kept[i] = row.R[l.Slot]
				}
			}
			body := data
			if _, ok := f.(formats.SchemaFormat); ok {
				body = data[schemas.HeaderBytes:] // the schema stays known, so that there is something to read
			}
			for i := range body {
				body[i] = 'x'
			}
			_ = s.dec.Decode(data, row)
			for i, v := range kept {
				if want := asRead(f, columns[i].Type, want[i]); !types.EqualBoxed(v, want) {
					t.Fatalf("column %d changed to %v when the next record was read, want %v", i, v, want)
				}
			}
		}
	})
}

func TestContractBrokenDataIsAnErrorNotAPanic(t *testing.T) {
	eachSide(t, func(t *testing.T, f formats.Format, columns []types.Column, unwrapped bool) {
		s, _ := newSide(t, f, columns, unwrapped, -1)
		r := rand.New(rand.NewPCG(3, 3))
		row := s.layout.NewRow()
		for range 300 {
			for i, c := range columns {
				row.SetBoxed(s.spec.Locs[i], c.Type, value(r, c.Type))
			}
			data, isNull, err := s.enc.Append(nil, row)
			if err != nil || isNull {
				continue
			}
			// The number of the schema is broken seldom: little is read behind a wrong one.
			from := 0
			if _, ok := f.(formats.SchemaFormat); ok && r.IntN(10) > 0 {
				from = schemas.HeaderBytes
			}
			for range r.IntN(3) + 1 {
				if len(data) > from {
					data[from+r.IntN(len(data)-from)] = byte(r.Uint32())
				}
			}
			_ = s.dec.Decode(data[:r.IntN(len(data)+1)], row)
		}
	})
}

func TestContractNoAllocationForScalars(t *testing.T) {
	reg := builtin.Registry(&schemas.Memory{})
	for _, name := range reg.Names() {
		f, _ := reg.Lookup(name)
		columns := []types.Column{
			{Name: "S", Type: types.StringType}, {Name: "I", Type: types.IntType}, {Name: "D", Type: types.DoubleType},
			{Name: "B", Type: types.BooleanType}, {Name: "T", Type: types.TimestampType}, {Name: "Y", Type: types.BytesType},
		}
		values := []any{"some \"text\"", int32(-5), 12.25, true, types.TimestampValue(1700000000000), []byte{1, 2, 3}}
		if f.Check(&formats.Spec{Topic: "t", Columns: columns}) != nil {
			columns = columns[:1]
		}
		if f.Check(&formats.Spec{Topic: "t", Columns: columns}) != nil {
			columns = nil
		}
		s, _ := newSide(t, f, columns, false, -1)
		row := s.layout.NewRow()
		for i, c := range columns {
			row.SetBoxed(s.spec.Locs[i], c.Type, values[i])
		}
		buf := make([]byte, 0, 1000)
		data, _, err := s.enc.Append(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() {
			buf, _, _ = s.enc.Append(buf[:0], row)
		}); n != 0 {
			t.Errorf("%s: encoding allocates %v times", name, n)
		}
		in := s.layout.NewRow()
		if n := testing.AllocsPerRun(100, func() {
			if err := s.dec.Decode(data, in); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: decoding allocates %v times", name, n)
		}
	}
}
