package text

import (
	"errors"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

var errTooLong = errors.New("the result is too long")

func concat() *functions.Spec {
	return spec("CONCAT", "Joins the arguments; nulls are skipped.", []functions.Scalar{
		functions.NewScalar("(STRING... inputs) -> STRING", newConcat),
		functions.NewScalar("(BYTES... inputs) -> BYTES", newConcat),
	},
		"CONCAT('a', NULL, 'b')", `"ab"`,
		"CONCAT(CAST(NULL AS STRING))", `""`,
		"CONCAT(TO_BYTES('a', 'utf8'), TO_BYTES('b', 'utf8'))", `"YWI="`,
	)
}

func newConcat(*functions.Env, []*types.Type, *types.Type) (functions.Call, error) {
	buf := make([]byte, 0, 64)
	return func(args []types.Slot) (types.Slot, error) {
		buf = buf[:0]
		for _, a := range args {
			if !a.Null {
				buf = append(buf, a.B...)
			}
		}
		return types.BytesSlot(buf), nil
	}, nil
}

func concatWS() *functions.Spec {
	return spec("CONCAT_WS", "Joins the arguments after the first with the first between them; nulls are skipped.", []functions.Scalar{
		functions.NewScalar("(STRING separator, STRING... inputs) -> STRING", newConcatWS),
		functions.NewScalar("(BYTES separator, BYTES... inputs) -> BYTES", newConcatWS),
	},
		"CONCAT_WS('-', 'a', NULL, 'b')", `"a-b"`,
		"CONCAT_WS(CAST(NULL AS STRING), 'a', 'b')", "null",
		"CONCAT_WS('-')", "error: Function Concat_WS expects at least two input arguments.",
	)
}

func newConcatWS(*functions.Env, []*types.Type, *types.Type) (functions.Call, error) {
	buf := make([]byte, 0, 64)
	return func(args []types.Slot) (types.Slot, error) {
		if len(args) < 2 {
			return types.NullSlot, errors.New("Function Concat_WS expects at least two input arguments.")
		}
		if args[0].Null {
			return types.NullSlot, nil
		}
		buf = buf[:0]
		first := true
		for _, a := range args[1:] {
			if a.Null {
				continue
			}
			if !first {
				buf = append(buf, args[0].B...)
			}
			first = false
			buf = append(buf, a.B...)
		}
		return types.BytesSlot(buf), nil
	}, nil
}

func elt() *functions.Spec {
	pick := functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if n := args[0].I; n >= 1 && n < int64(len(args)) {
			return args[n], nil
		}
		return types.NullSlot, nil
	})
	return spec("ELT", "The n-th of the strings, from 1.", []functions.Scalar{
		functions.NewScalar("(INT n, STRING... args) -> STRING", functions.RefuseNull(pick, 0)),
	},
		"ELT(2, 'a', 'b')", `"b"`,
		"ELT(3, 'a', 'b')", "null",
		"ELT(CAST(NULL AS INT), 'a')", "error: must not be null",
	)
}

func field() *functions.Spec {
	find := functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if !args[0].Null {
			for i, a := range args[1:] {
				if !a.Null && string(a.B) == string(args[0].B) {
					return types.IntSlot(int64(i + 1)), nil
				}
			}
		}
		return types.IntSlot(0), nil
	})
	return spec("FIELD", "The position, from 1, of the first string among the others; 0 if it is not there.", []functions.Scalar{
		functions.NewScalar("(STRING str, STRING... args) -> INT", find),
	},
		"FIELD('b', 'a', 'b')", "2",
		"FIELD('c', 'a', 'b')", "0",
		"FIELD(CAST(NULL AS STRING), 'a')", "0",
	)
}

func replace() *functions.Spec {
	return spec("REPLACE", "Replaces all occurrences of a text by another.", []functions.Scalar{
		functions.NewScalar("(STRING str, STRING oldStr, STRING newStr) -> STRING", functions.Ternary(replaceAll)),
	},
		"REPLACE('banana', 'an', '*')", `"b**a"`,
		"REPLACE('ab', '', '-')", `"-a-b-"`,
		"REPLACE('banana', NULL, 'x')", "null",
	)
}
