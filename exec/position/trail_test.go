package position_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

func TestSources(t *testing.T) {
	t.Parallel()
	g := position.NewGraph([]*physical.Plan{plan("q", "orders > ~r", "~r users > ~s", "~s > totals"), plan("p", "users > clicks")})
	f := &fake{committed: map[string]position.Vector{"q": {}}}
	trails := position.NewTrails(f)
	synctest.Test(t, func(t *testing.T) {
		// at is how far the first and the second stage had read, and the ends they had written to then.
		at := func(orders, r, users, s int64) {
			time.Sleep(time.Second)
			f.committed["q"] = position.Vector{"orders": {0: orders}, "~r": {0: r}, "users": {0: users, 1: 2}}
			f.ends = position.Vector{"~r": {0: r, 1: 0}, "~s": {0: s, 1: 10 * s}}
			if err := trails.Note(t.Context(), g, "q", 2); err != nil {
				t.Fatal(err)
			}
		}
		at(10, 100, 5, 1000)
		at(20, 200, 6, 2000)
		asked := len(f.asked)
		if err := trails.Note(t.Context(), g, "q", 2); err != nil || len(f.asked) != asked {
			t.Errorf("facts of a moment ago were looked up again: %v, %v", f.asked[asked:], err)
		}
		for _, c := range []struct{ name, state, want string }{
			{"all of it", "~s:0:2000,~s:1:20000", "orders:0:20,users:0:6,users:1:2"},
			{"more than is known", "~s:0:2500,~s:1:50000", "orders:0:20,users:0:6,users:1:2"},
			{"less than the last", "~s:0:1999,~s:1:50000", "orders:0:10,users:0:5,users:1:2"},
			{"one partition alone", "~s:1:10000", "orders:0:10,users:0:5,users:1:2"},
			{"one partition behind the other", "~s:0:2000,~s:1:19999", "orders:0:10,users:0:5,users:1:2"},
			{"less than anything known", "~s:0:999,~s:1:50000", ""},
			{"nothing read yet", "~s:0:0,~s:1:0", ""},
			{"nothing asked", "", ""},
		} {
			if got, want := trails.Sources(g, "q", 2, positions(t, c.state)), positions(t, c.want); !equal(got, want) {
				t.Errorf("%s: %v; wanted %v", c.name, got, want)
			}
		}
		if got, want := trails.Sources(g, "q", 1, positions(t, "~r:0:150,~r:1:0,users:0:9")), positions(t, "orders:0:10,users:0:9"); !equal(got, want) {
			t.Errorf("in the middle: %v; wanted %v", got, want)
		}
		if got := trails.Sources(g, "p", 0, positions(t, "users:0:3")); !equal(got, positions(t, "users:0:3")) {
			t.Errorf("without repartition: %v", got)
		}
		for i := range int64(200) {
			at(100+i, 1000+i, 7, 10_000+i)
		}
		for i, want := range map[int64]bool{199: true, 150: true, 0: true} {
			_, ok := trails.Sources(g, "q", 2, position.Vector{"~s": {0: 10_000 + i}}).Get("orders", 0)
			if ok != want {
				t.Errorf("facts of %d steps ago are known: %v", 199-i, ok)
			}
		}
	})
}
