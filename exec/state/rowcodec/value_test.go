package rowcodec

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func valueCodec(t testing.TB, ts []*types.Type) (*ValueCodec, *types.Layout) {
	t.Helper()
	layout := types.NewLayout(columnsOf(ts))
	c, err := NewValueCodec(layout.Columns, layout.Locs)
	if err != nil {
		t.Fatal(err)
	}
	return c, layout
}

func TestRowsDecodeToWhatWasEncoded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ts := valueTypes()
	c, layout := valueCodec(t, ts)
	in, out := layout.NewRow(), layout.NewRow()
	for range 2000 {
		for i, typ := range ts {
			in.SetBoxed(layout.Locs[i], typ, randomBoxed(r, typ, true))
		}
		value, err := c.AppendRow([]byte("before"), in)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.DecodeRow(value[len("before"):], out); err != nil {
			t.Fatal(err)
		}
		for i, typ := range ts {
			a, b := in.Boxed(layout.Locs[i], typ), out.Boxed(layout.Locs[i], typ)
			if !types.EqualBoxed(a, b) {
				t.Fatalf("%s: %v came back as %v", typ, a, b)
			}
		}
	}
}

func TestOtherRowsAreRefused(t *testing.T) {
	c, layout := valueCodec(t, []*types.Type{types.BigintType, types.StringType})
	row := layout.NewRow()
	row.SetInt64(layout.Locs[0], 1)
	row.SetBytes(layout.Locs[1], []byte("text"))
	value, err := c.AppendRow(nil, row)
	if err != nil {
		t.Fatal(err)
	}
	renamed := slices.Clone(layout.Columns)
	renamed[0].Name = "OTHER"
	other, err := NewValueCodec(renamed, layout.Locs)
	if err != nil {
		t.Fatal(err)
	}
	newer := slices.Clone(value)
	newer[0] = 2
	for _, tt := range []struct {
		name  string
		codec *ValueCodec
		value []byte
		want  error
	}{
		{"other columns", other, value, ErrSchema},
		{"newer version", c, newer, ErrVersion},
		{"empty", c, nil, ErrCorrupt},
		{"cut off", c, value[:len(value)-1], ErrCorrupt},
		{"too long", c, append(slices.Clone(value), 0), ErrCorrupt},
	} {
		if err := tt.codec.DecodeRow(tt.value, row); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestFixedColumnsCanBeUpdatedInPlace(t *testing.T) {
	c, layout := valueCodec(t, []*types.Type{types.StringType, types.BigintType})
	row := layout.NewRow()
	row.SetBytes(layout.Locs[0], []byte("key"))
	value, err := c.AppendRow(nil, row)
	if err != nil {
		t.Fatal(err)
	}
	at, width, ok := c.FixedOffset(1)
	if !ok || width != 8 {
		t.Fatalf("offset %d, width %d, %v", at, width, ok)
	}
	binary.LittleEndian.PutUint64(value[at:], 42)
	c.SetPresent(value, 1)
	if err := c.DecodeRow(value, row); err != nil {
		t.Fatal(err)
	}
	if row.IsNull(layout.Locs[1]) || row.I[layout.Locs[1].Slot] != 42 || string(row.B[0]) != "key" {
		t.Fatalf("got %v", row)
	}
	if _, _, ok := c.FixedOffset(0); ok {
		t.Error("a string has no fixed place")
	}
}

func TestRowOfScalarsAllocatesNothing(t *testing.T) {
	c, layout := valueCodec(t, []*types.Type{types.StringType, types.BigintType, types.DoubleType, types.BooleanType})
	row, out := layout.NewRow(), layout.NewRow()
	row.SetBytes(layout.Locs[0], []byte("text"))
	row.SetInt64(layout.Locs[1], 42)
	var dst []byte
	if n := testing.AllocsPerRun(100, func() {
		dst, _ = c.AppendRow(dst[:0], row)
		_ = c.DecodeRow(dst, out)
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func FuzzValueDecode(f *testing.F) {
	ts := valueTypes()
	c, layout := valueCodec(f, ts)
	r := rand.New(rand.NewPCG(9, 9))
	row := layout.NewRow()
	for range 4 {
		for i, typ := range ts {
			row.SetBoxed(layout.Locs[i], typ, randomBoxed(r, typ, true))
		}
		value, err := c.AppendRow(nil, row)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		row, again := layout.NewRow(), layout.NewRow()
		if err := c.DecodeRow(value, row); err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrSchema) && !errors.Is(err, ErrVersion) {
				t.Fatalf("unexpected class: %v", err)
			}
			return
		}
		enc, err := c.AppendRow(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.DecodeRow(enc, again); err != nil {
			t.Fatal(err)
		}
		for i, typ := range ts {
			if a, b := row.Boxed(layout.Locs[i], typ), again.Boxed(layout.Locs[i], typ); !types.EqualBoxed(a, b) {
				t.Fatalf("%s: %v came back as %v", typ, a, b)
			}
		}
	})
}

func BenchmarkValue(b *testing.B) {
	c, layout := valueCodec(b, []*types.Type{types.StringType, types.BigintType, types.DoubleType, types.StringType, types.TimestampType})
	row := layout.NewRow()
	row.SetBytes(layout.Locs[0], []byte("customer-0004711"))
	row.SetBytes(layout.Locs[3], []byte("some address or other"))
	row.SetInt64(layout.Locs[1], 42)
	row.SetInt64(layout.Locs[4], 1_700_000_000_000)
	var dst []byte
	b.Run("Append", func(b *testing.B) {
		for b.Loop() {
			dst, _ = c.AppendRow(dst[:0], row)
		}
	})
	b.Run("Decode", func(b *testing.B) {
		for b.Loop() {
			_ = c.DecodeRow(dst, row)
		}
	})
}
