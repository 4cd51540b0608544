package aggregate

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func maximum() *functions.Spec {
	return &functions.Spec{
		Name: "MAX", Kind: functions.AggregateKind, Category: category,
		Description: "The largest non-null value.",
		Aggregates:  extremeOverloads("The largest non-null value by natural order; BYTES by signed bytes.", 1),
		Examples: []functions.Example{
			example("MAX(x)", "7", "3", "NULL", "7", "5"),
			example("MAX(x)", `"pear"`, "'apple'", "'pear'"),
			example("MAX(x)", "null", "CAST(NULL AS DOUBLE)"),
		},
	}
}

func minimum() *functions.Spec {
	return &functions.Spec{
		Name: "MIN", Kind: functions.AggregateKind, Category: category,
		Description: "The smallest non-null value.",
		Aggregates:  extremeOverloads("The smallest non-null value by natural order; BYTES by signed bytes.", -1),
		Examples: []functions.Example{
			example("MIN(x)", "3", "7", "NULL", "3", "5"),
			example("MIN(x)", "1.25", "1.50", "1.25"),
			example("MIN(x)", "null", "CAST(NULL AS STRING)"),
		},
	}
}

func extremeOverloads(description string, sign int) []functions.Aggregate {
	var out []functions.Aggregate
	for _, t := range []string{"INT", "BIGINT", "DOUBLE", "DECIMAL", "DATE", "TIME", "TIMESTAMP", "STRING", "BYTES"} {
		o := functions.NewAggregate("(" + t + " val) -> " + t)
		o.Description = description
		o.State = func(args []*types.Type) ([]*types.Type, error) { return args[:1], nil }
		o.New = func(_ *functions.Env, args []*types.Type, _ []any) (functions.Aggregator, error) {
			if t := args[0]; t.Class() == types.ClassInt64 && t.Kind != types.Double {
				return &wholeExtreme{largest: sign > 0}, nil
			}
			return &extreme{compare: types.SlotComparer(args[0]), sign: sign}, nil
		}
		out = append(out, o)
	}
	return out
}

// extreme keeps the value that compares largest (sign 1) or smallest (sign -1); null while there is none.
type extreme struct {
	streamOnly
	compare func(a, b types.Slot) int
	sign    int
}

func (*extreme) Init(state []types.Slot) { state[0] = types.NullSlot }

func (e *extreme) Add(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	if state[0].Null || e.compare(args[0], state[0])*e.sign > 0 {
		state[0] = functions.Keep(args[0])
	}
	return nil
}

func (e *extreme) Merge(dst, src []types.Slot) error { return e.Add(dst, src) }

func (*extreme) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }

// wholeExtreme is extreme for types that are held as whole numbers.
type wholeExtreme struct {
	streamOnly
	largest bool
}

func (*wholeExtreme) Init(state []types.Slot) { state[0] = types.NullSlot }

func (e *wholeExtreme) Add(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	if state[0].Null || e.largest && args[0].I > state[0].I || !e.largest && args[0].I < state[0].I {
		state[0] = types.IntSlot(args[0].I)
	}
	return nil
}

func (e *wholeExtreme) Merge(dst, src []types.Slot) error { return e.Add(dst, src) }

func (*wholeExtreme) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }
