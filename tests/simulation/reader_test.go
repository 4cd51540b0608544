package simulation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
)

// reader asks servers for running counts while faults happen. An owner's answer may be refused, but once a count has been told no
// later answer of any server may be lower: a server that has lost its tasks without knowing must not answer from what it has.
type reader struct {
	c *cluster

	mu sync.Mutex
	// told is the highest count answered for each key, and by whom.
	told    map[string]int64
	by      map[string]string
	answers int
}

// readEvery is the pause between two questions to a server.
const readEvery = 150 * time.Millisecond

// run asks until ctx ends.
func (r *reader) run(ctx context.Context) {
	var all sync.WaitGroup
	for i, s := range r.c.servers {
		random := rand.New(rand.NewPCG(r.c.script.seed, uint64(100+i)))
		all.Go(func() {
			for rest(ctx, readEvery) {
				if l, x := r.c.running(s.name); x != nil {
					r.ask(ctx, l, x, groups[random.IntN(len(groups))])
				}
			}
		})
	}
	all.Wait()
}

// ask asks one server for one key.
func (r *reader) ask(ctx context.Context, l *life, x *exec.Executor, key string) {
	r.mu.Lock()
	least, by := r.told[key], r.by[key]
	r.mu.Unlock()
	rows, err := x.Pull(ctx, r.c.plan.pulls[key], exec.PullOptions{StandbyLag: -1, NoWait: true})
	if err != nil {
		return
	}
	defer rows.Close()
	var n int64
	row, err := rows.Next(ctx)
	switch {
	case errors.Is(err, io.EOF):
	case err != nil:
		return
	default:
		n = row[0].(int64)
	}
	if l.host.isDead() {
		return // What a process says after its death nobody hears.
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers++
	if n < least {
		r.c.errorf("%s told the count %d of %s at %v, though %s had told %d before", l.host.name, n, key, time.Since(r.c.log.began), by, least)
	}
	if n > r.told[key] {
		r.told[key], r.by[key] = n, fmt.Sprintf("%s at %v", l.host.name, time.Since(r.c.log.began))
	}
}

// running is the process of a server and its executor, nil if there is none. It may be called from anywhere.
func (c *cluster) running(name string) (*life, *exec.Executor) {
	v, ok := c.alive.Load(name)
	if !ok {
		return nil, nil
	}
	l := v.(*life)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l, l.x
}
