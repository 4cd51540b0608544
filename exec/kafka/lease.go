package kafka

import (
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// lease remembers when a member last had an answer from its group. As long as that is less than the session timeout ago, the
// member's partitions are nobody else's: the coordinator counts from the arrival of a request, which is later.
type lease struct{ heard atomic.Pointer[time.Time] }

// membershipRequests are the requests by which a coordinator knows that a member is alive.
var membershipRequests = map[int16]bool{
	kmsg.Heartbeat.Int16(): true, kmsg.JoinGroup.Int16(): true, kmsg.SyncGroup.Int16(): true,
}

var _ kgo.HookBrokerE2E = (*lease)(nil)

// OnBrokerE2E implements kgo.HookBrokerE2E. Answers that refuse the member count as well: what they mean is reported as lost
// partitions.
func (l *lease) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if e.Err() != nil || !membershipRequests[key] {
		return
	}
	sent := time.Now().Add(-e.DurationE2E())
	for {
		before := l.heard.Load()
		if before != nil && !sent.After(*before) || l.heard.CompareAndSwap(before, &sent) {
			return
		}
	}
}

// Heard is when the last request was sent to the group that has been answered; zero before the first answer. Partitions are
// certain to be the member's own for a session timeout from then. It may be called from anywhere.
func (g *GroupConsumer) Heard() time.Time {
	if at := g.lease.heard.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// SessionTimeout is how long a silent member keeps its partitions.
func (g *GroupConsumer) SessionTimeout() time.Duration { return g.cfg.SessionTimeout }
