package apache

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Secured says how clients are let in: with TLS, and with a name and a password (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512) or a
// certificate. Brokers talk to each other in the clear.
type Secured struct {
	// Store is a PEM file with the brokers' key and certificate.
	Store string
	// Users are passwords by name; none means that clients show no name.
	Users map[string]string
	// ClientCAs, if not empty, is a PEM file of who signs the certificates that clients have to show.
	ClientCAs string
}

// protocol is the listener's.
func (s *Secured) protocol() string {
	switch {
	case s == nil:
		return "PLAINTEXT"
	case len(s.Users) == 0:
		return "SSL"
	}
	return "SASL_SSL"
}

// properties are those of the brokers.
func (s *Secured) properties() map[string]string {
	const listener = "listener.name.client."
	p := map[string]string{listener + "ssl.keystore.type": "PEM", listener + "ssl.keystore.location": s.Store}
	if s.ClientCAs != "" {
		p[listener+"ssl.client.auth"] = "required"
		p[listener+"ssl.truststore.type"] = "PEM"
		p[listener+"ssl.truststore.location"] = s.ClientCAs
	}
	if len(s.Users) > 0 {
		p[listener+"sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
		// The escapes are those of JAAS, and those of a properties file on top.
		quote := strings.NewReplacer(`\`, `\\\\`, `"`, `\\"`)
		plain := "org.apache.kafka.common.security.plain.PlainLoginModule required"
		for _, user := range slices.Sorted(maps.Keys(s.Users)) {
			plain += ` user_` + user + `="` + quote.Replace(s.Users[user]) + `"`
		}
		p[listener+"plain.sasl.jaas.config"] = plain + ";"
		for _, mechanism := range []string{"scram-sha-256", "scram-sha-512"} {
			p[listener+mechanism+".sasl.jaas.config"] = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
		}
	}
	return p
}

// addUsers lets the users in with SCRAM, which Kafka keeps in its metadata. It goes in by the brokers' own listener.
func (c *Cluster) addUsers(ctx context.Context, users map[string]string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.nodes[0].peer))
	if err != nil {
		return err
	}
	defer client.Close()
	// A request may have each user once.
	for _, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
		var upserts []kadm.UpsertSCRAM
		for user, password := range users {
			upserts = append(upserts, kadm.UpsertSCRAM{User: user, Mechanism: mechanism, Iterations: 4096, Password: password})
		}
		done, err := kadm.NewClient(client).AlterUserSCRAMs(ctx, nil, upserts)
		if err != nil {
			return err
		}
		for _, d := range done {
			if d.Err != nil {
				return fmt.Errorf("user %s: %w: %s", d.User, d.Err, d.ErrMessage)
			}
		}
	}
	return nil
}
