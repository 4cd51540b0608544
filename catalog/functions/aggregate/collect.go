package aggregate

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func collectList() *functions.Spec {
	o := functions.NewAggregate("(T val) -> ARRAY<T>")
	o.Description = "All values in order of arrival, nulls included, up to ksql.functions.collect_list.limit."
	o.Undoable = true
	collectState(&o)
	o.New = func(env *functions.Env, args []*types.Type, _ []any) (functions.Aggregator, error) {
		limit, err := limitProperty(env, "ksql.functions.collect_list.limit")
		return &collector{t: args[0], limit: limit}, err
	}
	return &functions.Spec{
		Name: "COLLECT_LIST", Kind: functions.AggregateKind, Category: category,
		Description: "Gathers the values of a group in an array.",
		Aggregates:  []functions.Aggregate{o},
		Examples: []functions.Example{
			example("COLLECT_LIST(x)", "[1,2,null,1]", "1", "2", "NULL", "1"),
			example("COLLECT_LIST(x)", "[]"),
		},
	}
}

func collectSet() *functions.Spec {
	o := functions.NewAggregate("(T val) -> ARRAY<T>")
	o.Description = "The different values in order of their first arrival, one null included, up to ksql.functions.collect_set.limit."
	collectState(&o)
	o.New = func(env *functions.Env, args []*types.Type, _ []any) (functions.Aggregator, error) {
		limit, err := limitProperty(env, "ksql.functions.collect_set.limit")
		return &collector{t: args[0], limit: limit, distinct: true}, err
	}
	return &functions.Spec{
		Name: "COLLECT_SET", Kind: functions.AggregateKind, Category: category,
		Description: "Gathers the different values of a group in an array.",
		Aggregates:  []functions.Aggregate{o},
		Examples: []functions.Example{
			example("COLLECT_SET(x)", "[1,2,null]", "1", "2", "NULL", "1", "NULL"),
			example("COLLECT_SET(x)", "[]"),
		},
	}
}

func collectState(o *functions.Aggregate) {
	o.ComplexState = true
	o.State = func(args []*types.Type) ([]*types.Type, error) {
		return []*types.Type{types.ArrayOf(args[0])}, nil
	}
}

// collector gathers values. Its state is the array. Elements are appended beyond the length that any reader of the old
// array sees, so the array a state holds never changes for whoever has it.
type collector struct {
	t        *types.Type
	limit    int
	distinct bool
}

func (*collector) Init(state []types.Slot) { state[0] = emptyList() }

func (c *collector) Add(state, args []types.Slot) error {
	c.put(state, args[0].Boxed(c.t))
	return nil
}

func (c *collector) put(state []types.Slot, v any) {
	items := list(state[0])
	if c.limit >= 0 && len(items) >= c.limit {
		return
	}
	if c.distinct {
		for _, old := range items {
			if types.EqualBoxed(old, v) {
				return
			}
		}
	}
	state[0] = types.RefSlot(append(items, v))
}

// Undo removes the last element equal to the row's value.
func (c *collector) Undo(state, args []types.Slot) error {
	if c.distinct {
		return errNoUndo
	}
	v := args[0].Boxed(c.t)
	items := list(state[0])
	for i := len(items) - 1; i >= 0; i-- {
		if types.EqualBoxed(items[i], v) {
			out := make([]any, 0, len(items)-1)
			state[0] = types.RefSlot(append(append(out, items[:i]...), items[i+1:]...))
			return nil
		}
	}
	return nil
}

func (c *collector) Merge(dst, src []types.Slot) error {
	dst[0] = types.RefSlot(append([]any{}, list(dst[0])...))
	for _, v := range list(src[0]) {
		c.put(dst, v)
	}
	return nil
}

func (*collector) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }
