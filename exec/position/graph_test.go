package position_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// plan makes a plan of stages given as "input input > output", topics beginning with ~ being repartition topics. All have
// two partitions.
func plan(query string, stages ...string) *physical.Plan {
	p := &physical.Plan{QueryID: query}
	for i, text := range stages {
		from, to, _ := strings.Cut(text, " > ")
		st := &physical.Stage{ID: i, Partitions: 2}
		for _, topic := range strings.Fields(from) {
			st.Inputs = append(st.Inputs, &physical.Input{Topic: topic, Repartition: strings.HasPrefix(topic, "~")})
		}
		switch {
		case strings.HasPrefix(to, "~"):
			st.Root = &physical.Repartition{Topic: to}
		case to != "":
			st.Root = &physical.Sink{Topic: to}
		default:
			st.Root = &physical.Emit{}
		}
		p.Stages = append(p.Stages, st)
	}
	return p
}

// fake answers from fixed positions, and notes what it is asked.
type fake struct {
	committed map[string]position.Vector
	ends      position.Vector
	asked     []string
}

func (f *fake) Committed(_ context.Context, query string, of position.Vector) (position.Vector, error) {
	f.asked = append(f.asked, query)
	out := position.Vector{}
	for topic, partitions := range of {
		for p := range partitions {
			if at, ok := f.committed[query].Get(topic, p); ok {
				out.Set(topic, p, at)
			}
		}
	}
	return out, nil
}

func (f *fake) Ends(_ context.Context, topics ...string) (position.Vector, error) {
	f.asked = append(f.asked, topics...)
	return f.ends.Of(topics...), nil
}

func TestAwait(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		plans  []*physical.Plan
		fake   fake
		topics string
		want   string
		// at is the answer, asked what was asked on the way; err is in the error.
		at, asked, err string
	}{
		{name: "an input itself", plans: []*physical.Plan{plan("q", "orders > totals")}, topics: "orders", want: "orders:0:5", at: "orders:0:5"},
		{name: "nothing", plans: []*physical.Plan{plan("q", "orders > totals")}, topics: "orders"},
		{name: "a topic that does not lead there", plans: []*physical.Plan{plan("q", "orders > totals"), plan("r", "clicks > counts")},
			topics: "orders", want: "clicks:0:5,orders:1:2", at: "orders:1:2"},
		{name: "the start of a topic", plans: []*physical.Plan{plan("q", "orders > ~r", "~r > totals")}, topics: "~r", want: "orders:0:0"},
		{
			name: "a repartition", plans: []*physical.Plan{plan("q", "orders > ~r", "~r > totals")}, topics: "~r", want: "orders:0:5",
			fake: fake{committed: map[string]position.Vector{"q": {"orders": {0: 5, 1: 1}}}, ends: position.Vector{"~r": {0: 3, 1: 0}, "orders": {0: 9}}},
			at:   "~r:0:3,~r:1:0", asked: "q ~r",
		},
		{
			name: "a chain of queries", plans: []*physical.Plan{plan("b", "mid > ~r", "~r > totals"), plan("a", "orders > mid")}, topics: "~r", want: "orders:0:5",
			fake: fake{committed: map[string]position.Vector{"a": {"orders": {0: 7}}, "b": {"mid": {0: 30, 1: 40}}},
				ends: position.Vector{"mid": {0: 30, 1: 40}, "~r": {0: 300}}},
			at: "~r:0:300", asked: "a mid b ~r",
		},
		{
			name: "the middle of a chain", plans: []*physical.Plan{plan("a", "orders > mid"), plan("b", "mid > ~r", "~r > totals")}, topics: "~r", want: "mid:1:3",
			fake: fake{committed: map[string]position.Vector{"b": {"mid": {1: 3}}}, ends: position.Vector{"~r": {0: 300}}}, at: "~r:0:300", asked: "b ~r",
		},
		{
			name: "a join one side of which is written on the way", plans: []*physical.Plan{plan("a", "orders > rich"), plan("j", "rich users > out")},
			topics: "rich users", want: "orders:0:5,users:1:4",
			fake: fake{committed: map[string]position.Vector{"a": {"orders": {0: 5}}}, ends: position.Vector{"rich": {0: 6}}},
			at:   "rich:0:6,users:1:4", asked: "a rich",
		},
		{
			name: "a diamond", plans: []*physical.Plan{plan("j", "left right > out"), plan("l", "orders > left"), plan("r", "orders > ~m", "~m > right")},
			topics: "left right", want: "orders:0:5",
			fake: fake{committed: map[string]position.Vector{"l": {"orders": {0: 5}}, "r": {"orders": {0: 5}, "~m": {0: 8}}},
				ends: position.Vector{"left": {1: 2}, "right": {0: 4}, "~m": {0: 8}}},
			at: "left:1:2,right:0:4", asked: "l r ~m r left right",
		},
		{
			name: "two ways, one of them direct", plans: []*physical.Plan{plan("l", "orders > left"), plan("j", "left orders > out")},
			topics: "left orders", want: "orders:0:5",
			fake: fake{committed: map[string]position.Vector{"l": {"orders": {0: 5}}}, ends: position.Vector{"left": {1: 2}}},
			at:   "left:1:2,orders:0:5", asked: "l left",
		},
		{
			name: "two writers of a stream", plans: []*physical.Plan{plan("a", "orders > all"), plan("b", "returns > all"), plan("c", "all > totals")},
			topics: "all", want: "orders:0:5,returns:0:6",
			fake: fake{committed: map[string]position.Vector{"a": {"orders": {0: 5}}, "b": {"returns": {0: 6}}}, ends: position.Vector{"all": {0: 20}}},
			at:   "all:0:20", asked: "a b all",
		},
		{
			name: "written on the way and asked for", plans: []*physical.Plan{plan("a", "orders > all"), plan("c", "all > totals")}, topics: "all", want: "orders:0:5,all:0:25,all:1:3",
			fake: fake{committed: map[string]position.Vector{"a": {"orders": {0: 5}}}, ends: position.Vector{"all": {0: 20, 1: 8}}}, at: "all:0:25,all:1:8", asked: "a all",
		},
		{name: "a circle", plans: []*physical.Plan{plan("x", "orders > a"), plan("y", "a > b"), plan("z", "b > a")}, topics: "b", want: "orders:0:5",
			err: "the queries y, z write what they read from each other"},
		{name: "a circle beside the way", plans: []*physical.Plan{plan("x", "orders > b"), plan("y", "b > c"), plan("z", "c > b2"), plan("w", "b2 > c")}, topics: "b", want: "orders:0:5",
			fake: fake{committed: map[string]position.Vector{"x": {"orders": {0: 5}}}, ends: position.Vector{"b": {0: 1}}}, at: "b:0:1", asked: "x b"},
		{name: "behind", plans: []*physical.Plan{plan("q", "orders > ~r", "~r > totals")}, topics: "~r", want: "orders:0:5,orders:1:2,orders:4:1",
			fake: fake{committed: map[string]position.Vector{"q": {"orders": {0: 4, 1: 2}}}},
			err:  "query q has read topic orders, partition 0 up to offset 4 of the 5 wanted, nothing of topic orders, partition 4, up to offset 1 of which was wanted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				want, err := position.Parse(c.want)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				at, err := position.NewGraph(c.plans).Await(ctx, &c.fake, strings.Fields(c.topics), want)
				if c.err != "" {
					if err == nil || !strings.HasPrefix(err.Error(), c.err) {
						t.Errorf("error %v; wanted %s", err, c.err)
					}
					var behind *position.Behind
					if deadline := ctx.Err() != nil; errors.As(err, &behind) != deadline {
						t.Errorf("error %T at a deadline: %v", err, deadline)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if expected := positions(t, c.at); !equal(at, expected) {
					t.Errorf("at %v; wanted %v", at, expected)
				}
				if asked := strings.Join(c.fake.asked, " "); asked != c.asked {
					t.Errorf("asked %q; wanted %q", asked, c.asked)
				}
			})
		})
	}
}

