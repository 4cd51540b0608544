package task_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// joinedType is the key, then both sides' columns, prefixed.
func joinedType(l, r physical.Node, table bool) physical.RowType {
	t := physical.RowType{Key: 1, Table: table, Columns: []types.Column{{Name: "K", Type: l.Out().Columns[0].Type}}}
	for _, side := range []struct {
		prefix string
		node   physical.Node
	}{{"L_", l}, {"R_", r}} {
		for _, c := range side.node.Out().Columns {
			t.Columns = append(t.Columns, types.Column{Name: side.prefix + c.Name, Type: c.Type})
		}
	}
	return t
}

// short keeps the amounts of both sides of a join, so that expected rows stay readable.
func short(in physical.Node, table bool) *physical.Project {
	t := in.Out()
	return &physical.Project{
		Name: "project", In: in, Exprs: []expr.Expr{column(t, 0), column(t, 3), column(t, 6)},
		Type: physical.RowType{
			Key: 1, Table: table,
			Columns: []types.Column{t.Columns[0], {Name: "L", Type: types.BigintType}, {Name: "R", Type: types.BigintType}},
		},
	}
}

func streamJoinStage(kind physical.JoinKind, graceGiven bool) *physical.Stage {
	li, l := stream("left", 0)
	ri, r := stream("right", 1)
	j := &physical.StreamStreamJoin{
		Name: "join", Kind: kind, L: l, R: r, BeforeMs: 10, AfterMs: 10, GraceMs: 5, GraceGiven: graceGiven,
		LeftStore: "left", RightStore: "right", Type: joinedType(l, r, false),
	}
	stores := []*physical.Store{
		{Name: "left", Kind: physical.BufferStore, Changelog: "l"}, {Name: "right", Kind: physical.BufferStore, Changelog: "r"},
	}
	if graceGiven && kind != physical.Inner {
		j.OuterStore = "outer"
		stores = append(stores, &physical.Store{Name: "outer", Kind: physical.BufferStore, Changelog: "o"})
	}
	return stageOf(sinkOf(short(j, false), false), []*physical.Input{li, ri}, stores...)
}

// play feeds lines "l k 5 @3" (side, key, amount or -, time) and compares what each brings: "-> k 5 7 @9; …".
func play(t *testing.T, h *harness, script string) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(script), "\n") {
		in, want, _ := strings.Cut(line, "->")
		var side, key, amount string
		var at int64
		if _, err := fmt.Sscanf(strings.TrimSpace(in), "%1s %s %s @%d", &side, &key, &amount, &at); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		input, value := 0, ""
		if side == "r" {
			input = 1
		}
		if amount != "-" {
			value = `{"AMOUNT":` + amount + `}`
		}
		if key == "null" {
			key = ""
		}
		h.feed(input, key, value, at)
		h.commit()
		got := strings.Join(h.out, "; ")
		got = strings.NewReplacer(`OUT "`, "", `" "{\"L\":`, " ", `,\"R\":`, " ", `}"`, "", `" null`, " -").Replace(got)
		if got != strings.TrimSpace(want) {
			t.Errorf("%s\ngot  %s", line, got)
		}
		h.out = nil
	}
	h.expect()
}

func TestStreamStreamJoins(t *testing.T) {
	t.Run("inner", func(t *testing.T) {
		play(t, newHarness(t, streamJoinStage(physical.Inner, true), 0), `
			l a 1 @100
			r a 2 @110 -> a 1 2 @110
			r a 3 @111
			r b 4 @100
			l a 5 @105 -> a 5 2 @110; a 5 3 @111
			l null 6 @105
			l b - @105`)
	})
	t.Run("left at once", func(t *testing.T) {
		play(t, newHarness(t, streamJoinStage(physical.Left, false), 0), `
			l a 1 @100 -> a 1 null @100
			r a 2 @105 -> a 1 2 @105
			r b 3 @105
			l a 4 @106 -> a 4 2 @106`)
	})
	t.Run("full with grace", func(t *testing.T) {
		play(t, newHarness(t, streamJoinStage(physical.Full, true), 0), `
			l a 1 @100
			r b 2 @100
			l b 3 @104 -> b 3 2 @104
			r c 4 @115
			r d 5 @116 -> a 1 null @100
			l e 6 @131 -> c null 4 @115
			l f 7 @200 -> d null 5 @116; e 6 null @131`)
	})
}

