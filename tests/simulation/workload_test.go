package simulation

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/ksqlgo/ksqlgo/catalog"
	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functions "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// serviceID is the cluster's.
const serviceID = "sim_"

// partitions is how many the topics have.
const partitions = 3

// groups are the keys behind the repartition, and the keys of joins.
var groups = []string{"a", "b", "c", "d", "e", "f", "g"}

// workload is a query with inputs, each of them with an id of its own, and what its outputs must be.
type workload struct {
	name string
	// sql declares the sources, and the query last; its sink is the topic out.
	sql string
	// pull reads a key's rows, "" for a stream.
	pull string
	// cacheable queries may gather updates before they emit them.
	cacheable bool
	// counts says that the first column pulled is a running count.
	counts bool
	// make makes the records of an input.
	make func(r *rand.Rand, id int, now int64) []input
	// check compares outputs with inputs.
	check func(c *comparison)
	// row makes of an output what the pull query answers for it.
	row func(o *output) string

	planned func() (*plan, error)
}

// input is a record written to a source.
type input struct {
	topic, key string
	value      string // "" for null
	time       int64
	id         int
	// group and v are for the workload's own check.
	group string
	v     int64
}

// output is a record read from the sink.
type output struct {
	partition int32
	offset    int64
	key       string
	// start and end are of the window, milliseconds.
	start, end int64
	value      map[string]json.Number // nil for a tombstone
}

// plan is a planned workload.
type plan struct {
	query *physical.Plan
	// topics are those of the user, with their partitions.
	topics map[string]int
	// pulls are the plans of the pull query, by key.
	pulls map[string]*physical.Pull
}

func aggregateInput(r *rand.Rand, id int, now int64) []input {
	g := groups[r.IntN(len(groups))]
	v := r.Int64N(1000)
	// Records of different keys are a little out of order.
	at := now - r.Int64N(400)
	return []input{{topic: "e", key: fmt.Sprintf("k%d", r.IntN(20)), value: fmt.Sprintf(`{"G":%q,"ID":%d,"V":%d}`, g, id, v), time: at, id: id, group: g, v: v}}
}

const eventStream = "CREATE STREAM e (k VARCHAR KEY, g VARCHAR, id BIGINT, v BIGINT) WITH (KAFKA_TOPIC='e', VALUE_FORMAT='JSON', PARTITIONS=3);"

const (
	windowSize = 5000
	sessionGap = 1500
	joinWithin = 1000
)

