package aggregate

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func avg() *functions.Spec {
	overloads := []functions.Aggregate{
		functions.NewAggregate("(INT val) -> DOUBLE"),
		functions.NewAggregate("(BIGINT val) -> DOUBLE"),
		functions.NewAggregate("(DOUBLE val) -> DOUBLE"),
	}
	for i := range overloads {
		o := &overloads[i]
		o.Description, o.Undoable, o.ComplexState = "The mean of the non-null values; INT and BIGINT sums wrap around.", true, true
		o.State = func(args []*types.Type) ([]*types.Type, error) {
			return []*types.Type{args[0], types.BigintType}, nil
		}
		o.New = func(env *functions.Env, args []*types.Type, literals []any) (functions.Aggregator, error) {
			total, err := newSum(env, args, literals)
			return &mean{total: total, double: args[0].Kind == types.Double}, err
		}
	}
	return &functions.Spec{
		Name: "AVG", Kind: functions.AggregateKind, Category: category,
		Description: "The mean of the non-null values; 0.0 when there are none.",
		Aggregates:  overloads,
		Examples: []functions.Example{
			example("AVG(x)", "2.0", "1", "NULL", "3"),
			example("AVG(x)", "0.0", "CAST(NULL AS BIGINT)"),
			example("AVG(x)", "1.5", "1e0", "2e0"),
		},
	}
}

// mean keeps the sum, in the argument's type, and the count.
type mean struct {
	total  functions.Aggregator
	double bool
}

func (m *mean) Init(state []types.Slot) {
	m.total.Init(state[:1])
	state[1] = types.Slot{}
}

func (m *mean) Add(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	state[1].I++
	return m.total.Add(state[:1], args)
}

func (m *mean) Undo(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	state[1].I--
	return m.total.Undo(state[:1], args)
}

func (m *mean) Merge(dst, src []types.Slot) error {
	dst[1].I += src[1].I
	return m.total.Merge(dst[:1], src[:1])
}

func (m *mean) Result(state []types.Slot) (types.Slot, error) {
	switch {
	case state[1].I == 0:
		return types.DoubleSlot(0), nil
	case m.double:
		return types.DoubleSlot(state[0].Double() / float64(state[1].I)), nil
	}
	return types.DoubleSlot(float64(state[0].I) / float64(state[1].I)), nil
}
