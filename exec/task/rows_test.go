package task_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// above is AMOUNT > n.
func above(t *physical.RowType, n int64) expr.Expr {
	return &expr.Compare{Op: expr.Greater, L: column(t, 2), R: &expr.Literal{Value: n, T: types.BigintType}}
}

func filterStage(n int64, table bool, store string) *physical.Stage {
	in, src := stream("in", 0)
	in.Table, src.Type.Table, src.Store = table, table, store
	f := &physical.Filter{Name: "filter", In: src, Cond: above(src.Out(), n)}
	sink := sinkOf(f, table)
	sink.ForwardKey = true
	var stores []*physical.Store
	if store != "" {
		stores = []*physical.Store{{Name: store, Kind: physical.KeyedStore, Changelog: "c"}}
	}
	return stageOf(sink, []*physical.Input{in}, stores...)
}

func TestStreamFilterDropsNullValues(t *testing.T) {
	h := newHarness(t, filterStage(3, false, ""), 0)
	h.feed(0, "a", `{"AMOUNT":5}`, 1)
	h.feed(0, "a", `{"AMOUNT":2}`, 2)
	h.feed(0, "a", `{}`, 3)
	h.feed(0, "a", ``, 4)
	h.feed(0, "", `{"AMOUNT":9}`, 5)
	h.expect(
		`OUT "a" "{\"NAME\":null,\"AMOUNT\":5}" @1`,
		`OUT null "{\"NAME\":null,\"AMOUNT\":9}" @5`,
	)
}

func TestTableFilterSendsTombstones(t *testing.T) {
	h := newHarness(t, filterStage(3, true, "t"), 0)
	h.feed(0, "a", `{"AMOUNT":2}`, 1)
	h.feed(0, "a", `{"AMOUNT":5}`, 2)
	h.feed(0, "a", `{"AMOUNT":1}`, 3)
	h.feed(0, "a", `{"AMOUNT":0}`, 4)
	h.feed(0, "a", ``, 5)
	h.expect(`OUT "a" "{\"NAME\":null,\"AMOUNT\":5}" @2`, `OUT "a" null @3`)

	untracked := newHarness(t, filterStage(3, true, ""), 0)
	untracked.feed(0, "a", `{"AMOUNT":2}`, 1)
	untracked.expect(`OUT "a" null @1`)
}

func TestProjectNullsTheFailingColumn(t *testing.T) {
	in, src := stream("in", 0)
	ten := &expr.Literal{Value: int64(10), T: types.BigintType}
	p := &physical.Project{
		Name: "project", In: src,
		Exprs: []expr.Expr{
			column(src.Out(), 0), column(src.Out(), 1), &expr.Arith{Op: expr.Divide, L: ten, R: column(src.Out(), 2), T: types.BigintType},
		},
		Type: physical.RowType{Key: 1, Columns: []types.Column{
			{Name: "ID", Type: types.StringType}, {Name: "NAME", Type: types.StringType}, {Name: "SHARE", Type: types.BigintType},
		}},
	}
	h := newHarness(t, stageOf(sinkOf(p, false), []*physical.Input{in}), 0)
	h.feed(0, "a", `{"NAME":"x","AMOUNT":5}`, 1)
	h.feed(0, "a", `{"NAME":"x","AMOUNT":0}`, 1)
	h.feed(0, "a", ``, 1)
	h.expect(
		`OUT "a" "{\"NAME\":\"x\",\"SHARE\":2}" @1`, `OUT "a" "{\"NAME\":\"x\",\"SHARE\":null}" @1`, `OUT "a" null @1`,
	)
	if len(h.errs) != 1 || !strings.Contains(h.errs[0], "`SHARE`") || !strings.HasPrefix(h.errs[0], "recordProcessingError in-0@1 project") {
		t.Errorf("%q", h.errs)
	}
}

func TestTimestampColumn(t *testing.T) {
	stage := filterStage(-1, false, "")
	stage.Inputs[0].Timestamp = &physical.Timestamp{Column: "NAME", Format: "yyyy-MM-dd HH:mm:ss"}
	h := newHarness(t, stage, 0)
	h.feed(0, "a", `{"NAME":"1970-01-01 00:00:02","AMOUNT":5}`, 1)
	h.feed(0, "a", `{"NAME":"soon","AMOUNT":5}`, 1)
	h.feed(0, "a", `{"AMOUNT":5}`, 1)
	h.expect(`OUT "a" "{\"NAME\":\"1970-01-01 00:00:02\",\"AMOUNT\":5}" @2000`)
	if a := h.task.Accounting(0); a.Errors != 2 || len(h.errs) != 2 {
		t.Errorf("%+v %q", a, h.errs)
	}
}

