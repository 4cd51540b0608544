package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ksqlgo/ksqlgo/exec"
)

// options of a run of scenarios.
type options struct {
	level slog.Level
	echo  func(string)
	hook  func(*script) func(kmsg.Request)
	trace bool
}

// outcome is what became of a scenario.
type outcome struct {
	script *script
	// wrong is what the checker found; log are the last lines of it.
	wrong []string
	log   []string
	// virtual is how long it took in its own time.
	virtual time.Duration
	// restarts is how often a fault of the broker had to be helped over.
	restarts int64
	// answers is how many the reader had.
	answers int
	// bubble is its name in stacks.
	bubble string
}

// String is all that one needs to look into it.
func (o *outcome) String() string {
	return fmt.Sprintf("%s%s\nlog:\n%s\nagain: go test ./tests/simulation -run TestSeed -seed %d -v\n%s", o.script,
		indent(o.wrong), indent(o.log), o.script.seed, indent(o.wrong))
}

// bubbleName is the name of the bubble in the stacks of its goroutines.
func bubbleName() string {
	buf := make([]byte, 200)
	head, _, _ := strings.Cut(string(buf[:runtime.Stack(buf, false)]), "]")
	return head[strings.LastIndex(head, "synctest bubble"):]
}

func indent(lines []string) string { return "    " + strings.Join(lines, "\n    ") }

// settleTime is how long a cluster may take, after the last fault is over, to have processed everything.
const settleTime = 3 * time.Minute

// simulate runs a scenario in a bubble of its own.
func simulate(t *testing.T, out *outcome, o options) {
	s := out.script
	p, err := s.workload.planned()
	if err != nil {
		t.Fatalf("%s: %v", s.workload.name, err)
	}
	synctest.Test(t, func(*testing.T) {
		out.bubble = bubbleName()
		log := &journal{began: time.Now(), level: o.level, echo: o.echo}
		var hook func(kmsg.Request)
		if o.hook != nil {
			hook = o.hook(s)
		}
		c, err := newCluster(s, p, log, hook)
		if err != nil {
			out.wrong = append(out.wrong, err.Error())
			return
		}
		if o.trace {
			c.trace()
		}
		if err := c.scenario(); err != nil {
			c.errorf("%v", err)
		}
		out.virtual, out.wrong, out.log = time.Since(log.began), c.wrong, log.lines
		c.close()
		out.restarts, out.answers = c.restarts.Load(), c.answers
		out.wrong, out.log = c.wrong, log.lines
	})
}

// scenario plays the script and compares.
func (c *cluster) scenario() error {
	ctx := context.Background()
	for i := range c.script.servers {
		s := newServer(c, fmt.Sprintf("s%d", i))
		c.servers = append(c.servers, s)
		if !slices.Contains(c.script.late, i) {
			s.start()
		}
	}
	if err := c.play(ctx); err != nil {
		return err
	}
	if !c.settle(ctx, settleTime) {
		return nil
	}
	if err := c.compare(ctx, c.servers); err != nil || len(c.wrong) > 0 {
		return err
	}
	return c.epilogue(ctx)
}

// play writes the inputs while the faults happen, and ends when all is well again.
func (c *cluster) play(ctx context.Context) error {
	began := time.Now()
	written := make(chan error, 1)
	go func() { written <- c.writeAll(ctx) }()
	stopReading := c.read(ctx)
	defer stopReading()
	p := &player{c: c, random: rand.New(rand.NewPCG(c.script.seed, 3)), struck: make(chan func(), 100)}
	for _, f := range c.script.faults {
		p.until(began.Add(f.at))
		c.log.note("%s", f)
		p.inject(f)
	}
	p.rest()
	c.net.heal()
	for _, h := range p.handles {
		h.Remove()
	}
	c.log.note("all is well")
	for _, s := range c.servers {
		if s.life == nil {
			s.start()
		}
	}
	return <-written
}

