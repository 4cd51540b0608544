package task_test

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

func countStage(w *types.WindowSpec) *physical.Stage {
	in, src := stream("in", 0)
	agg := countAndSum(src, w)
	kind := physical.KeyedStore
	switch {
	case w == nil:
	case w.Type == types.Session:
		kind = physical.SessionStore
	default:
		kind = physical.WindowedStore
	}
	return stageOf(sinkOf(agg, true), []*physical.Input{in}, &physical.Store{
		Name: "aggregate", Kind: kind, Changelog: "changelog", Window: w,
	})
}

func TestCountEmitsEveryUpdateWithoutCache(t *testing.T) {
	h := newHarness(t, countStage(nil), 0)
	h.feed(0, "a", `{"AMOUNT":1}`, 10)
	h.feed(0, "a", `{"AMOUNT":2}`, 5)
	h.feed(0, "b", `{"AMOUNT":null}`, 7)
	h.expect(
		`OUT "a" "{\"N\":1,\"TOTAL\":1}" @10`,
		`OUT "a" "{\"N\":2,\"TOTAL\":3}" @10`,
		`OUT "b" "{\"N\":1,\"TOTAL\":0}" @7`,
	)
}

func TestCountWithCacheEmitsTheLatestAtFlush(t *testing.T) {
	h := newHarness(t, countStage(nil), 1<<20)
	for range 3 {
		h.feed(0, "b", `{"AMOUNT":1}`, 3)
		h.feed(0, "a", `{"AMOUNT":2}`, 4)
	}
	h.expect()
	h.commit()
	h.expect(
		`OUT "b" "{\"N\":3,\"TOTAL\":3}" @3`,
		`OUT "a" "{\"N\":3,\"TOTAL\":6}" @4`,
	)
	h.feed(0, "a", `{"AMOUNT":2}`, 1)
	h.commit()
	h.expect(`OUT "a" "{\"N\":4,\"TOTAL\":8}" @4`)
	h.commit()
	h.expect()
}

func TestAccountingCloses(t *testing.T) {
	h := newHarness(t, countStage(&types.WindowSpec{Type: types.Tumbling, SizeMs: 10, AdvanceMs: 10}), 0)
	h.feed(0, "a", `{"AMOUNT":1}`, 5)
	h.feed(0, "", `{"AMOUNT":1}`, 5)
	h.feed(0, "a", ``, 5)
	h.feed(0, "a", `{"AMOUNT":`, 5)
	h.feed(0, "a", `{"AMOUNT":1}`, 25)
	h.feed(0, "a", `{"AMOUNT":1}`, 3)
	h.feed(0, "a", `{"AMOUNT":1}`, -3)
	a := h.task.Accounting(0)
	if a.Read != 7 || a.Merged != 2 || a.NullKey != 1 || a.Filtered != 1 || a.Errors != 2 || a.Late != 1 || !a.Closed() {
		t.Errorf("%+v", a)
	}
	if len(h.errs) != 2 {
		t.Errorf("%q", h.errs)
	}
}

func TestSessionsMerge(t *testing.T) {
	h := newHarness(t, countStage(&types.WindowSpec{Type: types.Session, SizeMs: 10, GraceMs: 100}), 0)
	out := func(value string, start, end, at string) string {
		return `OUT "a` + `\x00\x00\x00\x00\x00\x00\x00` + end + `\x00\x00\x00\x00\x00\x00\x00` + start + `" ` + value + ` @` + at
	}
	h.feed(0, "a", `{"AMOUNT":1}`, 32)
	h.feed(0, "a", `{"AMOUNT":2}`, 48)
	h.expect(
		out(`"{\"N\":1,\"TOTAL\":1,\"WINDOWSTART\":32,\"WINDOWEND\":32}"`, " ", " ", "32"),
		out(`"{\"N\":1,\"TOTAL\":2,\"WINDOWSTART\":48,\"WINDOWEND\":48}"`, "0", "0", "48"),
	)
	h.feed(0, "a", `{"AMOUNT":4}`, 40)
	h.expect(
		out(`null`, " ", " ", "32"),
		out(`null`, "0", "0", "48"),
		out(`"{\"N\":3,\"TOTAL\":7,\"WINDOWSTART\":32,\"WINDOWEND\":48}"`, " ", "0", "48"),
	)
}

func TestAbortForgetsTheInterval(t *testing.T) {
	h := newHarness(t, countStage(nil), 1<<20)
	h.feed(0, "a", `{"AMOUNT":1}`, 3)
	h.commit()
	h.feed(0, "a", `{"AMOUNT":1}`, 3)
	h.db.Abort(h.state)
	h.task.Abort()
	h.out = nil
	h.commit()
	h.expect()
	h.feed(0, "a", `{"AMOUNT":5}`, 3)
	h.commit()
	h.expect(`OUT "a" "{\"N\":2,\"TOTAL\":6}" @3`)
}

func benchmarkCount(b *testing.B, w *types.WindowSpec) {
	h := newHarness(b, countStage(w), 1<<20)
	benchmarkStep(b, h)
}

func BenchmarkCountByKey(b *testing.B) { benchmarkCount(b, nil) }
func BenchmarkTumblingSum(b *testing.B) {
	benchmarkCount(b, &types.WindowSpec{Type: types.Tumbling, SizeMs: 60_000, AdvanceMs: 60_000})
}

// BenchmarkCountInterval is the count with 1000 keys in each interval, flush, changelog and commit included.
func BenchmarkCountInterval(b *testing.B) {
	h := newHarness(b, countStage(nil), 1<<20)
	h.quiet = true
	batch := messages(1000)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(batch) {
		if err := h.task.Step(0, batch); err != nil {
			b.Fatal(err)
		}
		h.commit()
	}
}

// TestExpiredWindowsAreStillEmitted: a stretch of time longer than the retention may lie within one interval.
func TestExpiredWindowsAreStillEmitted(t *testing.T) {
	h := newHarness(t, countStage(&types.WindowSpec{Type: types.Tumbling, SizeMs: 10, AdvanceMs: 10, RetentionMs: 10}), 1<<20)
	h.feed(0, "a", `{"AMOUNT":1}`, 3)
	h.feed(0, "a", `{"AMOUNT":2}`, 1003)
	h.commit()
	if len(h.out) != 2 {
		t.Errorf("%q", h.out)
	}
}
