package fault

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

var churn = flag.Duration("churn", 0, "how long TestChurn goes on, such as 1h; 0 is a few rounds")

// TestChurn has servers join and leave, queries created and dropped and push queries opened and closed, again and again, and
// looks at the one server that stays: it needs no more goroutines, files and memory than after the first rounds. At the end
// nothing is left of the queries on the brokers and on the servers' disks, also of those dropped while a server was down.
func TestChurn(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: runs real processes")
	}
	ctx := within(t, *churn+5*time.Minute)
	c := &churner{broker: startApart(ctx, t), dice: rand.New(rand.NewPCG(*seed, 2))}
	c.fleet = newFleet(t, c.broker, 3, map[string]string{"ksql.streams.num.standby.replicas": "1",
		// The shortest that brokers take by default: so long those that have gone hold up what is dropped.
		"ksql.streams.session.timeout.ms": "6000"})
	c.fleet.start(ctx, t)
	if err := topics.Create(ctx, c.broker.address(), partitions, "inputs", "users"); err != nil {
		t.Fatal(err)
	}
	if _, err := execute(ctx, c.stays().server, sources); err != nil {
		t.Fatal(err)
	}
	const first, few = 1, 3
	var levels []level
	for until := time.Now().Add(*churn); len(levels) < few || time.Now().Before(until); {
		began := time.Now()
		if err := c.round(ctx, len(levels)+1); err != nil {
			t.Fatalf("round %d: %v", len(levels)+1, err)
		}
		took := time.Since(began)
		l, err := c.rest(ctx)
		if err != nil {
			t.Fatalf("after round %d: %v", len(levels)+1, err)
		}
		if levels = append(levels, l); len(levels) <= few || len(levels)%20 == 0 {
			t.Logf("after round %d, which took %s, and %s until nothing was left: %s", len(levels), took.Round(time.Millisecond),
				(time.Since(began) - took).Round(time.Millisecond), l)
		}
	}
	quarter := max((len(levels)-first)/4, 1)
	before, after := typical(levels[first:first+quarter]), typical(levels[len(levels)-quarter:])
	t.Logf("%d rounds: at the beginning %s, at the end %s", len(levels), before, after)
	if after.goroutines > before.goroutines+20 {
		t.Errorf("goroutines grow from %d to %d", before.goroutines, after.goroutines)
	}
	if after.files > before.files+10 {
		t.Errorf("open files grow from %d to %d: %s", before.files, after.files, strings.Join(after.names, " "))
	}
	if limit := before.heap + before.heap/4 + 8<<20; after.heap > limit {
		t.Errorf("the heap grows from %d to %d MB", before.heap>>20, after.heap>>20)
	}
	if limit := before.resident + before.resident/4 + 16<<20; after.resident > limit {
		t.Errorf("the memory grows from %d to %d MB", before.resident>>20, after.resident>>20)
	}
}

// churner is what TestChurn runs on.
type churner struct {
	broker apart
	fleet  *fleet
	dice   *rand.Rand
	next   int64
}

// stays is the server that is looked at.
func (c *churner) stays() *member { return c.fleet.members[0] }

// round creates queries, feeds them, opens and closes push queries, lets one server go in one way or another, drops the
// queries, and lets the server come back.
func (c *churner) round(ctx context.Context, n int) error {
	stays := c.stays()
	queries, err := execute(ctx, stays.server, fmt.Sprintf(`
CREATE TABLE counts_%[1]d WITH (KAFKA_TOPIC = 'counts_%[1]d') AS SELECT grp, COUNT(*) AS n FROM inputs GROUP BY grp EMIT CHANGES;
CREATE STREAM joined_%[1]d WITH (KAFKA_TOPIC = 'joined_%[1]d') AS
  SELECT i.usr AS usr, i.id AS id, u.region AS region FROM inputs i JOIN users u ON i.usr = u.usr EMIT CHANGES;`, n))
	if err != nil {
		return err
	}
	if err := c.fleet.all(ctx, len(queries)); err != nil {
		return err
	}
	var push []*client.Rows
	for range 3 {
		rows, err := stays.server.Client.Query(ctx, client.Request{SQL: "SELECT grp, COUNT(*) AS n FROM inputs GROUP BY grp EMIT CHANGES;", Properties: properties})
		if err != nil {
			return err
		}
		defer rows.Close()
		push = append(push, rows)
	}
	if err := c.feed(ctx, 300); err != nil {
		return err
	}
	for _, rows := range push {
		if _, ok := rows.Next(); !ok {
			return fmt.Errorf("push query: %w", rows.Err())
		}
		rows.Close()
	}
	leaver := c.fleet.members[1+c.dice.IntN(len(c.fleet.members)-1)]
	if c.dice.IntN(2) == 0 {
		leaver.server.Kill()
	} else if err := leaver.server.Stop(20 * time.Second); err != nil {
		return err
	}
	if err := c.feed(ctx, 300); err != nil {
		return err
	}
	if _, err := execute(ctx, stays.server, fmt.Sprintf("DROP STREAM joined_%[1]d DELETE TOPIC; DROP TABLE counts_%[1]d DELETE TOPIC;", n)); err != nil {
		return err
	}
	if err := c.forget(ctx); err != nil {
		return err
	}
	if err := leaver.revive(); err != nil {
		return err
	}
	return leaver.ready(ctx)
}

