// Package details asks the other servers for all they know of their queries: more than heartbeats carry, for people who look.
package details

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/server/peers"
)

// path is the endpoint on the internal listener.
const path = "/details"

// Timeout is how long a server is waited for.
const Timeout = 2 * time.Second

// maxRequest and maxAnswer bound what is read, in bytes.
const (
	maxRequest = 1 << 20
	maxAnswer  = 256 << 20
)

// Source knows the queries of this server, as exec.Executor does. It is safe for concurrent use.
type Source interface {
	Statuses() []exec.QueryStatus
	Status(id string) (exec.QueryStatus, bool)
}

// Report is what one server says of its queries.
type Report struct {
	// Server is the server as this one knows it.
	Server peers.Host
	// At is when it said so, by its own clock: what the times in Queries are to be compared with.
	At time.Time
	// Queries are those asked for that it has, in no order, without their record errors.
	Queries []exec.QueryStatus
	// Err is why nothing is known, nil if something is.
	Err error
}

// Query finds a query in the report; false when the server did not tell of it.
func (r *Report) Query(id string) (*exec.QueryStatus, bool) {
	for i := range r.Queries {
		if r.Queries[i].ID == id {
			return &r.Queries[i], true
		}
	}
	return nil, false
}

// request and answer are the messages, in JSON: servers of different versions take of each other what they know.
type request struct {
	// Queries are the ids asked for; none means all.
	Queries []string
}

type answer struct {
	At      time.Time
	Queries []exec.QueryStatus
}

// Details asks the servers of a service. Its methods are safe for concurrent use.
type Details struct {
	// peers is nil for a server that has none; snapshot is theirs or the own one.
	peers    *peers.Peers
	snapshot func() []peers.Host
	source   Source
}

// New answers other servers with what source knows, from when the peers serve. It is called before that.
func New(p *peers.Peers, source Source) *Details {
	d := &Details{peers: p, snapshot: p.Snapshot, source: source}
	p.Handle(path, http.HandlerFunc(d.answer))
	return d
}

// Alone is for a server that knows no others: it tells of itself.
func Alone(self peers.Node, status func() peers.Status, source Source) *Details {
	return &Details{source: source, snapshot: func() []peers.Host {
		s := status()
		return []peers.Host{{Node: self, Self: true, Alive: true, LastSeen: time.Now(), Status: &s}}
	}}
}

// Snapshot lists the servers as the last heartbeats told, this one included, in the order of their node ids.
func (d *Details) Snapshot() []peers.Host { return d.snapshot() }

func (d *Details) answer(w http.ResponseWriter, r *http.Request) {
	var q request
	if err := json.NewDecoder(io.LimitReader(r.Body, maxRequest)).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(d.own(q.Queries))
}

// own is what this server says.
func (d *Details) own(ids []string) answer {
	a := answer{At: time.Now()}
	if len(ids) == 0 {
		a.Queries = d.source.Statuses()
	}
	for _, id := range ids {
		if s, ok := d.source.Status(id); ok {
			a.Queries = append(a.Queries, s)
		}
	}
	for i := range a.Queries {
		a.Queries[i].RecordErrors = nil
	}
	return a
}

// errDown is why a server was not asked.
var errDown = errors.New("it does not answer")

// Ask asks all servers for some queries, all at once, and waits for each at most Timeout. No ids ask for all queries. There is
// a report of each server that is known, this one included, in the order of their node ids.
func (d *Details) Ask(ctx context.Context, ids ...string) []Report {
	hosts := d.snapshot()
	out := make([]Report, len(hosts))
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var wg sync.WaitGroup
	for i, h := range hosts {
		r := &out[i]
		r.Server = h
		switch {
		case h.Self:
			a := d.own(ids)
			r.At, r.Queries = a.At, a.Queries
		case !h.Alive:
			if r.Err = errDown; h.Reason != "" {
				r.Err = errors.New(h.Reason)
			}
		default:
			wg.Go(func() {
				a, err := d.ask(ctx, h.ID, ids)
				r.At, r.Queries, r.Err = a.At, a.Queries, err
			})
		}
	}
	wg.Wait()
	return out
}

func (d *Details) ask(ctx context.Context, id string, ids []string) (a answer, err error) {
	body, err := json.Marshal(request{Queries: slices.Clone(ids)})
	if err != nil {
		return a, err
	}
	response, err := d.peers.Post(ctx, id, path, body)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return a, fmt.Errorf("its answer was cut off: %w", err)
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return answer{}, fmt.Errorf("its answer cannot be read: %w", err)
	}
	return a, nil
}
