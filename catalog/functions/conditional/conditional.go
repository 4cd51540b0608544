// Package conditional holds the functions that choose among their arguments.
package conditional

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Specs lists the functions on nulls, and AS_VALUE.
func Specs() []*functions.Spec {
	return []*functions.Spec{asValue(), coalesce(), ifNull(), nullIf()}
}

func spec(name, description string, overload functions.Scalar, examples ...string) *functions.Spec {
	return &functions.Spec{
		Name: name, Kind: functions.ScalarKind, Category: "CONDITIONAL", Spelling: name, Description: description,
		Scalars: []functions.Scalar{overload}, Examples: functions.Examples(examples...),
	}
}

// newFirst makes the overload that gives the first argument that is not null.
func newFirst() functions.Constructor {
	return functions.Slots(func(args []types.Slot) (types.Slot, error) {
		for _, a := range args {
			if !a.Null {
				return a, nil
			}
		}
		return types.NullSlot, nil
	})
}

func asValue() *functions.Spec {
	s := spec("AS_VALUE", "The argument itself: copies a key column into the value.",
		functions.NewScalar("(T keyColumn) -> T", newFirst()),
		"AS_VALUE('k')", `"k"`,
		"AS_VALUE(CAST(NULL AS INT))", "null",
	)
	s.Category = "OTHER"
	return s
}

func coalesce() *functions.Spec {
	return spec("COALESCE", "The first argument that is not null.",
		functions.NewScalar("(T first, T... others) -> T", newFirst()),
		"COALESCE(NULL, 2, 3)", "2",
		"COALESCE(CAST(NULL AS STRING), NULL)", "null",
		"COALESCE()", "error: Function 'COALESCE' does not accept parameters ()",
	)
}

func ifNull() *functions.Spec {
	return spec("IFNULL", "The first argument, or the second where the first is null.",
		functions.NewScalar("(T expression, T altValue) -> T", newFirst()),
		"IFNULL(NULL, 'x')", `"x"`,
		"IFNULL('a', 'x')", `"a"`,
		"IFNULL(CAST(NULL AS INT), CAST(NULL AS INT))", "null",
	)
}

func nullIf() *functions.Spec {
	construct := func(_ *functions.Env, args []*types.Type, _ *types.Type) (functions.Call, error) {
		equal := types.SlotEqualer(args[0])
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null || !args[1].Null && equal(args[0], args[1]) {
				return types.NullSlot, nil
			}
			return args[0], nil
		}, nil
	}
	return spec("NULLIF", "Null where both arguments are equal, else the first.",
		functions.NewScalar("(T expression1, T expression2) -> T", construct),
		"NULLIF('a', 'a')", "null",
		"NULLIF('a', 'b')", `"a"`,
		"NULLIF(1, NULL)", "1",
		"NULLIF(CAST(NULL AS INT), 1)", "null",
	)
}
