package aggregate

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func attr() *functions.Spec {
	o := functions.NewAggregate("(T col) -> T")
	o.Description = "The value that all rows of the group share, else null. A null counts as a value."
	o.Undoable, o.ComplexState = true, true
	o.State = func(args []*types.Type) ([]*types.Type, error) {
		return []*types.Type{types.ArrayOf(args[0]), types.ArrayOf(types.BigintType)}, nil
	}
	o.New = func(_ *functions.Env, args []*types.Type, _ []any) (functions.Aggregator, error) {
		return &attribute{t: args[0]}, nil
	}
	return &functions.Spec{
		Name: "ATTR", Kind: functions.AggregateKind, Category: category,
		Description: "The value all rows of a group share, or null.",
		Aggregates:  []functions.Aggregate{o},
		Examples: []functions.Example{
			example("ATTR(x)", "1", "1", "1"),
			example("ATTR(x)", "null", "1", "2"),
			example("ATTR(x)", "null", "1", "NULL"),
		},
	}
}

// attribute keeps the different values and how often each occurred.
type attribute struct{ t *types.Type }

func (*attribute) Init(state []types.Slot) { state[0], state[1] = emptyList(), emptyList() }

func (a *attribute) Add(state, args []types.Slot) error {
	a.bump(state, args[0].Boxed(a.t), 1)
	return nil
}

func (a *attribute) Undo(state, args []types.Slot) error {
	a.bump(state, args[0].Boxed(a.t), -1)
	return nil
}

// bump changes the count of a value; a count of 0 disappears.
func (a *attribute) bump(state []types.Slot, v any, by int64) {
	values, counts := list(state[0]), list(state[1])
	newValues, newCounts := make([]any, 0, len(values)+1), make([]any, 0, len(values)+1)
	found := false
	for i, old := range values {
		n, _ := counts[i].(int64)
		if !found && types.EqualBoxed(old, v) {
			found = true
			n += by
		}
		if n > 0 {
			newValues, newCounts = append(newValues, old), append(newCounts, n)
		}
	}
	if !found && by > 0 {
		newValues, newCounts = append(newValues, v), append(newCounts, by)
	}
	state[0], state[1] = types.RefSlot(newValues), types.RefSlot(newCounts)
}

func (a *attribute) Merge(dst, src []types.Slot) error {
	values, counts := list(src[0]), list(src[1])
	for i, v := range values {
		n, _ := counts[i].(int64)
		a.bump(dst, v, n)
	}
	return nil
}

func (a *attribute) Result(state []types.Slot) (types.Slot, error) {
	values := list(state[0])
	if len(values) != 1 {
		return types.NullSlot, nil
	}
	return types.Unbox(a.t, values[0]), nil
}
