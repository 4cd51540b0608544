package simulation

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ksqlgo/ksqlgo/exec"
)

// firstPort is that of broker 0.
const firstPort = 9001

var ports = []int{firstPort, firstPort + 1, firstPort + 2}

// cluster is everything: brokers, network, servers, and a client of the test's own that writes inputs and reads outputs.
type cluster struct {
	script *script
	plan   *plan
	// edition counts how often the query was replaced.
	edition   atomic.Int64
	random    *rand.Rand
	net       *network
	kafka     *kfake.Cluster
	addresses []string
	servers   []*server
	// lives are the processes that have not ended yet, crashed ones among them.
	lives  sync.WaitGroup
	client *kgo.Client
	log    *journal
	paused atomic.Bool
	// alive are the processes that run, by the name of their server.
	alive sync.Map
	// answers counts what the reader was told.
	answers int
	// restarts counts what restartAll had to do.
	restarts atomic.Int64

	inputs []input

	mu    sync.Mutex
	wrong []string
}

// newCluster starts brokers and creates the user's topics. hook sees every request that ends a transaction or adds offsets
// to it, and may change it; nil for none.
func newCluster(s *script, p *plan, log *journal, hook func(kmsg.Request)) (*cluster, error) {
	c := &cluster{script: s, plan: p, log: log, random: rand.New(rand.NewPCG(s.seed, 1))}
	c.net = newNetwork(rand.New(rand.NewPCG(s.seed, 2)))
	var err error
	c.kafka, err = kfake.NewCluster(kfake.Ports(ports...), kfake.ListenFn(c.net.listen), kfake.BrokerConfigs(map[string]string{
		"log.cleaner.backoff.ms": strconv.FormatInt(int64(1<<63-1)/int64(time.Millisecond), 10)}))
	if err != nil {
		return nil, err
	}
	c.addresses = c.kafka.ListenAddrs()
	if hook != nil {
		c.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn, kmsg.TxnOffsetCommit}, TopLevel: true, Observe: true, Count: -1,
			When: func(r kmsg.Request) bool { hook(r); return false }})
	}
	for _, topic := range slices.Sorted(maps.Keys(p.topics)) {
		if err := c.kafka.CreateTopic(topic, int32(p.topics[topic]), nil); err != nil {
			return nil, err
		}
	}
	c.client, err = kgo.NewClient(kgo.SeedBrokers(c.addresses...), kgo.Dialer(c.net.dialer(newObserver("test"))), kgo.ClientID("test"),
		kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond }), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.RequestRetries(1<<20), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.DisableClientMetrics())
	return c, err
}

// properties are the query's.
func (c *cluster) properties() map[string]string {
	p := map[string]string{"auto.offset.reset": "earliest", "cache.max.bytes.buffering": "0",
		"commit.interval.ms": strconv.FormatInt(c.script.commitInterval.Milliseconds(), 10)}
	if c.script.cache {
		p["cache.max.bytes.buffering"] = "1000000"
	}
	if c.script.atLeastOnce {
		p["processing.guarantee"] = "at_least_once"
	}
	return p
}

func (c *cluster) errorf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// close ends everything that is left.
func (c *cluster) close() {
	for _, s := range c.servers {
		s.end()
	}
	c.lives.Wait()
	if c.client != nil {
		c.client.Close()
	}
	c.kafka.Close()
}

func (c *cluster) group() string { return exec.GroupName(serviceID, c.plan.query.QueryID) }

// transactionalID is that of a server's producer.
func (c *cluster) transactionalID(s *server) string { return c.group() + "-" + s.name }

// write writes inputs, in order, and waits until the brokers have them.
func (c *cluster) write(ctx context.Context, list []input) error {
	records := make([]*kgo.Record, len(list))
	for i, in := range list {
		records[i] = &kgo.Record{Topic: in.topic, Key: []byte(in.key), Timestamp: time.UnixMilli(in.time)}
		if in.value != "" {
			records[i].Value = []byte(in.value)
		}
	}
	c.inputs = append(c.inputs, list...)
	return c.client.ProduceSync(ctx, records...).FirstErr()
}

