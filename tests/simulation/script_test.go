package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// script is what a scenario consists of, all of it drawn from the seed.
type script struct {
	seed     uint64
	workload *workload
	// atLeastOnce is the guarantee of the query; cache lets updates be gathered before they are emitted.
	atLeastOnce, cache bool
	commitInterval     time.Duration
	servers            int
	// late servers join by a fault instead of from the start.
	late   []int
	inputs int
	// span is how long inputs are written.
	span   time.Duration
	faults []fault
}

// fault is one thing that goes wrong, at a time after the start.
type fault struct {
	at     time.Duration
	kind   faultKind
	server int
	broker int
	// length is how long it lasts: a stop until the restart.
	length    time.Duration
	direction direction
	// percent of what was not synced survives a crash.
	percent int
	disk    diskFault
	// request and err are what a broker refuses; times how often. For a crash, request is what it waits for.
	request kmsg.Key
	err     *kerr.Error
	times   int
}

type faultKind int

const (
	crash      faultKind = iota // kill -9 or power loss of a server, and a restart
	crashAll                    // of all servers at once
	stop                        // an orderly stop, and a restart
	leave                       // an orderly stop and leaving the group; the server comes back later
	join                        // a server that was not there yet
	freeze                      // nothing comes to a server or from it
	cut                         // the same between a server and one broker, or in one direction
	reset                       // connections of a server end
	slow                        // latency of half a second
	lossy                       // one segment of twenty has to be sent again
	brokerDown                  // a broker restarts; its leaders stay
	brokerDies                  // a broker restarts; its leaders and coordinators move
	bounce                      // all brokers restart
	leaders                     // partitions get other leaders
	coordinate                  // groups and transactions get other coordinators
	refuse                      // brokers answer with an error
	loseAnswer                  // a request is carried out and its answer lost
	badDisk                     // writes to a server's disk fail
	pause                       // the query is paused, and resumed
	replace                     // the query is replaced by one with another plan and the same state, a server after the other
	faultKinds
)

var kindNames = [...]string{"crash", "crash of all", "stop", "leave", "join", "freeze", "cut", "reset", "slow", "lossy", "broker down",
	"broker dies", "bounce", "leaders", "coordinators", "refuse", "lose answer", "bad disk", "pause",
	"replace"}

// diskFault is what a crash does to the disk besides losing what was not synced, or what a bad disk answers.
type diskFault int

const (
	diskKept diskFault = iota
	diskEmpty
	diskDamaged
	diskEIO
	diskFull
)

var diskNames = [...]string{"", ", disk emptied", ", a byte flipped", " EIO", " full"}

func (d diskFault) errno() error {
	if d == diskFull {
		return syscall.ENOSPC
	}
	return syscall.EIO
}

func (f fault) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%7.3fs %s", f.at.Seconds(), kindNames[f.kind])
	switch f.kind {
	case crash:
		fmt.Fprintf(&b, " of s%d, %d %% of what was not synced left%s, back after %v", f.server, f.percent, diskNames[f.disk], f.length)
		if f.request != 0 {
			fmt.Fprintf(&b, ", at its next %s", f.request.Name())
		}
	case crashAll:
		fmt.Fprintf(&b, ", %d %% of what was not synced left, back after %v", f.percent, f.length)
	case stop, leave:
		fmt.Fprintf(&b, " of s%d, back after %v", f.server, f.length)
	case join, reset:
		fmt.Fprintf(&b, " of s%d", f.server)
	case freeze, lossy, slow:
		fmt.Fprintf(&b, " s%d for %v", f.server, f.length)
	case cut:
		where := "all brokers"
		if f.broker >= 0 {
			where = fmt.Sprintf("broker %d", f.broker)
		}
		fmt.Fprintf(&b, " s%d from %s, %s, for %v", f.server, where, f.direction, f.length)
	case brokerDown, brokerDies:
		fmt.Fprintf(&b, " %d for %v", f.broker, f.length)
	case bounce, pause:
		fmt.Fprintf(&b, " for %v", f.length)
	case refuse:
		fmt.Fprintf(&b, " %d %s with %s", f.times, f.request.Name(), f.err.Message)
		if f.server >= 0 {
			fmt.Fprintf(&b, " of s%d", f.server)
		}
	case loseAnswer:
		fmt.Fprintf(&b, " to %d %s of s%d", f.times, f.request.Name(), f.server)
	case badDisk:
		fmt.Fprintf(&b, "%s of s%d for %v", diskNames[f.disk], f.server, f.length)
	default:
	}
	return b.String()
}

