package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// peer is another server. Its fields are guarded by Peers.mu; beat is its goroutine.
type peer struct {
	p      *Peers
	node   Node
	cancel context.CancelFunc
	links  *links
	// endpoints are where it may be, the one in use among them: where assignments say it is, and where it says itself.
	endpoints []string
	// listed says that an assignment names it.
	listed bool

	misses   int
	reached  bool
	found    time.Time
	lastSeen time.Time
	// heard is when it asked how this server is.
	heard  time.Time
	reason string
	status *Status
	// version is that of status.
	version uint64
	// down is closed when the server goes down, and made anew when it comes up.
	down chan struct{}
}

// errLate is the miss of a beat that may still be answered.
var errLate = errors.New("it does not answer")

func newPeer(p *Peers, n Node) *peer {
	pe := &peer{p: p, node: n, found: time.Now(), down: make(chan struct{}), reason: "it has not been reached yet"}
	pe.links = newLinks(p.cfg.Dial, p.security.client())
	close(pe.down)
	return pe
}

func (pe *peer) host() Host {
	return Host{Node: pe.node, Alive: pe.alive(), LastSeen: pe.lastSeen, Misses: pe.misses, Reason: pe.reason, Status: pe.status}
}

func (pe *peer) alive() bool { return pe.reached && pe.misses < pe.p.cfg.Misses }

// lastHeard is when there was a sign of life.
func (pe *peer) lastHeard() time.Time {
	last := pe.found
	for _, t := range []time.Time{pe.lastSeen, pe.heard} {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// note learns where the server may be. What it says itself in a new life counts at once; what assignments say is tried when
// it does not answer where it was.
func (pe *peer) note(n Node) {
	if n.Zone != "" {
		pe.node.Zone = n.Zone
	}
	if n.Endpoint == "" {
		return
	}
	if !slices.Contains(pe.endpoints, n.Endpoint) {
		pe.endpoints = append(pe.endpoints, n.Endpoint)
	}
	switch {
	case pe.node.Endpoint == "":
		pe.move(n.Endpoint)
	case n.Incarnation != 0 && n.Incarnation != pe.node.Incarnation && (n.Incarnation > pe.node.Incarnation || !pe.alive()):
		pe.node.Incarnation = n.Incarnation
		pe.endpoints = []string{n.Endpoint}
		if pe.node.Endpoint != n.Endpoint {
			pe.move(n.Endpoint)
		}
	}
}

// move goes on with another endpoint; connections to the old one end.
func (pe *peer) move(endpoint string) {
	pe.node.Endpoint = endpoint
	pe.links.closeIdle()
}

// beat asks the server how it is, again and again until ctx ends.
func (pe *peer) beat(ctx context.Context) {
	tick := time.NewTicker(pe.p.cfg.Interval)
	defer tick.Stop()
	defer pe.links.closeIdle()
	answered := make(chan error, 1)
	asking := false
	ask := func() {
		asking = true
		pe.p.bg.Go(func() { answered <- pe.ask(ctx) })
	}
	ask()
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-answered:
			if asking = false; err != nil && ctx.Err() == nil {
				pe.missed(err)
			}
		case <-tick.C:
			if asking {
				pe.missed(errLate)
			} else {
				ask()
			}
		}
	}
}

// missed counts a beat without answer.
func (pe *peer) missed(err error) {
	p := pe.p
	p.mu.Lock()
	defer p.mu.Unlock()
	was := pe.alive()
	pe.misses++
	if !errors.Is(err, errLate) || pe.reason == "" {
		// What went wrong before tells more than that the next beat is late.
		pe.reason = err.Error()
	}
	if was && !pe.alive() {
		close(pe.down)
		p.cfg.Logger.Warn("a server does not answer", "node", pe.node.ID, "endpoint", pe.node.Endpoint, "reason", pe.reason)
		p.changeLocked()
	}
	if pe.misses%p.cfg.Misses == 0 && len(pe.endpoints) > 1 {
		at := slices.Index(pe.endpoints, pe.node.Endpoint)
		pe.move(pe.endpoints[(at+1)%len(pe.endpoints)])
	}
}

// answered takes over what the server told.
func (pe *peer) answered(a *beatAnswer, status *Status) {
	p := pe.p
	p.mu.Lock()
	defer p.mu.Unlock()
	was := pe.alive()
	pe.node.Incarnation = a.node.Incarnation
	pe.node.Zone = a.node.Zone
	pe.misses, pe.reason, pe.reached, pe.lastSeen = 0, "", true, time.Now()
	if status != nil {
		pe.status, pe.version = status, a.version
	}
	if !was {
		pe.down = make(chan struct{})
		p.cfg.Logger.Info("a server answers", "node", pe.node.ID, "endpoint", pe.node.Endpoint)
	}
	if !was || status != nil {
		p.changeLocked()
	}
}

// ask sends one beat and takes over the answer.
func (pe *peer) ask(ctx context.Context) error {
	p := pe.p
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Window)
	defer cancel()
	p.mu.Lock()
	node, version := pe.node, pe.version
	p.mu.Unlock()
	if node.Endpoint == "" {
		return errors.New("it has no internal listener")
	}
	body := appendBeat(nil, &beat{service: p.cfg.ServiceID, from: p.cfg.Self, incarnation: node.Incarnation, version: version})
	response, err := pe.links.post(ctx, pe.links.beats, p.security, node, beatPath, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := readAll(response.Body, maxStatusBytes)
	if err != nil {
		return err
	}
	a, err := decodeBeatAnswer(data)
	if err != nil {
		return err
	}
	if a.node.ID != node.ID {
		return fmt.Errorf("at %s is the server with the node id %s", node.Endpoint, a.node.ID)
	}
	var status *Status
	if len(a.status) > 0 {
		if status, err = decodeStatus(a.status); err != nil {
			return err
		}
	}
	pe.answered(a, status)
	return nil
}