var workloads = []*workload{
	{
		name: "running count behind a repartition",
		sql: eventStream + "CREATE TABLE c WITH (KAFKA_TOPIC='out', PARTITIONS=3) AS " +
			"SELECT g, COUNT(*) AS n, LATEST_BY_OFFSET(id) AS id FROM e GROUP BY g EMIT CHANGES;",
		pull: "SELECT n, id FROM c WHERE g='%s';", cacheable: true, counts: true,
		make: aggregateInput, check: checkCounts,
		row: func(o *output) string { return words(o.value["N"], o.value["ID"]) },
	},
	{
		name: "windowed sum",
		sql: eventStream + "CREATE TABLE c WITH (KAFKA_TOPIC='out', PARTITIONS=3) AS " +
			"SELECT g, COUNT(*) AS n, SUM(v) AS s, LATEST_BY_OFFSET(id) AS id FROM e WINDOW TUMBLING (SIZE 5 SECONDS, GRACE PERIOD 1 DAY) GROUP BY g EMIT CHANGES;",
		pull: "SELECT WINDOWSTART, n, s, id FROM c WHERE g='%s';", cacheable: true,
		make: aggregateInput, check: checkWindows,
		row: func(o *output) string { return words(o.start, o.value["N"], o.value["S"], o.value["ID"]) },
	},
	{
		name: "session window",
		sql: eventStream + "CREATE TABLE c WITH (KAFKA_TOPIC='out', PARTITIONS=3) AS " +
			"SELECT g, COUNT(*) AS n, SUM(v) AS s FROM e WINDOW SESSION (1500 MILLISECONDS, GRACE PERIOD 1 DAY) GROUP BY g EMIT CHANGES;",
		pull: "SELECT WINDOWSTART, WINDOWEND, n, s FROM c WHERE g='%s';",
		make: aggregateInput, check: checkSessions,
		row: func(o *output) string { return words(o.start, o.end, o.value["N"], o.value["S"]) },
	},
	{
		name: "stream-table join",
		sql: "CREATE STREAM e (k VARCHAR KEY, id BIGINT) WITH (KAFKA_TOPIC='e', VALUE_FORMAT='JSON', PARTITIONS=3);" +
			"CREATE TABLE t (k VARCHAR PRIMARY KEY, v BIGINT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=3);" +
			"CREATE STREAM j WITH (KAFKA_TOPIC='out', PARTITIONS=3) AS SELECT e.k AS k, e.id AS id, t.v AS v FROM e LEFT JOIN t ON e.k = t.k EMIT CHANGES;",
		make: func(r *rand.Rand, id int, now int64) []input {
			k := groups[r.IntN(len(groups))]
			list := []input{{topic: "e", key: k, value: fmt.Sprintf(`{"ID":%d}`, id), time: now, id: id, group: k}}
			if r.IntN(3) == 0 {
				list = append(list, input{topic: "t", key: k, value: fmt.Sprintf(`{"V":%d}`, id), time: now, id: -1, group: k, v: int64(id)})
			}
			return list
		},
		check: checkTableJoin,
	},
	{
		name: "stream-stream join",
		sql: "CREATE STREAM l (k VARCHAR KEY, id BIGINT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON', PARTITIONS=3);" +
			"CREATE STREAM r (k VARCHAR KEY, id BIGINT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', PARTITIONS=3);" +
			"CREATE STREAM j WITH (KAFKA_TOPIC='out', PARTITIONS=3) AS SELECT l.k AS k, l.id AS lid, r.id AS rid FROM l JOIN r " +
			"WITHIN 1 SECOND GRACE PERIOD 1 DAY ON l.k = r.k EMIT CHANGES;",
		make: func(r *rand.Rand, id int, now int64) []input {
			k := groups[r.IntN(len(groups))]
			topic := []string{"l", "r"}[r.IntN(2)]
			return []input{{topic: topic, key: k, value: fmt.Sprintf(`{"ID":%d}`, id), time: now - r.Int64N(300), id: id, group: k}}
		},
		check: checkStreamJoin,
	},
	foreignKeyWorkload("foreign-key join", "", checkForeignKeyInner),
	foreignKeyWorkload("foreign-key left join", "LEFT", checkForeignKeyLeft),
	{
		name: "copy",
		sql:  eventStream + "CREATE STREAM s WITH (KAFKA_TOPIC='out', PARTITIONS=3) AS SELECT k, id, v FROM e EMIT CHANGES;",
		make: aggregateInput, check: checkCopy,
	},
}

func init() {
	for _, w := range workloads {
		w.planned = sync.OnceValues(w.plan)
	}
}

// topics implements planner.Topics.
type topics map[string]int

// Topic implements planner.Topics.
func (t topics) Topic(name string) (planner.TopicInfo, bool, error) {
	n, ok := t[name]
	return planner.TopicInfo{Partitions: n, Replicas: 1}, ok, nil
}

// plan plans the workload's statements.
func (w *workload) plan() (*plan, error) {
	p := &plan{topics: map[string]int{}, pulls: map[string]*physical.Pull{}}
	env := &planner.Env{Catalog: catalog.Empty(), Functions: functions.Registry(), Formats: formats.Registry(schemas.None{}), Topics: topics(p.topics),
		ServiceID: serviceID, Properties: map[string]string{},
		Plans: func(id string) (*physical.Plan, bool) { return p.query, p.query != nil && p.query.QueryID == id }}
	stmts, err := grammar.Parse(w.sql, grammar.Options{})
	if err != nil {
		return nil, err
	}
	for i, st := range stmts {
		env.QueryNumber = int64(i)
		switch n := st.Statement.(type) {
		case *ast.CreateSource:
			c, err := planner.CreateSource(env, n)
			if err != nil {
				return nil, err
			}
			env.Catalog = env.Catalog.WithSource(c.Source)
			p.topics[c.Topic.Name] = c.Topic.Partitions
		case *ast.CreateAsSelect:
			c, err := planner.CreateAsSelect(env, n)
			if err != nil {
				return nil, err
			}
			env.Catalog = env.Catalog.WithSource(c.Source).WithQuery(c.Query)
			p.topics[c.Topic.Name] = c.Topic.Partitions
			p.query = c.Plan
		default:
			return nil, fmt.Errorf("not a statement of a workload: %T", n)
		}
	}
	if w.pull == "" {
		return p, nil
	}
	for _, g := range groups {
		st, err := grammar.ParseOne(fmt.Sprintf(w.pull, g), grammar.Options{})
		if err != nil {
			return nil, err
		}
		c, err := planner.PullQuery(env, st.Statement.(*ast.Query).Select)
		if err != nil {
			return nil, err
		}
		p.pulls[g] = c.Table
	}
	return p, nil
}

