package process

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ksqlgo/ksqlgo/server/client"
)

// ServerConfig says how a ksqlgo server is run.
type ServerConfig struct {
	// Binary is the ksqlgo program.
	Binary string
	// DataDir of the server; empty keeps everything in memory.
	DataDir string
	// RESTPort and BrokerPort of 127.0.0.1, so that they are the same after a restart.
	RESTPort, BrokerPort int
	// RegistryPort is the one of the embedded schema registry; 0 lets it have no listener.
	RegistryPort int
	// Bootstrap is the Kafka to use instead of the embedded broker.
	Bootstrap string
	// Properties are written to a file beside the data directory.
	Properties map[string]string
	// Env is added to the environment.
	Env []string
	// Log receives all output when set.
	Log *os.File
	// LogLevel is warn when empty.
	LogLevel string
}

// Server is a ksqlgo server in a process of its own.
type Server struct {
	*Process
	Config ServerConfig
	// Client talks to it.
	Client *client.Client
}

// NewServerConfig is a configuration on two free ports.
func NewServerConfig(binary, dataDir string) (ServerConfig, error) {
	c := ServerConfig{Binary: binary, DataDir: dataDir}
	var err error
	if c.RESTPort, err = FreePort(); err != nil {
		return c, err
	}
	c.BrokerPort, err = FreePort()
	return c, err
}

// URL is where REST is served.
func (c *ServerConfig) URL() string { return fmt.Sprintf("http://127.0.0.1:%d", c.RESTPort) }

// Kafka is the address of the broker in use.
func (c *ServerConfig) Kafka() string {
	if c.Bootstrap != "" {
		return c.Bootstrap
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.BrokerPort))
}

// StartServer starts a server and does not wait until it answers.
func StartServer(c ServerConfig) (*Server, error) {
	level := c.LogLevel
	if level == "" {
		level = "warn"
	}
	args := []string{"server", "--no-console", "--log-level", level, "--listeners", c.URL()}
	if c.DataDir == "" {
		args = append(args, "--ephemeral")
	} else {
		args = append(args, "--data-dir", c.DataDir)
	}
	if c.Bootstrap != "" {
		args = append(args, "--bootstrap-servers", c.Bootstrap)
	} else {
		args = append(args, "--broker-listener", c.Kafka())
		registry := "none"
		if c.RegistryPort != 0 {
			registry = net.JoinHostPort("127.0.0.1", strconv.Itoa(c.RegistryPort))
		}
		args = append(args, "--schema-registry-listener", registry)
	}
	if len(c.Properties) > 0 {
		file := filepath.Clean(c.DataDir) + ".properties"
		var text []byte
		for k, v := range c.Properties {
			text = append(text, k+"="+v+"\n"...)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return nil, err
		}
		args = append(args, "--config", file)
	}
	p, err := Start(c.Log, c.Env, c.Binary, args...)
	if err != nil {
		return nil, err
	}
	cl, err := client.New(client.Config{URL: c.URL()})
	if err != nil {
		p.Kill()
		return nil, err
	}
	return &Server{Process: p, Config: c, Client: cl}, nil
}

// Ready waits until the server answers queries.
func (s *Server) Ready(ctx context.Context) error {
	return s.Await(ctx, func() error {
		limited, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		_, err := s.Client.Execute(limited, client.Request{SQL: "SHOW QUERIES;"})
		return err
	})
}
