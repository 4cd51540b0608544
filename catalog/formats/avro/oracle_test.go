package avro

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/apd/v3"
	twmb "github.com/twmb/avro"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// sample is a random type of a schema with a maker of random values: as the other library takes them, and as the columns of
// the schema have them.
type sample struct {
	text  string
	value func() (native, ours any)
}

// sampler makes random schemas.
type sampler struct {
	*rand.Rand
	names int
	// known are named types that can be used again.
	known []sample
}

func (r *sampler) name() string {
	r.names++
	return fmt.Sprintf("N%d", r.names)
}

func (r *sampler) text() string {
	pool := []string{"", "a", "user_12345", "žluťoučký 🐎", strings.Repeat("long ", 40), "\x00"}
	return pool[r.IntN(len(pool))]
}

func (r *sampler) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (r *sampler) unscaled(digits int) *big.Int {
	v := new(big.Int)
	for range r.IntN(digits + 1) {
		v.Add(v.Mul(v, big.NewInt(10)), big.NewInt(r.Int64N(10)))
	}
	if r.IntN(2) == 0 {
		v.Neg(v)
	}
	return v
}

func (r *sampler) scalar() sample {
	made := func(text string, value func() (any, any)) sample { return sample{text, value} }
	same := func(text string, value func() any) sample {
		return sample{text, func() (any, any) { v := value(); return v, v }}
	}
	switch r.IntN(15) {
	case 0:
		return same(`"boolean"`, func() any { return r.IntN(2) == 0 })
	case 1:
		return same(`"int"`, func() any { return int32(r.Uint32()) >> r.IntN(32) })
	case 2:
		return same(`{"type":"long","logicalType":"unknown"}`, func() any { return int64(r.Uint64()) >> r.IntN(64) })
	case 3:
		return made(`"float"`, func() (any, any) { f := float32(r.NormFloat64()); return f, float64(f) })
	case 4:
		return same(`"double"`, func() any { return r.NormFloat64() * math.Pow10(r.IntN(40)-20) })
	case 5:
		return same(`"string"`, func() any { return r.text() })
	case 6:
		return same(`"bytes"`, func() any { return r.bytes(r.IntN(9)) })
	case 7:
		symbols := []string{"A", "B", "C"}
		return r.named(same(`{"type":"enum","name":"%","symbols":["A","B","C"]}`, func() any { return symbols[r.IntN(3)] }))
	case 8:
		n := r.IntN(5)
		return r.named(same(fmt.Sprintf(`{"type":"fixed","name":"%%","size":%d}`, n), func() any { return r.bytes(n) }))
	case 9, 10:
		precision := 1 + r.IntN(38)
		scale := r.IntN(precision + 1)
		value := func() (any, any) {
			v := r.unscaled(precision)
			x := &apd.Decimal{Exponent: int32(-scale), Negative: v.Sign() < 0}
			x.Coeff.SetMathBigInt(new(big.Int).Abs(v))
			return new(big.Rat).SetFrac(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)), x
		}
		attributes := fmt.Sprintf(`"logicalType":"decimal","precision":%d,"scale":%d}`, precision, scale)
		if r.IntN(2) == 0 {
			return made(`{"type":"bytes",`+attributes, value)
		}
		return r.named(made(`{"type":"fixed","name":"%","size":17,`+attributes, value))
	case 11:
		return made(`{"type":"int","logicalType":"date"}`, func() (any, any) {
			days := r.IntN(100_000) - 50_000
			return time.Unix(int64(days)*86400, 0).UTC(), types.DateValue(days)
		})
	case 12:
		return made(`{"type":"int","logicalType":"time-millis"}`, func() (any, any) {
			ms := r.IntN(dayMillis)
			return time.Duration(ms) * time.Millisecond, types.TimeValue(ms)
		})
	case 13:
		return made(`{"type":"long","logicalType":"timestamp-millis"}`, func() (any, any) {
			ms := r.Int64N(1<<44) - 1<<43
			return time.UnixMilli(ms).UTC(), types.TimestampValue(ms)
		})
	}
	return made(`{"type":"long","logicalType":"timestamp-micros"}`, func() (any, any) {
		us := r.Int64N(1 << 50)
		return time.UnixMicro(us).UTC(), us
	})
}

// named gives a type its name and keeps it to be used again.
func (r *sampler) named(s sample) sample {
	name := r.name()
	s.text = strings.Replace(s.text, "%", name, 1)
	r.known = append(r.known, sample{`"` + name + `"`, s.value})
	return s
}

func (r *sampler) schema(depth int) sample {
	if len(r.known) > 0 && r.IntN(8) == 0 {
		return r.known[r.IntN(len(r.known))]
	}
	if depth == 0 {
		return r.scalar()
	}
	switch r.IntN(8) {
	case 0:
		items := r.nullable(depth - 1)
		return sample{`{"type":"array","items":` + items.text + `}`, func() (any, any) {
			native, ours := []any{}, []any{}
			for range r.IntN(4) {
				n, o := items.value()
				native, ours = append(native, n), append(ours, o)
			}
			return native, ours
		}}
	case 1:
		values := r.nullable(depth - 1)
		return sample{`{"type":"map","values":` + values.text + `}`, func() (any, any) {
			native, ours := map[string]any{}, &types.MapValue{}
			for i := range r.IntN(40) {
				n, o := values.value()
				native[fmt.Sprint(i)] = n
				ours.Put(fmt.Sprint(i), o)
			}
			return native, ours
		}}
	case 2:
		values := r.nullable(depth - 1)
		key, keyOf := `"string"`, func(i int) any { return fmt.Sprint(i) }
		if r.IntN(2) == 0 {
			key, keyOf = `"int"`, func(i int) any { return int32(i) }
		}
		fields := `{"name":"key","type":` + key + `},{"name":"value","type":` + values.text + `}`
		if r.IntN(2) == 0 {
			fields = `{"name":"value","type":` + values.text + `},{"name":"key","type":` + key + `}`
		}
		text := `{"type":"array","items":{"type":"record","name":"` + r.name() + `","connect.internal.type":"MapEntry","fields":[` + fields + `]}}`
		return sample{text, func() (any, any) {
			native, ours := []any{}, &types.MapValue{}
			for i := range r.IntN(4) {
				n, o := values.value()
				native = append(native, map[string]any{"key": keyOf(i), "value": n})
				ours.Put(fmt.Sprint(i), o)
			}
			return native, ours
		}}
	case 3, 4:
		return r.record(depth-1, 1+r.IntN(4))
	case 5:
		// The library finds the branch by the value, so that they must be easy to tell apart.
		record := r.record(depth-1, 1)
		return sample{`["int",` + record.text + `,"null","string"]`, func() (any, any) {
			switch r.IntN(4) {
			case 0:
				v := int32(r.Uint32())
				return v, types.StructValue{v, nil, nil}
			case 1:
				n, o := record.value()
				return n, types.StructValue{nil, o, nil}
			case 2:
				return nil, nil
			}
			v := r.text()
			return v, types.StructValue{nil, nil, v}
		}}
	}
	return r.scalar()
}

// nullable is a type that may be a union with null.
func (r *sampler) nullable(depth int) sample {
	s := r.schema(depth)
	if strings.HasPrefix(s.text, "[") || r.IntN(2) == 0 {
		return s
	}
	value := func() (any, any) {
		if r.IntN(4) == 0 {
			return nil, nil
		}
		return s.value()
	}
	if r.IntN(2) == 0 {
		return sample{`[` + s.text + `,"null"]`, value}
	}
	return sample{`["null",` + s.text + `]`, value}
}

func (r *sampler) record(depth, n int) sample {
	name := r.name()
	var texts []string
	var fields []sample
	for i := range n {
		fields = append(fields, r.nullable(depth))
		texts = append(texts, fmt.Sprintf(`{"name":"f%d","type":%s}`, i, fields[i].text))
	}
	return sample{`{"type":"record","name":"` + name + `","fields":[` + strings.Join(texts, ",") + `]}`, func() (any, any) {
		native, ours := map[string]any{}, types.StructValue{}
		for i := range fields {
			n, o := fields[i].value()
			native[fmt.Sprintf("f%d", i)] = n
			ours = append(ours, o)
		}
		return native, ours
	}}
}

// TestAgainstTheLibrary reads what the other library wrote with random schemas, and has it read what we write with them.
func TestAgainstTheLibrary(t *testing.T) {
	t.Parallel()
	const rounds = 100
	writable := 0
	for seed := range uint64(rounds) {
		r := &sampler{Rand: rand.New(rand.NewPCG(11, seed))}
		s := r.record(3, 1+r.IntN(5))
		library, err := twmb.Parse(s.text)
		if err != nil {
			t.Fatalf("%s: %v", s.text, err)
		}
		reg, header := registered(t, s.text)
		columns, err := New(reg).Columns(avroSchema(s.text), nil, false, "")
		if err != nil {
			t.Fatalf("%s: %v", s.text, err)
		}
		spec, l := specOf(columns, formats.PropertySchemaID, "1")
		dec, err := New(reg).NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		var enc formats.Encoder
		if New(reg).CheckWritable(spec, avroSchema(s.text), nil) == nil {
			writable++
			if enc, err = New(reg).NewEncoder(spec); err != nil {
				t.Fatal(err)
			}
		}
		in := l.NewRow()
		for range 10 {
			native, ours := s.value()
			data, err := library.AppendEncode(bytes.Clone(header), native)
			if err != nil {
				t.Fatalf("%s: %v", s.text, err)
			}
			if err := dec.Decode(data, in); err != nil {
				t.Fatalf("%s\n%v\n% x: %v", s.text, native, data, err)
			}
			want, _ := ours.(types.StructValue)
			for i, c := range columns {
				if got := in.Boxed(l.Locs[i], c.Type); !types.EqualBoxed(got, want[i]) {
					t.Fatalf("%s\n% x: field %s is %#v, want %#v", s.text, data, c.Name, got, want[i])
				}
			}
			if enc == nil {
				continue
			}
			again, _, err := enc.Append(nil, in)
			if err != nil {
				t.Fatalf("%s\n%v: %v", s.text, native, err)
			}
			if got, want := generic(t, library, again[len(header):]), generic(t, library, data[len(header):]); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: wrote %v, want %v", s.text, got, want)
			}
		}
	}
	if writable < rounds/4 {
		t.Errorf("only %d of %d schemas can be written", writable, rounds)
	}
}

// generic reads a record with the other library; all of it must be used.
func generic(t *testing.T, s *twmb.Schema, data []byte) any {
	t.Helper()
	var v any
	rest, err := s.Decode(data, &v)
	if err != nil || len(rest) > 0 {
		t.Fatalf("% x: %v, %d bytes are left", data, err, len(rest))
	}
	return v
}

// asNative is a value of ours as the other library reads it with the columns' own schema.
func asNative(t *types.Type, v any) any {
	switch x := v.(type) {
	case types.DateValue:
		return time.Unix(int64(x)*86400, 0).UTC()
	case types.TimeValue:
		return time.Duration(x) * time.Millisecond
	case types.TimestampValue:
		return time.UnixMilli(int64(x)).UTC()
	case *apd.Decimal:
		r, _ := new(big.Rat).SetString(x.Text('f'))
		return r
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = asNative(t.Elem, x[i])
		}
		return out
	case *types.MapValue:
		out := make([]any, len(x.Keys))
		for i := range x.Keys {
			out[i] = map[string]any{"key": x.Keys[i], "value": asNative(t.Elem, x.Values[i])}
		}
		return out
	case types.StructValue:
		out := map[string]any{}
		for i := range x {
			out[fieldName(t.Fields[i].Name)] = asNative(t.Fields[i].Type, x[i])
		}
		return out
	}
	return v
}

// TestOwnSchemaAgainstTheLibrary has the other library read what we write with schemas of our own.
func TestOwnSchemaAgainstTheLibrary(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		r := &sampler{Rand: rand.New(rand.NewPCG(12, seed))}
		s := r.record(3, 1+r.IntN(5))
		columns, err := New(nil).Columns(avroSchema(s.text), nil, false, "")
		if err != nil {
			t.Fatal(err)
		}
		reg := &schemas.Memory{}
		spec, l := specOf(columns)
		own, err := New(reg).Schema(spec)
		if err != nil {
			t.Fatal(err)
		}
		library, err := twmb.Parse(own.Text)
		if err != nil {
			t.Fatalf("%s: %v", own.Text, err)
		}
		enc, _ := New(reg).NewEncoder(spec)
		row := l.NewRow()
		for range 10 {
			_, v := s.value()
			ours, _ := v.(types.StructValue)
			want := map[string]any{}
			for i, c := range columns {
				row.SetBoxed(l.Locs[i], c.Type, ours[i])
				want[c.Name] = asNative(c.Type, ours[i])
			}
			data, _, err := enc.Append(nil, row)
			if err != nil {
				t.Fatal(err)
			}
			if got := generic(t, library, data[schemas.HeaderBytes:]); !reflect.DeepEqual(got, any(want)) {
				t.Fatalf("%s:\n got %v\nwant %v", own.Text, got, want)
			}
		}
	}
}