// parse reads an output's key and value. Windowed keys end with the start of the window, for sessions after its end.
func (w *workload) parse(o *output, key, value []byte) error {
	at := func(back int) int64 { return int64(binary.BigEndian.Uint64(key[len(key)-back:])) }
	switch w.name {
	case "windowed sum":
		o.start, o.end = at(8), at(8)+windowSize
		key = key[:len(key)-8]
	case "session window":
		o.start, o.end = at(8), at(16)
		key = key[:len(key)-16]
	}
	o.key = string(key)
	if value == nil {
		return nil
	}
	o.value = map[string]json.Number{}
	return json.Unmarshal(value, &o.value)
}

// comparison is the work of a check.
type comparison struct {
	script  *script
	inputs  []input
	outputs []output
	// wrong is what was found.
	wrong []string
}

func (c *comparison) errorf(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// exact says whether each input must show once: at least once may repeat, and caches leave updates out.
func (c *comparison) exact() bool { return !c.script.atLeastOnce }

// ids checks that what get names occurs for each input, once.
func (c *comparison) ids(get func(*output) (string, bool), want map[string]bool) {
	seen := map[string]int{}
	for i := range c.outputs {
		if id, ok := get(&c.outputs[i]); ok {
			seen[id]++
			if !want[id] {
				c.errorf("%s was made up: partition %d offset %d", id, c.outputs[i].partition, c.outputs[i].offset)
			}
		}
	}
	var lost, twice []string
	for _, id := range slices.Sorted(maps.Keys(want)) {
		switch n := seen[id]; {
		case n == 0:
			lost = append(lost, id)
		case n > 1 && c.exact():
			twice = append(twice, fmt.Sprintf("%s (%d times)", id, n))
		}
	}
	if len(lost) > 0 {
		c.errorf("%d of %d lost: %s", len(lost), len(want), strings.Join(lost, " "))
	}
	if len(twice) > 0 {
		c.errorf("%d of %d more than once: %s", len(twice), len(want), strings.Join(twice, " "))
	}
}

func inputID(id int) string { return fmt.Sprintf("input %d", id) }

// running checks the counts of one aggregate's updates: 1, 2, 3 …; with a cache they grow; at least once may repeat some.
func (c *comparison) running(name string, o *output, last map[string]int64) {
	n, _ := o.value["N"].Int64()
	switch before := last[name]; {
	case c.script.atLeastOnce:
		last[name] = max(before, n)
		return
	case c.script.cache && n <= before, !c.script.cache && n != before+1:
		c.errorf("%s: count %d after %d, partition %d offset %d", name, n, before, o.partition, o.offset)
	}
	last[name] = n
}

// totals compares the last counts of aggregates with those of the inputs.
func (c *comparison) totals(last, want map[string]int64) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got := last[name]; got != want[name] && (c.exact() || got < want[name]) {
			c.errorf("%s: %d counted, %d written", name, got, want[name])
		}
	}
	for name := range last {
		if _, ok := want[name]; !ok {
			c.errorf("%s was made up", name)
		}
	}
}

func checkCounts(c *comparison) {
	want, ids, last := map[string]int64{}, map[string]bool{}, map[string]int64{}
	for _, in := range c.inputs {
		want[in.group]++
		ids[inputID(in.id)] = true
	}
	for i := range c.outputs {
		c.running(c.outputs[i].key, &c.outputs[i], last)
	}
	c.totals(last, want)
	if !c.script.cache {
		c.ids(latestID, ids)
	}
}

func latestID(o *output) (string, bool) { return "input " + o.value["ID"].String(), true }

func checkWindows(c *comparison) {
	want, sums, ids, last := map[string]int64{}, map[string]int64{}, map[string]bool{}, map[string]int64{}
	name := func(key string, start int64) string { return fmt.Sprintf("%s at %d", key, start) }
	for _, in := range c.inputs {
		w := name(in.group, in.time-in.time%windowSize)
		want[w]++
		sums[w] += in.v
		ids[inputID(in.id)] = true
	}
	final := map[string]int64{}
	for i := range c.outputs {
		o := &c.outputs[i]
		c.running(name(o.key, o.start), o, last)
		final[name(o.key, o.start)], _ = o.value["S"].Int64()
	}
	c.totals(last, want)
	if !c.script.cache {
		c.ids(latestID, ids)
	}
	for w, sum := range sums {
		if c.exact() && final[w] != sum {
			c.errorf("%s: sum %d, want %d", w, final[w], sum)
		}
	}
}

// session is what belongs together.
type session struct{ start, end, n, sum int64 }

