package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry/client"
)

// openSchemas finds the schema registry: the one of an address, the embedded one beside the embedded broker, or none.
func (s *Server) openSchemas(ctx context.Context) (schemas.Registry, error) {
	if s.cfg.SchemaRegistryURL != "" {
		cfg, err := client.Read(s.cfg.SchemaRegistryURL, s.cfg.Properties, s.cfg.Logger)
		if err != nil {
			return nil, err
		}
		return client.New(cfg)
	}
	if s.broker == nil {
		return schemas.None{}, nil
	}
	log, err := schemaregistry.OpenTopic(ctx, s.cluster)
	if err != nil {
		return nil, err
	}
	s.registry, err = schemaregistry.Open(ctx, schemaregistry.Config{Log: log, Logger: s.cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("embedded schema registry: %w", err)
	}
	return s.registry, nil
}

// listenSchemas binds the listener of the embedded registry, if there is to be one.
func (s *Server) listenSchemas() (net.Listener, error) {
	wanted := s.cfg.SchemaRegistryListener
	if wanted == "" || wanted == "none" {
		return nil, nil
	}
	if s.cfg.SchemaRegistryURL != "" || len(s.cfg.BootstrapServers) > 0 {
		if !s.cfg.SchemaRegistryOptional {
			s.cfg.Logger.Warn("only the registry beside the embedded broker has a listener: this one has no effect", "listener", wanted)
		}
		return nil, nil
	}
	if scheme, rest, ok := strings.Cut(wanted, "://"); ok {
		if scheme != "http" {
			return nil, fmt.Errorf("the schema registry's listener %s: only http is served", wanted)
		}
		wanted = strings.TrimSuffix(rest, "/")
	}
	l, err := net.Listen("tcp", wanted)
	if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
		return l, wrapListen(err)
	}
	switch host, _, _ := net.SplitHostPort(wanted); {
	case s.cfg.FreePorts:
		l, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
		return l, wrapListen(err)
	case s.cfg.SchemaRegistryOptional:
		s.cfg.Logger.Warn("the port of the schema registry is taken: it serves this server's queries alone (--schema-registry-listener names another address)",
			"listener", wanted)
		return nil, nil
	}
	return nil, wrapListen(err)
}

func wrapListen(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("listening for the schema registry: %w (--schema-registry-listener names another address)", err)
}

// serveSchemas answers the clients of the embedded registry until ctx ends.
func (s *Server) serveSchemas(ctx context.Context) {
	if s.schemaListener == nil {
		return
	}
	s.done.Go(func() {
		if err := s.registry.Serve(ctx, s.schemaListener); err != nil {
			s.fail(fmt.Errorf("schema registry: %w", err))
		}
	})
}

// Schemas is the schema registry that queries use; schemas.None where there is none.
func (s *Server) Schemas() schemas.Registry { return s.formatSchemas }

// SchemaRegistryURL is where the schema registry is, without user and password: the embedded one if that has a listener, or the
// one that was configured; else it is empty.
func (s *Server) SchemaRegistryURL() string {
	switch {
	case s.schemaListener != nil:
		return "http://" + s.schemaListener.Addr().String()
	case s.cfg.SchemaRegistryURL != "":
		return client.Shown(strings.Split(s.cfg.SchemaRegistryURL, ","))
	}
	return ""
}
