package aggregate

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func sumList() *functions.Spec {
	overloads := []functions.Aggregate{
		functions.NewAggregate("(ARRAY<INT> val) -> INT"),
		functions.NewAggregate("(ARRAY<BIGINT> val) -> BIGINT"),
		functions.NewAggregate("(ARRAY<DOUBLE> val) -> DOUBLE"),
	}
	for i := range overloads {
		o := &overloads[i]
		o.Description, o.Undoable = "Sums all elements; null arrays and elements are ignored.", true
		o.State = func(args []*types.Type) ([]*types.Type, error) { return []*types.Type{args[0].Elem}, nil }
		o.New = func(env *functions.Env, args []*types.Type, literals []any) (functions.Aggregator, error) {
			total, err := newSum(env, []*types.Type{args[0].Elem}, literals)
			return &listSum{total: total, elem: args[0].Elem}, err
		}
	}
	return &functions.Spec{
		Name: "SUM_LIST", Kind: functions.AggregateKind, Category: category,
		Description: "The sum of all elements of the arrays of a group.",
		Aggregates:  overloads,
		Examples: []functions.Example{
			example("SUM_LIST(x)", "6", "ARRAY[1, 2]", "NULL", "ARRAY[3, NULL]"),
			example("SUM_LIST(x)", "0", "CAST(NULL AS ARRAY<INT>)"),
		},
	}
}

// listSum keeps the sum of the elements.
type listSum struct {
	total functions.Aggregator
	elem  *types.Type
	one   [1]types.Slot
}

func (l *listSum) Init(state []types.Slot) { l.total.Init(state) }

func (l *listSum) Add(state, args []types.Slot) error {
	for _, v := range list(args[0]) {
		l.one[0] = types.Unbox(l.elem, v)
		if err := l.total.Add(state, l.one[:]); err != nil {
			return err
		}
	}
	return nil
}

func (l *listSum) Undo(state, args []types.Slot) error {
	for _, v := range list(args[0]) {
		l.one[0] = types.Unbox(l.elem, v)
		if err := l.total.Undo(state, l.one[:]); err != nil {
			return err
		}
	}
	return nil
}

func (l *listSum) Merge(dst, src []types.Slot) error { return l.total.Merge(dst, src) }

func (l *listSum) Result(state []types.Slot) (types.Slot, error) { return l.total.Result(state) }
