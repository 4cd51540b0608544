package position_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// foreignKeyPlan joins left with right. Stage 0 reads right and the subscriptions, stage 1 left and the answers.
func foreignKeyPlan(query string) *physical.Plan {
	return &physical.Plan{QueryID: query, Stages: []*physical.Stage{
		{
			ID: 0, Partitions: 2, Inputs: []*physical.Input{{Topic: "right", Table: true}, {Topic: "~subscriptions", Repartition: true}},
			Root: &physical.ForeignKeyAnswer{Topic: "~answers", R: &physical.Source{Input: 0}, Subscriptions: &physical.Source{Input: 1}},
		},
		{
			ID: 1, Partitions: 2, Inputs: []*physical.Input{{Topic: "left", Table: true}, {Topic: "~answers", Repartition: true}},
			Root: &physical.Sink{Topic: "out", In: &physical.ForeignKeyJoin{Topic: "~subscriptions", L: &physical.Source{Input: 0}, Answers: &physical.Source{Input: 1}}},
		},
	}}
}

// A change of the left table is waited for until it has come back, and the join is no circle.
func TestForeignKeyAwait(t *testing.T) {
	t.Parallel()
	g := position.NewGraph([]*physical.Plan{foreignKeyPlan("q"), plan("next", "out > copy")})
	for _, c := range []struct{ name, topics, want, at, asked string }{
		{"the left table", "left ~answers", "left:0:5", "left:0:5,~answers:0:30,~answers:1:40", "q ~subscriptions q ~answers"},
		{"the right table", "left ~answers", "right:1:6", "~answers:0:30,~answers:1:40", "q ~answers"},
		{"what another query makes of it", "out", "left:0:5", "out:0:50", "q ~subscriptions q ~answers q out"},
		{"nothing of it", "left ~answers", "copy:0:3", "", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{
				committed: map[string]position.Vector{"q": {"left": {0: 5}, "~subscriptions": {0: 10, 1: 20}, "right": {1: 6}, "~answers": {0: 30, 1: 40}}},
				ends:      position.Vector{"~subscriptions": {0: 10, 1: 20}, "~answers": {0: 30, 1: 40}, "out": {0: 50}},
			}
			at, err := g.Await(t.Context(), f, strings.Fields(c.topics), positions(t, c.want))
			if err != nil {
				t.Fatal(err)
			}
			if want := positions(t, c.at); !equal(at, want) {
				t.Errorf("%s: at %v; wanted %v", c.name, at, want)
			}
			if asked := strings.Join(f.asked, " "); asked != c.asked {
				t.Errorf("%s: asked %q; wanted %q", c.name, asked, c.asked)
			}
		})
	}
	if !g.Feeds("left", g.Inputs("q", 1)) || !g.Feeds("right", g.Inputs("q", 1)) || g.Feeds("copy", g.Inputs("q", 1)) {
		t.Error("the join's sources do not feed it")
	}
}

// The rows contain as much of the left table as has come back, however far it has been read.
func TestForeignKeySources(t *testing.T) {
	t.Parallel()
	g := position.NewGraph([]*physical.Plan{foreignKeyPlan("q")})
	f := &fake{committed: map[string]position.Vector{}}
	trails := position.NewTrails(f)
	synctest.Test(t, func(t *testing.T) {
		for i := range int64(3) {
			time.Sleep(time.Second)
			f.committed["q"] = position.Vector{"left": {0: 10 * i}, "~subscriptions": {0: 100 * i}, "right": {0: i}, "~answers": {0: 1000 * i}}
			f.ends = position.Vector{"~subscriptions": {0: 100 * i}, "~answers": {0: 1000 * i}}
			if err := trails.Note(t.Context(), g, "q", 1); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct{ at, want, contained string }{
			{"left:0:99,~answers:0:2000", "left:0:20,right:0:2", "~answers:0:2000"},
			{"left:0:99,~answers:0:1999", "left:0:10,right:0:1", "~answers:0:1999"},
			{"left:0:99", "", ""},
		} {
			at := positions(t, c.at)
			if got, want := trails.Sources(g, "q", 1, at), positions(t, c.want); !equal(got, want) {
				t.Errorf("%s: %v; wanted %v", c.at, got, want)
			}
			if got, want := g.Contained("q", 1, at), positions(t, c.contained); !equal(got, want) {
				t.Errorf("%s contains %v; wanted %v", c.at, got, want)
			}
		}
	})
	other := positions(t, "left:0:9")
	if got := g.Contained("q", 0, other); !equal(got, other) {
		t.Errorf("another stage contains %v; wanted %v", got, other)
	}
}
