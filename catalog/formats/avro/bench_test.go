package avro

import (
	"fmt"
	"math/rand/v2"
	"testing"

	twmb "github.com/twmb/avro"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// The events are those of the benchmarks of JSON: nine fields, of which the columns are eight.
const eventSchema = `{"type":"record","name":"Event","fields":[{"name":"event_time","type":"long"},{"name":"user_id","type":"string"},
{"name":"store_id","type":"int"},{"name":"item","type":["null","string"]},{"name":"quantity","type":"int"},{"name":"price","type":"double"},
{"name":"action","type":"string"},{"name":"session","type":["null","string"]},{"name":"filler","type":["null","string"]}]}`

var eventColumns = []types.Column{
	{Name: "EVENT_TIME", Type: types.BigintType}, {Name: "USER_ID", Type: types.StringType},
	{Name: "STORE_ID", Type: types.IntType}, {Name: "ITEM", Type: types.StringType},
	{Name: "QUANTITY", Type: types.IntType}, {Name: "PRICE", Type: types.DoubleType},
	{Name: "ACTION", Type: types.StringType}, {Name: "SESSION", Type: types.StringType},
}

// events writes events with the other library, behind the header of schema 1.
func events(b *testing.B, n int) (*schemas.Memory, [][]byte) {
	b.Helper()
	reg, header := registered(b, eventSchema)
	r := rand.New(rand.NewPCG(1, 2))
	filler := "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore"
	library := twmb.MustParse(eventSchema)
	out := make([][]byte, n)
	for i := range out {
		data, err := library.AppendEncode(append([]byte(nil), header...), map[string]any{
			"event_time": 1700000000000 + int64(i)*7, "user_id": fmt.Sprintf("user_%d", r.IntN(100000)), "store_id": int32(r.IntN(1000)),
			"item": fmt.Sprintf("item_%d", r.IntN(10000)), "quantity": int32(1 + r.IntN(9)), "price": float64(r.IntN(100000)) / 100,
			"action": []string{"view", "add", "buy"}[r.IntN(3)], "session": fmt.Sprintf("%x", r.Uint64()|1<<63), "filler": filler[:60+r.IntN(40)],
		})
		if err != nil {
			b.Fatal(err)
		}
		out[i] = data
	}
	return reg, out
}

func benchDecode(b *testing.B, keep ...int) {
	reg, data := events(b, 1024)
	spec, l := specOf(eventColumns)
	spec.Locs = make([]types.Loc, len(l.Locs))
	for _, k := range keep {
		spec.Locs[k] = l.Locs[k]
	}
	dec, err := New(reg).NewDecoder(spec)
	if err != nil {
		b.Fatal(err)
	}
	row := l.NewRow()
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

// BenchmarkDecodeOfTheLibrary reads the same records into maps, as whoever knows no columns has to.
func BenchmarkDecodeOfTheLibrary(b *testing.B) {
	_, data := events(b, 1024)
	library := twmb.MustParse(eventSchema)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var v any
		if _, err := library.Decode(data[i&1023][schemas.HeaderBytes:], &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode5(b *testing.B) {
	spec, l := specOf([]types.Column{eventColumns[0], eventColumns[1], eventColumns[2], eventColumns[3], eventColumns[5]})
	row := l.NewRow()
	row.SetInt64(l.Locs[0], 1700000000123)
	row.SetBytes(l.Locs[1], []byte("user_12345"))
	row.SetInt64(l.Locs[2], 517)
	row.SetBytes(l.Locs[3], []byte("item_4711"))
	row.SetDouble(l.Locs[4], 123.45)
	enc, err := New(&schemas.Memory{}).NewEncoder(spec)
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if buf, _, err = enc.Append(buf[:0], row); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncode5OfTheLibrary writes the same record from a map with the same schema.
func BenchmarkEncode5OfTheLibrary(b *testing.B) {
	spec, _ := specOf([]types.Column{eventColumns[0], eventColumns[1], eventColumns[2], eventColumns[3], eventColumns[5]})
	own, err := New(&schemas.Memory{}).Schema(spec)
	if err != nil {
		b.Fatal(err)
	}
	library := twmb.MustParse(own.Text)
	v := map[string]any{"EVENT_TIME": int64(1700000000123), "USER_ID": "user_12345", "STORE_ID": int32(517), "ITEM": "item_4711", "PRICE": 123.45}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = library.AppendEncode(buf[:0], v); err != nil {
			b.Fatal(err)
		}
	}
}
