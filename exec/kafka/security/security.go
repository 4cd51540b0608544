// Package security makes the TLS and SASL settings of connections to Kafka from the properties that Java's clients and
// librdkafka have for them, so that the property files of ksqlDB servers can be kept.
//
// Everything is checked when the properties are read, before anything is dialled. Errors name the property, the file, and what
// to do; neither they nor warnings show the value of a property.
package security

import (
	"crypto/tls"
	"log/slog"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// Settings say how connections to a Kafka cluster are secured. Immutable; safe for concurrent use.
type Settings struct {
	// TLS gives the settings of a new connection to a host; nil means connections in the clear. Files that have changed since
	// the last connection are read again.
	TLS func(host string) (*tls.Config, error)
	// SASL is the name and the secret to show brokers; nil means none.
	SASL *kafka.SASL

	protocol string
	// trust and identity are the properties that certificates came from, for advice.
	trust, identity string
}

// Read makes settings of properties: names with and without the prefixes that ksqlDB takes (ksql.streams., consumer., admin. and
// so on), of which the plain one counts. Properties of other subjects are left alone. What looks like a mistake without being
// one for sure is a warning to logger, at the start; so is, later, a file that was replaced by something unreadable.
func Read(properties map[string]string, logger *slog.Logger) (*Settings, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	v := collect(properties)
	s, err := read(v, logger)
	if err != nil {
		return nil, err
	}
	for _, w := range v.warnings {
		logger.Warn("security of connections to Kafka: " + w)
	}
	return s, nil
}

func read(v *values, logger *slog.Logger) (*Settings, error) {
	if err := v.checkLiterals(); err != nil {
		return nil, err
	}
	p, err := readProtocol(v)
	if err != nil {
		return nil, err
	}
	s := &Settings{protocol: p.name}
	if p.sasl {
		if s.SASL, err = readSASL(v); err != nil {
			return nil, err
		}
		if s.SASL.Mechanism == "PLAIN" && !p.tls {
			v.warn("with %s and PLAIN the password crosses the network in the clear; use SASL_SSL, or a SCRAM mechanism", p.name)
		}
	}
	if p.tls {
		t, err := readTransport(v, logger)
		if err != nil {
			return nil, err
		}
		s.TLS, s.trust, s.identity = t.settings, t.trustFrom, t.identityFrom
	}
	return s, nil
}

// Apply puts the settings into the configuration of a cluster.
func (s *Settings) Apply(cfg *kafka.Config) { cfg.TLS, cfg.SASL = s.TLS, s.SASL }

// String says how connections are secured, without names and secrets: "SASL_SSL (SCRAM-SHA-512)".
func (s *Settings) String() string {
	if s.SASL == nil {
		return s.protocol
	}
	return s.protocol + " (" + s.SASL.Mechanism + ")"
}

// Mentioned lists the properties of this package's subject that are set, sorted, as they are written.
func Mentioned(properties map[string]string) []string {
	var out []string
	for _, name := range sorted(properties) {
		if isOurs(plain(name)) && strings.TrimSpace(properties[name]) != "" {
			out = append(out, name)
		}
	}
	return out
}
