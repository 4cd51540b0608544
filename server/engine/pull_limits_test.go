package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server/api"
)

func TestPullLimits(t *testing.T) {
	t.Parallel()
	l := newPullLimits(map[string]string{"ksql.query.pull.max.qps": "2", "ksql.query.pull.max.concurrent.requests": "3"})
	start := time.UnixMilli(1)
	// begins wants a query that comes so long after the start to be admitted or not.
	begins := func(after time.Duration, want bool) {
		t.Helper()
		err := l.begin(start.Add(after))
		var body *api.GenericError
		if (err == nil) != want || err != nil && (!errors.As(err, &body) || body.Code != api.CodeTooManyRequests) {
			t.Errorf("after %v: %v", after, err)
		}
	}
	begins(0, true)
	begins(0, true)
	begins(0, false)
	begins(400*time.Millisecond, false)
	begins(500*time.Millisecond, true)
	begins(10*time.Second, false) // Three are running.
	l.end()
	begins(10*time.Second, true)
	l.end()
	l.end()
	l.end()
	begins(10*time.Second, true) // What was not used in ten seconds is two, not twenty.
	begins(10*time.Second, false)
	begins(9*time.Second, false) // A clock that goes back gives nothing, then or later.
	begins(10*time.Second, false)

	unlimited := newPullLimits(nil)
	for range 10_000 {
		if err := unlimited.begin(start); err != nil {
			t.Fatal(err)
		}
	}
}
