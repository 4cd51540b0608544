package aggregate

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func topK() *functions.Spec {
	var overloads []functions.Aggregate
	for _, t := range []string{"INT", "BIGINT", "DOUBLE", "STRING"} {
		o := functions.NewAggregate("(" + t + " val, literal INT k) -> ARRAY<" + t + ">")
		o.Description = "The k largest non-null values, largest first, duplicates kept."
		arrayState(&o)
		o.New = newTopK(false)
		overloads = append(overloads, o)
	}
	for _, t := range []string{"INT", "BIGINT", "DOUBLE", "STRING"} {
		o := functions.NewAggregate("(" + t + " sortCol, ANY col, ANY... otherCols, literal INT k) -> ANY")
		o.Description = "The rows of the k largest non-null values, largest first, as structs of the value and the other columns."
		o.Returns, o.ResultType = nil, topKRows
		o.ComplexState = true
		o.State = func(args []*types.Type) ([]*types.Type, error) {
			rows, err := topKRows(args)
			return []*types.Type{rows}, err
		}
		o.New = newTopKRows
		overloads = append(overloads, o)
	}
	return &functions.Spec{
		Name: "TOPK", Kind: functions.AggregateKind, Category: category,
		Description: "The k largest values of a group, alone or with other columns of their rows.",
		Aggregates:  overloads,
		Examples: []functions.Example{
			example("TOPK(x, 2)", "[9,9]", "9", "NULL", "5", "9"),
			example("TOPK(x, 2)", "[]", "CAST(NULL AS INT)"),
			example("TOPK(x, y, 1)", `[{"col0":"b","sort_col":9}]`, "5, 'a'", "9, 'b'", "9, 'c'"),
		},
	}
}

func topKDistinct() *functions.Spec {
	var overloads []functions.Aggregate
	for _, t := range []string{"INT", "BIGINT", "DOUBLE", "STRING", "DECIMAL", "DATE", "TIME", "TIMESTAMP", "BYTES"} {
		o := functions.NewAggregate("(" + t + " val, literal INT k) -> ARRAY<" + t + ">")
		o.Description = "The k largest different non-null values, largest first."
		o.Returns = nil
		o.ResultType = func(args []*types.Type) (*types.Type, error) { return types.ArrayOf(args[0]), nil }
		arrayState(&o)
		o.New = newTopK(true)
		overloads = append(overloads, o)
	}
	return &functions.Spec{
		Name: "TOPKDISTINCT", Kind: functions.AggregateKind, Category: category,
		Description: "The k largest different values of a group.",
		Aggregates:  overloads,
		Examples: []functions.Example{
			example("TOPKDISTINCT(x, 2)", "[9,5]", "9", "NULL", "5", "9"),
			example("TOPKDISTINCT(x, 2)", "[]", "CAST(NULL AS INT)"),
		},
	}
}

func arrayState(o *functions.Aggregate) {
	o.ComplexState = true
	o.State = func(args []*types.Type) ([]*types.Type, error) {
		return []*types.Type{types.ArrayOf(args[0])}, nil
	}
}

// topKRows is the result type ARRAY<STRUCT<sort_col T, col0 …, …>>; the last argument is k.
func topKRows(args []*types.Type) (*types.Type, error) {
	fields := []types.Field{{Name: "sort_col", Type: args[0]}}
	for i, t := range args[1 : len(args)-1] {
		fields = append(fields, types.Field{Name: fmt.Sprintf("col%d", i), Type: t})
	}
	return types.ArrayOf(types.StructOf(fields...)), nil
}

func literalK(literals []any) (int, error) {
	k, _ := literals[len(literals)-1].(int32)
	if k < 1 {
		return 0, errors.New("k must be 1 or greater")
	}
	return int(k), nil
}

func newTopK(distinct bool) func(*functions.Env, []*types.Type, []any) (functions.Aggregator, error) {
	return func(_ *functions.Env, args []*types.Type, literals []any) (functions.Aggregator, error) {
		k, err := literalK(literals)
		if err != nil {
			return nil, err
		}
		t := args[0]
		return &top{
			k: k, distinct: distinct,
			box:  func(row []types.Slot) any { return row[0].Boxed(t) },
			sort: func(item any) any { return item },
		}, nil
	}
}

func newTopKRows(_ *functions.Env, args []*types.Type, literals []any) (functions.Aggregator, error) {
	k, err := literalK(literals)
	if err != nil {
		return nil, err
	}
	columns := args[:len(args)-1]
	return &top{
		k: k,
		box: func(row []types.Slot) any {
			out := make(types.StructValue, len(columns))
			for i, t := range columns {
				out[i] = row[i].Boxed(t)
			}
			return out
		},
		sort: func(item any) any {
			fields, _ := item.(types.StructValue)
			return fields[0]
		},
	}, nil
}

// top keeps the k largest items, largest first; of equal ones the earlier stays. Its state is the array of items.
type top struct {
	streamOnly
	k        int
	distinct bool
	// box makes the item of a row.
	box func(row []types.Slot) any
	// sort gives the value by which an item is ordered.
	sort func(item any) any
}

func (*top) Init(state []types.Slot) { state[0] = emptyList() }

func (t *top) Add(state, args []types.Slot) error {
	if args[0].Null {
		return nil
	}
	t.put(state, t.box(args))
	return nil
}

func (t *top) put(state []types.Slot, item any) {
	items := list(state[0])
	by := t.sort(item)
	at := len(items)
	for at > 0 {
		c := types.Compare(by, t.sort(items[at-1]))
		if c == 0 && t.distinct {
			return
		}
		if c <= 0 {
			break
		}
		at--
	}
	if at >= t.k {
		return
	}
	out := make([]any, 0, min(len(items)+1, t.k))
	out = append(append(out, items[:at]...), item)
	for _, v := range items[at:] {
		if len(out) < t.k {
			out = append(out, v)
		}
	}
	state[0] = types.RefSlot(out)
}

func (t *top) Merge(dst, src []types.Slot) error {
	for _, item := range list(src[0]) {
		t.put(dst, item)
	}
	return nil
}

func (*top) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }
