package aggregate_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/functions/aggregate"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// group is one aggregate at work on one group.
type group struct {
	t      *testing.T
	agg    functions.Aggregator
	args   []*types.Type
	result *types.Type
	state  []types.Slot
}

func open(t *testing.T, env *functions.Env, name string, args []*types.Type, literals ...any) *group {
	t.Helper()
	for _, s := range aggregate.Specs() {
		if s.Name != name {
			continue
		}
		r, err := s.ResolveAggregate(args)
		if err != nil {
			t.Fatal(err)
		}
		o := s.Aggregates[r.Overload]
		agg, err := o.New(env, r.Args, literals)
		if err != nil {
			t.Fatal(err)
		}
		g := &group{t: t, agg: agg, args: args, result: r.Result}
		stateTypes, err := o.State(args)
		if err != nil {
			t.Fatal(err)
		}
		g.state = make([]types.Slot, len(stateTypes))
		agg.Init(g.state)
		return g
	}
	t.Fatalf("no aggregate %s", name)
	return nil
}

// another is a second group of the same instance.
func (g *group) another() *group {
	h := *g
	h.state = make([]types.Slot, len(g.state))
	h.agg.Init(h.state)
	return &h
}

func (g *group) row(values ...any) []types.Slot {
	slots := make([]types.Slot, len(g.args))
	for i, v := range values {
		slots[i] = types.Unbox(g.args[i], v)
	}
	return slots
}

func (g *group) add(values ...any) *group {
	g.t.Helper()
	if err := g.agg.Add(g.state, g.row(values...)); err != nil {
		g.t.Fatal(err)
	}
	return g
}

func (g *group) undo(values ...any) *group {
	g.t.Helper()
	if err := g.agg.Undo(g.state, g.row(values...)); err != nil {
		g.t.Fatal(err)
	}
	return g
}

func (g *group) merge(src *group) *group {
	g.t.Helper()
	if err := g.agg.Merge(g.state, src.state); err != nil {
		g.t.Fatal(err)
	}
	return g
}

func (g *group) want(want string) {
	g.t.Helper()
	s, err := g.agg.Result(g.state)
	if err != nil {
		g.t.Fatal(err)
	}
	if got := types.FormatBoxed(g.result, s.Boxed(g.result)); got != want {
		g.t.Errorf("got %s, want %s", got, want)
	}
}

var (
	ints    = []*types.Type{types.IntType}
	bigints = []*types.Type{types.BigintType}
	doubles = []*types.Type{types.DoubleType}
	strs    = []*types.Type{types.StringType}
)

func TestUndoTakesARowOut(t *testing.T) {
	open(t, nil, "COUNT", ints).add(int32(1)).add(nil).add(int32(2)).undo(int32(1)).undo(nil).want("1")
	open(t, nil, "COUNT", nil).add().add().undo().want("1")
	open(t, nil, "SUM", bigints).add(int64(5)).add(int64(7)).undo(int64(5)).want("7")
	open(t, nil, "SUM", []*types.Type{types.DecimalOf(4, 1)}).add(decimal(t, "5.4")).add(decimal(t, "1.1")).undo(decimal(t, "5.4")).want("1.1")
	open(t, nil, "AVG", ints).add(int32(1)).add(int32(3)).undo(int32(1)).want("3.0")
	open(t, nil, "AVG", ints).add(int32(1)).undo(int32(1)).want("0.0")
	open(t, nil, "COLLECT_LIST", ints).add(int32(1)).add(int32(2)).add(int32(1)).undo(int32(1)).want("[1, 2]")
	open(t, nil, "HISTOGRAM", strs).add("a").add("b").add("a").undo("b").undo("a").want("{a=1}")
	open(t, nil, "ATTR", ints).add(int32(1)).add(int32(2)).undo(int32(2)).want("1")
	open(t, nil, "STDDEV_SAMP", ints).add(int32(10)).add(int32(12)).add(int32(99)).undo(int32(99)).want("2.0")
	open(t, nil, "CORRELATION", []*types.Type{types.IntType, types.IntType}).
		add(int32(1), int32(10)).add(int32(2), int32(20)).add(int32(3), int32(-9)).undo(int32(3), int32(-9)).want("1.0")
	open(t, nil, "SUM_LIST", []*types.Type{types.ArrayOf(types.IntType)}).
		add([]any{int32(1), nil, int32(2)}).add([]any{int32(9)}).undo([]any{int32(9)}).want("3")
}

func TestUndoOfAnUnknownHistogramValueFails(t *testing.T) {
	g := open(t, nil, "HISTOGRAM", strs)
	if err := g.agg.Undo(g.state, g.row("a")); err == nil {
		t.Error("no error")
	}
}

func TestStreamOnlyAggregatesRefuseUndo(t *testing.T) {
	g := open(t, nil, "MAX", ints).add(int32(1))
	if err := g.agg.Undo(g.state, g.row(int32(1))); err == nil {
		t.Error("no error")
	}
}

func TestMergeJoinsSessions(t *testing.T) {
	first := open(t, nil, "COLLECT_LIST", ints).add(int32(1)).add(int32(2))
	first.merge(first.another().add(int32(3))).want("[1, 2, 3]")

	set := open(t, nil, "COLLECT_SET", ints).add(int32(1))
	set.merge(set.another().add(int32(1)).add(int32(2))).want("[1, 2]")

	top := open(t, nil, "TOPK", []*types.Type{types.IntType, types.IntType}, nil, int32(2)).add(int32(5)).add(int32(1))
	top.merge(top.another().add(int32(4)).add(int32(3))).want("[5, 4]")

	mean := open(t, nil, "AVG", doubles).add(1.0)
	mean.merge(mean.another().add(2.0).add(3.0)).want("2.0")

	most := open(t, nil, "MAX", strs).add("a")
	most.merge(most.another().add("b")).merge(most.another()).want("b")

	spread := open(t, nil, "STDDEV_SAMPLE", doubles).add(10.0).add(12.0)
	spread.merge(spread.another().add(14.0)).want("2.0")

	counts := open(t, nil, "HISTOGRAM", strs).add("a")
	counts.merge(counts.another().add("b").add("a")).want("{a=2, b=1}")
}

func TestOffsetAggregatesMergeByProcessingOrder(t *testing.T) {
	late := open(t, nil, "LATEST_BY_OFFSET", ints)
	early := late.another()
	early.add(int32(3))
	late.add(int32(1))
	// The earlier window was touched first, but the row in dst came last or first as processed.
	early.merge(late).want("1")

	first := open(t, nil, "EARLIEST_BY_OFFSET", ints)
	second := first.another()
	second.add(int32(7))
	first.add(int32(8))
	first.merge(second).want("7")

	n := open(t, nil, "LATEST_BY_OFFSET", []*types.Type{types.IntType, types.IntType}, nil, int32(2))
	other := n.another()
	n.add(int32(1))
	other.add(int32(2))
	n.add(int32(3))
	other.merge(n).want("[2, 3]")
}

// A restarted task makes new aggregators; its numbers must go on after those in state.
func TestSequenceContinuesAfterARestart(t *testing.T) {
	old := open(t, nil, "LATEST_BY_OFFSET", ints)
	for i := range 10 {
		old.add(int32(i))
	}
	restarted := open(t, nil, "LATEST_BY_OFFSET", ints)
	copy(restarted.state, old.state)
	restarted.add(int32(99))
	restarted.merge(old).want("99")

	next := int64(1000)
	env := &functions.Env{Sequence: func() int64 { next++; return next }}
	hosted := open(t, env, "LATEST_BY_OFFSET", ints).add(int32(5))
	hosted.merge(old).want("5")
}

func TestKeptBytesAreCopies(t *testing.T) {
	for _, name := range []string{"MAX", "MIN", "LATEST_BY_OFFSET", "EARLIEST_BY_OFFSET", "COLLECT_LIST"} {
		g := open(t, nil, name, strs)
		buf := []byte("first")
		if err := g.agg.Add(g.state, []types.Slot{{B: buf}}); err != nil {
			t.Fatal(err)
		}
		copy(buf, "XXXXX")
		s, err := g.agg.Result(g.state)
		if err != nil {
			t.Fatal(err)
		}
		if got := types.FormatBoxed(g.result, s.Boxed(g.result)); !strings.Contains(got, "first") {
			t.Errorf("%s holds %s after the fetch buffer was reused", name, got)
		}
	}
}

func TestCollectedArraysDoNotChangeUnderReaders(t *testing.T) {
	g := open(t, nil, "COLLECT_LIST", ints)
	var seen []types.Slot
	for i := range 20 {
		g.add(int32(i))
		s, err := g.agg.Result(g.state)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, s)
	}
	for i, s := range seen {
		items := s.R.([]any)
		if len(items) != i+1 || items[i] != int32(i) {
			t.Errorf("result %d is now %v", i, items)
		}
	}
}

func TestCollectLimit(t *testing.T) {
	env := &functions.Env{Properties: map[string]string{"ksql.functions.collect_list.limit": "2", "ksql.functions.collect_set.limit": "-1"}}
	open(t, env, "COLLECT_LIST", ints).add(int32(1)).add(int32(2)).add(int32(3)).want("[1, 2]")
	open(t, env, "COLLECT_SET", ints).add(int32(1)).add(int32(2)).add(int32(1)).want("[1, 2]")
}

func TestHistogramCountsAThousandValues(t *testing.T) {
	g := open(t, nil, "HISTOGRAM", strs)
	for i := range 1005 {
		g.add(fmt.Sprint(i))
	}
	g.add("0")
	s, err := g.agg.Result(g.state)
	if err != nil {
		t.Fatal(err)
	}
	m := s.R.(*types.MapValue)
	if n, _ := m.Get("0"); len(m.Keys) != 1000 || n != int64(2) {
		t.Errorf("%d keys, %v for 0", len(m.Keys), n)
	}
}

func TestCountDistinctEstimates(t *testing.T) {
	for _, n := range []int{0, 1, 900, 2000, 50_000} {
		g := open(t, nil, "COUNT_DISTINCT", bigints)
		half := g.another()
		for i := range n {
			g.add(int64(i)).add(int64(i))
			if i >= n/2 {
				half.add(int64(i + n/2))
			}
		}
		within(t, g, n)
		within(t, g.merge(half), n+n/2)
	}
}

func within(t *testing.T, g *group, want int) {
	t.Helper()
	s, err := g.agg.Result(g.state)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(float64(s.I)-float64(want)) > 0.03*float64(want)+1 {
		t.Errorf("estimated %d, want about %d", s.I, want)
	}
}

// The figures are those of ksqlDB's own cases.
func TestVarianceOfLargeNumbers(t *testing.T) {
	open(t, nil, "STDDEV_SAMP", bigints).add(int64(2147483648)).add(int64(100)).want("2.3058427944653343E18")
	open(t, nil, "STDDEV_SAMP", bigints).add(int64(2147483648)).add(int64(100)).add(int64(-2)).want("1.5372286026580004E18")
	open(t, nil, "STDDEV_SAMP", doubles).add(-1.8).add(2.3).want("8.405")
	open(t, nil, "STDDEV_SAMPLE", ints).add(int32(0)).add(int32(10)).want("7.0710678118654755")
}

func TestSumWrapsAndDecimalsStop(t *testing.T) {
	open(t, nil, "SUM", ints).add(int32(math.MaxInt32)).add(int32(1)).want("-2147483648")
	open(t, nil, "SUM", bigints).add(int64(math.MaxInt64)).add(int64(1)).want("-9223372036854775808")
	g := open(t, nil, "SUM", []*types.Type{types.DecimalOf(3, 1)}).add(decimal(t, "50.9"))
	err := g.agg.Add(g.state, g.row(decimal(t, "50.8")))
	want := "Numeric field overflow: A field with precision 3 and scale 1 must round to an absolute value less than 10^2. Got 101.7"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func decimal(t *testing.T, s string) any {
	t.Helper()
	d, err := types.ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func BenchmarkCount(b *testing.B) { benchmarkAdd(b, "COUNT", bigints) }
func BenchmarkSum(b *testing.B)   { benchmarkAdd(b, "SUM", bigints) }
func BenchmarkMax(b *testing.B)   { benchmarkAdd(b, "MAX", bigints) }
func BenchmarkAvg(b *testing.B)   { benchmarkAdd(b, "AVG", bigints) }

func benchmarkAdd(b *testing.B, name string, args []*types.Type) {
	for _, s := range aggregate.Specs() {
		if s.Name != name {
			continue
		}
		r, err := s.ResolveAggregate(args)
		if err != nil {
			b.Fatal(err)
		}
		agg, err := s.Aggregates[r.Overload].New(nil, args, nil)
		if err != nil {
			b.Fatal(err)
		}
		state := make([]types.Slot, 2)
		agg.Init(state)
		row := []types.Slot{types.IntSlot(3)}
		b.ReportAllocs()
		for b.Loop() {
			if err := agg.Add(state, row); err != nil {
				b.Fatal(err)
			}
		}
	}
}
