package avro

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/apd/v3"
	twmb "github.com/twmb/avro"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// registered puts a schema into a new registry and returns it with the header of its records.
func registered(t testing.TB, text string) (*schemas.Memory, []byte) {
	t.Helper()
	reg := &schemas.Memory{}
	id, err := reg.Register("s", avroSchema(text))
	if err != nil {
		t.Fatal(err)
	}
	return reg, schemas.AppendHeader(nil, id)
}

// written encodes a value with the other library.
func written(t testing.TB, text string, v any) []byte {
	t.Helper()
	s, err := twmb.Parse(text, twmb.WithLaxNames(func(string) error { return nil }))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	b, err := s.Encode(v)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return b
}

func TestDecodeConverts(t *testing.T) {
	t.Parallel()
	decimal := `{"type":"bytes","logicalType":"decimal","precision":6,"scale":2}`
	fixedDecimal := `{"type":"fixed","name":"D","size":12,"logicalType":"decimal","precision":6,"scale":2}`
	enum := `{"type":"enum","name":"E","symbols":["A","B"]}`
	union := `["null","int","string",{"type":"record","name":"I","fields":[{"name":"x","type":"int"}]}]`
	unionType := types.StructOf(types.Field{Name: "INT", Type: types.BigintType}, types.Field{Name: "I", Type: types.StructOf(types.Field{Name: "X", Type: types.IntType})})
	intKeys := `{"type":"array","items":` + strings.Replace(entryOf, "%", `"int"`, 1) + `}`
	nullKeys := `{"type":"array","items":` + strings.Replace(entryOf, "%", `["null","string"]`, 1) + `}`
	mapOf := func(kv ...any) *types.MapValue {
		m := &types.MapValue{}
		for i := 0; i < len(kv); i += 2 {
			m.Put(kv[i], kv[i+1])
		}
		return m
	}
	for _, c := range []struct {
		schema string
		value  any
		as     *types.Type
		want   any // an error's text when it is an error
	}{
		{`"boolean"`, true, types.BooleanType, true},
		{`"int"`, int32(-7), types.IntType, int32(-7)},
		{`"int"`, int32(-7), types.BigintType, int64(-7)},
		{`"int"`, int32(-7), types.DoubleType, -7.0},
		{`"int"`, int32(-7), types.StringType, "-7"},
		{`"int"`, int32(7), types.DateType, types.DateValue(7)},
		{`"int"`, int32(7), types.TimestampType, types.TimestampValue(7)},
		{`"int"`, int32(7), types.TimeType, types.TimeValue(7)},
		{`"int"`, int32(86_400_000), types.TimeType, errors.New("86400000 milliseconds are no TIME of a day for path: ->F")},
		{`"long"`, int64(math.MinInt64), types.BigintType, int64(math.MinInt64)},
		{`"long"`, int64(1) << 40, types.DoubleType, float64(1 << 40)},
		{`"long"`, int64(7), types.IntType, errors.New("Cannot deserialize type int64 as type int32 for path: ->F")},
		{`"float"`, float32(1.1), types.DoubleType, float64(float32(1.1))},
		{`"float"`, float32(1.1), types.StringType, "1.1"},
		{`"float"`, float32(1e10), types.StringType, "1.0E10"},
		{`"double"`, 0.1, types.DoubleType, 0.1},
		{`"double"`, 0.1, types.StringType, "0.1"},
		{`"double"`, 0.1, types.BigintType, errors.New("Cannot deserialize type float64 as type int64 for path: ->F")},
		{`"boolean"`, true, types.StringType, "true"},
		{`"string"`, "ž", types.StringType, "ž"},
		{`"string"`, "a\xffb", types.StringType, "a�b"},
		{`"string"`, "a", types.BytesType, errors.New("Cannot deserialize type string as type bytes for path: ->F")},
		{`"string"`, "a", types.IntType, errors.New("Cannot deserialize type string as type int32 for path: ->F")},
		{`{"type":"string","logicalType":"uuid"}`, "2c8a1e0c-6f7a-4f3e-9b59-5f1f0c3c2d11", types.StringType, "2c8a1e0c-6f7a-4f3e-9b59-5f1f0c3c2d11"},
		{`"bytes"`, []byte{1, 2}, types.BytesType, []byte{1, 2}},
		{`"bytes"`, []byte{}, types.BytesType, []byte{}},
		{`"bytes"`, []byte{1, 2}, types.StringType, errors.New("Cannot deserialize type bytes as type string for path: ->F")},
		{`"bytes"`, []byte{1, 2}, types.DecimalOf(4, 2), errors.New("Cannot deserialize type bytes as type bytes for path: ->F")},
		{`{"type":"fixed","name":"F","size":2}`, []byte{1, 2}, types.BytesType, []byte{1, 2}},
		{enum, "B", types.StringType, "B"},
		{decimal, big.NewRat(-12345, 100), types.DecimalOf(6, 2), apd.New(-12345, -2)},
		{decimal, big.NewRat(-12345, 100), types.DecimalOf(8, 3), apd.New(-123450, -3)},
		{decimal, big.NewRat(-12345, 100), types.DecimalOf(4, 1), errors.New("Cannot fit decimal '-123.45' into DECIMAL(4, 1) without rounding. (Requires 5,2) for path: ->F")},
		{decimal, big.NewRat(-12345, 100), types.BytesType, errors.New("Cannot deserialize type bytes as type bytes for path: ->F")},
		{fixedDecimal, big.NewRat(-12345, 100), types.DecimalOf(6, 2), apd.New(-12345, -2)},
		{`{"type":"int","logicalType":"date"}`, time.Unix(-86400, 0).UTC(), types.DateType, types.DateValue(-1)},
		{`{"type":"int","logicalType":"date"}`, time.Unix(-86400, 0).UTC(), types.StringType, "-1"},
		{`{"type":"long","logicalType":"timestamp-micros"}`, time.UnixMicro(1234567).UTC(), types.BigintType, int64(1234567)},
		{`["null","int"]`, nil, types.IntType, nil},
		{`["null","int"]`, int32(5), types.BigintType, int64(5)},
		{`["int","null"]`, nil, types.IntType, nil},
		{`["int","null"]`, int32(5), types.IntType, int32(5)},
		{`["null","string"]`, nil, types.IntType, nil},
		{`["null","string"]`, "a", types.IntType, errors.New("Cannot deserialize type string as type int32 for path: ->F")},
		{`["int","string"]`, "a", types.StringType, "a"},
		{`["int","string"]`, int32(5), types.StringType, "5"},
		{union, nil, unionType, nil},
		{union, int32(5), unionType, types.StructValue{int64(5), nil}},
		{union, "not asked for", unionType, types.StructValue{nil, nil}},
		{union, map[string]any{"x": int32(5)}, unionType, types.StructValue{nil, types.StructValue{int32(5)}}},
		{`{"type":"array","items":["null","int"]}`, []any{int32(1), nil}, types.ArrayOf(types.StringType), []any{"1", nil}},
		{`{"type":"array","items":["null","int"]}`, []any{}, types.ArrayOf(types.StringType), []any{}},
		{`{"type":"array","items":["null","string"]}`, []any{"a"}, types.ArrayOf(types.IntType), errors.New("Cannot deserialize type string as type int32 for path: ->F->ARRAY")},
		{`{"type":"map","values":"int"}`, map[string]any{"a": int32(1)}, types.MapOf(types.StringType, types.BigintType), mapOf("a", int64(1))},
		{`{"type":"map","values":"string"}`, map[string]any{"a": "x"}, types.MapOf(types.StringType, types.IntType), errors.New("->F->MAP_VAL")},
		{intKeys, []any{map[string]any{"key": int32(3), "value": int32(1)}}, types.MapOf(types.StringType, types.IntType), mapOf("3", int32(1))},
		{nullKeys, []any{map[string]any{"key": nil, "value": int32(1)}}, types.MapOf(types.StringType, types.IntType), errors.New("a key of the MAP is null for path: ->F->MAP_KEY")},
		{nullKeys, []any{map[string]any{"key": "a", "value": int32(1)}}, types.ArrayOf(types.StringType), errors.New("Cannot deserialize type map as type array")},
		{inner, map[string]any{"x": int32(1)}, types.StructOf(types.Field{Name: "Y", Type: types.IntType}, types.Field{Name: "X", Type: types.StringType}), types.StructValue{nil, "1"}},
		{inner, map[string]any{"x": int32(1)}, types.StructOf(types.Field{Name: "X", Type: types.BytesType}), errors.New("Cannot deserialize type int32 as type bytes for path: ->F->x")},
		{inner, map[string]any{"x": int32(1)}, types.IntType, errors.New("Cannot deserialize type struct as type int32")},
	} {
		text := `{"type":"record","name":"R","fields":[{"name":"skipped","type":` + strings.NewReplacer(`"name":"`, `"name":"S`).Replace(c.schema) + `},{"name":"f","type":` + c.schema + `}]}`
		if strings.Contains(c.schema, `"key"`) {
			text = `{"type":"record","name":"R","fields":[{"name":"skipped","type":"int"},{"name":"f","type":` + c.schema + `}]}`
		}
		skipped := c.value
		switch {
		case strings.Contains(c.schema, `"key"`):
			skipped = int32(1)
		case strings.Contains(c.schema, `"symbols"`), strings.Contains(c.schema, `"size"`), !strings.Contains(c.schema, `"name"`):
		default:
			if m, ok := c.value.(map[string]any); ok {
				skipped = map[string]any{"Sx": m["x"]}
			}
		}
		reg, data := registered(t, text)
		data = append(data, written(t, text, map[string]any{"skipped": skipped, "f": c.value})...)
		spec, l := specOf([]types.Column{column("MISSING", types.IntType), column("F", c.as)})
		dec, err := New(reg).NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		row := l.NewRow()
		row.SetInt64(l.Locs[0], 99)
		err = dec.Decode(data, row)
		if want, ok := c.want.(error); ok {
			if err == nil || !strings.Contains(err.Error(), want.Error()) {
				t.Errorf("%s as %s: got %v, want %v", c.schema, c.as, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s as %s: %v", c.schema, c.as, err)
			continue
		}
		if got := row.Boxed(l.Locs[1], c.as); !types.EqualBoxed(got, c.want) || !row.IsNull(l.Locs[0]) {
			t.Errorf("%s as %s: got %#v, want %#v", c.schema, c.as, got, c.want)
		}
	}
}

func TestDecodeFindsNames(t *testing.T) {
	t.Parallel()
	text := `{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"A","type":"int"},{"name":"b","type":"int"},{"name":"Bc","type":"int"},{"name":"bC","type":"int"},{"name":"x_y","type":"int"}]}`
	reg, data := registered(t, text)
	data = append(data, written(t, text, map[string]any{"a": int32(1), "A": int32(2), "b": int32(3), "Bc": int32(4), "bC": int32(5), "x_y": int32(6)})...)
	var columns []types.Column
	want := map[string]any{"A": int32(2), "a": int32(1), "B": int32(3), "BC": int32(5), "bc": nil, "X.Y": int32(6)}
	for name := range want {
		columns = append(columns, column(name, types.IntType))
	}
	spec, l := specOf(columns)
	dec, _ := New(reg).NewDecoder(spec)
	row := l.NewRow()
	if err := dec.Decode(data, row); err != nil {
		t.Fatal(err)
	}
	for i, c := range columns {
		if got := row.Boxed(l.Locs[i], c.Type); got != want[c.Name] {
			t.Errorf("%s is %v, want %v", c.Name, got, want[c.Name])
		}
	}
}

func TestDecodeTheOutermostType(t *testing.T) {
	t.Parallel()
	one := `{"type":"record","name":"A","fields":[{"name":"i","type":"int"}]}`
	two := `["null",` + one + `,{"type":"record","name":"B","fields":[{"name":"s","type":"string"}]}]`
	for _, c := range []struct {
		schema    string
		value     any
		columns   []types.Column
		unwrapped bool
		full      string
		want      string // the values, or what the error contains
	}{
		{schema: `"int"`, value: int32(5), columns: []types.Column{column("I", types.BigintType)}, unwrapped: true, want: "[5]"},
		{schema: `["null","int"]`, columns: []types.Column{column("I", types.BigintType)}, unwrapped: true, want: "[<nil>]"},
		{schema: one, value: map[string]any{"i": int32(5)}, columns: []types.Column{column("S", types.StructOf(types.Field{Name: "I", Type: types.IntType}))}, unwrapped: true, want: "[[5]]"},
		{schema: `"int"`, value: int32(5), columns: []types.Column{column("I", types.BigintType)}, want: "Cannot deserialize type int32 as type struct"},
		{schema: `["null",` + one + `]`, value: map[string]any{"i": int32(5)}, columns: []types.Column{column("I", types.IntType)}, want: "[5]"},
		{schema: `["null",` + one + `]`, columns: []types.Column{column("I", types.IntType)}, want: "[<nil>]"},
		{schema: two, value: map[string]any{"s": "x"}, columns: []types.Column{column("B", types.StructOf(types.Field{Name: "S", Type: types.StringType}))}, want: "[[x]]"},
		{schema: two, value: map[string]any{"s": "x"}, columns: []types.Column{column("S", types.StringType)}, full: "B", want: "[x]"},
		{schema: two, value: map[string]any{"s": "x"}, columns: []types.Column{column("I", types.IntType)}, full: "A", want: "the record is a B, not a A"},
		{schema: two, columns: []types.Column{column("I", types.IntType)}, full: "A", want: "[<nil>]"},
	} {
		reg, data := registered(t, c.schema)
		data = append(data, written(t, c.schema, c.value)...)
		spec, l := specOf(c.columns)
		if c.full != "" {
			spec.Properties[formats.PropertySchemaFullName] = c.full
		}
		spec.Unwrapped = c.unwrapped
		dec, err := New(reg).NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		row := l.NewRow()
		got := ""
		if err := dec.Decode(data, row); err != nil {
			got = err.Error()
		} else {
			values := []any{}
			for i, col := range c.columns {
				values = append(values, row.Boxed(l.Locs[i], col.Type))
			}
			got = fmt.Sprint(values)
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s as %v: got %s, want %s", c.schema, c.columns, got, c.want)
		}
	}
}

// TestDecodeHostileData has records that promise more than they hold: all are errors, soon and without much memory. It is not
// parallel, to see its own memory only.
func TestDecodeHostileData(t *testing.T) {
	list := `{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}`
	itself := `{"type":"record","name":"L","fields":[{"name":"next","type":"L"}]}`
	number := func(v ...int64) (out []byte) {
		for _, x := range v {
			out = appendLong(out, x)
		}
		return out
	}
	many := types.ArrayOf(types.StructOf())
	// Each record is two of the one before, down to one without a byte.
	doubling := `{"type":"record","name":"R0","fields":[]}`
	for i := range 60 {
		doubling = fmt.Sprintf(`{"type":"record","name":"R%d","fields":[{"name":"l","type":%s},{"name":"r","type":"R%d"}]}`, i+1, doubling, i)
	}
	empties := `{"type":"array","items":{"type":"array","items":{"type":"record","name":"E","fields":[]}}}`
	for _, c := range []struct {
		name, typ string
		as        *types.Type // nil: the field is skipped
		data      []byte
		ok        bool
	}{
		{"a text of negative length", `"string"`, types.StringType, number(-1), false},
		{"a text of great length", `"string"`, types.StringType, number(math.MaxInt64), false},
		{"skipped text of great length", `"string"`, nil, number(math.MaxInt64), false},
		{"a number without an end", `"long"`, types.BigintType, []byte(strings.Repeat("\xff", 20)), false},
		{"an int of 40 bits", `"int"`, types.IntType, number(1 << 40), false},
		{"no boolean", `"boolean"`, types.BooleanType, nil, false},
		{"an unknown symbol", `{"type":"enum","name":"E","symbols":["A"]}`, types.StringType, number(1), false},
		{"an unknown branch", `["null","int"]`, types.IntType, number(2, 0), false},
		{"a negative branch", `["null","int"]`, types.IntType, number(-1, 0), false},
		{"an unknown branch, skipped", `["null","int"]`, nil, number(2, 0), false},
		{"many items", `{"type":"array","items":"int"}`, types.ArrayOf(types.IntType), number(1<<60, 1, 1), false},
		{"many items, skipped", `{"type":"array","items":"int"}`, nil, number(1<<60, 1, 1), false},
		{"the least count", `{"type":"array","items":"int"}`, types.ArrayOf(types.IntType), number(math.MinInt64, 1, 1), false},
		{"a block with its size", `{"type":"array","items":"int"}`, types.ArrayOf(types.IntType), number(-2, 2, 1, 2, 0), true},
		{"a block with its size, skipped", `{"type":"array","items":"int"}`, nil, number(-2, 2, 1, 2, 0), true},
		{"a block of another size than it says", `{"type":"array","items":"int"}`, types.ArrayOf(types.IntType), number(-2, 200, 1, 2, 0), true},
		{"a block of another size than it says, skipped", `{"type":"array","items":"int"}`, nil, number(-2, 200, 1, 2, 0), true},
		{"a block of too many items, skipped", `{"type":"array","items":"int"}`, nil, number(-200, 2, 1, 2, 0), false},
		{"items without bytes", `{"type":"array","items":{"type":"record","name":"E","fields":[]}}`, many, number(1000, 0), true},
		{"too many items without bytes", `{"type":"array","items":{"type":"record","name":"E","fields":[]}}`, many, number(1<<60, 0), false},
		{"too many items without bytes, skipped", `{"type":"array","items":{"type":"record","name":"E","fields":[]}}`, nil, number(1<<60, 0), true},
		{"too many items without bytes, bit by bit", empties, types.ArrayOf(many), append(append(number(5000), bytes.Repeat(number(1000, 0), 5000)...), 0), false},
		{"records without bytes", doubling, nil, nil, true},
		{"many entries", `{"type":"map","values":{"type":"record","name":"E","fields":[]}}`, types.MapOf(types.StringType, types.StructOf()), number(1<<40, 0), false},
		{"a short list", list, nil, append([]byte(strings.Repeat("\x02", 100)), 0), true},
		{"a long list", list, nil, append([]byte(strings.Repeat("\x02", 100_000)), 0), false},
		{"a record in itself", itself, nil, []byte{}, false},
		{"a short fixed", `{"type":"fixed","name":"F","size":200000000}`, types.BytesType, []byte{1}, false},
		{"a huge decimal", `{"type":"bytes","logicalType":"decimal","precision":100000}`, types.DecimalOf(1000, 0), append(number(50_000), make([]byte, 50_000)...), false},
		{"a decimal without bytes", `{"type":"bytes","logicalType":"decimal","precision":5}`, types.DecimalOf(5, 0), number(0), false},
		{"a decimal of a great scale", `{"type":"bytes","logicalType":"decimal","precision":2000000000,"scale":1999999999}`, types.DecimalOf(5, 0), append(number(1), 7), false},
		{"more behind the end", `"int"`, types.IntType, number(1, 2), false},
	} {
		reg, data := registered(t, `{"type":"record","name":"R","fields":[{"name":"f","type":`+c.typ+`}]}`)
		columns := []types.Column{column("OTHER", types.IntType)}
		if c.as != nil {
			columns = []types.Column{column("F", c.as)}
		}
		spec, l := specOf(columns)
		dec, err := New(reg).NewDecoder(spec)
		if err != nil {
			t.Fatal(err)
		}
		row := l.NewRow()
		record := append(data, c.data...)
		var start, end runtime.MemStats
		runtime.ReadMemStats(&start)
		if err := dec.Decode(record, row); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if runtime.ReadMemStats(&end); end.TotalAlloc-start.TotalAlloc > 4<<20 {
			t.Errorf("%s: %d bytes were allocated", c.name, end.TotalAlloc-start.TotalAlloc)
		}
	}
}

// flaky is a registry that can be told to fail, and counts the questions.
type flaky struct {
	schemas.Memory
	fail  error
	asked int
}

func (f *flaky) ByID(id int) (schemas.Schema, error) {
	if f.asked++; f.fail != nil {
		return schemas.Schema{}, f.fail
	}
	return f.Memory.ByID(id)
}

func (f *flaky) Register(subject string, s schemas.Schema) (int, error) {
	if f.asked++; f.fail != nil {
		return 0, f.fail
	}
	return f.Memory.Register(subject, s)
}

func TestDecodeAsksTheRegistrySeldom(t *testing.T) {
	t.Parallel()
	reg := &flaky{}
	spec, l := specOf([]types.Column{column("F", types.IntType)})
	dec, _ := New(reg).NewDecoder(spec)
	row := l.NewRow()
	data := append(schemas.AppendHeader(nil, 1), 2)

	reg.fail = &schemas.UnavailableError{Cause: errors.New("down")}
	for range 2 {
		if err := dec.Decode(data, row); !schemas.IsUnavailable(err) {
			t.Fatalf("got %v", err)
		}
	}
	if reg.asked != 2 {
		t.Errorf("asked %d times while the registry was down", reg.asked)
	}
	// A schema that is not there is asked for again only after a while.
	reg.fail = nil
	for range 10 {
		if err := dec.Decode(data, row); !schemas.IsNotFound(err) {
			t.Fatalf("got %v", err)
		}
	}
	if reg.asked != 3 {
		t.Errorf("asked %d times for what is not there", reg.asked)
	}
	if _, err := reg.Memory.Register("s", avroSchema(recordWith(`"int"`))); err != nil {
		t.Fatal(err)
	}
	var err error
	for range askAgain {
		if err = dec.Decode(data, row); err == nil {
			break
		}
	}
	if err != nil || reg.asked != 4 {
		t.Errorf("after %d questions: %v", reg.asked, err)
	}
	for range 10 {
		_ = dec.Decode(data, row)
	}
	if reg.asked != 4 || row.Boxed(l.Locs[0], types.IntType) != int32(1) {
		t.Errorf("asked %d times", reg.asked)
	}
	if err := dec.Decode([]byte{1, 2, 3}, row); !errors.Is(err, schemas.ErrNoHeader) {
		t.Errorf("got %v", err)
	}
}

func TestDecodeManySchemas(t *testing.T) {
	t.Parallel()
	reg := &flaky{}
	spec, l := specOf([]types.Column{column("F", types.IntType)})
	f, _ := New(reg).NewDecoder(spec)
	dec, _ := f.(*decoder)
	row := l.NewRow()
	for i := range maxPlans + 10 {
		id, err := reg.Memory.Register("s", avroSchema(fmt.Sprintf(`{"type":"record","name":"R","fields":[{"name":"x%d","type":"string"},{"name":"f","type":"int"}]}`, i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := dec.Decode(append(schemas.AppendHeader(nil, id), 2, 'x', 10), row); err != nil || row.I[0] != 5 {
			t.Fatalf("schema %d: %v", id, err)
		}
		if len(dec.plans) > maxPlans {
			t.Fatalf("%d plans are kept", len(dec.plans))
		}
	}
}
