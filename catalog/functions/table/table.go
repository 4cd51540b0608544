// Package table holds the table functions: one row in, any number out.
package table

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Specs lists the table functions.
func Specs() []*functions.Spec {
	return []*functions.Spec{cubeExplode(), explode()}
}

func spec(name, description string, overloads []functions.Table, examples ...string) *functions.Spec {
	return &functions.Spec{
		Name: name, Kind: functions.TableKind, Category: "TABLE", Description: description,
		Tables: overloads, Examples: functions.Examples(examples...),
	}
}

func explode() *functions.Spec {
	rows := func(_ *functions.Env, _ []*types.Type, result *types.Type) (func(dst, args []types.Slot) ([]types.Slot, error), error) {
		return func(dst, args []types.Slot) ([]types.Slot, error) {
			if args[0].Null {
				return dst, nil
			}
			for _, v := range args[0].R.([]any) {
				dst = append(dst, types.Unbox(result, v))
			}
			return dst, nil
		}, nil
	}
	return spec("EXPLODE", "A row for each element of the array.", []functions.Table{
		functions.NewTable("(ARRAY<T> list) -> T", rows),
	},
		"EXPLODE(ARRAY[1, NULL, 2])", "[1,null,2]",
		"EXPLODE(CAST(NULL AS ARRAY<INT>))", "[]",
	)
}

// maxCube is the number of elements that CUBE_EXPLODE takes: 2^20 rows.
const maxCube = 20

func cubeExplode() *functions.Spec {
	return spec("CUBE_EXPLODE", "A row for each way of keeping an element or replacing it by null, counting up in binary with the last element as the lowest bit.", []functions.Table{
		functions.NewTable("(ARRAY<T> columns) -> ARRAY<T>", newCube),
	},
		"CUBE_EXPLODE(ARRAY[1, 2])", "[[null,null],[null,2],[1,null],[1,2]]",
		"CUBE_EXPLODE(ARRAY[1, NULL])", "[[null,null],[1,null]]",
		"CUBE_EXPLODE(CAST(NULL AS ARRAY<INT>))", "[]",
	)
}

func newCube(*functions.Env, []*types.Type, *types.Type) (func(dst, args []types.Slot) ([]types.Slot, error), error) {
	return func(dst, args []types.Slot) ([]types.Slot, error) {
		if args[0].Null {
			return dst, nil
		}
		items := args[0].R.([]any)
		if len(items) > maxCube {
			return dst, fmt.Errorf("cube_explode: too many columns (%d); max is %d", len(items), maxCube)
		}
		// places are the elements that are not null, the first of them the highest bit.
		var places []int
		for i, v := range items {
			if v != nil {
				places = append(places, i)
			}
		}
		for n := range 1 << len(places) {
			row := make([]any, len(items))
			for bit, at := range places {
				if n>>(len(places)-1-bit)&1 == 1 {
					row[at] = items[at]
				}
			}
			dst = append(dst, types.RefSlot(row))
		}
		return dst, nil
	}, nil
}