func (s *script) String() string {
	var b strings.Builder
	guarantee := "exactly once"
	if s.atLeastOnce {
		guarantee = "at least once"
	}
	fmt.Fprintf(&b, "seed %d: %s, %s, commits every %v, cache %v, %d servers, %d inputs in %v\n", s.seed, s.workload.name, guarantee,
		s.commitInterval, s.cache, s.servers, s.inputs, s.span)
	for _, f := range s.faults {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	return b.String()
}

// brokers is how many brokers there are.
const brokers = 3

// refusals are the errors that brokers answer requests with. Those of requests that carry a transactional id are aimed at
// one server.
var refusals = []struct {
	request kmsg.Key
	byTxn   bool
	errs    []*kerr.Error
}{
	{kmsg.EndTxn, true, []*kerr.Error{kerr.RequestTimedOut, kerr.UnknownServerError, kerr.NotCoordinator, kerr.CoordinatorLoadInProgress,
		kerr.ConcurrentTransactions, kerr.InvalidTxnState, kerr.InvalidProducerEpoch, kerr.ProducerFenced}},
	{kmsg.TxnOffsetCommit, true, []*kerr.Error{kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.FencedInstanceID, kerr.ConcurrentTransactions,
		kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.RequestTimedOut, kerr.RebalanceInProgress}},
	{kmsg.Produce, true, []*kerr.Error{kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, kerr.NotEnoughReplicas, kerr.NotLeaderForPartition,
		kerr.InvalidProducerEpoch, kerr.OutOfOrderSequenceNumber, kerr.ConcurrentTransactions, kerr.KafkaStorageError, kerr.MessageTooLarge,
		kerr.TopicAuthorizationFailed}},
	{kmsg.InitProducerID, true, []*kerr.Error{kerr.CoordinatorLoadInProgress, kerr.ConcurrentTransactions, kerr.NotCoordinator}},
	{kmsg.OffsetFetch, false, []*kerr.Error{kerr.UnstableOffsetCommit, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator}},
	{kmsg.OffsetCommit, false, []*kerr.Error{kerr.IllegalGeneration, kerr.RequestTimedOut, kerr.CoordinatorNotAvailable, kerr.RebalanceInProgress}},
	{kmsg.Fetch, false, []*kerr.Error{kerr.NotLeaderForPartition, kerr.KafkaStorageError, kerr.FencedLeaderEpoch, kerr.OffsetNotAvailable}},
	{kmsg.ListOffsets, false, []*kerr.Error{kerr.NotLeaderForPartition, kerr.LeaderNotAvailable}},
	{kmsg.Heartbeat, false, []*kerr.Error{kerr.UnknownMemberID, kerr.RebalanceInProgress, kerr.NotCoordinator, kerr.IllegalGeneration}},
	{kmsg.JoinGroup, false, []*kerr.Error{kerr.CoordinatorNotAvailable, kerr.UnknownMemberID, kerr.CoordinatorLoadInProgress}},
	{kmsg.SyncGroup, false, []*kerr.Error{kerr.RebalanceInProgress, kerr.UnknownMemberID, kerr.IllegalGeneration}},
	{kmsg.FindCoordinator, false, []*kerr.Error{kerr.CoordinatorNotAvailable}},
	{kmsg.CreateTopics, false, []*kerr.Error{kerr.RequestTimedOut, kerr.NotController}},
}

// crashPoints are the requests at which a server can be made to die: in the steps of a commit, in its opening, in a restore.
var crashPoints = []kmsg.Key{kmsg.Produce, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.InitProducerID}

// answered are the requests whose answers can be made to be lost.
var answered = []kmsg.Key{kmsg.EndTxn, kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.Produce, kmsg.InitProducerID}

// weights say how often each kind of fault is drawn.
var weights = [faultKinds]int{
	crash: 24, crashAll: 3, stop: 8, leave: 4, join: 0, freeze: 12, cut: 10, reset: 4, slow: 4, lossy: 4, brokerDown: 5, brokerDies: 5,
	bounce: 3, leaders: 4, coordinate: 4, refuse: 30, loseAnswer: 10, badDisk: 6, pause: 3, replace: 5,
}

// generate draws the script of a seed.
func generate(seed uint64) *script {
	r := rand.New(rand.NewPCG(seed, 0x6b73716c))
	s := &script{seed: seed, workload: workloads[r.IntN(len(workloads))], servers: 3, commitInterval: 100 * time.Millisecond,
		inputs: 60 + r.IntN(120), span: time.Duration(8+r.IntN(17)) * time.Second}
	s.atLeastOnce = r.IntN(8) == 0
	s.cache = !s.atLeastOnce && s.workload.cacheable && r.IntN(4) == 0
	switch r.IntN(4) {
	case 0:
		s.commitInterval = 20 * time.Millisecond
	case 1:
		s.commitInterval = 500 * time.Millisecond
	}
	if r.IntN(4) == 0 {
		s.late = []int{s.servers}
		s.faults = append(s.faults, fault{at: drawTime(r, s.span), kind: join, server: s.servers})
		s.servers++
	}
	for range 2 + r.IntN(6) {
		s.faults = append(s.faults, draw(r, s))
	}
	slices.SortStableFunc(s.faults, func(a, b fault) int { return int(a.at - b.at) })
	return s
}

func drawTime(r *rand.Rand, span time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(span))).Truncate(time.Millisecond)
}

