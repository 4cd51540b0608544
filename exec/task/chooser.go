package task

import "github.com/ksqlgo/ksqlgo/planner/physical"

// Head is what a host knows of one input when it asks which to read next.
type Head struct {
	// Ready: a record is at hand; Time is its [Task.RecordTime].
	Ready bool
	Time  int64
	// Lagging, of an input that is not ready: records are known to be on the broker, or it is not known yet that there are
	// none. Such an input is waited for (KIP-695).
	Lagging bool
	// Position is the offset of the next record to process.
	Position int64
}

// Chooser decides from which input a task with several reads next, so that joins see records in the order of time as far
// as can be known. It holds no records; a value belongs to one task.
type Chooser struct {
	// loading is the offset each input must reach first, or loaded.
	loading []int64
	// table says which inputs are changelogs.
	table []bool
}

// loaded marks an input that need not be loaded first.
const loaded = -1

// NewChooser makes the chooser of a stage. ends holds the end offset of each input at the start: the tables of
// stream-table joins are read up to there before anything else moves.
func NewChooser(stage *physical.Stage, ends []int64) *Chooser {
	c := &Chooser{loading: make([]int64, len(stage.Inputs)), table: make([]bool, len(stage.Inputs))}
	for i, in := range stage.Inputs {
		c.loading[i], c.table[i] = loaded, in.Table
	}
	markTables(stage.Root, func(input int) { c.loading[input] = ends[input] })
	return c
}

// Loading reports whether tables are still being loaded; given the positions of all inputs.
func (c *Chooser) Loading(heads []Head) bool {
	busy := false
	for i := range c.loading {
		if c.loading[i] == loaded {
			continue
		}
		if heads[i].Position >= c.loading[i] {
			c.loading[i] = loaded
			continue
		}
		busy = true
	}
	return busy
}

// Next chooses the input to read from. Records of that input may be processed as long as their time is at most until;
// then ask again. ok is false when there is nothing to do but wait for records.
//
// While tables load, only they are read, in any order. After that the input whose head is oldest is read; at equal times
// tables come before streams and then the lower index. An input that is Lagging holds all others back.
func (c *Chooser) Next(heads []Head) (input int, until int64, ok bool) {
	const forever = 1<<63 - 1
	if c.Loading(heads) {
		for i := range heads {
			if c.loading[i] != loaded && heads[i].Ready {
				return i, forever, true
			}
		}
		return 0, 0, false
	}
	best := -1
	for i := range heads {
		switch h := &heads[i]; {
		case !h.Ready && h.Lagging:
			return 0, 0, false
		case h.Ready && (best < 0 || c.before(heads, i, best)):
			best = i
		}
	}
	until = forever
	for i := range heads {
		if i == best || !heads[i].Ready {
			continue
		}
		limit := heads[i].Time
		if c.winsTie(i, best) {
			limit--
		}
		until = min(until, limit)
	}
	return best, until, best >= 0
}

// before says whether the head of input a is to be read before that of b.
func (c *Chooser) before(heads []Head, a, b int) bool {
	if heads[a].Time != heads[b].Time {
		return heads[a].Time < heads[b].Time
	}
	return c.winsTie(a, b)
}

// winsTie says whether input a comes before b at equal times.
func (c *Chooser) winsTie(a, b int) bool {
	if c.table[a] != c.table[b] {
		return c.table[a]
	}
	return a < b
}

// markTables visits the inputs on the table side of stream-table joins.
func markTables(n physical.Node, mark func(input int)) {
	if j, ok := n.(*physical.StreamTableJoin); ok {
		markSources(j.R, mark)
	}
	for _, c := range n.Children() {
		markTables(c, mark)
	}
}

func markSources(n physical.Node, mark func(input int)) {
	if s, ok := n.(*physical.Source); ok {
		mark(s.Input)
	}
	for _, c := range n.Children() {
		markSources(c, mark)
	}
}
