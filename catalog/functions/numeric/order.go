package numeric

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func greatest() *functions.Spec {
	return spec("GREATEST", "The largest argument that is not null.", orderOverloads(1), functions.Examples(
		"GREATEST(1, 5, NULL, 3)", "5",
		"GREATEST('apple', 'pear')", `"pear"`,
		"GREATEST(1.5, 1.25)", "1.5",
		"GREATEST(CAST(NULL AS INT))", "null",
		"GREATEST()", "error: Function 'greatest' does not accept parameters ().",
		"GREATEST('a', 1)", "error: Function 'greatest' does not accept parameters (STRING, INTEGER).",
		"GREATEST(1, 3000000000)", "error: Function 'greatest' cannot be resolved due to ambiguous method parameters (INTEGER, BIGINT).",
	))
}

func least() *functions.Spec {
	return spec("LEAST", "The smallest argument that is not null.", orderOverloads(-1), functions.Examples(
		"LEAST(4, 2, NULL, 3)", "2",
		"LEAST('apple', 'pear')", `"apple"`,
		"LEAST(CAST(NULL AS STRING))", "null",
	))
}

func orderOverloads(sign int) []functions.Scalar {
	var out []functions.Scalar
	for _, t := range []string{"INT", "BIGINT", "DOUBLE", "STRING", "DECIMAL", "BYTES", "DATE", "TIME", "TIMESTAMP"} {
		out = append(out, functions.NewScalar("("+t+" val, "+t+"... vals) -> "+t, extreme(sign)))
	}
	return out
}

// extreme picks the argument that compares largest (sign 1) or smallest (sign -1). A DECIMAL keeps its own scale, as in
// ksqlDB, though the result's type is the widest.
func extreme(sign int) functions.Constructor {
	return func(_ *functions.Env, args []*types.Type, result *types.Type) (functions.Call, error) {
		compare := types.SlotComparer(result)
		return func(args []types.Slot) (types.Slot, error) {
			best := types.NullSlot
			for _, a := range args {
				if !a.Null && (best.Null || compare(a, best)*sign > 0) {
					best = a
				}
			}
			return best, nil
		}, nil
	}
}
