package peers

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// writeTimeout is within what time a response must be written, unless its handler sets another deadline.
const writeTimeout = time.Minute

// Handle adds an endpoint for other servers, before Serve. What it answers to is a POST at path that is meant for this server.
func (p *Peers) Handle(path string, h http.Handler) {
	p.mux.Handle("POST "+path, h)
}

// ServeHTTP implements http.Handler: it passes requests on that are meant for this server.
func (p *Peers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id := r.Header.Get(targetHeader); id != p.cfg.Self.ID {
		http.Error(w, "this is the server with the node id "+p.cfg.Self.ID, http.StatusMisdirectedRequest)
		return
	}
	// A connection is used again and again, with the deadline of the last time.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	p.mux.ServeHTTP(w, r)
}

// Serve answers other servers on l until ctx ends; requests in hand are broken off then.
func (p *Peers) Serve(ctx context.Context, l net.Listener) error {
	requests, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	s := &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          slog.NewLogLogger(p.cfg.Logger.Handler(), slog.LevelDebug),
	}
	if c := p.security.server(); c != nil {
		l = tls.NewListener(l, c)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stop()
	grace, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.Shutdown(grace) != nil {
		_ = s.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
