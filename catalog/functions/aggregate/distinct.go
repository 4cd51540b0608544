package aggregate

import (
	"encoding/binary"
	"math"
	"math/bits"
	"sort"

	"github.com/cespare/xxhash/v2"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func countDistinct() *functions.Spec {
	o := functions.NewAggregate("(T val) -> BIGINT")
	o.Description = "Estimates the number of different non-null values by HyperLogLog (standard error about 0.8 %, exact in practice while they are few)."
	o.ComplexState = true
	o.State = fixedState(types.BytesType)
	o.New = func(_ *functions.Env, args []*types.Type, _ []any) (functions.Aggregator, error) {
		return &distinctCounter{t: args[0]}, nil
	}
	return &functions.Spec{
		Name: "COUNT_DISTINCT", Kind: functions.AggregateKind, Category: category,
		Description: "Estimates the number of different non-null values.",
		Aggregates:  []functions.Aggregate{o},
		Examples: []functions.Example{
			example("COUNT_DISTINCT(x)", "2", "'a'", "'b'", "NULL", "'a'"),
			example("COUNT_DISTINCT(x)", "0", "CAST(NULL AS STRING)"),
		},
	}
}

// The sketch has 2^14 registers; a register holds the largest rank (leading zeros + 1) of the hashes that fell on it.
// Its bytes are either sparse, a sorted list of 3-byte entries (register<<8 | rank, big-endian), or dense, one byte a
// register. Length tells which.
const (
	registerBits = 14
	registers    = 1 << registerBits
	entrySize    = 3
	maxSparse    = 1000 * entrySize
)

type distinctCounter struct {
	streamOnly
	t   *types.Type
	buf []byte
}

func (*distinctCounter) Init(state []types.Slot) { state[0] = types.BytesSlot([]byte{}) }

func (d *distinctCounter) Add(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	h := d.hash(args[0])
	register := int(h >> (64 - registerBits))
	rank := byte(bits.LeadingZeros64(h<<registerBits|1<<(registerBits-1)) + 1)
	state[0].B = raise(state[0].B, register, rank)
	return nil
}

func (d *distinctCounter) hash(s types.Slot) uint64 {
	switch d.t.Class() {
	case types.ClassBytes:
		return xxhash.Sum64(s.B)
	case types.ClassInt64:
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(s.I))
		return xxhash.Sum64(b[:])
	}
	d.buf = types.AppendBoxed(d.buf[:0], d.t, s.R)
	return xxhash.Sum64(d.buf)
}

// raise gives the sketch with a register of at least rank; the old bytes stay as they are.
func raise(sketch []byte, register int, rank byte) []byte {
	if len(sketch) == registers {
		if sketch[register] >= rank {
			return sketch
		}
		out := append(make([]byte, 0, registers), sketch...)
		out[register] = rank
		return out
	}
	n := len(sketch) / entrySize
	at := sort.Search(n, func(i int) bool { return sparseRegister(sketch, i) >= register })
	if at < n && sparseRegister(sketch, at) == register {
		if sketch[at*entrySize+2] >= rank {
			return sketch
		}
		out := append(make([]byte, 0, len(sketch)), sketch...)
		out[at*entrySize+2] = rank
		return out
	}
	if len(sketch) >= maxSparse {
		return raise(dense(sketch), register, rank)
	}
	out := append(make([]byte, 0, len(sketch)+entrySize), sketch[:at*entrySize]...)
	out = append(out, byte(register>>8), byte(register), rank)
	return append(out, sketch[at*entrySize:]...)
}

func sparseRegister(sketch []byte, i int) int {
	return int(sketch[i*entrySize])<<8 | int(sketch[i*entrySize+1])
}

func dense(sparse []byte) []byte {
	out := make([]byte, registers)
	for i := 0; i < len(sparse)/entrySize; i++ {
		out[sparseRegister(sparse, i)] = sparse[i*entrySize+2]
	}
	return out
}

func (*distinctCounter) Merge(dst, src []types.Slot) error {
	a, b := dst[0].B, src[0].B
	if len(b) != registers {
		for i := 0; i < len(b)/entrySize; i++ {
			a = raise(a, sparseRegister(b, i), b[i*entrySize+2])
		}
		dst[0].B = a
		return nil
	}
	out := append(make([]byte, 0, registers), b...)
	if len(a) != registers {
		a = dense(a)
	}
	for i, r := range a {
		out[i] = max(out[i], r)
	}
	dst[0].B = out
	return nil
}

func (*distinctCounter) Result(state []types.Slot) (types.Slot, error) {
	return types.IntSlot(estimate(state[0].B)), nil
}

// estimate is the HyperLogLog estimate, by linear counting while many registers are empty.
func estimate(sketch []byte) int64 {
	var sum float64
	empty := 0
	if len(sketch) == registers {
		for _, r := range sketch {
			sum += math.Ldexp(1, -int(r))
			if r == 0 {
				empty++
			}
		}
	} else {
		n := len(sketch) / entrySize
		empty = registers - n
		sum = float64(empty)
		for i := range n {
			sum += math.Ldexp(1, -int(sketch[i*entrySize+2]))
		}
	}
	const m = float64(registers)
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if e <= 2.5*m && empty > 0 {
		e = m * math.Log(m/float64(empty))
	}
	return int64(math.Round(e))
}
