package state

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTableAgreesWithAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	tab := table{seed: maphash.MakeSeed()}
	model := map[string]string{}
	for i := range 60_000 {
		key := fmt.Appendf(nil, "%d", r.IntN(3000))
		value := bytes.Repeat([]byte{byte(i)}, r.IntN(30))
		slot, rec := tab.find(tab.hash(key), key)
		want, had := model[string(key)]
		if (rec != nil) != had || had && string(rec.value()) != want {
			t.Fatalf("step %d: %q found %v, want %v", i, key, rec != nil, had)
		}
		switch {
		case rec == nil:
			_, rec = tab.insert(tab.hash(key), key, len(value))
			rec.setValueLen(copy(rec.room(), value))
			model[string(key)] = string(value)
		case r.IntN(3) == 0:
			tab.remove(tab.refs[slot])
			delete(model, string(key))
		default:
			if len(value) > rec.valueCap() {
				_, rec = tab.resize(slot, rec, len(value))
			}
			rec.setValueLen(copy(rec.room(), value))
			model[string(key)] = string(value)
		}
		if i%20_000 == 19_999 {
			tab.reset(1 << 20)
			clear(model)
		}
	}
}

func TestArenaHoldsRecordsOfAllSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var a arena
	for range 3 {
		type held struct {
			at   ref
			n    int
			fill byte
		}
		var all []held
		for i := range 400 {
			n := r.IntN(200)
			switch r.IntN(40) {
			case 0:
				n = r.IntN(maxChunk)
			case 1:
				n = maxChunk - headerLen - r.IntN(16)
			case 2:
				n = maxChunk + r.IntN(100)
			}
			at, rec := a.alloc(n)
			if len(rec) < headerLen+n {
				t.Fatalf("%d bytes for %d", len(rec), n)
			}
			for j := headerLen; j < headerLen+n; j++ {
				rec[j] = byte(i)
			}
			all = append(all, held{at, n, byte(i)})
		}
		for _, h := range all {
			rec := a.at(h.at)
			if bytes.Count(rec[headerLen:headerLen+h.n], []byte{h.fill}) != h.n {
				t.Fatalf("record of %d bytes was overwritten", h.n)
			}
		}
		a.reset(4 << 20)
		kept := 0
		for _, c := range a.chunks {
			kept += len(c)
		}
		if kept > 4<<20 || a.bytes != 0 {
			t.Fatalf("%d bytes kept", kept)
		}
	}
}

// sortKeys are sets of different keys that try the sorter: common prefixes, prefixes of each other, zeros.
func sortKeys(r *rand.Rand, n int) map[string][][]byte {
	sets := map[string]func() []byte{
		"numbers":  func() []byte { return fmt.Appendf(nil, "customer-%08d\x00\x01", r.IntN(10*n)) },
		"prefixes": func() []byte { return bytes.Repeat([]byte{0}, r.IntN(n)) },
		"mixed": func() []byte {
			b := []byte("common prefix ")
			for range r.IntN(30) {
				b = append(b, []byte{0, 1, 255}[r.IntN(3)])
			}
			return b
		},
		"windows": func() []byte {
			return appendWindowKey(nil, 1000, fmt.Appendf(nil, "k%d\x00\x01", r.IntN(50)), int64(r.IntN(50_000)))
		},
	}
	out := map[string][][]byte{}
	for name, gen := range sets {
		seen := map[string]bool{}
		for range n {
			if k := gen(); !seen[string(k)] {
				seen[string(k)] = true
				out[name] = append(out[name], k)
			}
		}
	}
	return out
}

func TestSorterAndIndexOrderKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, n := range []int{0, 1, 40, 3000} {
		for name, keys := range sortKeys(r, n) {
			key := func(pos uint32) []byte { return keys[pos] }
			var s sorter
			order := s.sort(len(keys), key, func([]uint32) {})
			want := slices.Clone(keys)
			slices.SortFunc(want, bytes.Compare)
			for i, pos := range order {
				if !bytes.Equal(keys[pos], want[i]) {
					t.Fatalf("%s: place %d holds %x, want %x", name, i, keys[pos], want[i])
				}
			}
			half := s.sort(len(keys)/2, key, func([]uint32) {})
			x := newIndex(half, key)
			for pos := len(keys) / 2; pos < len(keys); pos++ {
				x.insert(uint32(pos))
			}
			if all := x.appendAll(nil); !slices.EqualFunc(all, want, func(p uint32, k []byte) bool {
				return bytes.Equal(keys[p], k)
			}) {
				t.Fatalf("%s: the index is out of order", name)
			}
			for i, k := range want {
				p := x.seek(k)
				if pos, ok := x.get(p); !ok || !bytes.Equal(keys[pos], k) {
					t.Fatalf("%s: seek of %x", name, k)
				}
				pos, ok := x.get(x.next(p))
				if ok != (i+1 < len(want)) || ok && !bytes.Equal(keys[pos], want[i+1]) {
					t.Fatalf("%s: next after %x", name, k)
				}
			}
		}
	}
}

func FuzzParseRowKey(f *testing.F) {
	f.Add(uint8(Windowed), appendWindowKey(nil, 1000, []byte("k"), 5))
	f.Add(uint8(Session), appendSessionKey(nil, 1000, []byte("k"), 5, -7))
	f.Add(uint8(Buffer), appendBufferKey(nil, 1000, nil, 5, 9))
	f.Fuzz(func(t *testing.T, kind uint8, key []byte) {
		k := Keyed + Kind(kind)%4
		r, ok := ParseRowKey(k, key)
		if !ok || k == Keyed {
			return
		}
		var again []byte
		switch k {
		case Windowed:
			again = appendWindowKey(nil, 1, r.Key, r.Start)
		case Session:
			again = appendSessionKey(nil, 1, r.Key, r.Start, r.End)
		case Buffer:
			again = appendBufferKey(nil, 1, r.Key, r.Time, r.Seq)
		}
		if !bytes.Equal(again[timeLen:], key[timeLen:]) {
			t.Fatalf("%s: %x comes back as %x", k, key, again)
		}
	})
}

func FuzzMeta(f *testing.F) {
	f.Add(sealMeta(nil, Checkpoint{Offset: 7, LeaderEpoch: -1}.append))
	f.Add(sealMeta(nil, Position{Offset: 7}.append))
	f.Add(sealMeta(nil, storeState{streamTime: 5}.append))
	f.Fuzz(func(t *testing.T, v []byte) {
		var c Checkpoint
		if c.decode(v) == nil && !bytes.Equal(sealMeta(nil, c.append), v) {
			t.Fatalf("checkpoint %x comes back otherwise", v)
		}
		var p Position
		if p.decode(v) == nil && !bytes.Equal(sealMeta(nil, p.append), v) {
			t.Fatalf("position %x comes back otherwise", v)
		}
		var s storeState
		if s.decode(v) == nil && !bytes.Equal(sealMeta(nil, s.append), v) {
			t.Fatalf("store state %x comes back otherwise", v)
		}
		var spec specRecord
		_ = spec.decode(v)
		_, _ = decodeStreamTime(v)
	})
}
