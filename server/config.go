// Package server is the composition root: it builds a whole server (embedded broker, Kafka connections, executor, engine,
// REST) from one config struct, and takes it down again.
package server

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/properties"
)

// Config is everything a server is built from. The zero value is a server with everything embedded and its data in
// memory, on the usual ports.
type Config struct {
	// BootstrapServers of a Kafka cluster; empty starts the embedded broker.
	BootstrapServers []string
	// ServiceID is ksql.service.id; servers with the same one share their queries. Empty means "default_".
	ServiceID string
	// Listener is the URL to serve REST on; empty means http://127.0.0.1:8088, port 0 takes a free port.
	Listener string
	// AdvertisedListener is the URL under which others reach this server; empty means the bound address.
	AdvertisedListener string
	// InternalListener is where the other servers of the service reach this one: a URL or host:port, port 0 takes a free port.
	// Empty means a free port of the REST listener's host, or none at all with the embedded broker.
	InternalListener string
	// BrokerListener is host:port of the embedded broker; empty means 127.0.0.1:9092.
	BrokerListener string
	// SchemaRegistryURL names the schema registry: one or more addresses of it, separated by commas. Empty uses the embedded one
	// beside the embedded broker, and else none.
	SchemaRegistryURL string
	// SchemaRegistryListener is where the embedded registry serves producers and consumers: host:port or a URL, port 0 takes a
	// free port. Empty, or none, lets it serve this server's queries alone.
	SchemaRegistryListener string
	// SchemaRegistryOptional lets the server start without that listener when its port is taken.
	SchemaRegistryOptional bool
	// FreePorts takes free ports when the wanted ones are taken.
	FreePorts bool
	// DataDir holds the node id, the state of queries and the embedded broker's topics. Empty keeps all of it in memory.
	DataDir string
	// Sync makes the embedded broker wait for the disk.
	Sync bool
	// Properties are server properties by name (ksql.* and streams settings), as in ksql-server.properties.
	Properties map[string]string
	// Queries is SQL to be applied at the start, if the catalog is empty (--queries-file).
	Queries string
	// Logger receives everything the server has to say; nil discards it.
	Logger *slog.Logger
}

// Defaults of the listeners and of the service id.
const (
	DefaultListener       = "http://127.0.0.1:8088"
	DefaultBrokerListener = "127.0.0.1:9092"
	// DefaultSchemaRegistryListener is the one of Confluent's registry. Servers have it only if it is configured.
	DefaultSchemaRegistryListener = "127.0.0.1:8081"
	DefaultServiceID              = "default_"
)

// Version is what /info tells. Clients parse it as numbers and refuse servers before 0.10.
const Version = "0.30.0"

// address takes host:port out of a listener URL.
func address(listener string) (string, error) {
	u, err := url.Parse(listener)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("listener %q: want a URL such as %s", listener, DefaultListener)
	}
	if u.Scheme != "http" {
		return "", fmt.Errorf("listener %q: only http is served", listener)
	}
	if u.Port() == "" {
		return u.Host + ":8088", nil
	}
	return u.Host, nil
}

// ReadProperties reads a Java .properties file (UTF-8). As Kafka does, it takes blanks off the ends of values.
func ReadProperties(r io.Reader) (map[string]string, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	read, err := properties.ParseFile(string(text))
	for name, value := range read {
		read[name] = strings.TrimSpace(value)
	}
	return read, err
}

// ApplyProperties moves the properties that are settings of the server itself into their fields, where these are not set.
func (c *Config) ApplyProperties(read map[string]string) {
	if c.Properties == nil {
		c.Properties = map[string]string{}
	}
	for name, value := range read {
		switch name {
		case "bootstrap.servers":
			if len(c.BootstrapServers) == 0 {
				c.BootstrapServers = strings.Split(value, ",")
			}
		case "listeners":
			if c.Listener == "" {
				c.Listener, _, _ = strings.Cut(value, ",")
			}
		case "ksql.advertised.listener":
			if c.AdvertisedListener == "" {
				c.AdvertisedListener = value
			}
		case "ksql.internal.listener":
			if c.InternalListener == "" {
				c.InternalListener = value
			}
		case "ksql.schema.registry.url":
			if c.SchemaRegistryURL == "" {
				c.SchemaRegistryURL = value
			}
		case "ksql.schema.registry.listener":
			if c.SchemaRegistryListener == "" {
				c.SchemaRegistryListener = value
			}
		case "ksql.service.id":
			if c.ServiceID == "" {
				c.ServiceID = value
			}
		case "ksql.streams.state.dir":
			if c.DataDir == "" {
				c.DataDir = value
			}
		default:
			if _, set := c.Properties[name]; !set {
				c.Properties[name] = value
			}
		}
	}
}
