package aggregate

import (
	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func sum() *functions.Spec {
	overloads := []functions.Aggregate{
		functions.NewAggregate("(INT val) -> INT"),
		functions.NewAggregate("(BIGINT val) -> BIGINT"),
		functions.NewAggregate("(DOUBLE val) -> DOUBLE"),
		functions.NewAggregate("(DECIMAL val) -> DECIMAL"),
	}
	for i := range overloads {
		o := &overloads[i]
		o.Description, o.Undoable = "Sums the non-null values. INT and BIGINT wrap around; a DECIMAL that no longer fits stops the query.", true
		o.State = func(args []*types.Type) ([]*types.Type, error) { return args[:1], nil }
		o.New = newSum
	}
	return &functions.Spec{
		Name: "SUM", Kind: functions.AggregateKind, Category: category,
		Description: "The sum of the non-null values, in the argument's type.",
		Aggregates:  overloads,
		Examples: []functions.Example{
			example("SUM(x)", "6", "1", "2", "NULL", "3"),
			example("SUM(x)", "0", "CAST(NULL AS INT)"),
			example("SUM(x)", "-2147483648", "2147483647", "1"),
			example("SUM(x)", "4.0", "1.5", "2.5"),
			example("SUM(x)", "error: Numeric field overflow", "9.5", "9.5"),
		},
	}
}

func newSum(_ *functions.Env, args []*types.Type, _ []any) (functions.Aggregator, error) {
	switch args[0].Kind {
	case types.Int:
		return intSum{}, nil
	case types.Bigint:
		return bigintSum{}, nil
	case types.Double:
		return doubleSum{}, nil
	}
	return &decimalSum{t: args[0]}, nil
}

// intSum sums INTs, wrapping at 32 bits; its state is the sum.
type intSum struct{}

func (intSum) Init(state []types.Slot) { state[0] = types.Slot{} }

func (intSum) Add(state, args []types.Slot) error {
	if !args[0].Null {
		state[0].I = int64(int32(state[0].I + args[0].I))
	}
	return nil
}

func (intSum) Undo(state, args []types.Slot) error {
	if !args[0].Null {
		state[0].I = int64(int32(state[0].I - args[0].I))
	}
	return nil
}

func (s intSum) Merge(dst, src []types.Slot) error { return s.Add(dst, src) }

func (intSum) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }

// bigintSum sums BIGINTs, wrapping at 64 bits.
type bigintSum struct{}

func (bigintSum) Init(state []types.Slot) { state[0] = types.Slot{} }

func (bigintSum) Add(state, args []types.Slot) error {
	if !args[0].Null {
		state[0].I += args[0].I
	}
	return nil
}

func (bigintSum) Undo(state, args []types.Slot) error {
	if !args[0].Null {
		state[0].I -= args[0].I
	}
	return nil
}

func (s bigintSum) Merge(dst, src []types.Slot) error { return s.Add(dst, src) }

func (bigintSum) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }

// doubleSum sums DOUBLEs.
type doubleSum struct{}

func (doubleSum) Init(state []types.Slot) { state[0] = types.DoubleSlot(0) }

func (doubleSum) Add(state, args []types.Slot) error {
	if !args[0].Null {
		state[0] = types.DoubleSlot(state[0].Double() + args[0].Double())
	}
	return nil
}

func (doubleSum) Undo(state, args []types.Slot) error {
	if !args[0].Null {
		state[0] = types.DoubleSlot(state[0].Double() - args[0].Double())
	}
	return nil
}

func (s doubleSum) Merge(dst, src []types.Slot) error { return s.Add(dst, src) }

func (doubleSum) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }

// decimalSum sums DECIMALs exactly within the argument's precision.
type decimalSum struct{ t *types.Type }

func (s *decimalSum) Init(state []types.Slot) {
	state[0] = types.RefSlot(apd.New(0, -int32(s.t.Scale)))
}

func (s *decimalSum) Add(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	return s.set(state, args[0].R.(*apd.Decimal), false)
}

func (s *decimalSum) Undo(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	return s.set(state, args[0].R.(*apd.Decimal), true)
}

func (s *decimalSum) set(state []types.Slot, v *apd.Decimal, negate bool) error {
	var term apd.Decimal
	term.Set(v)
	if negate {
		term.Negative = !term.Negative
	}
	total := new(apd.Decimal)
	if _, err := apd.BaseContext.Add(total, state[0].R.(*apd.Decimal), &term); err != nil {
		return err
	}
	if err := types.SetScale(total, total, s.t.Scale, apd.RoundHalfUp, true); err != nil {
		return err
	}
	if err := types.FitDecimal(total, s.t); err != nil {
		return err
	}
	state[0] = types.RefSlot(total)
	return nil
}

func (s *decimalSum) Merge(dst, src []types.Slot) error { return s.Add(dst, src) }

func (*decimalSum) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }
