package operator

import (
	"bytes"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

var windowTypes = []types.WindowType{types.NoWindow, types.Tumbling, types.Hopping, types.Session}

func TestChangeRoundTrip(t *testing.T) {
	for _, c := range []struct{ newSide, oldSide changeSide }{
		{changeSide{present: true, data: []byte("new")}, changeSide{present: true, data: []byte("old")}},
		{changeSide{present: true, data: []byte{}}, changeSide{data: []byte{}}},
		{changeSide{data: []byte{}}, changeSide{present: true, null: true, data: []byte{}}},
	} {
		newSide, oldSide, err := parseChange(appendChange(nil, c.newSide, c.oldSide))
		if err != nil || !same(newSide, c.newSide) || !same(oldSide, c.oldSide) {
			t.Errorf("%+v: got %+v, %+v, %v", c, newSide, oldSide, err)
		}
	}
}

func same(a, b changeSide) bool {
	return a.present == b.present && a.null == b.null && bytes.Equal(a.data, b.data)
}

func FuzzParseChange(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendChange(nil, changeSide{present: true, data: []byte("a")}, changeSide{}))
	f.Add([]byte{0x43, 0xff, 0xff, 0xff, 0xff, 0x0f, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		newSide, oldSide, err := parseChange(b)
		if err != nil {
			return
		}
		// What parses, and is in the shortest form, is written back as it was.
		if out := appendChange(nil, newSide, oldSide); len(out) == len(b) && !newSide.null && !oldSide.null && !bytes.Equal(out, b) {
			t.Errorf("%x became %x", b, out)
		}
	})
}

func FuzzSplitWindow(f *testing.F) {
	f.Add([]byte("key12345678"), uint8(1))
	f.Add([]byte("key1234567812345678"), uint8(3))
	f.Fuzz(func(t *testing.T, key []byte, kind uint8) {
		w := windowTypes[int(kind)%len(windowTypes)]
		rest, window, err := splitWindow(key, w, 10)
		if err == nil && !bytes.Equal(appendWindow(bytes.Clone(rest), w, window), key) {
			t.Errorf("%x of %s was not put together again", key, w)
		}
	})
}
