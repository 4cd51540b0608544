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
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	var says error
	for _, b := range c.client.SeedBrokers() {
		_, err := b.Request(ctx, req)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil && says != nil {
			// What stood in the way is worth more than that time was up.
			return fmt.Errorf("%w; before that: %w", err, says)
		}
		if !isRefusal(says) {
			says = err
		}
	}
	return says
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
	return IsAlert(err)
}

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
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secured := tls.Client(conn, settings)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return secured, nil
	}
}
