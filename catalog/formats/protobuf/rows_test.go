package protobuf_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/formats/protobuf"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Rows are read, by the schema that is told with them, as what they were; null scalars as the defaults that they look like.
func TestRows(t *testing.T) {
	t.Parallel()
	inner := types.StructOf(field("A", types.IntType), field("M", types.MapOf(types.StringType, types.ArrayOf(types.DateType))))
	columns := named("B", types.BooleanType, "I", types.IntType, "L", types.BigintType, "D", types.DoubleType, "S", types.StringType,
		"Y", types.BytesType, "DEC", types.DecimalOf(6, 2), "DATE", types.DateType, "TIME", types.TimeType, "TS", types.TimestampType,
		"LIST", types.ArrayOf(types.DoubleType), "MAP", types.MapOf(types.StringType, inner), "INNER", inner, "INNERS", types.ArrayOf(inner))
	rows, err := protobuf.NewRows(columns)
	if err != nil {
		t.Fatal(err)
	}
	// To read them, the schema becomes one of a registry and a header is put before the message.
	registry := &schemas.Memory{}
	id, err := registry.Register("s", schemas.Schema{Kind: schemas.Protobuf, Text: rows.Schema()})
	if err != nil {
		t.Fatal(err)
	}
	layout := types.NewLayout(columns)
	dec, err := protobuf.NewSchema(registry).NewDecoder(&formats.Spec{Columns: columns, Locs: layout.Locs})
	if err != nil {
		t.Fatal(err)
	}
	days := types.StructValue{int32(-1), &types.MapValue{Keys: []any{"k"}, Values: []any{[]any{types.DateValue(1), types.DateValue(-1)}}}}
	full := []any{true, int32(-5), int64(1) << 40, -0.5, "žluť", []byte{0, 255}, apd.New(-1234, -2), types.DateValue(-10), types.TimeValue(86_398_007),
		types.TimestampValue(-1), []any{1.5, 0.0}, &types.MapValue{Keys: []any{"x"}, Values: []any{days}}, days, []any{days, days}}
	none := []any{false, int32(0), int64(0), 0.0, "", []byte{}, nil, nil, nil, nil, []any{}, &types.MapValue{}, nil, []any{}}
	for _, c := range []struct{ row, want []any }{{full, full}, {none, none}, {make([]any, len(columns)), none}} {
		message, err := rows.Append([]byte("before"), c.row)
		if err != nil {
			t.Fatal(err)
		}
		message, ok := bytes.CutPrefix(message, []byte("before"))
		if isEmpty := len(message) == 0; !ok || isEmpty != (c.row[0] != true) {
			t.Errorf("%v: % x", c.row, message)
		}
		row := layout.NewRow()
		if err := dec.Decode(append(append(schemas.AppendHeader(nil, id), 0), message...), row); err != nil {
			t.Fatal(err)
		}
		for i, column := range columns {
			if have := row.Boxed(layout.Locs[i], column.Type); !types.EqualBoxed(have, c.want[i]) {
				t.Errorf("column %s is %#v, want %#v", column.Name, have, c.want[i])
			}
		}
	}
}

func TestRowsThatNoMessageCarries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		columns []types.Column
		want    string
	}{
		{named("A", types.ArrayOf(types.ArrayOf(types.IntType))), "column `A`: an ARRAY of ARRAYs cannot be written"},
		{named("A", types.IntType, "two words", types.IntType), `"two words" is no name of a field`},
		{named("M", types.MapOf(types.BigintType, types.IntType)), "only supports MAP types with STRING keys"},
	} {
		if _, err := protobuf.NewRows(c.columns); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.columns, err, c.want)
		}
	}
}
