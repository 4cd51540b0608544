package fault

import (
	"fmt"
	"slices"
	"strconv"
)

// An input is known by its id alone: everything else in it follows from that.

const (
	groups  = 300
	users   = 500
	regions = 7
	// windowSize in milliseconds, and how much event time passes from one input to the next.
	windowSize  = 10_000
	timePerItem = 2
	// epoch is the event time of input 0.
	epoch = 1_760_000_000_000
	// After so many inputs nothing happens for a while, which ends all sessions.
	burst, silence = 20_000, 30_000
)

func groupOf(id int64) string  { return "g" + strconv.FormatInt(id*7919%groups, 10) }
func userOf(id int64) string   { return "u" + strconv.FormatInt(id*31%users, 10) }
func amountOf(id int64) int64  { return id%13 + 1 }
func timeOf(id int64) int64    { return epoch + id*timePerItem + id/burst*silence }
func windowOf(id int64) int64  { return timeOf(id) / windowSize * windowSize }
func regionOf(u string) string { n, _ := strconv.Atoi(u[1:]); return "r" + strconv.Itoa(n%regions) }
func inputJSON(id int64) string {
	return fmt.Sprintf(`{"id":%d,"grp":%q,"amount":%d}`, id, groupOf(id), amountOf(id))
}

// runningCount is one row of the count's topic: the n-th input of a group was this one.
type runningCount struct {
	group    string
	n, total int64
	lastID   int64
}

// joinRow is one row of the join's topic.
type joinRow struct {
	user   string
	id     int64
	region string
}

// windowKey is a row of the windowed sum.
type windowKey struct {
	group string
	start int64
}

// windowSum is one row of the windowed sum's topic.
type windowSum struct {
	windowKey
	n, total int64
}

// session is a session of a user: all of one burst.
type session struct {
	user string
	// start and end are the times of its first and last input.
	start, end int64
}

// ledger is everything that went in and came out, in the order of the topics' partitions.
type ledger struct {
	// inputs says how often each id is in the source topic. An id that the generator sent again, not knowing that the broker
	// had it, may be there twice; it then counts twice.
	inputs map[int64]int
	// acked are the ids whose writing the broker confirmed.
	acked  []int64
	counts []runningCount
	joined []joinRow
	sums   []windowSum
	// paired are the ids of the join of two streams; visits how many inputs each session that is left in the topic has.
	paired []int64
	visits map[session]int64
	// What pull queries answered at the end.
	pulledCounts map[string]runningCount
	pulledSums   map[windowKey]windowSum
	pulledVisits map[session]int64
	// What DESCRIBE EXTENDED says was read, by query; wantRead is what there was to read.
	read, wantRead map[string]int64
}

// findings collects what is wrong, a few of each kind in full.
type findings struct {
	count map[string]int
	list  []string
}

func (f *findings) add(kind, format string, args ...any) {
	if f.count == nil {
		f.count = map[string]int{}
	}
	if f.count[kind]++; f.count[kind] <= 5 {
		f.list = append(f.list, kind+": "+fmt.Sprintf(format, args...))
	}
}

// check compares what came out with what went in.
func (l *ledger) check() *findings {
	f := &findings{}
	for _, id := range l.acked {
		if l.inputs[id] == 0 {
			f.add("broker lost", "input %d was acknowledged and is not in the topic", id)
		}
	}
	l.checkCounts(f)
	l.checkJoin(f)
	l.checkSums(f)
	l.checkPairs(f)
	l.checkVisits(f)
	for query, want := range l.wantRead {
		if got := l.read[query]; got != want {
			f.add("accounting", "%s says %d records were read, there are %d", query, got, want)
		}
	}
	return f
}

// each compares how often ids were seen with how often they should be.
func each(f *findings, where string, seen, want map[int64]int) {
	for id, want := range want {
		switch got := seen[id]; {
		case got < want:
			f.add("lost", "%s: input %d is there %d times, want %d", where, id, got, want)
		case got > want:
			f.add("duplicated", "%s: input %d is there %d times, want %d", where, id, got, want)
		}
	}
	for id := range seen {
		if want[id] == 0 {
			f.add("invented", "%s: input %d does not exist", where, id)
		}
	}
}

func (l *ledger) checkCounts(f *findings) {
	seen := map[int64]int{}
	last := map[string]runningCount{}
	for _, c := range l.counts {
		before := last[c.group]
		if c.n != before.n+1 {
			f.add("sequence", "count of %s goes from %d to %d", c.group, before.n, c.n)
		}
		if c.total != before.total+amountOf(c.lastID) {
			f.add("sum", "total of %s goes from %d to %d with input %d of %d", c.group, before.total, c.total, c.lastID, amountOf(c.lastID))
		}
		if groupOf(c.lastID) != c.group {
			f.add("wrong group", "input %d in %s", c.lastID, c.group)
		}
		seen[c.lastID]++
		last[c.group] = c
	}
	each(f, "counts", seen, l.inputs)
	if l.pulledCounts != nil {
		compareRows(f, "pull of counts", l.pulledCounts, last)
	}
}