// positions reads topic:partition:offset with topics that Kafka would refuse.
func positions(t *testing.T, text string) position.Vector {
	t.Helper()
	v, err := position.Parse(strings.ReplaceAll(text, "~", "internal."))
	if err != nil {
		t.Fatal(err)
	}
	out := position.Vector{}
	for topic, partitions := range v {
		for p, offset := range partitions {
			out.Set(strings.ReplaceAll(topic, "internal.", "~"), p, offset)
		}
	}
	return out
}

// TestAwaitIsCancelled: a client that has gone is no stale answer.
func TestAwaitIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := position.NewGraph([]*physical.Plan{plan("q", "a > b")}).Await(ctx, &fake{}, []string{"b"}, position.Vector{"a": {0: 1}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; wanted the context's", err)
	}
}

func TestGraph(t *testing.T) {
	t.Parallel()
	g := position.NewGraph([]*physical.Plan{plan("q", "orders > ~r", "~r users > totals"), plan("p", "clicks > ")})
	for topic, want := range map[string][2]bool{"orders": {true, true}, "~r": {true, true}, "users": {true, true}, "totals": {true, false},
		"clicks": {true, false}, "nowhere": {false, false}} {
		if got := [2]bool{g.Knows(topic), g.Feeds(topic, g.Inputs("q", 1))}; got != want {
			t.Errorf("%s is known, feeds the table: %v; wanted %v", topic, got, want)
		}
	}
	if n, ok := g.Partitions("orders"); n != 2 || !ok {
		t.Errorf("orders has %d partitions, %v", n, ok)
	}
	if n, ok := g.Partitions("totals"); ok {
		t.Errorf("totals, which nobody reads, has %d partitions", n)
	}
	if in := g.Inputs("q", 7); in != nil {
		t.Errorf("a stage that does not exist reads %v", in)
	}
}
