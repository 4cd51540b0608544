package rowcodec

import (
	"bytes"
	"cmp"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func slotsCodec(t testing.TB, ts ...*types.Type) *KeyCodec {
	t.Helper()
	c, err := NewKeyCodec(columnsOf(ts), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func encodeKey(t testing.TB, c *KeyCodec, boxed ...any) []byte {
	t.Helper()
	slots := make([]types.Slot, len(boxed))
	for i, v := range boxed {
		slots[i] = types.Unbox(c.columns[i].Type, v)
	}
	key, err := c.AppendSlots(nil, slots...)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// compareNullable is types.Compare with null before everything.
func compareNullable(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Compare(types.Compare(a, b), 0)
}

func TestKeysOrderLikeTheirValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, typ := range keyTypes() {
		c := slotsCodec(t, typ)
		for range 4000 {
			a, b := randomBoxed(r, typ, true), randomBoxed(r, typ, true)
			ka, kb := encodeKey(t, c, a), encodeKey(t, c, b)
			if got, want := bytes.Compare(ka, kb), compareNullable(a, b); got != want {
				t.Fatalf("%s: %v (%x) and %v (%x): %d, want %d", typ, a, ka, b, kb, got, want)
			}
			if !bytes.Equal(ka, kb) && (bytes.HasPrefix(ka, kb) || bytes.HasPrefix(kb, ka)) {
				t.Fatalf("%s: one of %x and %x is a prefix of the other", typ, ka, kb)
			}
		}
	}
}

func TestKeysOrderByColumnsFromTheLeft(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	ts := []*types.Type{types.StringType, types.DecimalOf(4, 2), types.BytesType}
	c := slotsCodec(t, ts...)
	for range 5000 {
		var a, b [3]any
		want := 0
		for i, typ := range ts {
			a[i], b[i] = randomBoxed(r, typ, true), randomBoxed(r, typ, true)
			if r.IntN(2) == 0 {
				b[i] = a[i]
			}
			want = cmp.Or(want, compareNullable(a[i], b[i]))
		}
		ka, kb := encodeKey(t, c, a[:]...), encodeKey(t, c, b[:]...)
		if got := bytes.Compare(ka, kb); got != want {
			t.Fatalf("%v and %v: %d, want %d", a, b, got, want)
		}
		if part := encodeKey(t, c, a[:2]...); !bytes.HasPrefix(ka, part) {
			t.Fatalf("%x is no prefix of %x", part, ka)
		}
	}
}

func TestKeysDecodeToWhatWasEncoded(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	ts := keyTypes()
	layout := types.NewLayout(columnsOf(ts))
	c, err := NewKeyCodec(layout.Columns, layout.Locs)
	if err != nil {
		t.Fatal(err)
	}
	in, out := layout.NewRow(), layout.NewRow()
	var buf []byte
	for range 2000 {
		for i, typ := range ts {
			in.SetBoxed(layout.Locs[i], typ, randomBoxed(r, typ, true))
		}
		key, err := c.AppendRow(nil, in)
		if err != nil {
			t.Fatal(err)
		}
		if buf, err = c.DecodeRow(key, out, buf); err != nil {
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

func TestMapsAreNoKeys(t *testing.T) {
	typ := types.ArrayOf(types.MapOf(types.StringType, types.IntType))
	if _, err := NewKeyCodec(columnsOf([]*types.Type{typ}), nil); !errors.Is(err, ErrUnsupported) {
		t.Fatalf("got %v", err)
	}
}

func TestSuccessorBoundsAPrefix(t *testing.T) {
	for _, tt := range []struct{ in, want []byte }{
		{[]byte("a"), []byte("b")}, {[]byte("a\xff\xff"), []byte("b")}, {[]byte("\xff"), nil}, {nil, nil},
	} {
		if got := Successor(nil, tt.in); !bytes.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("%x: %x, want %x", tt.in, got, tt.want)
		}
	}
}

func TestKeyOfScalarsAllocatesNothing(t *testing.T) {
	ts := []*types.Type{types.StringType, types.BigintType, types.DoubleType}
	layout := types.NewLayout(columnsOf(ts))
	c, err := NewKeyCodec(layout.Columns, layout.Locs)
	if err != nil {
		t.Fatal(err)
	}
	row, out := layout.NewRow(), layout.NewRow()
	row.SetBytes(layout.Locs[0], []byte("customer-4711"))
	row.SetInt64(layout.Locs[1], 42)
	row.SetDouble(layout.Locs[2], 1.5)
	var dst, buf []byte
	if n := testing.AllocsPerRun(100, func() {
		dst, _ = c.AppendRow(dst[:0], row)
		buf, _ = c.DecodeRow(dst, out, buf)
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func FuzzKeyDecode(f *testing.F) {
	ts := keyTypes()
	c := slotsCodec(f, ts...)
	r := rand.New(rand.NewPCG(7, 8))
	for range 4 {
		boxed := make([]any, len(ts))
		for i, typ := range ts {
			boxed[i] = randomBoxed(r, typ, true)
		}
		f.Add(encodeKey(f, c, boxed...))
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		slots := make([]types.Slot, len(ts))
		if _, err := c.DecodeSlots(key, slots, nil); err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("unexpected class: %v", err)
			}
			return
		}
		again, err := c.AppendSlots(nil, slots...)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again, key) {
			t.Fatalf("%x decodes to what encodes as %x", key, again)
		}
	})
}

func BenchmarkKey(b *testing.B) {
	layout := types.NewLayout(columnsOf([]*types.Type{types.StringType}))
	c, err := NewKeyCodec(layout.Columns, layout.Locs)
	if err != nil {
		b.Fatal(err)
	}
	row := layout.NewRow()
	row.SetBytes(layout.Locs[0], []byte("customer-0004711"))
	var dst, buf []byte
	b.Run("Append", func(b *testing.B) {
		for b.Loop() {
			dst, _ = c.AppendRow(dst[:0], row)
		}
	})
	b.Run("Decode", func(b *testing.B) {
		for b.Loop() {
			buf, _ = c.DecodeRow(dst, row, buf)
		}
	})
}
