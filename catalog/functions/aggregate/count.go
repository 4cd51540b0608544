package aggregate

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func count() *functions.Spec {
	rows := functions.NewAggregate("() -> BIGINT")
	rows.Description = "Counts the rows."
	rows.New = instance(&rowCounter{})
	values := functions.NewAggregate("(T val) -> BIGINT")
	values.Description = "Counts the rows in which the argument is not null."
	values.New = instance(&rowCounter{argument: true})
	for _, a := range []*functions.Aggregate{&rows, &values} {
		a.State, a.Undoable = fixedState(types.BigintType), true
	}
	return &functions.Spec{
		Name: "COUNT", Kind: functions.AggregateKind, Category: category,
		Description: "Counts rows, or the rows in which the argument is not null.",
		Aggregates:  []functions.Aggregate{rows, values},
		Examples: []functions.Example{
			example("COUNT(x)", "2", "1", "NULL", "3"),
			example("COUNT(x)", "0"),
			example("COUNT()", "3", "", "", ""),
		},
	}
}

// rowCounter counts; its state is the count.
type rowCounter struct {
	// argument says that only rows with a non-null argument count.
	argument bool
}

func (*rowCounter) Init(state []types.Slot) { state[0] = types.Slot{} }

func (c *rowCounter) Add(state, args []types.Slot) error {
	if !c.argument || !args[0].Null {
		state[0].I++
	}
	return nil
}

func (c *rowCounter) Undo(state, args []types.Slot) error {
	if !c.argument || !args[0].Null {
		state[0].I--
	}
	return nil
}

func (*rowCounter) Merge(dst, src []types.Slot) error {
	dst[0].I += src[0].I
	return nil
}

func (*rowCounter) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }
