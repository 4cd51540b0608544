package testfunctions

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func genericVarArg() *functions.Spec {
	return aggregates("GENERIC_VAR_ARG", "The first columns of the rows in which no column is null.", firstColumns("(A first, B second, C... others) -> ARRAY<A>"))
}

func objColArg() *functions.Spec {
	return aggregates("OBJ_COL_ARG", "The first columns of the rows in which no column is null.", firstColumns("(INT first, ANY... others) -> ARRAY<INT>"))
}

func firstColumns(signature string) functions.Aggregate {
	o := functions.NewAggregate(signature)
	o.ComplexState = true
	o.State = func(args []*types.Type) ([]*types.Type, error) { return []*types.Type{types.ArrayOf(args[0])}, nil }
	o.New = func(_ *functions.Env, args []*types.Type, _ []any) (functions.Aggregator, error) {
		return &firsts{t: args[0]}, nil
	}
	return o
}

// firsts keeps the array of first columns.
type firsts struct{ t *types.Type }

func (*firsts) Init(state []types.Slot) { state[0] = types.RefSlot([]any{}) }

func (f *firsts) Add(state, args []types.Slot) error {
	for _, a := range args {
		if a.Null {
			return nil
		}
	}
	items, _ := state[0].R.([]any)
	state[0] = types.RefSlot(append(items[:len(items):len(items)], args[0].Boxed(f.t)))
	return nil
}

func (*firsts) Undo(_, _ []types.Slot) error { return errNoUndo }

func (*firsts) Merge(dst, src []types.Slot) error {
	a, _ := dst[0].R.([]any)
	b, _ := src[0].R.([]any)
	dst[0] = types.RefSlot(append(a[:len(a):len(a)], b...))
	return nil
}

func (*firsts) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }
