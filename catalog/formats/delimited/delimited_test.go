package delimited

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func columnsOf(ts ...*types.Type) []types.Column {
	out := make([]types.Column, len(ts))
	for i, t := range ts {
		out[i] = types.Column{Name: fmt.Sprintf("C%d", i), Type: t}
	}
	return out
}

type side struct {
	columns []types.Column
	layout  *types.Layout
	row     *types.Row
	dec     formats.Decoder
	enc     formats.Encoder
}

func newSide(t testing.TB, delimiter string, ts ...*types.Type) *side {
	t.Helper()
	s := &side{columns: columnsOf(ts...)}
	s.layout = types.NewLayout(s.columns)
	s.row = s.layout.NewRow()
	spec := &formats.Spec{Columns: s.columns, Locs: s.layout.Locs}
	if delimiter != "" {
		spec.Properties = map[string]string{Delimiter: delimiter}
	}
	var err error
	if s.dec, err = New().NewDecoder(spec); err != nil {
		t.Fatal(err)
	}
	if s.enc, err = New().NewEncoder(spec); err != nil {
		t.Fatal(err)
	}
	return s
}

// read decodes data and prints the columns between bars, or the error.
func (s *side) read(data string) string {
	if err := s.dec.Decode([]byte(data), s.row); err != nil {
		return "error: " + err.Error()
	}
	out := make([]string, len(s.columns))
	for i, c := range s.columns {
		out[i] = types.FormatBoxed(c.Type, s.row.Boxed(s.layout.Locs[i], c.Type))
	}
	return strings.Join(out, "|")
}

func TestLines(t *testing.T) {
	text := types.StringType
	two := []*types.Type{text, text}
	for _, c := range []struct {
		delimiter  string
		types      []*types.Type
		data, want string
	}{
		{"", two, `a,b`, `a|b`},
		{"", two, `"a","b"`, `a|b`},
		{"", two, `"a,b","say ""hi"""`, `a,b|say "hi"`},
		{"", two, "\"line\nend\",x\r\n", "line\nend|x"},
		{"", two, "\r\na,b\r\nc,d", `a|b`},
		{"", two, ` a , b `, ` a | b `},
		{"", two, `,`, `null|null`},
		{"", two, `"",x`, `null|x`},
		{"", two, `"a" ,b`, `a|b`},
		{"", two, `a"b,c`, `a"b|c`},
		{"", two, "h\u00e9,\xff", "h\u00e9|\uFFFD"},
		{"", two, `a`, `error: Unexpected field count, csvFields:1 schemaFields:2`},
		{"", two, `a,b,c`, `error: Unexpected field count, csvFields:3 schemaFields:2`},
		{"", two, `a,b,`, `error: Unexpected field count, csvFields:3 schemaFields:2`},
		{"", two, ``, `error: No fields in record`},
		{"", two, "\n", `error: No fields in record`},
		{"", two, `"a,b`, `error: the text ends inside a quoted field`},
		{"", two, `"a""`, `error: the text ends inside a quoted field`},
		{"", two, `"a"x,b`, `error: unexpected character 'x' at byte 3 between a quoted field and the delimiter`},
		{"|", two, `a,b|c`, `a,b|c`},
		{"TAB", two, "a\tb c", `a|b c`},
		{"SPACE", two, `a b,c`, `a|b,c`},
		{"SPACE", two, `"a" b`, `a|b`},
		{"é", two, `aéb`, `a|b`},
		{"", []*types.Type{types.IntType}, `10`, `10`},
		{"", []*types.Type{types.IntType}, `"10"`, `10`},
		{"", []*types.Type{types.IntType}, ` 10`, "error: column `C0` of type INTEGER: \" 10\" is no integer"},
		{"", []*types.Type{types.IntType}, `1.5`, "error: column `C0` of type INTEGER: \"1.5\" is no integer"},
		{"", []*types.Type{types.IntType}, `3000000000`, "error: column `C0` of type INTEGER: \"3000000000\" is out of range"},
		{"", []*types.Type{types.BigintType}, `-9223372036854775808`, `-9223372036854775808`},
		{"", []*types.Type{types.DoubleType}, `1e10`, `1.0E10`},
		{"", []*types.Type{types.DoubleType}, `x`, "error: column `C0` of type DOUBLE: \"x\" is no number"},
		{"", []*types.Type{types.BooleanType, types.BooleanType}, `TRUE,yes`, `true|false`},
		{"", []*types.Type{types.DecimalOf(6, 4)}, `12.0`, `12.0000`},
		{"", []*types.Type{types.DecimalOf(4, 2)}, `1.234`, "error: column `C0` of type DECIMAL(4, 2): Cannot fit decimal '1.234' into DECIMAL(4, 2) without rounding. (Requires 4,3)"},
		{"", []*types.Type{types.BytesType}, `AQID`, `AQID`},
		{"", []*types.Type{types.BytesType}, `*`, "error: column `C0` of type BYTES: illegal base64 data at input byte 0"},
		{"", []*types.Type{types.DateType, types.TimeType, types.TimestampType}, `1,1000,5`, `1970-01-02|00:00:01|1970-01-01T00:00:00.005`},
		{"", []*types.Type{types.TimeType}, `86400000`, "error: column `C0` of type TIME: Time values must use number of milliseconds greater than 0 and less than 86400000."},
	} {
		if got := newSide(t, c.delimiter, c.types...).read(c.data); got != c.want {
			t.Errorf("%q: got %q, want %q", c.data, got, c.want)
		}
	}
}

func TestQuotingFollowsCommonsCSV(t *testing.T) {
	for _, c := range []struct {
		delimiter string
		values    []any
		want      string
	}{
		{"", []any{"a", "b"}, `a,b`},
		{"", []any{nil, nil}, `,`},
		{"", []any{"", ""}, `"",`},
		{"", []any{"-5", "-5"}, `"-5",-5`},
		{"", []any{"!", "!"}, `"!","!"`},
		{"", []any{"x ", "x "}, `"x ","x "`},
		{"", []any{"a,b", "say \"hi\""}, `"a,b","say ""hi"""`},
		{"|", []any{"a,b", "c|d"}, `a,b|"c|d"`},
		{"", []any{"a\nb", "ß"}, "\"a\nb\",ß"},
		{"", []any{"ß", "x"}, `"ß",x`},
	} {
		s := newSide(t, c.delimiter, types.StringType, types.StringType)
		for i, v := range c.values {
			s.row.SetBoxed(s.layout.Locs[i], types.StringType, v)
		}
		if out, isNull, err := s.enc.Append(nil, s.row); string(out) != c.want || isNull || err != nil {
			t.Errorf("%q: got %q %v %v, want %q", c.values, out, isNull, err, c.want)
		}
	}
	s := newSide(t, "", types.IntType, types.DoubleType)
	s.row.SetBoxed(s.layout.Locs[0], types.IntType, int32(-5))
	s.row.SetBoxed(s.layout.Locs[1], types.DoubleType, 1e10)
	if out, _, _ := s.enc.Append(nil, s.row); string(out) != `"-5",1.0E10` {
		t.Errorf("%q", out)
	}
}

func TestCheck(t *testing.T) {
	delim := func(isKey bool, d string) formats.Spec {
		return formats.Spec{IsKey: isKey, Columns: columnsOf(types.IntType), Properties: map[string]string{Delimiter: d}}
	}
	for _, c := range []struct {
		spec formats.Spec
		want string
	}{
		{delim(false, ";"), ""},
		{delim(false, "tab"), ""},
		{delim(false, "<~>"), "Configuration VALUE_DELIMITER is invalid: Invalid delimiter value: '<~>'. Delimiter must be a single character or TAB,SPACE\nExample valid value: ';'"},
		{delim(true, ""), "Configuration KEY_DELIMITER is invalid: Delimiter cannot be empty, if you meant to have a tab or space for delimiter, please use the special values 'TAB' or 'SPACE'\nExample valid value: ';'"},
		{delim(false, " "), "Delimiter cannot be empty"},
		{formats.Spec{Columns: columnsOf(types.StructOf(types.Field{Name: "F", Type: types.DoubleType})), IsKey: true},
			"Key format does not support schema.\nformat: DELIMITED\nschema: Persistence{columns=[`C0` STRUCT<`F` DOUBLE> KEY], features=[]}\nreason: The 'DELIMITED' format does not support type 'STRUCT', column: `C0`"},
	} {
		err := New().Check(&c.spec)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`a,1,2.5,true,AQ==,9.99`, `"a""b",,,,,`, "\"\n", `,,,,,`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newSide(t, "", types.StringType, types.IntType, types.DoubleType, types.BooleanType, types.BytesType, types.DecimalOf(8, 2))
		first := s.read(string(data))
		if strings.HasPrefix(first, "error: ") {
			return
		}
		out, _, err := s.enc.Append(nil, s.row)
		if err != nil {
			t.Fatal(err)
		}
		if second := s.read(string(out)); first != second {
			t.Fatalf("read %q, wrote %q, read %q", first, out, second)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	s := newSide(b, "", types.BigintType, types.StringType, types.IntType, types.DoubleType)
	data := []byte(`1700000000123,user_12345,517,123.45`)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.dec.Decode(data, s.row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	s := newSide(b, "", types.BigintType, types.StringType, types.IntType, types.DoubleType)
	if err := s.dec.Decode([]byte(`1700000000123,user_12345,517,123.45`), s.row); err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _, _ = s.enc.Append(buf[:0], s.row)
	}
}
