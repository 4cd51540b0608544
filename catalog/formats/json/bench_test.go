package json

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// The events are those of the comparison with other engines: 250 bytes, nine fields.
var eventColumns = []types.Column{
	{Name: "EVENT_TIME", Type: types.BigintType}, {Name: "USER_ID", Type: types.StringType},
	{Name: "STORE_ID", Type: types.IntType}, {Name: "ITEM", Type: types.StringType},
	{Name: "QUANTITY", Type: types.IntType}, {Name: "PRICE", Type: types.DoubleType},
	{Name: "ACTION", Type: types.StringType}, {Name: "SESSION", Type: types.StringType},
}

func events(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	filler := "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore"
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, `{"event_time":%d,"user_id":"user_%d","store_id":%d,"item":"item_%d","quantity":%d,"price":%v,"action":"%s","session":"%x","filler":"%s"}`,
			1700000000000+int64(i)*7, r.IntN(100000), r.IntN(1000), r.IntN(10000), 1+r.IntN(9), float64(r.IntN(100000))/100,
			[]string{"view", "add", "buy"}[r.IntN(3)], r.Uint64()|1<<63, filler[:60+r.IntN(40)])
	}
	return out
}

func benchDecode(b *testing.B, keep ...int) {
	l := types.NewLayout(eventColumns)
	locs := make([]types.Loc, len(l.Locs))
	for _, k := range keep {
		locs[k] = l.Locs[k]
	}
	dec, err := New().NewDecoder(&formats.Spec{Columns: eventColumns, Locs: locs})
	if err != nil {
		b.Fatal(err)
	}
	data := events(1024)
	row := l.NewRow()
	b.SetBytes(250)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := dec.Decode(data[i&1023], row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode3Of8(b *testing.B)   { benchDecode(b, 0, 1, 5) }
func BenchmarkDecode1Of8(b *testing.B)   { benchDecode(b, 1) }
func BenchmarkDecodeAllOf8(b *testing.B) { benchDecode(b, 0, 1, 2, 3, 4, 5, 6, 7) }

func BenchmarkEncode5(b *testing.B) {
	columns := []types.Column{eventColumns[0], eventColumns[1], eventColumns[2], eventColumns[3], eventColumns[5]}
	l := types.NewLayout(columns)
	row := l.NewRow()
	row.SetInt64(l.Locs[0], 1700000000123)
	row.SetBytes(l.Locs[1], []byte("user_12345"))
	row.SetInt64(l.Locs[2], 517)
	row.SetBytes(l.Locs[3], []byte("item_4711"))
	row.SetDouble(l.Locs[4], 123.45)
	enc, err := New().NewEncoder(&formats.Spec{Columns: columns, Locs: l.Locs})
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _, _ = enc.Append(buf[:0], row)
	}
}