// feed writes inputs.
func (c *churner) feed(ctx context.Context, n int64) error {
	var list []*kgo.Record
	for range n {
		list = append(list, input("inputs", c.next))
		c.next++
	}
	return topics.Write(ctx, c.broker.address(), list...)
}

// forget deletes the inputs: what queries of later rounds read at a time, and the memory it takes, would grow with them.
func (c *churner) forget(ctx context.Context) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.broker.address()))
	if err != nil {
		return err
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	ends, err := admin.ListEndOffsets(ctx, "inputs")
	if err != nil {
		return err
	}
	_, err = admin.DeleteRecords(ctx, ends.Offsets())
	return err
}

// rest waits until nothing is left of the queries, and says what the server that stays needs then.
func (c *churner) rest(ctx context.Context) (level, error) {
	limited, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	for {
		left, err := c.leftOver(limited)
		if err == nil && len(left) == 0 {
			return c.stays().level(ctx)
		}
		if e := sleep(limited, 100*time.Millisecond); e != nil {
			return level{}, errors.Join(e, err, fmt.Errorf("still there: %v", left))
		}
	}
}

// leftOver lists what there is of queries though none exists: internal topics, groups, open transactions, state.
func (c *churner) leftOver(ctx context.Context) ([]string, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.broker.address()))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	prefix := "_confluent-ksql-" + serviceID + "query_"
	var left []string
	note := func(kind, name string) {
		if strings.HasPrefix(name, prefix) {
			left = append(left, kind+" "+name)
		}
	}
	listed, err := admin.ListTopics(ctx)
	if err != nil {
		return nil, err
	}
	for name := range listed {
		note("topic", name)
	}
	groups, err := admin.ListGroups(ctx)
	if err != nil {
		return nil, err
	}
	for name := range groups {
		note("group", name)
	}
	transactions, err := admin.ListTransactions(ctx, nil, []string{"Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence"})
	if err != nil {
		return nil, err
	}
	for name := range transactions {
		note("transaction", name)
	}
	for _, m := range c.fleet.members {
		entries, err := os.ReadDir(filepath.Join(m.cfg.DataDir, "state"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			left = append(left, fmt.Sprintf("state of server %d: %s", m.number, e.Name()))
		}
	}
	return left, nil
}

// level is what a server needs.
type level struct {
	goroutines, files int
	// heap and resident memory in bytes.
	heap, resident int64
	// names of the open files.
	names []string
}

func (l level) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %.1f MB of heap, %.1f MB resident", l.goroutines, l.files, float64(l.heap)/(1<<20), float64(l.resident)/(1<<20))
}

// level looks at the figures a few times and takes the lowest of each: garbage and connections go in their own time.
func (m *member) level(ctx context.Context) (level, error) {
	var list []level
	for range 10 {
		f, err := m.metrics(ctx)
		if err != nil {
			return level{}, err
		}
		l := level{goroutines: int(f.value("go_goroutines")), heap: int64(f.value("go_memstats_heap_alloc_bytes")), resident: int64(f.value("process_resident_memory_bytes"))}
		dir := fmt.Sprintf("/proc/%d/fd", m.server.PID())
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return level{}, err
		}
		for _, e := range entries {
			if name, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
				l.names = append(l.names, name)
			}
		}
		l.files = len(l.names)
		list = append(list, l)
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return level{}, err
		}
	}
	least := list[0]
	for _, l := range list {
		least.goroutines, least.heap, least.resident = min(least.goroutines, l.goroutines), min(least.heap, l.heap), min(least.resident, l.resident)
		if l.files < least.files {
			least.files, least.names = l.files, l.names
		}
	}
	return least, nil
}

// typical takes the median of each figure.
func typical(list []level) level {
	list = slices.Clone(list)
	middle := func(of func(level) int64) level {
		slices.SortFunc(list, func(a, b level) int { return int(of(a) - of(b)) })
		return list[len(list)/2]
	}
	out := middle(func(l level) int64 { return int64(l.files) })
	out.goroutines = middle(func(l level) int64 { return int64(l.goroutines) }).goroutines
	out.heap = middle(func(l level) int64 { return l.heap }).heap
	out.resident = middle(func(l level) int64 { return l.resident }).resident
	return out
}
