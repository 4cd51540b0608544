package task_test

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/exec/task"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

func TestChooserKeepsTheOrderOfTime(t *testing.T) {
	const forever = 1<<63 - 1
	_, left := stream("left", 0)
	_, right := stream("right", 1)
	joined := &physical.Stage{
		Inputs: []*physical.Input{{Topic: "left"}, {Topic: "right"}},
		Root:   &physical.Sink{In: &physical.StreamStreamJoin{L: left, R: right}},
	}
	enriched := &physical.Stage{
		Inputs: []*physical.Input{{Topic: "left"}, {Topic: "right", Table: true}},
		Root:   &physical.Sink{In: &physical.StreamTableJoin{L: left, R: right}},
	}
	ready := func(at int64) task.Head { return task.Head{Ready: true, Time: at, Position: 9} }
	lagging, idle := task.Head{Lagging: true, Position: 9}, task.Head{Position: 9}
	for _, c := range []struct {
		name  string
		stage *physical.Stage
		ends  []int64
		heads []task.Head
		input int
		until int64
		ok    bool
	}{
		{"the oldest", joined, []int64{0, 0}, []task.Head{ready(5), ready(3)}, 1, 4, true},
		{"equal times go by index", joined, []int64{0, 0}, []task.Head{ready(5), ready(5)}, 0, 5, true},
		{"tables first at equal times", enriched, []int64{0, 0}, []task.Head{ready(5), ready(5)}, 1, 5, true},
		{"the stream up to before the table's head", enriched, []int64{0, 0}, []task.Head{ready(3), ready(5)}, 0, 4, true},
		{"an idle input is not waited for", joined, []int64{0, 0}, []task.Head{ready(5), idle}, 0, forever, true},
		{"a lagging one is", joined, []int64{0, 0}, []task.Head{ready(5), lagging}, 0, 0, false},
		{"the table is loaded first", enriched, []int64{0, 20}, []task.Head{ready(1), ready(50)}, 1, forever, true},
		{"and waited for", enriched, []int64{0, 20}, []task.Head{ready(1), idle}, 0, 0, false},
		{"a loaded table is not", enriched, []int64{0, 9}, []task.Head{ready(1), idle}, 0, forever, true},
		{"nothing there", joined, []int64{0, 0}, []task.Head{idle, idle}, 0, 0, false},
	} {
		input, until, ok := task.NewChooser(c.stage, c.ends).Next(c.heads)
		if ok != c.ok || ok && (input != c.input || until != c.until) {
			t.Errorf("%s: got %d until %d, %v; want %d until %d, %v", c.name, input, until, ok, c.input, c.until, c.ok)
		}
	}
}
