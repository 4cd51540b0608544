package peers

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Peers are the other servers of the service as this one knows them. Its methods are safe for concurrent use.
type Peers struct {
	cfg      Config
	security *security
	mux      *http.ServeMux
	own      ownStatus
	wake     chan struct{}

	// bg are the goroutines of peers; they end with Run.
	bg sync.WaitGroup

	// mu guards what follows.
	mu    sync.Mutex
	peers map[string]*peer
	// run is the context of Run, nil outside of it: peers live in it.
	run context.Context
	// changed is closed at the next change of what Snapshot tells; nil while nobody waits.
	changed chan struct{}
}

// New makes peers that know nobody yet. The error is one of the certificates.
func New(cfg Config) (*Peers, error) {
	cfg = cfg.withDefaults()
	security, err := newSecurity(cfg.TLS)
	if err != nil {
		return nil, err
	}
	p := &Peers{cfg: cfg, security: security, mux: http.NewServeMux(), wake: make(chan struct{}, 1), peers: map[string]*peer{}}
	p.own.make, p.own.keep = cfg.Status, cfg.Interval/2
	p.Handle(beatPath, http.HandlerFunc(p.answerBeat))
	return p, nil
}

// Host is a server as this one knows it. It is a copy, but for Status.
type Host struct {
	Node
	// Self marks this server.
	Self bool
	// Alive says that it answers: it has been reached, and missed fewer beats in a row than are allowed.
	Alive bool
	// LastSeen is when it answered last, zero if it never did.
	LastSeen time.Time
	// Misses counts the beats without answer since then; Reason is what went wrong with the last one.
	Misses int
	Reason string
	// Status is what it told last, nil before that. It is shared and must not be changed.
	Status *Status
}

// Snapshot lists this server and the others that assignments name or that have made themselves known, by node id. Down ones
// stay in it for as long as an assignment names them.
func (p *Peers) Snapshot() []Host {
	self := Host{Node: p.cfg.Self, Self: true, Alive: true, LastSeen: time.Now(), Status: p.own.status()}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []Host{self}
	for _, id := range slices.Sorted(maps.Keys(p.peers)) {
		out = append(out, p.peers[id].host())
	}
	slices.SortFunc(out, func(a, b Host) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Self is this server.
func (p *Peers) Self() Node { return p.cfg.Self }

// Host is what is known of another server; false if nothing is.
func (p *Peers) Host(id string) (Host, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pe, ok := p.peers[id]
	if !ok {
		return Host{}, false
	}
	return pe.host(), true
}

// Others lists the other servers, in no order: Snapshot without this one.
func (p *Peers) Others() []Host {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Host, 0, len(p.peers))
	for _, pe := range p.peers {
		out = append(out, pe.host())
	}
	return out
}

// Changed is closed when a server comes, goes, goes down, comes up or tells something new.
func (p *Peers) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

// changeLocked wakes those who wait for a change. p.mu is held.
func (p *Peers) changeLocked() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// Discover lets Run look at the assignments now.
func (p *Peers) Discover() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run keeps in touch with the peers until ctx ends; then all connections to them are closed and its goroutines have ended.
func (p *Peers) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	p.mu.Lock()
	p.run = ctx
	p.mu.Unlock()
	defer func() {
		cancel()
		p.mu.Lock()
		p.run = nil
		for _, pe := range p.peers {
			p.removeLocked(pe)
		}
		p.mu.Unlock()
		p.bg.Wait()
	}()
	tick := time.NewTicker(p.cfg.Discover)
	defer tick.Stop()
	for {
		p.discover()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-p.wake:
		}
	}
}

// forgetAfter is how long a server is kept that no assignment names and that says nothing, in windows.
const forgetAfter = 5

// discover takes over what the assignments say, and forgets servers that are gone.
func (p *Peers) discover() {
	listed := map[string]bool{}
	hosts := p.cfg.Known()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range hosts {
		if h.NodeID == p.cfg.Self.ID || h.NodeID == "" {
			continue
		}
		listed[h.NodeID] = true
		p.noteLocked(Node{ID: h.NodeID, Endpoint: h.Endpoint, Zone: h.Zone})
	}
	for id, pe := range p.peers {
		if pe.listed = listed[id]; !pe.listed && time.Since(pe.lastHeard()) > forgetAfter*p.cfg.Window {
			p.cfg.Logger.Info("a server is gone", "node", id, "endpoint", pe.node.Endpoint)
			p.removeLocked(pe)
		}
	}
}

// noteLocked makes a server known, or learns where else it may be. p.mu is held.
func (p *Peers) noteLocked(n Node) {
	pe, ok := p.peers[n.ID]
	if !ok {
		if p.run == nil {
			return
		}
		pe = newPeer(p, n)
		p.peers[n.ID] = pe
		ctx, cancel := context.WithCancel(p.run)
		pe.cancel = cancel
		p.bg.Go(func() { pe.beat(ctx) })
		p.cfg.Logger.Info("a server was found", "node", n.ID, "endpoint", n.Endpoint, "zone", n.Zone)
		p.changeLocked()
	}
	pe.note(n)
}

// removeLocked forgets a server. p.mu is held.
func (p *Peers) removeLocked(pe *peer) {
	delete(p.peers, pe.node.ID)
	pe.cancel()
	p.changeLocked()
}

// errUnknown is the error of a call to a server that is not known.
func errUnknown(id string) error {
	return fmt.Errorf("the server with the node id %s is not known", id)
}