// ends lists the ends of the query's input topics and of its sink. It is an error when a transaction is still open on one of
// them: what others have committed behind it cannot be read yet.
func (c *cluster) ends(ctx context.Context) (map[string]map[int32]int64, error) {
	names := []string{"out"}
	for _, st := range c.plan.query.Stages {
		for _, in := range st.Inputs {
			names = append(names, in.Topic)
		}
	}
	committed, err := listed(kadm.NewClient(c.client).ListCommittedOffsets(ctx, names...))
	if err != nil {
		return nil, err
	}
	all, err := listed(kadm.NewClient(c.client).ListEndOffsets(ctx, names...))
	for topic, list := range all {
		for p, end := range list {
			if at := committed[topic][p]; at < end && err == nil {
				err = fmt.Errorf("a transaction is open on %s-%d at %d, its end is %d", topic, p, at, end)
			}
		}
	}
	return committed, err
}

func listed(l kadm.ListedOffsets, err error) (map[string]map[int32]int64, error) {
	if err == nil {
		err = l.Error()
	}
	out := map[string]map[int32]int64{}
	l.Each(func(o kadm.ListedOffset) {
		if out[o.Topic] == nil {
			out[o.Topic] = map[int32]int64{}
		}
		out[o.Topic][o.Partition] = o.Offset
	})
	return out, err
}

// unfinished says what keeps the query from having processed everything, "" when nothing does: the group has committed all of
// its inputs, and each partition is owned by exactly one running task, which knows that.
func (c *cluster) unfinished(ctx context.Context) string {
	// The ends are read after what is committed: where both agree, nothing was under way in between.
	group := c.kafka.GroupInfo(c.group())
	if group == nil {
		return "there is no group"
	}
	known := map[string]map[int32]int64{}
	for _, s := range c.servers {
		x := s.executor()
		if x == nil {
			continue
		}
		status, _ := x.Status(c.plan.query.QueryID)
		for _, t := range status.Tasks {
			if t.State != exec.TaskRunning {
				continue
			}
			for _, in := range t.Inputs {
				if known[in.Topic] == nil {
					known[in.Topic] = map[int32]int64{}
				}
				if _, ok := known[in.Topic][in.Partition]; ok {
					return fmt.Sprintf("%s-%d has two owners", in.Topic, in.Partition)
				}
				known[in.Topic][in.Partition] = in.Committed
			}
		}
	}
	ends, err := c.ends(ctx)
	if err != nil {
		return fmt.Sprintf("listing ends: %v", err)
	}
	delete(ends, "out")
	for _, topic := range slices.Sorted(maps.Keys(ends)) {
		for p, end := range ends[topic] {
			committed := group.Commits[topic][p].Offset
			at, ok := known[topic][p]
			switch {
			case committed < end:
				return fmt.Sprintf("%s-%d is committed up to %d of %d", topic, p, committed, end)
			case !ok:
				return fmt.Sprintf("%s-%d has no running owner", topic, p)
			case at != committed:
				return fmt.Sprintf("%s-%d is committed up to %d, its owner says %d", topic, p, committed, at)
			}
		}
	}
	return ""
}

// stuckRebalance is longer than any rebalance may take.
const stuckRebalance = 65 * time.Second

// allJoining says whether a rebalance is under way that all running servers, and nobody else, have joined.
func (c *cluster) allJoining() bool {
	g := c.kafka.GroupInfo(c.group())
	if g == nil || g.State != "PreparingRebalance" {
		return false
	}
	running := map[string]bool{}
	for _, s := range c.servers {
		if s.executor() != nil {
			running[s.name] = true
		}
	}
	for _, m := range g.Members {
		if m.InstanceID == nil || !running[*m.InstanceID] {
			return false
		}
		delete(running, *m.InstanceID)
	}
	return len(running) == 0
}

