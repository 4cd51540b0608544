package aggregate

import (
	"errors"
	"sort"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func earliestByOffset() *functions.Spec {
	return &functions.Spec{
		Name: "EARLIEST_BY_OFFSET", Kind: functions.AggregateKind, Category: category,
		Description: "The first value, or the first n values, processed for the group.",
		Aggregates:  offsetOverloads("earliest", true),
		Examples: []functions.Example{
			example("EARLIEST_BY_OFFSET(x)", "1", "NULL", "1", "2"),
			example("EARLIEST_BY_OFFSET(x, FALSE)", "null", "NULL", "1", "2"),
			example("EARLIEST_BY_OFFSET(x, 2)", "[1,2]", "1", "2", "3"),
			example("EARLIEST_BY_OFFSET(x, 2, FALSE)", "[1,null]", "1", "NULL", "3"),
			example("EARLIEST_BY_OFFSET(x, 0)", "error: earliestN must be 1 or greater", "1"),
		},
	}
}

func latestByOffset() *functions.Spec {
	return &functions.Spec{
		Name: "LATEST_BY_OFFSET", Kind: functions.AggregateKind, Category: category,
		Description: "The last value, or the last n values, processed for the group.",
		Aggregates:  offsetOverloads("latest", false),
		Examples: []functions.Example{
			example("LATEST_BY_OFFSET(x)", "2", "1", "2", "NULL"),
			example("LATEST_BY_OFFSET(x, FALSE)", "null", "1", "2", "NULL"),
			example("LATEST_BY_OFFSET(x, 2)", "[2,3]", "1", "2", "3"),
			example("LATEST_BY_OFFSET(x, 2, FALSE)", "[1,null]", "0", "1", "NULL"),
			example("LATEST_BY_OFFSET(x, 0)", "error: latestN must be 1 or greater", "1"),
		},
	}
}

func offsetOverloads(name string, earliest bool) []functions.Aggregate {
	what := "The last"
	if earliest {
		what = "The first"
	}
	single := []functions.Aggregate{
		functions.NewAggregate("(T val) -> T"),
		functions.NewAggregate("(T val, literal BOOLEAN ignoreNulls) -> T"),
	}
	several := []functions.Aggregate{
		functions.NewAggregate("(T val, literal INT " + name + "N) -> ARRAY<T>"),
		functions.NewAggregate("(T val, literal INT " + name + "N, literal BOOLEAN ignoreNulls) -> ARRAY<T>"),
	}
	for i := range single {
		o := &single[i]
		o.Description = what + " value processed; nulls are skipped unless ignoreNulls is false."
		o.ComplexState = true
		o.State = func(args []*types.Type) ([]*types.Type, error) {
			return []*types.Type{types.BigintType, args[0]}, nil
		}
		o.New = func(env *functions.Env, _ []*types.Type, literals []any) (functions.Aggregator, error) {
			return &byOffset{sequencer: newSequencer(env), earliest: earliest, ignoreNulls: flag(literals, 1)}, nil
		}
	}
	for i := range several {
		o := &several[i]
		o.Description = what + " n values processed, oldest first; nulls are skipped unless ignoreNulls is false."
		o.ComplexState = true
		o.State = func(args []*types.Type) ([]*types.Type, error) {
			return []*types.Type{types.ArrayOf(types.BigintType), types.ArrayOf(args[0])}, nil
		}
		o.New = func(env *functions.Env, args []*types.Type, literals []any) (functions.Aggregator, error) {
			n, _ := literals[1].(int32)
			if n < 1 {
				return nil, errors.New(name + "N must be 1 or greater")
			}
			return &nByOffset{sequencer: newSequencer(env), earliest: earliest, ignoreNulls: flag(literals, 2), n: int(n), t: args[0]}, nil
		}
	}
	return append(single, several...)
}

// flag reads a literal BOOLEAN that is true when it is absent.
func flag(literals []any, at int) bool {
	if at >= len(literals) {
		return true
	}
	v, ok := literals[at].(bool)
	return v || !ok
}

// sequencer numbers the rows in the order in which they are processed. The numbers are compared only when two session
// windows merge.
type sequencer struct {
	next func() int64
	last int64
}

func newSequencer(env *functions.Env) *sequencer {
	if env == nil {
		return &sequencer{}
	}
	return &sequencer{next: env.Sequence}
}

// saw takes note of a number found in state, so that later ones are larger.
func (s *sequencer) saw(n int64) { s.last = max(s.last, n) }

func (s *sequencer) number() int64 {
	if s.next != nil {
		return s.next()
	}
	s.last++
	return s.last
}

// byOffset keeps one value. State: its number (null while there is none) and the value.
type byOffset struct {
	streamOnly
	*sequencer
	earliest, ignoreNulls bool
}

func (*byOffset) Init(state []types.Slot) { state[0], state[1] = types.NullSlot, types.NullSlot }

func (b *byOffset) Add(state, args []types.Slot) error {
	if args[0].Null && b.ignoreNulls {
		return nil
	}
	if !state[0].Null {
		if b.earliest {
			return nil
		}
		b.saw(state[0].I)
	}
	state[0], state[1] = types.IntSlot(b.number()), functions.Keep(args[0])
	return nil
}

func (b *byOffset) Merge(dst, src []types.Slot) error {
	if src[0].Null {
		return nil
	}
	b.saw(src[0].I)
	if dst[0].Null || (src[0].I < dst[0].I) == b.earliest {
		dst[0], dst[1] = src[0], functions.Keep(src[1])
	}
	return nil
}

func (*byOffset) Result(state []types.Slot) (types.Slot, error) { return state[1], nil }

// nByOffset keeps up to n values. State: their numbers and the values, both oldest first.
type nByOffset struct {
	streamOnly
	*sequencer
	earliest, ignoreNulls bool
	n                     int
	t                     *types.Type
}

func (*nByOffset) Init(state []types.Slot) { state[0], state[1] = emptyList(), emptyList() }

func (b *nByOffset) Add(state, args []types.Slot) error {
	if args[0].Null && b.ignoreNulls {
		return nil
	}
	numbers, values := list(state[0]), list(state[1])
	full := len(numbers) >= b.n
	if full && b.earliest {
		return nil
	}
	if len(numbers) > 0 {
		if last, ok := numbers[len(numbers)-1].(int64); ok {
			b.saw(last)
		}
	}
	from := 0
	if full {
		from = len(numbers) - b.n + 1
	}
	state[0] = types.RefSlot(appended(numbers[from:], b.number()))
	state[1] = types.RefSlot(appended(values[from:], args[0].Boxed(b.t)))
	return nil
}

// appended copies items and adds one: boxed values are immutable.
func appended(items []any, v any) []any {
	out := make([]any, len(items)+1)
	copy(out, items)
	out[len(items)] = v
	return out
}

func (b *nByOffset) Merge(dst, src []types.Slot) error {
	type entry struct {
		number int64
		value  any
	}
	var all []entry
	for _, side := range [][]types.Slot{dst, src} {
		numbers, values := list(side[0]), list(side[1])
		for i := range numbers {
			n, _ := numbers[i].(int64)
			b.saw(n)
			all = append(all, entry{n, values[i]})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].number < all[j].number })
	if len(all) > b.n {
		if b.earliest {
			all = all[:b.n]
		} else {
			all = all[len(all)-b.n:]
		}
	}
	numbers, values := make([]any, len(all)), make([]any, len(all))
	for i, e := range all {
		numbers[i], values[i] = e.number, e.value
	}
	dst[0], dst[1] = types.RefSlot(numbers), types.RefSlot(values)
	return nil
}

func (*nByOffset) Result(state []types.Slot) (types.Slot, error) { return state[1], nil }
