package json

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// reader is a decoder with a row to read into.
type reader struct {
	columns []types.Column
	layout  *types.Layout
	dec     formats.Decoder
	row     *types.Row
}

func newReader(t testing.TB, unwrapped bool, columns ...types.Column) *reader {
	t.Helper()
	l := types.NewLayout(columns)
	dec, err := New().NewDecoder(&formats.Spec{Columns: columns, Locs: l.Locs, Unwrapped: unwrapped})
	if err != nil {
		t.Fatal(err)
	}
	return &reader{columns, l, dec, l.NewRow()}
}

// read decodes data and prints the row's columns as the encoder writes them, or the error.
func (r *reader) read(data string) string {
	if err := r.dec.Decode([]byte(data), r.row); err != nil {
		return "error: " + err.Error()
	}
	out := make([]string, len(r.columns))
	for i, c := range r.columns {
		out[i] = string(appendBoxed(nil, c.Type, r.row.Boxed(r.layout.Locs[i], c.Type)))
	}
	return strings.Join(out, " ")
}

func TestValues(t *testing.T) {
	array, stringMap := types.ArrayOf(types.IntType), types.MapOf(types.StringType, types.DoubleType)
	structure := types.StructOf(types.Field{Name: "A", Type: types.IntType}, types.Field{Name: "b", Type: types.StringType})
	for _, c := range []struct {
		typ        *types.Type
		data, want string
	}{
		{types.BooleanType, `true`, `true`},
		{types.BooleanType, `false`, `false`},
		{types.BooleanType, `"true"`, `error: Can't convert type. sourceType: TextNode, requiredType: BOOLEAN, path: $.F`},
		{types.BooleanType, `1`, `error: Can't convert type. sourceType: IntNode, requiredType: BOOLEAN, path: $.F`},
		{types.IntType, `10`, `10`},
		{types.IntType, `-0`, `0`},
		{types.IntType, `10.99`, `10`},
		{types.IntType, `-1.5e1`, `-15`},
		{types.IntType, `1e-400`, `0`},
		{types.IntType, `"33"`, `33`},
		{types.IntType, `"-7"`, `-7`},
		{types.IntType, `"x"`, `error: Can't convert type. sourceType: TextNode, requiredType: INTEGER, path: $.F`},
		{types.IntType, `""`, `error: Can't convert type. sourceType: TextNode, requiredType: INTEGER, path: $.F`},
		{types.IntType, `true`, `error: Can't convert type. sourceType: BooleanNode, requiredType: INTEGER, path: $.F`},
		{types.IntType, `[1]`, `error: Can't convert type. sourceType: ArrayNode, requiredType: INTEGER, path: $.F`},
		{types.IntType, `3000000000`, `error: Number out of range. value: 3000000000, requiredType: INTEGER, path: $.F`},
		{types.IntType, `"3000000000"`, `error: Number out of range. value: 3000000000, requiredType: INTEGER, path: $.F`},
		{types.BigintType, `9223372036854775807`, `9223372036854775807`},
		{types.BigintType, `-9223372036854775808`, `-9223372036854775808`},
		{types.BigintType, `9223372036854775808`, `error: Number out of range. value: 9223372036854775808, requiredType: BIGINT, path: $.F`},
		{types.BigintType, `1E3`, `1000`},
		{types.BigintType, `1E300`, `error: Number out of range. value: 1E300, requiredType: BIGINT, path: $.F`},
		{types.BigintType, `1E999999999`, `error: Number out of range. value: 1E999999999, requiredType: BIGINT, path: $.F`},
		{types.BigintType, `"F"`, `error: Can't convert type. sourceType: TextNode, requiredType: BIGINT, path: $.F`},
		{types.DoubleType, `1`, `1.0`},
		{types.DoubleType, `-12.5`, `-12.5`},
		{types.DoubleType, `0.1`, `0.1`},
		{types.DoubleType, `3.8688222734507915`, `3.8688222734507915`},
		{types.DoubleType, `1e10`, `1.0E10`},
		{types.DoubleType, `1E-5`, `1.0E-5`},
		{types.DoubleType, `"1.5"`, `1.5`},
		{types.DoubleType, `"NaN"`, `"NaN"`},
		{types.DoubleType, `"-Infinity"`, `"-Infinity"`},
		{types.DoubleType, `"inf"`, `error: Can't convert type. sourceType: TextNode, requiredType: DOUBLE, path: $.F`},
		{types.DoubleType, `false`, `error: Can't convert type. sourceType: BooleanNode, requiredType: DOUBLE, path: $.F`},
		{types.DecimalOf(4, 2), `10.10`, `10.10`},
		{types.DecimalOf(4, 2), `10.1`, `10.10`},
		{types.DecimalOf(4, 2), `1E1`, `10.00`},
		{types.DecimalOf(4, 2), `"1.5"`, `1.50`},
		{types.DecimalOf(4, 2), `10.100`, `10.10`},
		{types.DecimalOf(4, 2), `10.101`, `error: Cannot fit decimal '10.101' into DECIMAL(4, 2) without rounding. (Requires 5,3), path: $.F`},
		{types.DecimalOf(4, 2), `100`, `error: Cannot fit decimal '100' into DECIMAL(4, 2) without rounding. (Requires 3,0), path: $.F`},
		{types.DecimalOf(4, 2), `1E99999`, `error: Cannot fit decimal '1E+99999' into DECIMAL(4, 2) without rounding. (Requires 1,0), path: $.F`},
		{types.DecimalOf(4, 2), `"x"`, `error: Can't convert type. sourceType: TextNode, requiredType: DECIMAL(4, 2), path: $.F`},
		{types.StringType, `"hello"`, `"hello"`},
		{types.StringType, `""`, `""`},
		{types.StringType, `"a\"b\\c\/d\n\t\r\b\f"`, `"a\"b\\c/d\n\t\r\b\f"`},
		{types.StringType, `"\u0041\u00e9\ud83d\ude00"`, `"Aé😀"`},
		{types.StringType, `"\ud83dx"`, "\"\uFFFDx\""},
		{types.StringType, `"žluťoučký kůň"`, `"žluťoučký kůň"`},
		{types.StringType, `12`, `"12"`},
		{types.StringType, `10.10`, `"10.10"`},
		{types.StringType, `1e3`, `"1E+3"`},
		{types.StringType, `true`, `"true"`},
		{types.StringType, `[1, "a", null,{"z":1}]`, `"[1, a, null, {\"z\":1}]"`},
		{types.StringType, `{"b": [1, 2], "a": {"d":null,"c":"x"}, "b": 2.0}`, `"{\"a\":{\"c\":\"x\",\"d\":null},\"b\":2.0}"`},
		{types.BytesType, `"AQID"`, `"AQID"`},
		{types.BytesType, `"*"`, `error: Can't convert type. sourceType: TextNode, requiredType: BYTES, path: $.F`},
		{types.BytesType, `7`, `error: Can't convert type. sourceType: IntNode, requiredType: BYTES, path: $.F`},
		{types.DateType, `10`, `10`},
		{types.DateType, `"10"`, `10`},
		{types.TimeType, `86399999`, `86399999`},
		{types.TimeType, `86400000`, `error: Number out of range. value: 86400000, requiredType: TIME, path: $.F`},
		{types.TimestampType, `1528224275715`, `1528224275715`},
		{types.TimestampType, `"2024-01-01"`, `error: Can't convert type. sourceType: TextNode, requiredType: TIMESTAMP, path: $.F`},
		{array, `[]`, `[]`},
		{array, `[1, "2", null, 3.9]`, `[1,2,null,3]`},
		{array, `[1, "x"]`, `error: Can't convert type. sourceType: TextNode, requiredType: INTEGER, path: $.F[1]`},
		{array, `{}`, `error: Can't convert type. sourceType: ObjectNode, requiredType: ARRAY<INTEGER>, path: $.F`},
		{stringMap, `{}`, `{}`},
		{stringMap, `{"a": 1, "b": null, "a": 2}`, `{"a":2.0,"b":null}`},
		{stringMap, `{"a": true}`, `error: Can't convert type. sourceType: BooleanNode, requiredType: DOUBLE, path: $.F.a.value`},
		{structure, `{"a": 1, "b": "x", "c": [1]}`, `{"A":1,"b":"x"}`},
		{structure, `{"A": 2, "a": 1, "B": "not b"}`, `{"A":2,"b":null}`},
		{structure, `{"a": "y"}`, `error: Can't convert type. sourceType: TextNode, requiredType: INTEGER, path: $.F.A`},
		{types.IntType, `null`, `null`},
		{structure, `null`, `null`},
	} {
		t.Run(fmt.Sprintf("%s %s", c.typ.Kind, c.data), func(t *testing.T) {
			r := newReader(t, false, types.Column{Name: "F", Type: c.typ})
			if got := r.read(`{"F":` + c.data + `}`); got != c.want {
				t.Errorf("wrapped: got %s, want %s", got, c.want)
			}
			if got := r.read("\t{ \"x\" : 1 ,\r\n\"F\" : " + c.data + " } "); got != c.want {
				t.Errorf("with white space: got %s, want %s", got, c.want)
			}
			bare := newReader(t, true, types.Column{Name: "F", Type: c.typ})
			want := strings.Replace(c.want, "path: $.F", "path: $", 1)
			if got := bare.read(c.data); got != want {
				t.Errorf("bare: got %s, want %s", got, want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	r := newReader(t, false, types.Column{Name: "ID", Type: types.IntType}, types.Column{Name: "lower", Type: types.IntType},
		types.Column{Name: "ÉTÉ", Type: types.IntType}, types.Column{Name: "A_LONGER_NAME_THAN_16", Type: types.IntType})
	for range 2 { // the second time by prediction
		for _, c := range []struct{ data, want string }{
			{`{"ID":1,"lower":2,"ÉTÉ":3,"A_LONGER_NAME_THAN_16":4}`, `1 2 3 4`},
			{`{"id":1,"LOWER":2,"été":3,"a_longer_name_than_16":4}`, `1 null 3 4`},
			{`{"id":1,"ID":2,"Id":3}`, `2 null null null`},
			{`{"ID":2,"id":1}`, `2 null null null`},
			{`{"ID":2,"ID":null}`, `null null null null`},
			{`{"id":1,"id":5}`, `5 null null null`},
			{`{"\u0049D":7,"x":{"ID":9}}`, `7 null null null`},
			{`{"A_LONGER_NAME_THAN_17":4,"A_LONGER_NAME_THAM_16":5}`, `null null null null`},
			{`{"":1}`, `null null null null`},
			{`{}`, `null null null null`},
			{`null`, `null null null null`},
			{`{"lower":4,"ID":2}`, `2 4 null null`},
		} {
			if got := r.read(c.data); got != c.want {
				t.Errorf("%s: got %s, want %s", c.data, got, c.want)
			}
		}
	}
}

func TestBrokenText(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct{ data, want string }{
		{``, `byte 0: the record is empty`},
		{`   `, `byte 0: the record is empty`},
		{`{`, `byte 1: the text ends`},
		{`{"F"`, `the text ends inside an object`},
		{`{"F":`, `the text ends where a value should be`},
		{`{"F":1`, `the text ends inside an object`},
		{`{"F":1,}`, `unexpected "}", expected a field name in quotes`},
		{`{"F":1 "G":2}`, `expected ',' or '}'`},
		{`{"F" 1}`, `expected ':'`},
		{`{F:1}`, `byte 1: unexpected "F", expected a field name in quotes`},
		{`{"F":1}x`, `there is more after the end of the value: "x"`},
		{`{"F":1}{"F":2}`, `there is more`},
		{`{"F":01}`, `malformed number`},
		{`{"F":1.}`, `malformed number`},
		{`{"F":.5}`, `expected a value`},
		{`{"F":-}`, `malformed number`},
		{`{"F":1e}`, `malformed number`},
		{`{"F":+1}`, `expected a value`},
		{`{"F":NaN}`, `unexpected "NaN", expected a value`},
		{`{"F":nul}`, `expected a value`},
		{`{"F":tru}`, `expected a value`},
		{`{"G":tru}`, `expected a value`},
		{`{"G":Infinity}`, `expected a value`},
		{`{"G":"abc}`, `the text ends inside a string`},
		{`{"G":"a\x"}`, `unknown escape`},
		{`{"G":"a\u12g4"}`, `unknown escape`},
		{"{\"G\":\"a\nb\"}", `control character`},
		{"{\"G\":\"a\xff\"}", `not valid UTF-8`},
		{"{\"G\":\"a\xc3\"}", `not valid UTF-8`},
		{`{"G":[1,2}`, `expected ',' or ']'`},
		{`{"G":[1,]}`, `expected a value`},
		{`{"G":{"a":1,}}`, `expected a field name`},
		{`{"G":00}`, `malformed number`},
		{`{"G":1.e3}`, `malformed number`},
		{"\xEF\xBB\xBF{}", `byte order mark`},
		{"\xFF\xFE{\x00", `not UTF-8 (UTF-16`},
		{"\x00{\x00}", `not UTF-8 (UTF-16`},
		{`{"G":` + deep(499) + `}`, ``},
		{`{"G":` + deep(500) + `}`, `nested deeper than 500`},
		{`{"A":` + deep(600) + `}`, `nested deeper than 500`},
		{`"F"`, `Can't convert type. sourceType: TextNode, requiredType: STRUCT<`},
		{`[1]`, `Can't convert type. sourceType: ArrayNode, requiredType: STRUCT<`},
		{`[1`, `the text ends inside an array`},
		{`xyz`, `unexpected "xyz", expected a value`},
		{"{\x00\x00\x00\x00\x00\x00\x00\x001}", `expected a field name`},
		{"{\xff\xff\xff\xff\xff\xff\xff\xff1}", `expected a field name`},
	} {
		r := newReader(t, false, types.Column{Name: "F", Type: types.IntType}, types.Column{Name: "A", Type: nestedArray(501)})
		got := r.read(c.data)
		if c.want == "" {
			if strings.HasPrefix(got, "error") {
				t.Errorf("%.60q: %s", c.data, got)
			}
			continue
		}
		if !strings.HasPrefix(got, "error: ") || !strings.Contains(got, c.want) {
			t.Errorf("%.60q: got %s, want an error with %s", c.data, got, c.want)
		}
	}
}

func nestedArray(n int) *types.Type {
	t := types.IntType
	for range n {
		t = types.ArrayOf(t)
	}
	return t
}

func TestManyNamesStayBounded(t *testing.T) {
	r := newReader(t, false, types.Column{Name: "ID", Type: types.IntType})
	for i := range 5000 {
		if got := r.read(fmt.Sprintf(`{"name_%d":{},"ID":%d}`, i, i)); got != fmt.Sprint(i) {
			t.Fatal(got)
		}
	}
	if n := len(r.dec.(*decoder).names); n > maxNames {
		t.Errorf("%d names are remembered", n)
	}
}

func TestBigMapIsNotQuadratic(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"M":{"k0":0`)
	for i := range 100_000 {
		fmt.Fprintf(&b, `,"k%d":%d`, i, i)
	}
	b.WriteString(`}}`)
	r := newReader(t, false, types.Column{Name: "M", Type: types.MapOf(types.StringType, types.BigintType)})
	if err := r.dec.Decode(b.Bytes(), r.row); err != nil {
		t.Fatal(err)
	}
	if m := r.row.R[0].(*types.MapValue); len(m.Keys) != 100_000 {
		t.Fatalf("%d entries", len(m.Keys))
	}
}

// FuzzDecode compares what is valid with the standard library's opinion and looks for panics.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"I":1,"s":"a\u00e9","D":1.5,"A":[{"X":1}],"z":null}`, `{"i":"12","S":{"b":1,"a":[]}}`, `[`, `{"M":{"a":1E5}}`, `"x"`, `{"D":1e-7,"C":12.50}`} {
		f.Add([]byte(s))
	}
	columns := []types.Column{
		{Name: "I", Type: types.IntType}, {Name: "S", Type: types.StringType}, {Name: "D", Type: types.DoubleType},
		{Name: "C", Type: types.DecimalOf(10, 2)}, {Name: "Y", Type: types.BytesType},
		{Name: "A", Type: types.ArrayOf(types.StructOf(types.Field{Name: "X", Type: types.BigintType}))},
		{Name: "M", Type: types.MapOf(types.StringType, types.StringType)},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newReader(t, false, columns...)
		err := r.dec.Decode(data, r.row)
		if err == nil && !stdjson.Valid(data) {
			t.Fatalf("%q is not JSON but was read", data)
		}
		if again := newReader(t, false); again.dec.Decode(data, again.row) == nil != (stdjson.Valid(data) && wrapped(data)) &&
			!bytes.ContainsFunc(data, func(r rune) bool { return r == '\uFFFD' }) {
			t.Fatalf("%q: validity differs from the standard library's", data)
		}
		if err == nil {
			first := r.read(string(data))
			enc, _ := New().NewEncoder(&formats.Spec{Columns: columns, Locs: r.layout.Locs})
			out, _, err := enc.Append(nil, r.row)
			if err != nil {
				t.Fatal(err)
			}
			if second := r.read(string(out)); first != second {
				t.Fatalf("read %s, wrote %s, read %s", first, out, second)
			}
		}
	})
}

func wrapped(data []byte) bool {
	data = bytes.TrimSpace(data)
	return len(data) > 0 && (data[0] == '{' || data[0] == 'n')
}