func (l *ledger) checkJoin(f *findings) {
	seen := map[int64]int{}
	for _, j := range l.joined {
		seen[j.id]++
		if j.user != userOf(j.id) || j.region != regionOf(j.user) {
			f.add("wrong join", "input %d with user %s, region %s", j.id, j.user, j.region)
		}
	}
	each(f, "joined", seen, l.inputs)
}

func (l *ledger) checkSums(f *findings) {
	want := map[windowKey]windowSum{}
	for id, times := range l.inputs {
		k := windowKey{groupOf(id), windowOf(id)}
		s := want[k]
		s.windowKey = k
		s.n += int64(times)
		s.total += int64(times) * amountOf(id)
		want[k] = s
	}
	last := map[windowKey]windowSum{}
	for _, s := range l.sums {
		if before := last[s.windowKey]; s.n != before.n+1 {
			f.add("sequence", "window %v goes from %d to %d", s.windowKey, before.n, s.n)
		}
		last[s.windowKey] = s
	}
	compareRows(f, "windowed sums", last, want)
	if l.pulledSums != nil {
		compareRows(f, "pull of windowed sums", l.pulledSums, last)
	}
}

// checkPairs: the join of the inputs with themselves has each id once for each pair of its copies.
func (l *ledger) checkPairs(f *findings) {
	seen, want := map[int64]int{}, map[int64]int{}
	for _, id := range l.paired {
		seen[id]++
	}
	for id, n := range l.inputs {
		want[id] = n * n
	}
	each(f, "paired", seen, want)
}

func (l *ledger) checkVisits(f *findings) {
	want := l.wantVisits()
	compareRows(f, "visits", l.visits, want)
	if l.pulledVisits != nil {
		compareRows(f, "pull of visits", l.pulledVisits, want)
	}
}

// wantVisits are the sessions that the inputs make, with how many each has.
func (l *ledger) wantVisits() map[session]int64 {
	type visit struct {
		user  string
		burst int64
	}
	spans, counts := map[visit]session{}, map[visit]int64{}
	for id, times := range l.inputs {
		v := visit{userOf(id), id / burst}
		s, ok := spans[v]
		if at := timeOf(id); !ok {
			s = session{v.user, at, at}
		} else {
			s.start, s.end = min(s.start, at), max(s.end, at)
		}
		spans[v] = s
		counts[v] += int64(times)
	}
	want := map[session]int64{}
	for v, s := range spans {
		want[s] = counts[v]
	}
	return want
}

// compareRows compares two tables.
func compareRows[K comparable, V comparable](f *findings, where string, got, want map[K]V) {
	for k, w := range want {
		if g, ok := got[k]; !ok {
			f.add("row missing", "%s: %v: %v", where, k, w)
		} else if g != w {
			f.add("row differs", "%s: %v: %v, want %v", where, k, g, w)
		}
	}
	for k, g := range got {
		if _, ok := want[k]; !ok {
			f.add("row too much", "%s: %v: %v", where, k, g)
		}
	}
}

// kinds lists the kinds of findings.
func (f *findings) kinds() []string {
	var out []string
	for k := range f.count {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// checkAtLeastOnce looks only for what is lost: every input has an output, and counts and sums are at least what went in.
func (l *ledger) checkAtLeastOnce() *findings {
	f := &findings{}
	joined, counted, paired := map[int64]int{}, map[int64]int{}, map[int64]int{}
	for _, j := range l.joined {
		joined[j.id]++
		if j.user != userOf(j.id) || j.region != regionOf(j.user) {
			f.add("wrong join", "input %d with user %s, region %s", j.id, j.user, j.region)
		}
	}
	last := map[string]runningCount{}
	for _, c := range l.counts {
		counted[c.lastID]++
		last[c.group] = c
	}
	for _, id := range l.paired {
		paired[id]++
	}
	groupCount := map[string]int64{}
	windows := map[windowKey]int64{}
	for id, n := range l.inputs {
		for where, seen := range map[string]int{"joined": joined[id], "counts": counted[id], "paired": paired[id]} {
			if seen < n {
				f.add("lost", "%s: input %d is there %d times, want %d or more", where, id, seen, n)
			}
		}
		groupCount[groupOf(id)] += int64(n)
		windows[windowKey{groupOf(id), windowOf(id)}] += int64(n)
	}
	for g, n := range groupCount {
		if last[g].n < n {
			f.add("lost", "counts: %s ends at %d, want %d or more", g, last[g].n, n)
		}
	}
	sums := map[windowKey]int64{}
	for _, s := range l.sums {
		sums[s.windowKey] = s.n
	}
	for k, n := range windows {
		if sums[k] < n {
			f.add("lost", "windowed sums: %v ends at %d, want %d or more", k, sums[k], n)
		}
	}
	for s, n := range l.wantVisits() {
		if l.visits[s] < n {
			f.add("lost", "visits: %v has %d, want %d or more", s, l.visits[s], n)
		}
	}
	return f
}
