package aggregate

import (
	"math"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func correlation() *functions.Spec {
	var overloads []functions.Aggregate
	for _, t := range []string{"INT", "BIGINT", "DOUBLE"} {
		o := functions.NewAggregate("(" + t + " x, " + t + " y) -> DOUBLE")
		o.Description = "Pearson's coefficient over the rows in which neither value is null."
		o.Undoable, o.ComplexState = true, true
		o.State = fixedState(types.DoubleType, types.DoubleType, types.DoubleType, types.DoubleType, types.DoubleType, types.BigintType)
		o.New = func(_ *functions.Env, args []*types.Type, _ []any) (functions.Aggregator, error) {
			return pearson{double: args[0].Kind == types.Double}, nil
		}
		overloads = append(overloads, o)
	}
	return &functions.Spec{
		Name: "CORRELATION", Kind: functions.AggregateKind, Category: category,
		Description: "Pearson's correlation coefficient of two columns; NaN for fewer than two rows or a constant column.",
		Aggregates:  overloads,
		Examples: []functions.Example{
			example("CORRELATION(x, y)", "1.0", "1, 10", "2, 20", "NULL, 5"),
			example("CORRELATION(x, y)", `"NaN"`, "1, 10"),
		},
	}
}

// pearson keeps the sums of x, y, x², y², xy and the number of rows.
type pearson struct{ double bool }

func (pearson) Init(state []types.Slot) {
	for i := range state {
		state[i] = types.Slot{}
	}
}

func (p pearson) Add(state, args []types.Slot) error { return p.count(state, args, 1) }

func (p pearson) Undo(state, args []types.Slot) error { return p.count(state, args, -1) }

func (p pearson) count(state, args []types.Slot, sign float64) error {
	if args[0].Null || args[1].Null {
		return nil
	}
	x, y := float64(args[0].I), float64(args[1].I)
	if p.double {
		x, y = args[0].Double(), args[1].Double()
	}
	for i, v := range [...]float64{x, y, x * x, y * y, x * y} {
		state[i] = types.DoubleSlot(state[i].Double() + sign*v)
	}
	state[5].I += int64(sign)
	return nil
}

func (pearson) Merge(dst, src []types.Slot) error {
	for i := range 5 {
		dst[i] = types.DoubleSlot(dst[i].Double() + src[i].Double())
	}
	dst[5].I += src[5].I
	return nil
}

func (pearson) Result(state []types.Slot) (types.Slot, error) {
	n := float64(state[5].I)
	if n < 2 {
		return types.DoubleSlot(math.NaN()), nil
	}
	x, y, xx, yy, xy := state[0].Double(), state[1].Double(), state[2].Double(), state[3].Double(), state[4].Double()
	spread := math.Sqrt(n*xx-x*x) * math.Sqrt(n*yy-y*y)
	if spread == 0 {
		return types.DoubleSlot(math.NaN()), nil
	}
	return types.DoubleSlot((n*xy - x*y) / spread), nil
}
