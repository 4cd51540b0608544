package testfunctions

import (
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func table(name, description string, overloads ...functions.Table) *functions.Spec {
	return &functions.Spec{Name: name, Kind: functions.TableKind, Category: "TABLE", Description: description, Tables: overloads}
}

type rowMaker = func(dst, args []types.Slot) ([]types.Slot, error)

func rows(f rowMaker) functions.TableConstructor {
	return func(*functions.Env, []*types.Type, *types.Type) (rowMaker, error) { return f, nil }
}

func throwingUDTF() *functions.Spec {
	return table("THROWING_UDTF", "Fails if told to.", functions.NewTable("(BOOLEAN shouldThrow) -> BOOLEAN", rows(func(dst, args []types.Slot) ([]types.Slot, error) {
		if !args[0].Null && args[0].I != 0 {
			return dst, errBoom
		}
		return append(dst, args[0]), nil
	})))
}

// standardTypes are the seven types that TEST_UDTF takes.
var standardTypes = [...]string{"INT", "BIGINT", "DOUBLE", "BOOLEAN", "STRING", "DECIMAL", "STRUCT<A STRING>"}

func testUDTF() *functions.Spec {
	same := rows(func(dst, args []types.Slot) ([]types.Slot, error) { return append(dst, args[0]), nil })
	overloads := []functions.Table{
		functions.NewTable("("+strings.Join(standardTypes[:], ", ")+") -> STRING", texts(func(v any) any { return v })),
		functions.NewTable("(ARRAY<"+strings.Join(standardTypes[:], ">, ARRAY<")+">) -> STRING", texts(firstElement)),
		functions.NewTable("(MAP<STRING, "+strings.Join(standardTypes[:], ">, MAP<STRING, ")+">) -> STRING", texts(firstValue)),
	}
	for _, t := range standardTypes {
		o := functions.NewTable("("+t+" val) -> "+t, same)
		if t == "DECIMAL" {
			o.Returns, o.New = types.DecimalOf(30, 10), rows(rescaled)
		}
		overloads = append(overloads, o)
	}
	return table("TEST_UDTF", "One row with the argument, or one with the text of each argument.", overloads...)
}

// rescaled gives a decimal at the scale 10.
func rescaled(dst, args []types.Slot) ([]types.Slot, error) {
	if args[0].Null {
		return append(dst, args[0]), nil
	}
	d, _ := args[0].R.(*apd.Decimal)
	out, err := types.RoundDecimal(d, types.DecimalOf(30, 10))
	if err != nil {
		return dst, err
	}
	return append(dst, types.RefSlot(out)), nil
}

// texts makes a row of each argument's text after pick chose a value of it.
func texts(pick func(any) any) functions.TableConstructor {
	return func(_ *functions.Env, args []*types.Type, _ *types.Type) (rowMaker, error) {
		ts := args
		return func(dst, args []types.Slot) ([]types.Slot, error) {
			for i, a := range args {
				t := ts[i]
				if t.Kind == types.Array || t.Kind == types.Map {
					t = t.Elem
				}
				dst = append(dst, types.StringSlot(types.FormatBoxed(t, pick(a.Boxed(ts[i])))))
			}
			return dst, nil
		}, nil
	}
}

func firstElement(v any) any {
	if items, ok := v.([]any); ok && len(items) > 0 {
		return items[0]
	}
	return nil
}

func firstValue(v any) any {
	if m, ok := v.(*types.MapValue); ok && len(m.Values) > 0 {
		return m.Values[0]
	}
	return nil
}
