package aggregate

import (
	"math"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func stddevSamp() *functions.Spec {
	return &functions.Spec{
		Name: "STDDEV_SAMP", Kind: functions.AggregateKind, Category: category,
		Description: "The sample variance of the non-null values (no square root, as in ksqlDB; STDDEV_SAMPLE takes it).",
		Aggregates:  varianceOverloads("The sample variance; 0.0 for fewer than two values.", false),
		Examples: []functions.Example{
			example("STDDEV_SAMP(x)", "2.0", "10", "NULL", "12"),
			example("STDDEV_SAMP(x)", "0.0", "10"),
		},
	}
}

func stddevSample() *functions.Spec {
	return &functions.Spec{
		Name: "STDDEV_SAMPLE", Kind: functions.AggregateKind, Category: category,
		Description: "The sample standard deviation of the non-null values.",
		Aggregates:  varianceOverloads("The sample standard deviation; 0.0 for fewer than two values.", true),
		Examples: []functions.Example{
			example("STDDEV_SAMPLE(x)", "2.0", "10", "12", "NULL", "14"),
			example("STDDEV_SAMPLE(x)", "0.0", "10"),
		},
	}
}

func varianceOverloads(description string, root bool) []functions.Aggregate {
	var out []functions.Aggregate
	for _, t := range []string{"INT", "BIGINT", "DOUBLE"} {
		o := functions.NewAggregate("(" + t + " val) -> DOUBLE")
		o.Description, o.Undoable, o.ComplexState = description, true, true
		o.State = func(args []*types.Type) ([]*types.Type, error) {
			total := types.BigintType
			if args[0].Kind == types.Double {
				total = types.DoubleType
			}
			return []*types.Type{total, types.BigintType, types.DoubleType}, nil
		}
		o.New = func(_ *functions.Env, args []*types.Type, _ []any) (functions.Aggregator, error) {
			return &variance{double: args[0].Kind == types.Double, integerMeans: args[0].Kind != types.Double && !root, root: root}, nil
		}
		out = append(out, o)
	}
	return out
}

// variance keeps the sum (BIGINT for INT), the count, and the sum of squared distances from the mean, updated by
// the method of Youngs and Cramer.
type variance struct {
	double bool
	// integerMeans makes merging divide whole numbers, as ksqlDB's STDDEV_SAMP does.
	integerMeans bool
	root         bool
}

func (v *variance) Init(state []types.Slot) {
	state[0], state[1], state[2] = types.Slot{}, types.Slot{}, types.DoubleSlot(0)
}

// number reads a value or sum as a double.
func (v *variance) number(s types.Slot) float64 {
	if v.double {
		return s.Double()
	}
	return float64(s.I)
}

func (v *variance) addSum(state []types.Slot, by types.Slot, sign int64) {
	if v.double {
		state[0] = types.DoubleSlot(state[0].Double() + float64(sign)*by.Double())
		return
	}
	state[0].I += sign * by.I
}

// step is the change of the squared distances that a value makes as the n-th of values with the given sum.
func (v *variance) step(n int64, value, sum types.Slot) float64 {
	d := float64(n)*v.number(value) - v.number(sum)
	return d * d / (float64(n) * float64(n-1))
}

func (v *variance) Add(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	state[1].I++
	v.addSum(state, args[0], 1)
	if n := state[1].I; n > 1 {
		state[2] = types.DoubleSlot(state[2].Double() + v.step(n, args[0], state[0]))
	}
	return nil
}

func (v *variance) Undo(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	if n := state[1].I; n > 1 {
		state[2] = types.DoubleSlot(state[2].Double() - v.step(n, args[0], state[0]))
	}
	state[1].I--
	v.addSum(state, args[0], -1)
	return nil
}

func (v *variance) Merge(dst, src []types.Slot) error {
	a, b := dst[1].I, src[1].I
	switch {
	case b == 0:
		return nil
	case a == 0:
		copy(dst, src)
		return nil
	}
	var distance float64
	if v.integerMeans {
		distance = float64(dst[0].I/a - src[0].I/b)
	} else {
		distance = v.number(dst[0])/float64(a) - v.number(src[0])/float64(b)
	}
	between := distance * distance * float64(a) * float64(b) / float64(a+b)
	dst[2] = types.DoubleSlot(dst[2].Double() + src[2].Double() + between)
	dst[1].I = a + b
	v.addSum(dst, src[0], 1)
	return nil
}

func (v *variance) Result(state []types.Slot) (types.Slot, error) {
	if state[1].I < 2 {
		return types.DoubleSlot(0), nil
	}
	x := state[2].Double() / float64(state[1].I-1)
	if v.root {
		x = math.Sqrt(x)
	}
	return types.DoubleSlot(x), nil
}
