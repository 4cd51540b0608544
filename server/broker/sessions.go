package broker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// sessions mend the sessions of members of consumer groups. A member that waits for a rebalance to begin says nothing until
// its join is answered, and its session must not end meanwhile: kfake lets it end, and never answers. So heartbeats are sent
// for it until then; whether it is still there shows when it is to sync.
type sessions struct {
	mu      sync.Mutex
	members map[memberKey]*memberSession
}

type memberKey struct{ group, member string }

// memberSession is what is known of a member from its requests.
type memberSession struct {
	instance   *string
	generation int32
	// waits says that it has asked to join and not been heard of since.
	waits bool
	// last is when it was heard of last.
	last time.Time
	// ours are the heartbeats under way that are not the member's own.
	ours int
}

// observeSessions watches the requests by which members come, stay and go.
func (b *Broker) observeSessions() {
	s := &b.sessions
	s.members = map[memberKey]*memberSession{}
	b.observe(kmsg.JoinGroup, func(r kmsg.Request) { s.joins(r.(*kmsg.JoinGroupRequest)) })
	b.observe(kmsg.SyncGroup, func(r kmsg.Request) {
		req := r.(*kmsg.SyncGroupRequest)
		s.heard(memberKey{req.Group, req.MemberID}, req.InstanceID, req.Generation)
	})
	b.observe(kmsg.Heartbeat, func(r kmsg.Request) {
		req := r.(*kmsg.HeartbeatRequest)
		s.heard(memberKey{req.Group, req.MemberID}, req.InstanceID, req.Generation)
	})
	b.observe(kmsg.LeaveGroup, func(r kmsg.Request) { s.leaves(r.(*kmsg.LeaveGroupRequest)) })
}

// joins takes note of a member that waits from now on. One that has no id yet has no session either.
func (s *sessions) joins(req *kmsg.JoinGroupRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.members[memberKey{req.Group, req.MemberID}]; ok {
		m.waits, m.last = true, time.Now()
	}
}

// heard takes note of a member's own sign of life.
func (s *sessions) heard(key memberKey, instance *string, generation int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.members[key]
	switch {
	case m == nil:
		s.members[key] = &memberSession{instance: instance, generation: generation, last: time.Now()}
	case m.ours > 0:
		m.ours--
	default:
		m.generation, m.waits, m.last = generation, false, time.Now()
	}
}

func (s *sessions) leaves(req *kmsg.LeaveGroupRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.members, memberKey{req.Group, req.MemberID})
	for _, m := range req.Members {
		delete(s.members, memberKey{req.Group, m.MemberID})
	}
}

// silence is after how long a member that does not wait is forgotten: no session lasts so long.
const silence = time.Hour

// waiting lists the members that wait, as they are now, and forgets those that are long gone.
func (s *sessions) waiting() map[memberKey]memberSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[memberKey]memberSession{}
	for key, m := range s.members {
		switch {
		case m.waits:
			out[key] = *m
		case time.Since(m.last) > silence:
			delete(s.members, key)
		}
	}
	return out
}

// sessionTick is how often the members that wait are looked at: several times in the shortest session that is in use.
const sessionTick = 250 * time.Millisecond

// keepSessions mends sessions until ctx ends.
func (b *Broker) keepSessions(ctx context.Context) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.addr), kgo.ClientID("ksqlgo embedded broker"))
	if err != nil {
		b.logger.Error("embedded broker: members that wait for a rebalance cannot be kept alive", "error", err)
		return
	}
	defer cl.Close()
	tick := time.NewTicker(sessionTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for key, m := range b.sessions.waiting() {
				b.sessions.keep(ctx, cl, key, m)
			}
		}
	}
}

// keep sends a heartbeat for a member that waits.
func (s *sessions) keep(ctx context.Context, cl *kgo.Client, key memberKey, m memberSession) {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = key.group, key.member, m.instance, m.generation
	if !s.own(key) {
		return
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, ok := s.members[key]; ok && now.generation == m.generation && !errors.Is(kerr.ErrorForCode(resp.ErrorCode), kerr.RebalanceInProgress) {
		// The rebalance has begun: the join is answered.
		now.waits = false
	}
}

// own takes note that the next heartbeat of a member is not its own; false when the member is gone.
func (s *sessions) own(key memberKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.members[key]
	if ok {
		m.ours++
	}
	return ok
}
