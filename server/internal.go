package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/peers"
	"github.com/ksqlgo/ksqlgo/server/peers/forward"
)

// internal is what a server has for the other servers of its service: a listener, its peers, and a router of pull queries.
type internal struct {
	listener net.Listener
	endpoint string
	peers    *peers.Peers
	router   *forward.Router
}

// listenInternal binds the internal listener, if there is to be one.
func (s *Server) listenInternal() (*internal, error) {
	wanted := s.cfg.InternalListener
	if wanted == "" && len(s.cfg.BootstrapServers) == 0 {
		return nil, nil
	}
	if scheme, rest, ok := strings.Cut(wanted, "://"); ok {
		wanted = strings.TrimSuffix(rest, "/")
		if scheme == "https" && s.internalTLS() == nil {
			return nil, fmt.Errorf("the internal listener %s: https wants ksql.internal.ssl.certificate.location, .key.location and .ca.location", s.cfg.InternalListener)
		}
	}
	l, err := s.bindInternal(wanted)
	if err != nil {
		return nil, fmt.Errorf("listening for other servers: %w (--internal-listener names another address)", err)
	}
	endpoint, err := s.reachable(l.Addr().(*net.TCPAddr))
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &internal{listener: l, endpoint: endpoint}, nil
}

// bindInternal listens on the address wanted. When none is, the port is the one of the last time, if it is still free, so that
// the others find a server that comes back where it was.
func (s *Server) bindInternal(wanted string) (net.Listener, error) {
	if wanted != "" {
		return net.Listen("tcp", wanted)
	}
	_, rest, _ := strings.Cut(s.url, "://")
	host, _, err := net.SplitHostPort(rest)
	if err != nil {
		return nil, err
	}
	if s.cfg.DataDir == "" {
		return net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	file := filepath.Join(s.cfg.DataDir, "internal.port")
	var l net.Listener
	if last, err := os.ReadFile(file); err == nil {
		l, _ = net.Listen("tcp", net.JoinHostPort(host, strings.TrimSpace(string(last))))
	}
	if l == nil {
		if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return nil, err
		}
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err == nil {
		err = os.WriteFile(file, []byte(port+"\n"), 0o644)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// reachable is host:port under which others reach a bound address.
func (s *Server) reachable(bound *net.TCPAddr) (string, error) {
	if !bound.IP.IsUnspecified() {
		return bound.String(), nil
	}
	host, _, err := net.SplitHostPort(s.host())
	if s.cfg.AdvertisedListener == "" || err != nil {
		if host, err = os.Hostname(); err != nil {
			return "", fmt.Errorf("the internal listener listens on all addresses, and the host has no name: %w (--internal-listener names one)", err)
		}
	}
	return net.JoinHostPort(host, fmt.Sprint(bound.Port)), nil
}

// internalTLS is nil when connections between servers are in the clear.
func (s *Server) internalTLS() *peers.TLS {
	t := &peers.TLS{
		CertificateFile: s.cfg.Properties["ksql.internal.ssl.certificate.location"],
		KeyFile:         s.cfg.Properties["ksql.internal.ssl.key.location"],
		CAFile:          s.cfg.Properties["ksql.internal.ssl.ca.location"],
	}
	if *t == (peers.TLS{}) {
		return nil
	}
	return t
}

// connectPeers makes peers and router.
func (s *Server) connectPeers(self peers.Node) error {
	props := s.cfg.Properties
	t := s.internalTLS()
	if t != nil {
		if err := t.Check(); err != nil {
			return err
		}
	}
	span := func(name string) time.Duration { return time.Duration(properties.Int(props, name)) * time.Millisecond }
	p, err := peers.New(peers.Config{
		ServiceID: s.cfg.ServiceID, Self: self, Known: s.executor.Hosts, TLS: t, Logger: s.cfg.Logger,
		Status:   s.status,
		Interval: span("ksql.heartbeat.send.interval.ms"), Window: span("ksql.heartbeat.window.ms"),
		Discover: span("ksql.heartbeat.discover.interval.ms"), Misses: int(properties.Int(props, "ksql.heartbeat.missed.threshold.ms")),
	})
	if err != nil {
		return err
	}
	s.internal.peers = p
	s.internal.router = forward.New(forward.Config{Executor: s.executor, Peers: p, Logger: s.cfg.Logger,
		Timeout: span("ksql.query.pull.forwarding.timeout.ms")})
	s.internal.router.Register(p)
	return nil
}

// serveInternal answers other servers and keeps in touch with them until ctx ends.
func (s *Server) serveInternal(ctx context.Context) {
	s.done.Go(func() { s.internal.peers.Run(ctx) })
	s.done.Go(func() {
		if err := s.internal.peers.Serve(ctx, s.internal.listener); err != nil {
			s.fail(fmt.Errorf("internal listener: %w", err))
		}
	})
}

// Peers are the other servers of the service; nil when this one has no internal listener.
func (s *Server) Peers() *peers.Peers {
	if s.internal == nil {
		return nil
	}
	return s.internal.peers
}

// everywhere is the executor of a server with others: pull queries are answered from all of them.
type everywhere struct {
	*exec.Executor
	router *forward.Router
}

// Pull implements engine.Runtime.
func (e everywhere) Pull(ctx context.Context, plan *physical.Pull, o exec.PullOptions) (exec.PulledRows, error) {
	return e.router.Pull(ctx, plan, o)
}