// ghostAge is longer than a member may be silent.
const ghostAge = 30 * time.Second

// expelGhosts removes members of the group whose servers do not run and whose sessions never end. kfake makes them of static
// members whose connection ends before the answer to their JoinGroup or SyncGroup: their timers are not started. since holds
// when each was first seen.
func (c *cluster) expelGhosts(ctx context.Context, since map[string]time.Time) {
	g := c.kafka.GroupInfo(c.group())
	if g == nil {
		return
	}
	running := map[string]bool{}
	for _, s := range c.servers {
		running[s.name] = s.life != nil
	}
	for _, m := range g.Members {
		switch at, seen := since[m.MemberID]; {
		case m.InstanceID == nil || running[*m.InstanceID]:
		case !seen:
			since[m.MemberID] = time.Now()
		case time.Since(at) > ghostAge:
			c.log.note("the broker keeps a dead member for ever; %s is expelled", *m.InstanceID)
			c.restarts.Add(1)
			if _, err := kadm.NewClient(c.client).LeaveGroup(ctx, kadm.LeaveGroup(c.group()).InstanceIDs(*m.InstanceID)); err != nil {
				c.log.note("expelling: %v", err)
			}
		}
	}
}

// restartAll helps over a fault of kfake's, seen a few times in a thousand scenarios: it takes a static member that was
// replaced while it waited for its SyncGroup out of the count of those who have joined, and starts its timer anew with each
// join. Then a rebalance that everybody has joined ends only when nobody joins for a minute.
func (c *cluster) restartAll() {
	c.log.note("the broker has lost count of a rebalance; all servers are restarted")
	c.restarts.Add(1)
	var ends []<-chan struct{}
	var again []*server
	for _, s := range c.servers {
		if s.life != nil {
			again = append(again, s)
			ends = append(ends, s.end())
		}
	}
	for _, done := range ends {
		<-done
	}
	time.Sleep(stuckRebalance)
	for _, s := range again {
		s.start()
	}
}

// settle waits until everything is processed.
func (c *cluster) settle(ctx context.Context, within time.Duration) bool {
	why := ""
	began, joining := time.Now(), time.Now()
	ghosts := map[string]time.Time{}
	for ; time.Since(began) < within; time.Sleep(250 * time.Millisecond) {
		if why = c.unfinished(ctx); why == "" {
			return true
		}
		c.expelGhosts(ctx, ghosts)
		if !c.allJoining() {
			joining = time.Now()
		} else if time.Since(joining) > stuckRebalance {
			c.restartAll()
			began, joining = time.Now(), time.Now()
		}
	}
	c.errorf("not everything is processed %v after the last fault: %s", within, why)
	if g := c.kafka.GroupInfo(c.group()); g != nil {
		c.errorf("group %s, generation %d", g.State, g.Epoch)
		for _, m := range g.Members {
			c.errorf("member %s, %v", m.MemberID, m.Assignment)
		}
	}
	for _, s := range c.servers {
		x := s.executor()
		if x == nil {
			c.errorf("%s: no process", s.name)
			continue
		}
		status, _ := x.Status(c.plan.query.QueryID)
		c.errorf("%s: %s, read %d, errors %v", s.name, status.State, status.Total.Read, status.Errors)
		for _, t := range status.Tasks {
			c.errorf("%s: task %d_%d %s %v", s.name, t.Stage, t.Partition, t.State, t.Inputs)
		}
	}
	return false
}

