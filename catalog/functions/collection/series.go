package collection

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// maxSeries bounds the elements of one series: one call must not eat the memory.
const maxSeries = 1_000_000

func generateSeries() *functions.Spec {
	ofInt, ofBigint := newSeries(true), newSeries(false)
	return arraySpec("GENERATE_SERIES", "The numbers from start to end inclusive, by a step, by default 1 or -1 towards the end.", []functions.Scalar{
		functions.NewScalar("(INT start, INT end) -> ARRAY<INT>", functions.RefuseNull(ofInt, 0, 1)),
		functions.NewScalar("(INT start, INT end, INT step) -> ARRAY<INT>", functions.RefuseNull(ofInt, 0, 1, 2)),
		functions.NewScalar("(BIGINT start, BIGINT end) -> ARRAY<BIGINT>", functions.RefuseNull(ofBigint, 0, 1)),
		functions.NewScalar("(BIGINT start, BIGINT end, INT step) -> ARRAY<BIGINT>", functions.RefuseNull(ofBigint, 0, 1, 2)),
	},
		"GENERATE_SERIES(1, 4)", "[1,2,3,4]",
		"GENERATE_SERIES(3, 1)", "[3,2,1]",
		"GENERATE_SERIES(0, 10, 4)", "[0,4,8]",
		"GENERATE_SERIES(5, 5)", "[5]",
		"GENERATE_SERIES(1, 4, 0)", "error: GENERATE_SERIES step cannot be zero",
		"GENERATE_SERIES(1, 4, -1)", "error: GENERATE_SERIES step has wrong sign",
		"GENERATE_SERIES(1, 3000000000)", "error: more than",
		"GENERATE_SERIES(CAST(NULL AS INT), 4)", "error: must not be null")
}

func newSeries(ints bool) functions.Constructor {
	return functions.Slots(func(args []types.Slot) (types.Slot, error) {
		start, end := args[0].I, args[1].I
		step := int64(1)
		if end <= start {
			step = -1
		}
		if len(args) > 2 {
			step = args[2].I
		}
		switch {
		case step == 0:
			return types.NullSlot, errors.New("GENERATE_SERIES step cannot be zero")
		case step > 0 && end < start, step < 0 && end > start:
			return types.NullSlot, errors.New("GENERATE_SERIES step has wrong sign")
		}
		var n uint64
		if step > 0 {
			n = (uint64(end)-uint64(start))/uint64(step) + 1
		} else {
			n = (uint64(start)-uint64(end))/uint64(-step) + 1
		}
		if n > maxSeries || n == 0 {
			return types.NullSlot, fmt.Errorf("GENERATE_SERIES makes more than %d elements", maxSeries)
		}
		out := make([]any, n)
		for i := range out {
			v := start + int64(i)*step
			if ints {
				out[i] = int32(v)
			} else {
				out[i] = v
			}
		}
		return types.RefSlot(out), nil
	})
}
