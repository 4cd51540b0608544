package testfunctions

import (
	"errors"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func scalar(name, description string, overloads ...functions.Scalar) *functions.Spec {
	for i := range overloads {
		// They fail or count on purpose, so they must run where they stand.
		overloads[i].Nondeterministic = true
	}
	return &functions.Spec{Name: name, Kind: functions.ScalarKind, Category: "OTHER", Description: description, Scalars: overloads}
}

var errBoom = errors.New("boom!")

func badUDF() *functions.Spec {
	everyOther := func(*functions.Env, []*types.Type, *types.Type) (functions.Call, error) {
		calls := 0
		return func(args []types.Slot) (types.Slot, error) {
			if calls++; calls%2 == 1 {
				return types.NullSlot, nil
			}
			return args[0], nil
		}, nil
	}
	return scalar("BAD_UDF", "Fails always, if told to, or gives null at every other call.",
		functions.NewScalar("(INT val) -> STRING", functions.Slots(func([]types.Slot) (types.Slot, error) {
			return types.NullSlot, errBoom
		})),
		functions.NewScalar("(BOOLEAN val) -> INT", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			if !args[0].Null && args[0].I != 0 {
				return types.NullSlot, errBoom
			}
			return types.IntSlot(0), nil
		})),
		functions.NewScalar("(STRING val) -> STRING", everyOther),
	)
}

func constant(text string) functions.Constructor {
	return functions.Slots(func([]types.Slot) (types.Slot, error) { return types.StringSlot(text), nil })
}

func testUDF() *functions.Spec {
	return scalar("TEST_UDF", "Names the overload that was called.",
		functions.NewScalar("(INT arg1, STRING arg2) -> STRING", functions.RefuseNull(constant("doStuffIntString"), 0)),
		functions.NewScalar("(BIGINT arg1, STRING arg2) -> STRING", functions.RefuseNull(constant("doStuffLongString"), 0)),
		functions.NewScalar("(BIGINT arg1, BIGINT arg2, STRING arg3) -> STRING", functions.RefuseNull(constant("doStuffLongLongString"), 0, 1)),
		functions.NewScalar("(BIGINT... longs) -> STRING", constant("doStuffLongVarargs")),
		functions.NewScalar("(STRUCT<A STRING> struct) -> STRING", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			if args[0].Null {
				return types.NullSlot, nil
			}
			fields, _ := args[0].R.(types.StructValue)
			return types.Unbox(types.StringType, fields[0]), nil
		})),
		functions.NewScalar("() -> STRUCT<A STRING>", functions.Slots(func([]types.Slot) (types.Slot, error) {
			return types.RefSlot(types.StructValue{"foo"}), nil
		})),
	)
}

func toStruct() *functions.Spec {
	return scalar("TOSTRUCT", "A struct with the text as its A.",
		functions.NewScalar("(STRING value) -> STRUCT<A STRING>", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			return types.RefSlot(types.StructValue{args[0].Boxed(types.StringType)}), nil
		})),
	)
}

func whenCondition() *functions.Spec {
	return scalar("WHENCONDITION", "A condition of CASE that fails when it should not run.",
		functions.NewScalar("(BOOLEAN retValue, BOOLEAN shouldBeEvaluated) -> BOOLEAN", lazily("When condition in case is not running lazily!")))
}

func whenResult() *functions.Spec {
	return scalar("WHENRESULT", "A result of CASE that fails when it should not run.",
		functions.NewScalar("(INT retValue, BOOLEAN shouldBeEvaluated) -> INT", lazily("Then expression in case is not running lazily!")))
}

func lazily(message string) functions.Constructor {
	return functions.RefuseNull(functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if args[1].I == 0 {
			return types.NullSlot, errors.New(message)
		}
		return args[0], nil
	}), 0, 1)
}
