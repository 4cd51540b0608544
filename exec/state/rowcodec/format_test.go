package rowcodec

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// TestFormatIsAsDocumented pins the bytes that docs/formats/state.md describes: a change of them needs a
// new version there and in the code.
func TestFormatIsAsDocumented(t *testing.T) {
	row := types.StructOf(types.Field{Name: "A", Type: types.IntType}, types.Field{Name: "B", Type: types.StringType})
	tests := []struct {
		typ        *types.Type
		value      any
		key, bytes string
	}{
		{types.IntType, nil, "00", ""},
		{types.BooleanType, true, "01 01", "01"},
		{types.IntType, int32(-2), "01 7ffffffe", "feffffff"},
		{types.BigintType, int64(1), "01 8000000000000001", "0100000000000000"},
		{types.TimestampType, types.TimestampValue(-1), "01 7fffffffffffffff", "ffffffffffffffff"},
		{types.DateType, types.DateValue(19000), "01 80004a38", "384a0000"},
		{types.DoubleType, 1.5, "01 bff8000000000000", "000000000000f83f"},
		{types.DoubleType, -1.5, "01 4007ffffffffffff", "000000000000f8bf"},
		{types.DoubleType, math.NaN(), "01 fff8000000000001", "010000000000f87f"},
		{types.StringType, "a\x00\uffff", "01 61 00ff f4bfbf 0001", "05 61 00 efbfbf"},
		{types.BytesType, []byte{1, 0x80}, "01 81 00ff 0001", "02 0180"},
		{types.DecimalOf(4, 2), apd.New(1234, -2), "01 8002 04d2", "04 03 04d2"},
		{types.DecimalOf(4, 2), apd.New(-5, 0), "01 7ffe fe0b", "03 00 05"},
		{types.ArrayOf(types.IntType), []any{int32(1), nil}, "01 02 80000001 01 00", "02 02 01000000"},
		{row, types.StructValue{int32(1), "x"}, "01 01 80000001 01 78 0001", "00 01000000 01 78"},
		{types.MapOf(types.StringType, types.BooleanType), &types.MapValue{Keys: []any{"k"}, Values: []any{true}},
			"", "01 00 016b 00 01"},
	}
	for _, tt := range tests {
		slot := types.Unbox(tt.typ, tt.value)
		if tt.key != "" {
			key, err := appendKeyColumn(nil, tt.typ, slot)
			if got := hex.EncodeToString(key); err != nil || got != strings.ReplaceAll(tt.key, " ", "") {
				t.Errorf("%s %v: key %s, %v, want %s", tt.typ, tt.value, got, err, tt.key)
			}
		}
		if tt.value != nil {
			value, err := appendValue(nil, tt.typ, slot)
			if got := hex.EncodeToString(value); err != nil || got != strings.ReplaceAll(tt.bytes, " ", "") {
				t.Errorf("%s %v: value %s, %v, want %s", tt.typ, tt.value, got, err, tt.bytes)
			}
		}
	}
}

func TestRowFormatIsAsDocumented(t *testing.T) {
	layout := types.NewLayout([]types.Column{
		{Name: "NAME", Type: types.StringType}, {Name: "N", Type: types.BigintType}, {Name: "B", Type: types.BooleanType},
	})
	c, err := NewValueCodec(layout.Columns, layout.Locs)
	if err != nil {
		t.Fatal(err)
	}
	row := layout.NewRow()
	row.SetBytes(layout.Locs[0], []byte("hi"))
	row.SetInt64(layout.Locs[1], 3)
	got, err := c.AppendRow(nil, row)
	if err != nil {
		t.Fatal(err)
	}
	// FNV-1a of "`NAME` STRING,`N` BIGINT,`B` BOOLEAN,".
	const want = "01" + "HASH" + "04" + "0300000000000000" + "00" + "026869"
	text := hex.EncodeToString(got)
	if text != strings.Replace(want, "HASH", text[2:10], 1) {
		t.Fatalf("row %s", text)
	}
	h := uint32(2166136261)
	for _, b := range []byte("`NAME` STRING,`N` BIGINT,`B` BOOLEAN,") {
		h = (h ^ uint32(b)) * 16777619
	}
	if SchemaHash(layout.Columns) != h {
		t.Fatalf("schema hash %#x, want %#x", SchemaHash(layout.Columns), h)
	}
}
