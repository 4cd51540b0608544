package fault

import (
	"maps"
	"slices"
	"testing"
)

// faultless is the ledger of a run in which nothing went wrong.
func faultless(n int64) *ledger {
	l := &ledger{inputs: map[int64]int{}, visits: map[session]int64{}, pulledVisits: map[session]int64{}, pulledCounts: map[string]runningCount{}, pulledSums: map[windowKey]windowSum{},
		read: map[string]int64{"Q": n}, wantRead: map[string]int64{"Q": n}}
	open := map[string]session{}
	for id := range n {
		user, at := userOf(id), timeOf(id)
		s, ok := open[user]
		before := l.visits[s]
		if delete(l.visits, s); !ok || s.end < at-silence/2 {
			if ok {
				l.visits[s] = before
			}
			s, before = session{user, at, at}, 0
		}
		s.end = at
		l.visits[s], open[user] = before+1, s
		l.paired = append(l.paired, id)
		l.inputs[id]++
		l.acked = append(l.acked, id)
		c := l.pulledCounts[groupOf(id)]
		c = runningCount{groupOf(id), c.n + 1, c.total + amountOf(id), id}
		l.pulledCounts[c.group] = c
		l.counts = append(l.counts, c)
		l.joined = append(l.joined, joinRow{userOf(id), id, regionOf(userOf(id))})
		k := windowKey{groupOf(id), windowOf(id)}
		sum := l.pulledSums[k]
		sum = windowSum{k, sum.n + 1, sum.total + amountOf(id)}
		l.pulledSums[k] = sum
		l.sums = append(l.sums, sum)
	}
	maps.Copy(l.pulledVisits, l.visits)
	return l
}

// TestCheckerFindsWhatIsWrong is the control of all other tests here: a ledger in which one thing was changed must not pass.
func TestCheckerFindsWhatIsWrong(t *testing.T) {
	const n = 2*burst + 1000
	if f := faultless(n).check(); len(f.list) > 0 {
		t.Fatalf("a faultless run does not pass: %v", f.list)
	}
	tests := map[string]struct {
		doctor func(*ledger)
		want   string
	}{
		"an output lost":           {func(l *ledger) { l.joined = slices.Delete(l.joined, 777, 778) }, "lost"},
		"an output twice":          {func(l *ledger) { l.joined = append(l.joined, l.joined[5]) }, "duplicated"},
		"an output of nothing":     {func(l *ledger) { l.joined = append(l.joined, joinRow{userOf(n), n, regionOf(userOf(n))}) }, "invented"},
		"a wrong partner":          {func(l *ledger) { l.joined[9].region = "r99" }, "wrong join"},
		"a count skipped":          {func(l *ledger) { l.counts = slices.Delete(l.counts, 500, 501) }, "sequence"},
		"a count repeated":         {func(l *ledger) { l.counts = append(l.counts, l.counts[len(l.counts)-1]) }, "sequence"},
		"two counts in one step":   {func(l *ledger) { l.counts[n-1].n++ }, "sequence"},
		"a total wrong":            {func(l *ledger) { l.counts[n-1].total++ }, "sum"},
		"an input counted twice":   {func(l *ledger) { l.counts[n-1].lastID -= groups }, "duplicated"},
		"an input in another key":  {func(l *ledger) { l.counts[n-1].lastID-- }, "wrong group"},
		"a window's sum wrong":     {func(l *ledger) { l.sums[n-1].total++ }, "row differs"},
		"a window repeated":        {func(l *ledger) { l.sums = append(l.sums, l.sums[n-1]) }, "sequence"},
		"a window's last row lost": {func(l *ledger) { l.sums = l.sums[:n-1] }, "row differs"},
		"a pulled row stale":       {func(l *ledger) { c := l.pulledCounts["g0"]; c.n--; l.pulledCounts["g0"] = c }, "row differs"},
		"a pulled row missing":     {func(l *ledger) { delete(l.pulledSums, l.sums[n-1].windowKey) }, "row missing"},
		"a pair lost":              {func(l *ledger) { l.paired = l.paired[1:] }, "lost"},
		"a pair twice":             {func(l *ledger) { l.paired[0] = l.paired[1] }, "duplicated"},
		"a session not deleted":    {func(l *ledger) { l.visits[session{"u1", epoch, epoch}] = 1 }, "row too much"},
		"a session counted wrong": {func(l *ledger) {
			for s := range l.visits {
				l.visits[s]++
			}
		}, "row differs"},
		"a pulled session missing": {func(l *ledger) { clear(l.pulledVisits) }, "row missing"},
		"an acknowledged lost":     {func(l *ledger) { l.acked = append(l.acked, n+1) }, "broker lost"},
		"an input not accounted":   {func(l *ledger) { l.read["Q"]-- }, "accounting"},
		"an input sent twice":      {func(l *ledger) { l.inputs[12]++ }, "lost"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := faultless(n)
			test.doctor(l)
			if f := l.check(); !slices.Contains(f.kinds(), test.want) {
				t.Errorf("found %v, want %q among them: %v", f.kinds(), test.want, f.list)
			}
		})
	}
}