// read starts the reader, for running counts that are exact; the function it returns ends it.
func (c *cluster) read(ctx context.Context) (stop func()) {
	if !c.script.workload.counts || c.script.atLeastOnce {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &reader{c: c, told: map[string]int64{}, by: map[string]string{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.run(ctx)
	}()
	return func() {
		cancel()
		<-done
		c.answers = r.answers
	}
}

// writeAll writes the inputs over the span.
func (c *cluster) writeAll(ctx context.Context) error {
	r := rand.New(rand.NewPCG(c.script.seed, 4))
	const bursts = 24
	for i := range bursts {
		time.Sleep(c.script.span / bursts)
		if err := c.write(ctx, c.make(r, c.script.inputs*i/bursts, c.script.inputs*(i+1)/bursts)); err != nil {
			return fmt.Errorf("writing inputs: %w", err)
		}
	}
	return nil
}

// make makes the inputs of a range of ids.
func (c *cluster) make(r *rand.Rand, from, to int) []input {
	var list []input
	for id := from; id < to; id++ {
		list = append(list, c.script.workload.make(r, id, time.Now().UnixMilli())...)
	}
	return list
}

// player injects the faults of a script. What ends a fault later is an end; ends run in the order of their times, between
// faults and behind the last one.
type player struct {
	c       *cluster
	random  *rand.Rand
	ends    []ending
	handles []*kfake.FaultHandle
	// struck gets what is to be done at once.
	struck chan func()
}

type ending struct {
	at time.Time
	do func()
}

// later notes what is to be done when a fault is over.
func (p *player) later(d time.Duration, do func()) {
	p.ends = append(p.ends, ending{time.Now().Add(d), do})
}

// until waits until a time and carries out what is due before.
func (p *player) until(at time.Time) {
	for {
		e, ok := p.next()
		if !ok || e.at.After(at) {
			break
		}
		p.end(e)
	}
	p.wait(at)
}

// wait waits until a time, and does meanwhile what is to be done at once.
func (p *player) wait(at time.Time) {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	for {
		select {
		case do := <-p.struck:
			do()
		case <-t.C:
			return
		}
	}
}

// rest waits for the ends of all faults.
func (p *player) rest() {
	for e, ok := p.next(); ok; e, ok = p.next() {
		p.end(e)
	}
}

// next is the earliest end.
func (p *player) next() (ending, bool) {
	if len(p.ends) == 0 {
		return ending{}, false
	}
	return slices.MinFunc(p.ends, func(a, b ending) int { return a.at.Compare(b.at) }), true
}

func (p *player) end(e ending) {
	p.wait(e.at)
	i := slices.IndexFunc(p.ends, func(x ending) bool { return x.at.Equal(e.at) })
	p.ends = slices.Delete(p.ends, i, i+1)
	e.do()
}

func (p *player) inject(f fault) {
	c := p.c
	var s *server
	if f.server >= 0 {
		s = c.servers[f.server]
	}
	switch f.kind {
	case crash:
		p.crash(f, s)
	case crashAll:
		for _, s := range c.servers {
			p.crashNow(f, s)
		}
	case stop, leave:
		p.stop(f, s)
	case join:
		if s.life == nil {
			s.start()
		}
	case freeze, cut:
		until := time.Now().Add(f.length)
		c.net.change(s.name, p.ports(f), f.direction, func(x *path) { x.stalledUntil = later(x.stalledUntil, until) })
		p.later(f.length, func() {})
	case reset:
		c.net.cut(s.name, 0)
	case slow:
		until := time.Now().Add(f.length)
		c.net.change(s.name, ports, both, func(x *path) { x.delay, x.delayUntil = 500*time.Millisecond, until })
		p.later(f.length, func() {})
	case lossy:
		until := time.Now().Add(f.length)
		c.net.change(s.name, ports, both, func(x *path) { x.lossPercent, x.lossUntil = 5, until })
		p.later(f.length, func() {})
	case brokerDown:
		c.net.down(ports[f.broker], f.length)
		p.later(f.length, func() {})
	case brokerDies:
		c.net.down(ports[f.broker], f.length)
		p.moveAway(int32(f.broker))
		c.kafka.RehashCoordinators()
		p.later(f.length, func() {})
	case bounce:
		for _, port := range ports {
			c.net.down(port, f.length)
		}
		p.later(f.length, func() {})
	case leaders:
		c.kafka.ShufflePartitionLeaders()
	case coordinate:
		c.kafka.RehashCoordinators()
	case refuse:
		p.handles = append(p.handles, c.refuse(f))
	case loseAnswer:
		p.handles = append(p.handles, c.loseAnswers(f.request, f.times, s))
	case badDisk:
		disk := s.disk
		disk.Fail(f.disk.errno())
		p.later(f.length, func() { disk.Fail(nil) })
	case pause:
		c.setPaused(true)
		p.later(f.length, func() { c.setPaused(false) })
	case replace:
		c.replace()
	default:
		c.errorf("a fault nobody knows: %v", f)
	}
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ports are those of the brokers that a fault of the network concerns.
func (p *player) ports(f fault) []int {
	if f.kind == cut && f.broker >= 0 {
		return ports[f.broker : f.broker+1]
	}
	return ports
}

// moveAway gives what a broker leads to the others.
func (p *player) moveAway(broker int32) {
	for _, topic := range p.c.allTopics() {
		for _, info := range p.c.kafka.PartitionInfos(topic) {
			if info.Leader == broker {
				to := (broker + 1 + p.random.Int32N(brokers-1)) % brokers
				if err := p.c.kafka.MoveTopicPartition(topic, info.Partition, to); err != nil {
					p.c.errorf("moving %s-%d: %v", topic, info.Partition, err)
				}
			}
		}
	}
}

// crash lets a server die now, or at its next request of a kind.
func (p *player) crash(f fault, s *server) {
	if f.request == 0 {
		p.crashNow(f, s)
		return
	}
	// The connections end before the broker handles the request, and the process right after; at the end of the wait if there
	// is no such request.
	life := s.life
	if life == nil {
		return
	}
	strike := func() {
		if s.life == life {
			p.crashNow(f, s)
		}
	}
	p.c.observe(f.request, s, func() {
		p.c.net.kill(life.host)
		p.struck <- strike
	})
	p.later(crashWait, strike)
}

// crashWait is how long a crash waits for its request.
const crashWait = 3 * time.Second

func (p *player) crashNow(f fault, s *server) {
	s.crash(f.percent, f.disk, p.random)
	p.restart(f, s)
}

// restart starts a server again after a while unless something else has by then.
func (p *player) restart(f fault, s *server) {
	lives := s.lives
	p.later(f.length, func() {
		if s.life == nil && s.lives == lives {
			s.start()
		}
	})
}

// stop ends a process in an orderly way. It may take long when brokers are out of reach; the next one starts after it.
func (p *player) stop(f fault, s *server) {
	if s.life == nil {
		return
	}
	c := p.c
	done := s.end()
	lives := s.lives
	left := make(chan struct{})
	go func() {
		defer close(left)
		<-done
		if f.kind == leave {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if _, err := kadm.NewClient(c.client).LeaveGroup(ctx, kadm.LeaveGroup(c.group()).InstanceIDs(s.name)); err != nil {
				c.log.note("leaving: %v", err)
			}
		}
	}()
	p.later(f.length, func() {
		<-left
		if s.life == nil && s.lives == lives {
			s.start()
		}
	})
}

// setPaused pauses or resumes the query on all servers.
func (c *cluster) setPaused(paused bool) {
	c.paused.Store(paused)
	for _, s := range c.servers {
		x := s.executor()
		if x == nil {
			continue
		}
		go func() {
			// Where the process is ending there is nothing to pause.
			if paused {
				_ = x.Pause(c.plan.query.QueryID)
			} else {
				_ = x.Resume(c.plan.query.QueryID)
			}
		}()
	}
}

// replace gives the query another plan, as CREATE OR REPLACE does, on one server after the other.
func (c *cluster) replace() {
	c.edition.Add(1)
	for i, s := range c.servers {
		go func() {
			time.Sleep(time.Duration(i) * 150 * time.Millisecond)
			if x := s.executor(); x != nil {
				// Where the process is ending there is nothing to replace.
				_ = x.Replace(c.spec())
			}
		}()
	}
}

// spec is the query as it was last replaced: the plans differ in their text alone.
func (c *cluster) spec() exec.QuerySpec {
	p := *c.plan.query
	p.SQL += fmt.Sprintf(" -- %d", c.edition.Load())
	return exec.QuerySpec{Plan: &p, Properties: c.properties(), Paused: c.paused.Load()}
}

// compare checks the outputs against the inputs, the tables as pulled against the outputs, and the accounting.
func (c *cluster) compare(ctx context.Context, servers []*server) error {
	outputs, err := c.outputs(ctx)
	if err != nil {
		return fmt.Errorf("reading outputs: %w", err)
	}
	check := &comparison{script: c.script, inputs: c.inputs, outputs: outputs}
	c.script.workload.check(check)
	c.wrong = append(c.wrong, check.wrong...)
	c.compareAccounting(servers)
	return c.comparePulled(ctx, servers, outputs)
}

// moveTime is how long a task may be between two servers. Tasks move when standbys have caught up, so also when all is well.
const moveTime = 30 * time.Second

// compareAccounting wants each record to be read by one task, and to have one fate.
func (c *cluster) compareAccounting(servers []*server) {
	for began := time.Now(); ; time.Sleep(250 * time.Millisecond) {
		wrong := c.accounting(servers)
		if wrong == "" {
			return
		}
		if time.Since(began) > moveTime {
			c.errorf("%s", wrong)
			return
		}
	}
}

// accounting says what is wrong with the accounting, "" if nothing is.
func (c *cluster) accounting(servers []*server) string {
	var read int64
	var list []string
	for _, s := range servers {
		x := s.executor()
		if x == nil {
			continue
		}
		status, _ := x.Status(c.plan.query.QueryID)
		for _, t := range status.Tasks {
			for _, in := range t.Inputs {
				if t.State != exec.TaskRunning || in.Source == "" {
					continue
				}
				read += in.Accounting.Read
				list = append(list, fmt.Sprintf("%s %s-%d@%d %d", s.name, in.Topic, in.Partition, in.Committed, in.Accounting.Read))
				if !in.Accounting.Closed() {
					return fmt.Sprintf("%s: the accounting of %s-%d does not close: %+v", s.name, in.Topic, in.Partition, in.Accounting)
				}
			}
		}
	}
	if n := int64(len(c.inputs)); read != n && !(c.script.atLeastOnce && read > n) {
		slices.Sort(list)
		return fmt.Sprintf("the accounting says that %d records were read, %d were written: %s", read, n, strings.Join(list, ", "))
	}
	return ""
}

// comparePulled asks the servers for each key's rows and compares them with what the outputs come to.
func (c *cluster) comparePulled(ctx context.Context, servers []*server, outputs []output) error {
	if c.script.workload.pull == "" || c.script.atLeastOnce {
		// At least once rows and outputs need not agree: a flush that broke off, or writes that a network held back, may leave an
		// old one of either behind (docs/operations.md says what that means).
		return nil
	}
	type window struct{ start, end int64 }
	want := map[string]map[window]string{}
	for i := range outputs {
		o := &outputs[i]
		if want[o.key] == nil {
			want[o.key] = map[window]string{}
		}
		at := window{o.start, o.end}
		if o.value == nil {
			delete(want[o.key], at)
			continue
		}
		want[o.key][at] = c.script.workload.row(o)
	}
	for _, g := range groups {
		var list []string
		for _, text := range want[g] {
			list = append(list, text)
		}
		slices.Sort(list)
		got, err := c.pull(ctx, servers, g)
		if err != nil {
			return fmt.Errorf("pulling %s: %w", g, err)
		}
		if !slices.Equal(got, list) {
			c.errorf("pulled of %s: %q, the outputs say %q", g, got, list)
		}
	}
	return nil
}

// pull reads a key's rows from the server that has them.
func (c *cluster) pull(ctx context.Context, servers []*server, key string) ([]string, error) {
	for began := time.Now(); ; time.Sleep(250 * time.Millisecond) {
		var errs []error
		for _, s := range servers {
			x := s.executor()
			if x == nil {
				continue
			}
			list, err := c.pullFrom(ctx, x, key)
			if err == nil {
				return list, nil
			}
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
		if time.Since(began) > moveTime {
			return nil, errors.Join(errs...)
		}
	}
}

// pullFrom reads a key's rows from one server, sorted.
func (c *cluster) pullFrom(ctx context.Context, x *exec.Executor, key string) ([]string, error) {
	rows, err := x.Pull(ctx, c.plan.pulls[key], exec.PullOptions{StandbyLag: -1})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []string
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		list = append(list, words(row...))
	}
	slices.Sort(list)
	return list, nil
}

// epilogue ends all servers and goes on with one that has nothing but the changelogs: its tables are the same, and further
// inputs continue where the others ended.
func (c *cluster) epilogue(ctx context.Context) error {
	var ends []<-chan struct{}
	for _, s := range c.servers {
		ends = append(ends, s.end())
	}
	for _, done := range ends {
		<-done
	}
	fresh := newServer(c, "fresh")
	c.servers = append(c.servers, fresh)
	fresh.start()
	c.log.note("the others have ended")
	if !c.settle(ctx, settleTime) {
		return nil
	}
	if err := c.compare(ctx, []*server{fresh}); err != nil || len(c.wrong) > 0 {
		return err
	}
	r := rand.New(rand.NewPCG(c.script.seed, 5))
	if err := c.write(ctx, c.make(r, c.script.inputs, c.script.inputs+20)); err != nil {
		return err
	}
	if !c.settle(ctx, settleTime) {
		return nil
	}
	return c.compare(ctx, []*server{fresh})
}
