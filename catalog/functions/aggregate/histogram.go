package aggregate

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// maxBuckets is the number of different values a histogram counts; ksqlDB ignores later new ones.
const maxBuckets = 1000

func histogram() *functions.Spec {
	o := functions.NewAggregate("(STRING val) -> MAP<STRING, BIGINT>")
	o.Description = "Counts how often each value occurs, for the first 1000 different values. Nulls count under a null key."
	o.Undoable, o.ComplexState = true, true
	o.State = fixedState(types.MapOf(types.StringType, types.BigintType))
	o.New = instance(histogramCounter{})
	return &functions.Spec{
		Name: "HISTOGRAM", Kind: functions.AggregateKind, Category: category,
		Description: "How often each value occurs.",
		Aggregates:  []functions.Aggregate{o},
		Examples: []functions.Example{
			example("HISTOGRAM(x)", `{"a":2,"b":1}`, "'a'", "'b'", "'a'"),
			example("HISTOGRAM(x)", "{}"),
		},
	}
}

// histogramCounter keeps the map of counts.
type histogramCounter struct{}

func (histogramCounter) Init(state []types.Slot) { state[0] = types.RefSlot(&types.MapValue{}) }

func buckets(s types.Slot) *types.MapValue {
	m, _ := s.R.(*types.MapValue)
	return m
}

func (histogramCounter) Add(state, args []types.Slot) error {
	bump(state, args[0].Boxed(types.StringType), 1)
	return nil
}

func bump(state []types.Slot, key any, by int64) {
	m := buckets(state[0])
	old, found := m.Get(key)
	if !found && len(m.Keys) >= maxBuckets {
		return
	}
	n, _ := old.(int64)
	out := copyMap(m)
	out.Put(key, n+by)
	state[0] = types.RefSlot(out)
}

func copyMap(m *types.MapValue) *types.MapValue {
	return &types.MapValue{Keys: append([]any(nil), m.Keys...), Values: append([]any(nil), m.Values...)}
}

// Undo takes one occurrence away; a count of 0 disappears.
func (histogramCounter) Undo(state, args []types.Slot) error {
	key := args[0].Boxed(types.StringType)
	m := buckets(state[0])
	old, found := m.Get(key)
	if !found {
		return fmt.Errorf("HISTOGRAM: the value %q to take away was never counted", key)
	}
	out := &types.MapValue{}
	for i, k := range m.Keys {
		v := m.Values[i]
		if types.EqualBoxed(k, key) {
			if n, _ := old.(int64); n > 1 {
				v = n - 1
			} else {
				continue
			}
		}
		out.Keys, out.Values = append(out.Keys, k), append(out.Values, v)
	}
	state[0] = types.RefSlot(out)
	return nil
}

func (histogramCounter) Merge(dst, src []types.Slot) error {
	m := buckets(src[0])
	for i, k := range m.Keys {
		n, _ := m.Values[i].(int64)
		bump(dst, k, n)
	}
	return nil
}

func (histogramCounter) Result(state []types.Slot) (types.Slot, error) { return state[0], nil }