// drawLength draws a duration, short ones more often than long ones.
func drawLength(r *rand.Rand, shortest, longest time.Duration) time.Duration {
	d := shortest
	for d < longest && r.IntN(3) > 0 {
		d *= 2
	}
	return min(d+time.Duration(r.Int64N(int64(d))), longest).Truncate(time.Millisecond)
}

// draw makes one fault.
func draw(r *rand.Rand, s *script) fault {
	total := 0
	for _, w := range weights {
		total += w
	}
	f := fault{at: drawTime(r, s.span), server: r.IntN(s.servers), broker: r.IntN(brokers)}
	n := r.IntN(total)
	for f.kind = 0; n >= weights[f.kind]; f.kind++ {
		n -= weights[f.kind]
	}
	switch f.kind {
	case crash:
		f.percent = []int{100, 100, 0, 30, 80}[r.IntN(5)]
		f.length = drawLength(r, 100*time.Millisecond, 20*time.Second)
		switch r.IntN(8) {
		case 0:
			f.disk = diskEmpty
		case 1:
			f.disk = diskDamaged
		}
		if r.IntN(2) == 0 && !s.atLeastOnce {
			f.request = crashPoints[r.IntN(len(crashPoints))]
		}
	case crashAll:
		f.percent = []int{100, 0, 50}[r.IntN(3)]
		f.length = drawLength(r, 500*time.Millisecond, 15*time.Second)
	case stop, leave:
		f.length = drawLength(r, 100*time.Millisecond, 20*time.Second)
	case freeze:
		f.length = drawLength(r, 500*time.Millisecond, 60*time.Second)
	case cut:
		f.direction = direction(r.IntN(3))
		if r.IntN(2) == 0 {
			f.broker = -1
		}
		f.length = drawLength(r, 200*time.Millisecond, 30*time.Second)
	case slow, lossy:
		f.length = drawLength(r, time.Second, 10*time.Second)
	case brokerDown, brokerDies:
		f.length = drawLength(r, 500*time.Millisecond, 12*time.Second)
	case bounce:
		f.length = drawLength(r, 500*time.Millisecond, 8*time.Second)
	case refuse:
		list := refusals
		if s.atLeastOnce {
			list = refusals[4:]
		}
		x := list[r.IntN(len(list))]
		if !s.atLeastOnce && r.IntN(2) == 0 {
			x = refusals[r.IntN(3)]
		}
		f.request, f.err, f.times = x.request, x.errs[r.IntN(len(x.errs))], 1+r.IntN(4)
		if !x.byTxn {
			f.server = -1
		}
	case loseAnswer:
		f.request, f.times = answered[r.IntN(len(answered))], 1+r.IntN(2)
	case badDisk:
		f.disk = diskEIO + diskFault(r.IntN(2))
		f.length = drawLength(r, 500*time.Millisecond, 10*time.Second)
	case pause:
		f.length = drawLength(r, 500*time.Millisecond, 8*time.Second)
	default:
	}
	return f
}