func streamTableStage(kind physical.JoinKind) *physical.Stage {
	li, l := stream("left", 0)
	ri, r := stream("right", 1)
	ri.Table, r.Type.Table = true, true
	j := &physical.StreamTableJoin{Name: "join", Kind: kind, L: l, R: r, Store: "table", Type: joinedType(l, r, false)}
	return stageOf(sinkOf(short(j, false), false), []*physical.Input{li, ri},
		&physical.Store{Name: "table", Kind: physical.KeyedStore, Changelog: "t"})
}

func TestStreamTableJoins(t *testing.T) {
	t.Run("inner", func(t *testing.T) {
		h := newHarness(t, streamTableStage(physical.Inner), 0)
		play(t, h, `
			l a 1 @5
			r a 2 @9
			l a 3 @7 -> a 3 2 @7
			r a - @9
			l a 4 @8
			l null 5 @8
			r null 5 @8`)
		a := h.task.Accounting(0)
		if a.Filtered != 2 || a.Emitted != 1 || a.NullKey != 1 {
			t.Errorf("%+v", a)
		}
	})
	t.Run("left", func(t *testing.T) {
		play(t, newHarness(t, streamTableStage(physical.Left), 0), `
			l a 1 @5 -> a 1 null @5
			r a 2 @9
			l a 3 @7 -> a 3 2 @7`)
	})
}

func tableTableStage(kind physical.JoinKind) *physical.Stage {
	li, l := stream("left", 0)
	ri, r := stream("right", 1)
	li.Table, ri.Table, l.Type.Table, r.Type.Table = true, true, true, true
	j := &physical.TableTableJoin{
		Name: "join", Kind: kind, L: l, R: r, LeftStore: "left", RightStore: "right", Type: joinedType(l, r, true),
	}
	return stageOf(sinkOf(short(j, true), true), []*physical.Input{li, ri},
		&physical.Store{Name: "left", Kind: physical.KeyedStore, Changelog: "l"},
		&physical.Store{Name: "right", Kind: physical.KeyedStore, Changelog: "r"})
}

func TestTableTableJoins(t *testing.T) {
	for kind, want := range map[physical.JoinKind]string{
		physical.Inner: `
			l a 1 @5
			r a 2 @9 -> a 1 2 @9
			l a 3 @7 -> a 3 2 @9
			r a - @11 -> a - @11
			r a - @12
			l a - @13`,
		physical.Left: `
			l a 1 @5 -> a 1 null @5
			r a 2 @9 -> a 1 2 @9
			r a - @11 -> a 1 null @11
			l a - @13 -> a - @13
			r a 4 @14`,
		physical.Right: `
			l a 1 @5
			r a 2 @9 -> a 1 2 @9
			l a - @13 -> a null 2 @13
			r a - @14 -> a - @14`,
		physical.Full: `
			l a 1 @5 -> a 1 null @5
			r a 2 @9 -> a 1 2 @9
			l a - @13 -> a null 2 @13
			r a - @14 -> a - @14
			r a - @15`,
	} {
		t.Run(string(kind), func(t *testing.T) { play(t, newHarness(t, tableTableStage(kind), 0), want) })
	}
}

func BenchmarkStreamTableJoin(b *testing.B) {
	h := newHarness(b, streamTableStage(physical.Inner), 0)
	for i := range 1000 {
		h.feed(1, fmt.Sprint("k", i), `{"NAME":"somebody","AMOUNT":7}`, 1)
	}
	h.commit()
	benchmarkStep(b, h)
}

// benchmarkStep feeds input 0 with records of 1000 keys.
func benchmarkStep(b *testing.B, h *harness) {
	h.quiet = true
	batch := messages(1000)
	if err := h.task.Step(0, batch); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(batch) {
		if err := h.task.Step(0, batch); err != nil {
			b.Fatal(err)
		}
	}
}

// messages are records of n keys.
func messages(n int) []record.Message {
	batch := make([]record.Message, n)
	for i := range batch {
		batch[i] = record.Message{
			Key:   []byte(fmt.Sprint("k", i)),
			Value: []byte(`{"NAME":"somebody","AMOUNT":12345,"CITY":"somewhere","REST":"and so on and on"}`), Timestamp: int64(i),
		}
	}
	return batch
}