func checkSessions(c *comparison) {
	byGroup := map[string][]input{}
	for _, in := range c.inputs {
		byGroup[in.group] = append(byGroup[in.group], in)
	}
	got := map[string]map[string]bool{}
	updates := 0
	for i := range c.outputs {
		o := &c.outputs[i]
		if got[o.key] == nil {
			got[o.key] = map[string]bool{}
		}
		// An update replaces the row of the same bounds.
		prefix := fmt.Sprintf("%d..%d ", o.start, o.end)
		maps.DeleteFunc(got[o.key], func(s string, _ bool) bool { return strings.HasPrefix(s, prefix) })
		if o.value != nil {
			updates++
			got[o.key][fmt.Sprintf("%s%v %v", prefix, o.value["N"], o.value["S"])] = true
		}
	}
	if !c.exact() {
		c.atLeast(got, byGroup)
		return
	}
	if updates != len(c.inputs) {
		c.errorf("%d updates of sessions, want one for each of the %d inputs", updates, len(c.inputs))
	}
	for _, g := range slices.Sorted(maps.Keys(byGroup)) {
		want := map[string]bool{}
		for _, s := range sessionsOf(byGroup[g]) {
			want[fmt.Sprintf("%d..%d %d %d", s.start, s.end, s.n, s.sum)] = true
		}
		if !maps.Equal(got[g], want) {
			c.errorf("sessions of %s: %v, want %v", g, slices.Sorted(maps.Keys(got[g])), slices.Sorted(maps.Keys(want)))
		}
	}
}

// atLeast checks sessions whose counts may be too high: the bounds are right and no count is too low.
func (c *comparison) atLeast(got map[string]map[string]bool, byGroup map[string][]input) {
	for g, list := range byGroup {
		for _, s := range sessionsOf(list) {
			found := false
			for text := range got[g] {
				var start, end, n, sum int64
				if _, err := fmt.Sscanf(text, "%d..%d %d %d", &start, &end, &n, &sum); err == nil && start == s.start && end == s.end && n >= s.n {
					found = true
				}
			}
			if !found {
				c.errorf("sessions of %s: %v, want %v or more", g, slices.Sorted(maps.Keys(got[g])), s)
			}
		}
	}
}

func sessionsOf(list []input) []session {
	slices.SortStableFunc(list, func(a, b input) int { return int(a.time - b.time) })
	var out []session
	for _, in := range list {
		if n := len(out); n > 0 && in.time-out[n-1].end <= sessionGap {
			s := &out[n-1]
			s.end, s.n, s.sum = in.time, s.n+1, s.sum+in.v
			continue
		}
		out = append(out, session{in.time, in.time, 1, in.v})
	}
	return out
}

// checkTableJoin wants each record once, with a value its key's row has had, and never an older one after a newer one.
func checkTableJoin(c *comparison) {
	ids, values := map[string]bool{}, map[string]map[string]bool{}
	for _, in := range c.inputs {
		if in.topic == "e" {
			ids[inputID(in.id)] = true
			continue
		}
		if values[in.group] == nil {
			values[in.group] = map[string]bool{}
		}
		values[in.group][fmt.Sprint(in.v)] = true
	}
	c.ids(latestID, ids)
	last := map[string]int64{}
	for i := range c.outputs {
		o := &c.outputs[i]
		if o.value["V"] == "" {
			if last[o.key] > 0 && c.exact() {
				c.errorf("%s: no row after value %d, offset %d", o.key, last[o.key], o.offset)
			}
			continue
		}
		v, _ := o.value["V"].Int64()
		if !values[o.key][o.value["V"].String()] {
			c.errorf("%s: value %d was never there, offset %d", o.key, v, o.offset)
		}
		if v < last[o.key] && c.exact() {
			c.errorf("%s: value %d after %d, offset %d", o.key, v, last[o.key], o.offset)
		}
		last[o.key] = v
	}
}

func checkStreamJoin(c *comparison) {
	want := map[string]bool{}
	name := func(l, r any) string { return fmt.Sprintf("pair %v-%v", l, r) }
	for _, l := range c.inputs {
		for _, r := range c.inputs {
			if d := l.time - r.time; l.topic == "l" && r.topic == "r" && l.group == r.group && d <= joinWithin && -d <= joinWithin {
				want[name(l.id, r.id)] = true
			}
		}
	}
	c.ids(func(o *output) (string, bool) { return name(o.value["LID"], o.value["RID"]), true }, want)
}

func checkCopy(c *comparison) {
	ids := map[string]bool{}
	for _, in := range c.inputs {
		ids[inputID(in.id)] = true
	}
	c.ids(latestID, ids)
}

// words joins values with spaces.
func words(values ...any) string { return strings.TrimSpace(fmt.Sprintln(values...)) }
