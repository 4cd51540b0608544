package testfunctions

import (
	"errors"
	"strconv"
	"unicode/utf16"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func aggregates(name, description string, overloads ...functions.Aggregate) *functions.Spec {
	return &functions.Spec{Name: name, Kind: functions.AggregateKind, Category: "AGGREGATE", Description: description, Aggregates: overloads}
}

// total sums a BIGINT over the rows: of numbers and of the lengths of strings. Its state is the sum.
type total struct {
	// start is the sum of no rows, extra what the result adds to it.
	start, extra int64
	args         []*types.Type
	literal      []bool
}

// newTotal makes a total over the arguments that are not literals. The literals set start and extra.
func newTotal(startFrom, extraFrom func(env *functions.Env, literals []any) (int64, error)) func(*functions.Env, []*types.Type, []any) (functions.Aggregator, error) {
	return func(env *functions.Env, args []*types.Type, literals []any) (functions.Aggregator, error) {
		t := &total{args: args, literal: make([]bool, len(args))}
		for i := range literals {
			t.literal[i] = literals[i] != nil
		}
		var err error
		if startFrom != nil {
			if t.start, err = startFrom(env, literals); err != nil {
				return nil, err
			}
		}
		if extraFrom != nil {
			t.extra, err = extraFrom(env, literals)
		}
		return t, err
	}
}

// literalSum adds numbers and the lengths of strings up.
func literalSum(_ *functions.Env, literals []any) (int64, error) {
	var sum int64
	for _, v := range literals {
		switch x := v.(type) {
		case int32:
			sum += int64(x)
		case int64:
			sum += x
		case string:
			sum += length(x)
		}
	}
	return sum, nil
}

func length(s string) int64 { return int64(len(utf16.Encode([]rune(s)))) }

func (t *total) Init(state []types.Slot) { state[0] = types.IntSlot(t.start) }

func (t *total) row(args []types.Slot) int64 {
	var sum int64
	for i, a := range args {
		switch {
		case a.Null || t.literal[i]:
		case t.args[i].Kind == types.String:
			sum += length(a.Text())
		default:
			sum += a.I
		}
	}
	return sum
}

func (t *total) Add(state, args []types.Slot) error {
	state[0].I += t.row(args)
	return nil
}

func (t *total) Undo(state, args []types.Slot) error {
	state[0].I -= t.row(args)
	return nil
}

func (t *total) Merge(dst, src []types.Slot) error {
	dst[0].I += src[0].I - t.start
	return nil
}

func (t *total) Result(state []types.Slot) (types.Slot, error) {
	return types.IntSlot(state[0].I + t.extra), nil
}

func bigintState([]*types.Type) ([]*types.Type, error) { return []*types.Type{types.BigintType}, nil }

func totalOver(signature string, start, extra func(*functions.Env, []any) (int64, error)) functions.Aggregate {
	o := functions.NewAggregate(signature)
	o.State, o.New = bigintState, newTotal(start, extra)
	return o
}

func varArg() *functions.Spec {
	return aggregates("VAR_ARG", "Sums numbers and lengths.", totalOver("(BIGINT first, STRING... others) -> BIGINT", nil, nil))
}

func midVarArg() *functions.Spec {
	return aggregates("MID_VAR_ARG", "Sums numbers and lengths, and both literals once.",
		totalOver("(BIGINT first, STRING... others, literal INT a, literal INT b) -> BIGINT", nil, literalSum))
}

func multiArg() *functions.Spec {
	return aggregates("MULTI_ARG", "Sums numbers and lengths, starting at the literals.",
		totalOver("(BIGINT first, STRING second, literal INT start, literal STRING... more) -> BIGINT", literalSum, nil))
}

func fourArg() *functions.Spec {
	return aggregates("FOUR_ARG", "MULTI_ARG over four columns.",
		totalOver("(BIGINT a, STRING b, STRING c, STRING d, literal INT start, literal STRING... more) -> BIGINT", literalSum, nil))
}

func fiveArg() *functions.Spec {
	return aggregates("FIVE_ARG", "MULTI_ARG over five columns.",
		totalOver("(BIGINT a, STRING b, STRING c, STRING d, INT e, literal INT start, literal STRING... more) -> BIGINT", literalSum, nil))
}

func testUDAF() *functions.Spec {
	fromProperty := func(env *functions.Env, _ []any) (int64, error) {
		if env == nil || env.Properties["ksql.functions.test_udaf.init"] == "" {
			return 0, nil
		}
		return strconv.ParseInt(env.Properties["ksql.functions.test_udaf.init"], 10, 64)
	}
	ofBigint := totalOver("(BIGINT val) -> BIGINT", nil, nil)
	ofInt := totalOver("(INT val) -> BIGINT", fromProperty, nil)
	ofBigint.Undoable, ofInt.Undoable = true, true
	ofText := totalOver("(STRING val, literal STRING start) -> BIGINT", literalSum, nil)

	ofDouble := functions.NewAggregate("(DOUBLE val) -> DOUBLE")
	ofDouble.State = func([]*types.Type) ([]*types.Type, error) { return []*types.Type{types.DoubleType}, nil }
	ofDouble.New = func(*functions.Env, []*types.Type, []any) (functions.Aggregator, error) { return doubleTotal{}, nil }

	ofStruct := functions.NewAggregate("(STRUCT<A INT, B INT> val) -> STRUCT<A INT, B INT>")
	ofStruct.State = func(args []*types.Type) ([]*types.Type, error) { return args[:1], nil }
	ofStruct.New = func(*functions.Env, []*types.Type, []any) (functions.Aggregator, error) { return structTotal{}, nil }
	return aggregates("TEST_UDAF", "Sums, in several ways.", ofBigint, ofInt, ofDouble, ofText, ofStruct)
}

var errNoUndo = errors.New("the aggregate cannot undo a row")

// doubleTotal sums DOUBLEs.
type doubleTotal struct{}

func (doubleTotal) Init(state []types.Slot) { state[0] = types.DoubleSlot(0) }

func (doubleTotal) Add(state, args []types.Slot) error {
	if !args[0].Null {
		state[0] = types.DoubleSlot(state[0].Double() + args[0].Double())
	}
	return nil
}

func (doubleTotal) Undo(_, _ []types.Slot) error { return errNoUndo }

func (d doubleTotal) Merge(dst, src []types.Slot) error { return d.Add(dst, src) }

func (doubleTotal) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }

// structTotal sums the two fields.
type structTotal struct{}

func (structTotal) Init(state []types.Slot) {
	state[0] = types.RefSlot(types.StructValue{int32(0), int32(0)})
}

func (structTotal) Add(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	sum, _ := state[0].R.(types.StructValue)
	row, _ := args[0].R.(types.StructValue)
	out := make(types.StructValue, len(sum))
	for i := range sum {
		a, _ := sum[i].(int32)
		b, _ := row[i].(int32)
		out[i] = a + b
	}
	state[0] = types.RefSlot(out)
	return nil
}

func (structTotal) Undo(_, _ []types.Slot) error { return errNoUndo }

func (s structTotal) Merge(dst, src []types.Slot) error { return s.Add(dst, src) }

func (structTotal) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }
