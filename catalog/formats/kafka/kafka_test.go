package kafka

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func side(t testing.TB, typ *types.Type) (formats.Decoder, formats.Encoder, *types.Row, types.Loc) {
	t.Helper()
	columns := []types.Column{{Name: "K", Type: typ}}
	l := types.NewLayout(columns)
	spec := &formats.Spec{Columns: columns, Locs: l.Locs, IsKey: true}
	dec, err := New().NewDecoder(spec)
	if err != nil {
		t.Fatal(err)
	}
	enc, err := New().NewEncoder(spec)
	if err != nil {
		t.Fatal(err)
	}
	return dec, enc, l.NewRow(), l.Locs[0]
}

func TestBytes(t *testing.T) {
	for _, c := range []struct {
		typ   *types.Type
		data  string
		value any
		err   string
	}{
		{types.IntType, "\x00\x00\x00\x2a", int32(42), ""},
		{types.IntType, "\xff\xff\xff\xfe", int32(-2), ""},
		{types.IntType, "42", nil, "Size of data received by IntegerDeserializer is not 4"},
		{types.BigintType, "\xff\xff\xff\xff\xff\xff\xff\xff", int64(-1), ""},
		{types.BigintType, "\x00\x00\x00\x2a", nil, "Size of data received by LongDeserializer is not 8"},
		{types.DoubleType, "\x3f\xf8\x00\x00\x00\x00\x00\x00", 1.5, ""},
		{types.DoubleType, "", nil, "Size of data received by DoubleDeserializer is not 8"},
		{types.StringType, "h\u00e9", "h\u00e9", ""},
		{types.StringType, "", "", ""},
		{types.BytesType, "\x00\xff", []byte{0, 255}, ""},
	} {
		dec, enc, row, loc := side(t, c.typ)
		err := dec.Decode([]byte(c.data), row)
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%s %q: error %v, want %s", c.typ, c.data, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := row.Boxed(loc, c.typ); !types.EqualBoxed(got, c.value) {
			t.Errorf("%s %q: got %v", c.typ, c.data, got)
		}
		if out, isNull, err := enc.Append(nil, row); string(out) != c.data || isNull || err != nil {
			t.Errorf("%s: wrote %q %v %v, want %q", c.typ, out, isNull, err, c.data)
		}
	}
}

func TestNullColumnIsNullBytes(t *testing.T) {
	_, enc, row, _ := side(t, types.BigintType)
	if out, isNull, err := enc.Append([]byte("x"), row); !isNull || err != nil || string(out) != "x" {
		t.Errorf("%q %v %v", out, isNull, err)
	}
}

func TestInvalidTextIsReplaced(t *testing.T) {
	dec, _, row, loc := side(t, types.StringType)
	data := []byte("a\xff\xfeb")
	if err := dec.Decode(data, row); err != nil {
		t.Fatal(err)
	}
	if got := row.Boxed(loc, types.StringType); got != "a\uFFFDb" || !bytes.Equal(data, []byte("a\xff\xfeb")) {
		t.Errorf("%q", got)
	}
}

func TestCheck(t *testing.T) {
	column := func(typ *types.Type) []types.Column { return []types.Column{{Name: "K", Type: typ}} }
	for _, c := range []struct {
		spec formats.Spec
		want string
	}{
		{formats.Spec{}, ""},
		{formats.Spec{Columns: column(types.IntType)}, ""},
		{formats.Spec{Columns: column(types.DecimalOf(21, 19)), IsKey: true},
			"Key format does not support schema.\nformat: KAFKA\nschema: Persistence{columns=[`K` DECIMAL(21, 19) KEY], features=[]}\nreason: The 'KAFKA' format does not support type 'DECIMAL'"},
		{formats.Spec{Columns: column(types.ArrayOf(types.IntType))}, "The 'KAFKA' format does not support type 'ARRAY'"},
		{formats.Spec{Columns: column(types.BooleanType)}, "The 'KAFKA' format does not support type 'BOOLEAN'"},
		{formats.Spec{Columns: append(column(types.IntType), column(types.IntType)...), IsKey: true},
			"The 'KAFKA' format only supports a single field. Got: [`K` INTEGER KEY, `K` INTEGER KEY]"},
		{formats.Spec{Properties: map[string]string{"DELIMITER": ","}}, "KAFKA does not support the following configs: [delimiter]"},
	} {
		err := New().Check(&c.spec)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01"))
	f.Add([]byte("text \xff"))
	all := []*types.Type{types.IntType, types.BigintType, types.DoubleType, types.StringType, types.BytesType}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, typ := range all {
			dec, enc, row, loc := side(t, typ)
			if dec.Decode(data, row) != nil {
				continue
			}
			first := row.Boxed(loc, typ)
			out, _, err := enc.Append(nil, row)
			if err != nil {
				t.Fatal(err)
			}
			if err := dec.Decode(out, row); err != nil || !types.EqualBoxed(first, row.Boxed(loc, typ)) {
				t.Fatalf("%s: %v became %v (%v)", typ, first, row.Boxed(loc, typ), err)
			}
		}
	})
}
