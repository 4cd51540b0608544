package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// advertisedListener reports the address clients are told to use, which
// differs from the bound one when the broker listens on all interfaces.
type advertisedListener struct {
	net.Listener
	addr net.Addr
}

func (l advertisedListener) Addr() net.Addr { return l.addr }

// advertisedAddr is a host:port that need not be an IP address.
type advertisedAddr string

func (a advertisedAddr) Network() string { return "tcp" }
func (a advertisedAddr) String() string  { return string(a) }

// listen binds cfg.Listener, or a free port of the same host when the port is
// taken and the configuration allows that.
func listen(ctx context.Context, cfg Config) (net.Listener, error) {
	host, _, err := net.SplitHostPort(cfg.Listener)
	if err != nil {
		return nil, fmt.Errorf("embedded broker: listener %q is not host:port: %w", cfg.Listener, err)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", cfg.Listener)
	if errors.Is(err, syscall.EADDRINUSE) && cfg.FallBackToFreePort {
		ln, err = lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, fmt.Errorf("embedded broker: %w", err)
	}
	advertised := cfg.AdvertisedHost
	if advertised == "" {
		advertised = host
		if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
			advertised = "127.0.0.1"
		}
	}
	port := ln.Addr().(*net.TCPAddr).Port
	return advertisedListener{ln, advertisedAddr(net.JoinHostPort(advertised, strconv.Itoa(port)))}, nil
}
