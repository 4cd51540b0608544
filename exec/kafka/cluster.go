package kafka

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"github.com/twmb/franz-go/plugin/kslog"
)

// Config says how to reach a Kafka cluster.
type Config struct {
	// BootstrapServers are host:port pairs; at least one.
	BootstrapServers []string
	// ClientID is the prefix of every client's id, as "<service>-<node>"; each
	// client appends what it is for.
	ClientID string
	// TLS, unless nil, gives the settings of a new TLS connection to a host,
	// which it may change: connections are in the clear without it. It is
	// called by several goroutines at once.
	TLS func(host string) (*tls.Config, error)
	// SASL authenticates every connection when not nil.
	SASL *SASL
	// Dial opens every connection when not nil, in place of TCP: on a network
	// that is simulated, or through a proxy.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// TransactionalIDSuffix is appended to every transactional id. The
	// embedded broker hands out a fresh one a start; empty on a real cluster.
	TransactionalIDSuffix string
	// RequestOverhead is how long a broker may take beyond what a request
	// itself asks it to wait. 0 means 10 s.
	RequestOverhead time.Duration
	// Logger receives the clients' messages; nil discards them.
	Logger *slog.Logger
	// Metrics, when not nil, collects the clients' metrics.
	Metrics *Metrics
}

// SASL is a name and a secret with the mechanism to present them.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
	Mechanism      string
	User, Password string
}

// Cluster is the connection of one process to one Kafka cluster. Its methods
// are safe for concurrent use.
type Cluster struct {
	cfg    Config
	opts   []kgo.Opt
	client *kgo.Client // administration, offsets
	admin  *Admin

	plainMu sync.Mutex
	plain   *PlainProducer
}

// maxDecompressBytes bounds what one compressed batch may grow to.
const maxDecompressBytes = 64 << 20

func newCluster(cfg Config) (*Cluster, error) {
	if len(cfg.BootstrapServers) == 0 {
		return nil, &Error{Kind: Other, Op: "connecting to Kafka", Err: fmt.Errorf("no bootstrap servers given")}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.RequestOverhead == 0 {
		cfg.RequestOverhead = 10 * time.Second
	}
	c := &Cluster{cfg: cfg}
	c.opts = []kgo.Opt{
		kgo.SeedBrokers(cfg.BootstrapServers...),
		kgo.RequestTimeoutOverhead(cfg.RequestOverhead),
		kgo.MaxDecompressBatchBytes(maxDecompressBytes),
		kgo.WithLogger(kslog.New(cfg.Logger)),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.RetryBackoffFn(func(tries int) time.Duration { return min(25*time.Millisecond<<min(tries, 6), time.Second) }),
		kgo.DisableClientMetrics(),
	}
	if dial := cfg.dialer(); dial != nil {
		c.opts = append(c.opts, kgo.Dialer(dial))
	}
	if cfg.SASL != nil {
		mechanism, err := cfg.SASL.mechanism()
		if err != nil {
			return nil, err
		}
		c.opts = append(c.opts, kgo.SASL(mechanism))
	}
	var err error
	if c.client, err = c.newClient("admin"); err != nil {
		return nil, err
	}
	c.admin = &Admin{client: c.client, kadm: kadm.NewClient(c.client)}
	return c, nil
}

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "PLAIN":
		return plain.Auth{User: s.User, Pass: s.Password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism(), nil
	}
	return nil, &Error{Kind: Denied, Op: "configuring SASL",
		Err: fmt.Errorf("mechanism %q is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", s.Mechanism)}
}

// newClient makes a franz-go client with the cluster's common options.
func (c *Cluster) newClient(purpose string, opts ...kgo.Opt) (*kgo.Client, error) {
	id := purpose
	if c.cfg.ClientID != "" {
		id = c.cfg.ClientID + "-" + purpose
	}
	all := append([]kgo.Opt{}, c.opts...)
	all = append(all, kgo.ClientID(id))
	if c.cfg.Metrics != nil {
		all = append(all, c.cfg.Metrics.hooks())
	}
	client, err := kgo.NewClient(append(all, opts...)...)
	if err != nil {
		return nil, newError("opening a Kafka client", err)
	}
	return client, nil
}

// Admin returns the cluster's administration client.
func (c *Cluster) Admin() *Admin { return c.admin }

// Plain returns the process's shared idempotent producer, opening it at the
// first call.
func (c *Cluster) Plain() (*PlainProducer, error) {
	c.plainMu.Lock()
	defer c.plainMu.Unlock()
	if c.plain == nil {
		p, err := newPlainProducer(c)
		if err != nil {
			return nil, err
		}
		c.plain = p
	}
	return c.plain, nil
}

// Ping returns nil when a broker answers.
func (c *Cluster) Ping(ctx context.Context) error {
	return newError("reaching Kafka", c.client.Ping(ctx))
}

// Close closes the shared clients. Consumers, producers and readers handed out
// are closed by their owners, before this.
func (c *Cluster) Close() {
	c.plainMu.Lock()
	defer c.plainMu.Unlock()
	if c.plain != nil {
		c.plain.close()
	}
	c.client.Close()
}