// outputs reads the committed records of the sink, partition by partition.
func (c *cluster) outputs(ctx context.Context) ([]output, error) {
	ends, err := listed(kadm.NewClient(c.client).ListCommittedOffsets(ctx, "out"))
	if err != nil {
		return nil, err
	}
	left, from := map[int32]int64{}, map[int32]kgo.Offset{}
	for p, end := range ends["out"] {
		if end > 0 {
			left[p], from[p] = end, kgo.NewOffset().At(0)
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(c.addresses...), kgo.Dialer(c.net.dialer(newObserver("reader"))), kgo.DisableClientMetrics(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxWait(100*time.Millisecond), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"out": from}))
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	byPartition := map[int32][]output{}
	for len(left) > 0 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if r.Attrs.IsControl() || err != nil {
				return
			}
			o := output{partition: r.Partition, offset: r.Offset}
			err = c.script.workload.parse(&o, r.Key, r.Value)
			byPartition[r.Partition] = append(byPartition[r.Partition], o)
		})
		if err != nil {
			return nil, err
		}
	}
	var out []output
	for p := range int32(partitions) {
		out = append(out, byPartition[p]...)
	}
	return out, nil
}

// observe calls fn, once, at the next request of a kind by a server's producer. It runs on the brokers' loop and must not wait.
func (c *cluster) observe(key kmsg.Key, s *server, fn func()) {
	id, done := c.transactionalID(s), false
	c.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{key}, TopLevel: true, Observe: true, Count: -1, When: func(r kmsg.Request) bool {
		if !done && transactionalIDOf(r) == id {
			done = true
			fn()
		}
		return false
	}})
}

// transactionalIDOf is the transactional id a request carries, "" if none.
func transactionalIDOf(r kmsg.Request) string {
	var id *string
	switch r := r.(type) {
	case *kmsg.EndTxnRequest:
		return r.TransactionalID
	case *kmsg.TxnOffsetCommitRequest:
		return r.TransactionalID
	case *kmsg.ProduceRequest:
		id = r.TransactionID
	case *kmsg.InitProducerIDRequest:
		id = r.TransactionalID
	}
	if id == nil {
		return ""
	}
	return *id
}

// refuse lets brokers answer requests with an error.
func (c *cluster) refuse(f fault) *kfake.FaultHandle {
	k := kfake.Fault{Keys: []kmsg.Key{f.request}, Err: f.err, Count: f.times}
	switch f.request {
	case kmsg.EndTxn, kmsg.InitProducerID, kmsg.Heartbeat, kmsg.JoinGroup, kmsg.SyncGroup:
		k.TopLevel = true
	case kmsg.Fetch, kmsg.ListOffsets:
		// The test's own client is left alone.
		k.When = func(r kmsg.Request) bool { return true }
	}
	if f.server >= 0 {
		id := c.transactionalID(c.servers[f.server])
		k.When = func(r kmsg.Request) bool { return transactionalIDOf(r) == id }
	}
	return c.kafka.Fault(k)
}

// allTopics lists every topic there is.
func (c *cluster) allTopics() []string {
	names := slices.Collect(maps.Keys(c.plan.topics))
	for _, st := range c.plan.query.Stages {
		for _, in := range st.Inputs {
			names = append(names, in.Topic)
		}
		for _, store := range st.Stores {
			names = append(names, store.Changelog)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(n string) bool { return c.kafka.TopicInfo(n) == nil })
}

// loseAnswers lets brokers carry out requests of a server's producer while the answers are lost with their connections.
func (c *cluster) loseAnswers(key kmsg.Key, times int, s *server) *kfake.FaultHandle {
	id := c.transactionalID(s)
	return c.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{key}, TopLevel: true, Observe: true, Count: -1, When: func(r kmsg.Request) bool {
		if times == 0 || transactionalIDOf(r) != id {
			return false
		}
		times--
		until := time.Now().Add(20 * time.Millisecond)
		c.net.change(s.name, ports, outward, func(p *path) { p.stalledUntil = later(p.stalledUntil, until) })
		time.AfterFunc(10*time.Millisecond, func() { c.net.cut(s.name, 0) })
		return false
	}})
}