func TestSuppressEmitsClosedWindowsOnce(t *testing.T) {
	in, src := stream("in", 0)
	w := &types.WindowSpec{Type: types.Tumbling, SizeMs: 10, AdvanceMs: 10, GraceMs: 5, RetentionMs: 100}
	agg := countAndSum(src, w)
	sup := &physical.Suppress{Name: "suppress", In: agg, Window: *w, Store: "suppress"}
	stage := stageOf(sinkOf(sup, true), []*physical.Input{in},
		&physical.Store{Name: "aggregate", Kind: physical.WindowedStore, Changelog: "c", Window: w},
		&physical.Store{Name: "suppress", Kind: physical.WindowedStore, Changelog: "s", Window: w})
	h := newHarness(t, stage, 1<<20)
	h.feed(0, "b", `{"AMOUNT":1}`, 1)
	h.feed(0, "a", `{"AMOUNT":1}`, 2)
	h.feed(0, "a", `{"AMOUNT":2}`, 14)
	h.commit()
	h.feed(0, "a", `{"AMOUNT":4}`, 9)
	h.expect()
	h.feed(0, "a", `{"AMOUNT":8}`, 15)
	key := func(k, start string) string { return `OUT "` + k + `\x00\x00\x00\x00\x00\x00\x00\` + start + `"` }
	h.expect(
		key("a", "x00")+` "{\"N\":2,\"TOTAL\":5,\"WINDOWSTART\":0,\"WINDOWEND\":10}" @9`,
		key("b", "x00")+` "{\"N\":1,\"TOTAL\":1,\"WINDOWSTART\":0,\"WINDOWEND\":10}" @1`,
	)
	h.feed(0, "a", `{"AMOUNT":4}`, 9)
	h.feed(0, "c", `{"AMOUNT":4}`, 25)
	h.expect(key("a", "n") + ` "{\"N\":2,\"TOTAL\":10,\"WINDOWSTART\":10,\"WINDOWEND\":20}" @15`)
}

// TestChangesThroughARepartition runs both stages of an aggregation over a table.
func TestChangesThroughARepartition(t *testing.T) {
	in, src := stream("in", 0)
	in.Table, src.Type.Table, src.Store = true, true, "table"
	rep := &physical.Repartition{
		Name: "group", In: src, Topic: "OUT", Key: []expr.Expr{column(src.Out(), 1)}, DropNullKey: true, Value: []int{0, 1, 2},
		KeyColumns: []types.Column{{Name: "NAME", Type: types.StringType}}, ValueColumns: src.Out().Columns, KeyFormat: kafkaFormat,
		ValueFormat: jsonFormat, Partitions: 1, Changes: true,
	}
	first := newHarness(t, stageOf(rep, []*physical.Input{in}, &physical.Store{Name: "table", Kind: physical.KeyedStore, Changelog: "c"}), 0)

	grouped := &physical.Input{
		Topic: "OUT", Repartition: true, Key: rep.KeyColumns, Value: rep.ValueColumns, KeyFormat: kafkaFormat, ValueFormat: jsonFormat,
		Changes: true,
	}
	src2 := &physical.Source{
		Name: "source", Columns: []physical.SourceColumn{
			{Origin: physical.FromKey}, {Origin: physical.FromValue, Index: 1}, {Origin: physical.FromValue, Index: 2},
		},
		Type: physical.RowType{Key: 1, Table: true, Columns: []types.Column{
			rep.KeyColumns[0], {Name: "COPY", Type: types.StringType}, {Name: "AMOUNT", Type: types.BigintType},
		}},
	}
	agg := countAndSum(src2, nil)
	agg.Table = true
	second := newHarness(t, stageOf(sinkOf(agg, true), []*physical.Input{grouped},
		&physical.Store{Name: "aggregate", Kind: physical.KeyedStore, Changelog: "a"}), 0)

	first.raw = func(key, value string) { second.feed(0, key, value, 1) }
	step := func(key, value string, want ...string) {
		t.Helper()
		first.feed(0, key, value, 1)
		second.expect(want...)
	}
	step("a", `{"NAME":"x","AMOUNT":1}`, `OUT "x" "{\"N\":1,\"TOTAL\":1}" @1`)
	step("b", `{"NAME":"x","AMOUNT":2}`, `OUT "x" "{\"N\":2,\"TOTAL\":3}" @1`)
	step("a", `{"NAME":"x","AMOUNT":5}`, `OUT "x" "{\"N\":2,\"TOTAL\":7}" @1`)
	step("a", `{"NAME":"y","AMOUNT":5}`, `OUT "x" "{\"N\":1,\"TOTAL\":2}" @1`, `OUT "y" "{\"N\":1,\"TOTAL\":5}" @1`)
	step("a", ``, `OUT "y" "{\"N\":0,\"TOTAL\":0}" @1`)
	step("a", ``)
	step("c", `{"AMOUNT":5}`)
	if len(first.errs) != 1 {
		t.Errorf("%q", first.errs)
	}
}

func BenchmarkFilter(b *testing.B) {
	benchmarkStep(b, newHarness(b, filterStage(20_000, false, ""), 0))
}
func BenchmarkPassthrough(b *testing.B) {
	benchmarkStep(b, newHarness(b, filterStage(0, false, ""), 0))
}

// As the root of a stage Materialize keeps rows and sends none: each record is merged into state.
func TestMaterializeAsRoot(t *testing.T) {
	in, src := stream("in", 0)
	in.Table, src.Type.Table = true, true
	store := &physical.Store{Name: "rows", Kind: physical.KeyedStore, Changelog: "c", Key: src.Type.Columns[:1], Value: src.Type.Columns[1:]}
	h := newHarness(t, stageOf(&physical.Materialize{Name: "materialize", In: src, Store: "rows"}, []*physical.Input{in}, store), 0)
	h.feed(0, "a", `{"AMOUNT":2}`, 1)
	h.feed(0, "b", `{"AMOUNT":3}`, 2)
	h.feed(0, "a", `{"AMOUNT":4}`, 3)
	h.feed(0, "b", ``, 4)
	h.feed(0, "c", ``, 5)
	h.feed(0, "a", `broken`, 6)
	h.feed(0, "", `{"AMOUNT":5}`, 7)
	h.commit()
	h.expect()
	if a := h.task.Accounting(0); a.Read != 7 || a.Merged != 5 || a.Errors != 1 || a.NullKey != 1 {
		t.Errorf("the accounting is %+v", a)
	}
	snapshot, err := h.db.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	rows, err := snapshot.Range(1, []int32{0}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var times []int64
	for rows.Next() {
		times = append(times, rows.Timestamp())
	}
	if !slices.Equal(times, []int64{3}) {
		t.Errorf("the rows kept are of %v, want that of 3", times)
	}
}
