package engine

import (
	"math"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// pullLimits bounds the pull queries of clients that this server answers at once and in a second. Other servers' are none:
// those who ask for them have counted them. Safe for concurrent use.
type pullLimits struct {
	atOnce, perSecond int64

	mu      sync.Mutex
	running int64
	// left is how many may begin at the time at: it grows by perSecond in a second, and not beyond it.
	left float64
	at   time.Time
}

func newPullLimits(server map[string]string) *pullLimits {
	l := &pullLimits{
		atOnce:    properties.Int(server, "ksql.query.pull.max.concurrent.requests"),
		perSecond: properties.Int(server, "ksql.query.pull.max.qps"),
	}
	l.left = float64(l.perSecond)
	return l
}

// begin lets a query begin, or refuses it with an error for the client; end must be called for one that began.
func (l *pullLimits) begin(now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running >= l.atOnce {
		return api.NewError(api.CodeTooManyRequests, "Host is at concurrency limit for pull queries. Currently set to %d maximum concurrent pull queries.\n"+
			"Ask again when others have ended, or raise ksql.query.pull.max.concurrent.requests.", l.atOnce)
	}
	if now.After(l.at) {
		l.left = math.Min(float64(l.perSecond), l.left+now.Sub(l.at).Seconds()*float64(l.perSecond))
		l.at = now
	}
	if l.left < 1 {
		return api.NewError(api.CodeTooManyRequests, "Host is at rate limit for pull queries. Currently set to %d qps.\n"+
			"Ask again later, or raise ksql.query.pull.max.qps.", l.perSecond)
	}
	l.left--
	l.running++
	return nil
}

func (l *pullLimits) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
}

// countedRows are the rows of a pull query that counts until they are closed.
type countedRows struct {
	Rows
	end func()
}

// Close implements Rows.
func (r *countedRows) Close() {
	r.Rows.Close()
	r.end()
}
