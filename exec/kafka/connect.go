package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// dialTimeout bounds how long a connection takes to come up, TLS included.
const dialTimeout = 10 * time.Second

// Connect opens the cluster: it asks the bootstrap servers one after the other until one of them answers. The error is Denied
// when one of them refused this client, or was refused by it (a user, a password, a certificate): trying again does not help then.
func Connect(ctx context.Context, cfg Config) (*Cluster, error) {
	c, err := newCluster(cfg)
	if err != nil {
		return nil, err
	}
	if err := c.greet(ctx); err != nil {
		c.Close()
		kind := classify(err)
		if isRefusal(err) {
			kind = Denied
		}
		return nil, &Error{Kind: kind, Op: fmt.Sprintf("connecting to Kafka at %s", strings.Join(cfg.BootstrapServers, ",")), Err: err}
	}
	return c, nil
}

// greet returns nil when a bootstrap server answers, else the error that says most: a refusal, or the last one.
func (c *Cluster) greet(ctx context.Context) error {
	err := c.client.Ping(ctx)
	seeds := c.client.SeedBrokers()
	if err == nil || isRefusal(err) || len(seeds) < 2 {
		return err
	}
	// That was the error of the last one.
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	for _, b := range seeds {
		if _, single := b.Request(ctx, req); isRefusal(single) {
			return single
		}
	}
	return err
}

// isRefusal says whether a connection failed because one side does not take what the other shows of itself. Once the cluster
// is open, such an error of TLS counts as one of the connection like any other: certificates are replaced while brokers and
// clients run, and do not always fit for as long as that takes.
func isRefusal(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		roots        x509.SystemRootsError
		noTLS        tls.RecordHeaderError
	)
	switch {
	case err == nil:
		return false
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.UnsupportedSaslMechanism), errors.Is(err, kerr.IllegalSaslState):
		return true
	case errors.As(err, &verification), errors.As(err, &authority), errors.As(err, &roots), errors.As(err, &noTLS):
		return true
	}
	return IsAlert(err) || IsTLS(err)
}

// IsTLS says whether the other side answered with TLS to a connection in the clear. The client tells by its text alone.
func IsTLS(err error) bool { return strings.Contains(err.Error(), "appear to be a tls alert record") }

// IsAlert says whether the other side ended a TLS connection for a reason of its own and said so: it does not take this side's
// certificate, or none of the versions it offers.
func IsAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" && !strings.Contains(op.Err.Error(), "internal error")
}

// dialer is what opens connections; nil stands for plain TCP.
func (cfg *Config) dialer() func(ctx context.Context, network, address string) (net.Conn, error) {
	if cfg.TLS == nil {
		return cfg.Dial
	}
	dial := cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		settings, err := cfg.TLS(host)
		if err != nil {
			return nil, err
		}
		limited, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		conn, err := dial(limited, network, address)
		if err != nil {
			return nil, err
		}
		secured := tls.Client(conn, settings)
		if err := secured.HandshakeContext(limited); err != nil {
			_ = conn.Close()
			if ctx.Err() == nil && limited.Err() != nil {
				// The caller's time is not up: this is an error of the connection.
				return nil, fmt.Errorf("TLS with %s: no answer within %v; does it speak TLS on that port?", address, dialTimeout)
			}
			return nil, fmt.Errorf("TLS with %s: %w", address, err)
		}
		return secured, nil
	}
}
