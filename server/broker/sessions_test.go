package broker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupMember is a member of a group that does only what a test tells it to.
type groupMember struct {
	t          *testing.T
	cl         *kgo.Client
	instance   string
	id         string
	generation int32
	leader     bool
	metadata   byte
}

const sessionsGroup = "group"

// testSession is short, but longer than several looks at the sessions.
const testSession = 2 * time.Second

func newGroupMember(t *testing.T, b *Broker, instance string) *groupMember {
	m := &groupMember{t: t, cl: client(t, b), instance: instance}
	t.Cleanup(m.cl.Close)
	return m
}

// join joins with other metadata than before, and waits for the answer.
func (m *groupMember) join(ctx context.Context) error {
	m.metadata++
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.ProtocolType = sessionsGroup, m.id, &m.instance, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = int32(testSession.Milliseconds()), 30_000
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "test", Metadata: []byte{m.metadata}}}
	resp, err := req.RequestWith(ctx, m.cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return err
	}
	m.id, m.generation, m.leader = resp.MemberID, resp.Generation, resp.LeaderID == resp.MemberID
	return nil
}

func (m *groupMember) sync(ctx context.Context) error {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = sessionsGroup, m.id, &m.instance, m.generation
	if m.leader {
		req.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{{MemberID: m.id, MemberAssignment: []byte{1}}}
	}
	resp, err := req.RequestWith(ctx, m.cl)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}

func (m *groupMember) heartbeat(ctx context.Context) error {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = sessionsGroup, m.id, &m.instance, m.generation
	resp, err := req.RequestWith(ctx, m.cl)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.ErrorCode)
}

// together lets all members join at once and sync.
func together(ctx context.Context, t *testing.T, members ...*groupMember) {
	t.Helper()
	for _, step := range []func(*groupMember) error{
		func(m *groupMember) error { return m.join(ctx) },
		func(m *groupMember) error { return m.sync(ctx) },
	} {
		errs := make(chan error)
		for _, m := range members {
			go func() { errs <- step(m) }()
		}
		for range members {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
	}
}

// startForGroups starts a broker that allows short sessions, with a group of two.
func startForGroups(ctx context.Context, t *testing.T) (b *Broker, x, y *groupMember) {
	t.Helper()
	b = startIn(t, "")
	alter := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeBroker, ""
	r.Configs = []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "group.min.session.timeout.ms", Value: kmsg.StringPtr("100")}}
	alter.Resources = append(alter.Resources, r)
	x, y = newGroupMember(t, b, "x"), newGroupMember(t, b, "y")
	resp, err := alter.RequestWith(ctx, x.cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	together(ctx, t, x)
	// y joins, which takes a rebalance that x takes part in.
	joined := make(chan error)
	go func() { joined <- y.join(ctx) }()
	for x.heartbeat(ctx) == nil {
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
	}
	if err := x.join(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	go func() { errs <- y.sync(ctx) }()
	go func() { errs <- x.sync(ctx) }()
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	return b, x, y
}

// TestWaitingMemberOutlivesItsSession lets a member wait for one that has died, for longer than its own session lasts.
func TestWaitingMemberOutlivesItsSession(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, x, y := startForGroups(ctx, t)
	joined := make(chan error)
	go func() { joined <- y.join(ctx) }()
	// x dies after it has been heard of for some time; until its session ends y is the one that waits.
	for alive := time.Now(); time.Since(alive) < testSession*3/4; {
		if err := x.heartbeat(ctx); err != nil && !errors.Is(err, kerr.RebalanceInProgress) {
			t.Fatal(err)
		}
	}
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	if err := y.sync(ctx); err != nil {
		t.Fatal(err)
	}
	if err := y.heartbeat(ctx); err != nil {
		t.Error(err)
	}
}

// TestDeadMemberIsNotKept lets a member die while it waits for another one: what was sent for it must not keep it.
func TestDeadMemberIsNotKept(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, x, y := startForGroups(ctx, t)
	dying, die := context.WithCancel(ctx)
	joined := make(chan error)
	go func() { joined <- y.join(dying) }()
	for begun := time.Now(); time.Since(begun) < testSession/2; {
		if err := x.heartbeat(ctx); err != nil && !errors.Is(err, kerr.RebalanceInProgress) {
			t.Fatal(err)
		}
	}
	die()
	y.cl.Close()
	if err := <-joined; err == nil {
		t.Fatal("the join was answered")
	}
	if err := x.join(ctx); err != nil {
		t.Fatal(err)
	}
	if err := x.sync(ctx); err != nil && !errors.Is(err, kerr.RebalanceInProgress) {
		t.Fatal(err)
	}
	// The next rebalance is the one that y's end begins.
	for x.heartbeat(ctx) == nil {
		if ctx.Err() != nil {
			t.Fatal("the dead member stays")
		}
	}
	if err := x.join(ctx); err != nil {
		t.Fatal(err)
	}
	if !x.leader {
		t.Error("the only member does not lead")
	}
}
