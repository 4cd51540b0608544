package simulation

import (
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// controls are wrong protocols: brokers that lie about one step of a commit, which makes of the engine one that does the steps
// wrongly. Each is a chance of one in so many.
var controls = []struct {
	name string
	odds int
	lie  func(kmsg.Request)
	// needsFault says that the lie shows only when a task goes back to the last commit.
	needsFault bool
}{
	// The transaction is aborted and success reported: the state is written though nothing was committed, as by an engine that
	// writes its state before the commit. Counts jump, and inputs are lost.
	{name: "state written before the commit", odds: 20, lie: func(r kmsg.Request) {
		if end, ok := r.(*kmsg.EndTxnRequest); ok {
			end.Commit = false
		}
	}},
	// The offsets are left out of the transaction: whoever takes the task over reads its inputs again.
	{name: "offsets left out of the transaction", odds: 2, needsFault: true, lie: func(r kmsg.Request) {
		if commit, ok := r.(*kmsg.TxnOffsetCommitRequest); ok {
			commit.Topics = nil
		}
	}},
}

// The checker has teeth: with a wrong protocol it fails within a few seeds.
func TestControl(t *testing.T) {
	t.Parallel()
	for _, control := range controls {
		t.Run(control.name, func(t *testing.T) {
			t.Parallel()
			const seeds = 10
			for seed := range uint64(seeds) {
				s := generate(seed + 1)
				s.atLeastOnce = false
				if control.needsFault {
					s.faults = []fault{{at: s.span / 2, kind: crash, server: 0, percent: 100, length: s.span / 10}, {at: s.span * 3 / 4, kind: crashAll, percent: 100, length: s.span / 10}}
				}
				var lies atomic.Int64
				o := guarded(t, s, options{level: slog.LevelError, hook: func(s *script) func(kmsg.Request) {
					r := rand.New(rand.NewPCG(s.seed, 6))
					// At the end there are no lies, so that it is the rows that are wrong.
					until := time.Now().Add(s.span * 2 / 3)
					return func(req kmsg.Request) {
						if time.Now().Before(until) && r.IntN(control.odds) == 0 {
							lies.Add(1)
							control.lie(req)
						}
					}
				}})
				if lies.Load() > 0 && len(o.wrong) > 0 {
					t.Logf("seed %d, %d lies: %s", s.seed, lies.Load(), o.wrong[0])
					return
				}
			}
			t.Errorf("%d scenarios with a wrong protocol, and nothing was found", seeds)
		})
	}
}
