package numeric

import (
	"errors"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func random() *functions.Spec {
	o := functions.NewScalar("() -> DOUBLE", newRandom)
	o.Nondeterministic = true
	return spec("RANDOM", "A pseudo-random number in [0, 1), a new one for each row.", []functions.Scalar{o}, functions.Examples(
		"FLOOR(RANDOM())", "0.0",
		"RANDOM(1)", "error: Function 'random' does not accept parameters (INTEGER).",
	))
}

func newRandom(env *functions.Env, _ []*types.Type, _ *types.Type) (functions.Call, error) {
	if env == nil || env.Random == nil {
		return nil, errors.New("RANDOM needs a source of random numbers")
	}
	return func([]types.Slot) (types.Slot, error) {
		return types.DoubleSlot(float64(env.Random()>>11) / (1 << 53)), nil
	}, nil
}
