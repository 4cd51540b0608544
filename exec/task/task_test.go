package task_test

import (
	"fmt"
	"strings"
	"testing"

	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	builtin "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/operator"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/task"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

var (
	keyColumns   = []types.Column{{Name: "ID", Type: types.StringType}}
	valueColumns = []types.Column{{Name: "NAME", Type: types.StringType}, {Name: "AMOUNT", Type: types.BigintType}}
	kafkaFormat  = physical.FormatSpec{Name: "KAFKA", Unwrapped: true}
	jsonFormat   = physical.FormatSpec{Name: "JSON"}
)

// stream is the input and the source node of a stream of ID, NAME, AMOUNT.
func stream(topic string, input int) (*physical.Input, *physical.Source) {
	in := &physical.Input{
		Topic: topic, Source: strings.ToUpper(topic), Key: keyColumns, Value: valueColumns, KeyFormat: kafkaFormat,
		ValueFormat: jsonFormat,
	}
	src := &physical.Source{
		Name: "source-" + topic, Input: input,
		Columns: []physical.SourceColumn{
			{Origin: physical.FromKey}, {Origin: physical.FromValue}, {Origin: physical.FromValue, Index: 1},
		},
		Type: physical.RowType{Columns: append(append([]types.Column{}, keyColumns...), valueColumns...), Key: 1},
	}
	return in, src
}

func column(t *physical.RowType, i int) *expr.Column {
	return &expr.Column{Index: i, Name: t.Columns[i].Name, T: t.Columns[i].Type}
}

// sinkOf writes all columns of a node to topic OUT: the key in KAFKA, the rest in JSON.
func sinkOf(in physical.Node, table bool) *physical.Sink {
	t := in.Out()
	s := &physical.Sink{
		Name: "sink", In: in, Topic: "OUT", KeyFormat: kafkaFormat, ValueFormat: jsonFormat, Table: table, Window: t.Window,
		Key: t.Columns[:t.Key], Value: t.Columns[t.Key:],
	}
	for i := range t.Columns {
		if i < t.Key {
			s.KeyIndex = append(s.KeyIndex, i)
		} else {
			s.ValueIndex = append(s.ValueIndex, i)
		}
	}
	return s
}

func stageOf(root physical.Node, inputs []*physical.Input, stores ...*physical.Store) *physical.Stage {
	for i, s := range stores {
		s.ID = uint16(i + 1)
	}
	return &physical.Stage{Partitions: 1, Inputs: inputs, Stores: stores, Root: root}
}

// countAndSum is SELECT ID, COUNT(*), SUM(AMOUNT) … GROUP BY ID.
func countAndSum(in physical.Node, w *types.WindowSpec) *physical.Aggregate {
	t := in.Out()
	a := &physical.Aggregate{
		Name: "aggregate", In: in, Store: "aggregate", Window: w, GroupBy: []expr.Expr{column(t, 0)},
		Calls: []physical.AggCall{
			aggregate("COUNT", types.BigintType),
			aggregate("SUM", types.BigintType, column(t, 2)),
		},
		Type: physical.RowType{
			Columns: []types.Column{
				t.Columns[0], {Name: "N", Type: types.BigintType}, {Name: "TOTAL", Type: types.BigintType},
			},
			Key: 1, Table: true,
		},
	}
	if w != nil {
		a.Type.Window = w.Type
		a.Type.Columns = append(a.Type.Columns,
			types.Column{Name: types.WindowStart, Type: types.BigintType},
			types.Column{Name: types.WindowEnd, Type: types.BigintType})
	}
	return a
}

// aggregate finds the overload for the argument types.
func aggregate(name string, result *types.Type, args ...expr.Expr) physical.AggCall {
	spec, _ := builtin.Registry().Lookup(name)
	for i, o := range spec.Aggregates {
		if len(o.Params) != len(args) {
			continue
		}
		same := true
		for j, p := range o.Params {
			same = same && types.Equal(p.Type, args[j].Type())
		}
		if same {
			return physical.AggCall{Name: name, Overload: i, Args: args, T: result}
		}
	}
	panic("no overload of " + name)
}

// harness runs one stage as the only task of a query.
type harness struct {
	tb    testing.TB
	plan  *physical.Plan
	stage *physical.Stage
	db    *state.DB
	state *state.Task
	task  *task.Task
	out   []string
	errs  []string
	next  map[int]int64
	quiet bool
	// raw takes outputs instead of out.
	raw func(key, value string)
}

func newHarness(tb testing.TB, stage *physical.Stage, cache int64) *harness {
	tb.Helper()
	plan := &physical.Plan{QueryID: "Q", Stages: []*physical.Stage{stage}}
	h := &harness{tb: tb, plan: plan, stage: stage, next: map[int]int64{}}
	specs, err := task.StoreSpecs(plan)
	if err != nil {
		tb.Fatal(err)
	}
	if len(specs) > 0 {
		h.db, err = state.Open(state.Options{Dir: "q", FS: state.NewMemFS(), Stores: specs})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = h.db.Close() })
		if h.state, err = h.db.NewTask(0, task.StoreIDs(stage), state.TaskOptions{}); err != nil {
			tb.Fatal(err)
		}
	}
	h.task, err = task.New(task.Config{
		Plan: plan, Stage: stage, State: h.state, Functions: builtin.Registry(), Formats: formats.Registry(schemas.None{}),
		Env: &functions.Env{}, CacheBytes: cache, Host: h,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func (h *harness) Output(o *operator.Output) error {
	if h.raw != nil {
		h.raw(string(o.Key), string(o.Value))
		return nil
	}
	if h.quiet {
		return nil
	}
	h.out = append(h.out, fmt.Sprintf("%s %s %s @%d", o.Topic, text(o.Key), text(o.Value), o.Timestamp))
	return nil
}

func (h *harness) Row(r *operator.Row) error {
	h.out = append(h.out, fmt.Sprintf("row tombstone=%v @%d", r.Tombstone, r.Time))
	return nil
}

func (h *harness) RecordError(e *operator.RecordError) {
	h.errs = append(h.errs, fmt.Sprintf("%s %s-%d@%d %s: %s", e.Kind, e.Topic, e.Partition, e.Offset, e.Step, e.Reason))
}

func text(b []byte) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprintf("%q", b)
}

// feed hands a record to an input: key and value, "" being null.
func (h *harness) feed(input int, key, value string, at int64) {
	h.tb.Helper()
	m := record.Message{Timestamp: at, Offset: h.next[input]}
	h.next[input]++
	if key != "" {
		m.Key = []byte(key)
	}
	if value != "" {
		m.Value = []byte(value)
	}
	if err := h.task.Step(input, []record.Message{m}); err != nil {
		h.tb.Fatal(err)
	}
}

// commit closes the interval.
func (h *harness) commit() {
	h.tb.Helper()
	if err := h.task.Flush(); err != nil {
		h.tb.Fatal(err)
	}
	if h.state == nil {
		return
	}
	if err := h.state.Changes(func(state.Change) error { return nil }); err != nil {
		h.tb.Fatal(err)
	}
	if err := h.db.Commit(state.Commit{Tasks: []*state.Task{h.state}}); err != nil {
		h.tb.Fatal(err)
	}
}

// expect compares what came out since the last call.
func (h *harness) expect(want ...string) {
	h.tb.Helper()
	if got := strings.Join(h.out, "\n"); got != strings.Join(want, "\n") {
		h.tb.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	h.out = nil
	for i := range h.stage.Inputs {
		if a := h.task.Accounting(i); !a.Closed() {
			h.tb.Errorf("input %d: the accounting is open: %+v", i, a)
		}
	}
}
