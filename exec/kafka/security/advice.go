package security

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// Advise adds to an error of [kafka.Connect] what to do about it; other errors, and nil, come back as they are.
func (s *Settings) Advise(err error) error {
	if kafka.KindOf(err) != kafka.Denied {
		return err
	}
	if advice := s.advice(err); advice != "" {
		return fmt.Errorf("%w\n%s", err, advice)
	}
	return err
}

func (s *Settings) advice(err error) string {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		roots     x509.SystemRootsError
		noTLS     tls.RecordHeaderError
	)
	trust := s.trust
	if trust == "" {
		trust = "the system's certificates"
	}
	switch {
	case errors.As(err, &host) && host.Certificate != nil:
		return fmt.Sprintf("The broker's certificate is not for %s but for %s. Name the brokers in bootstrap.servers and in their advertised.listeners "+
			"as the certificate does; or, if that cannot be, set ssl.endpoint.identification.algorithm to nothing.", host.Host, hostsOf(host.Certificate))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "The broker's certificate, or one that signed it, has expired or is not valid yet: renew it, or set this machine's clock."
	case errors.As(err, &authority), errors.As(err, &roots):
		return fmt.Sprintf("None of %s has signed the broker's certificate. ssl.truststore.location (PEM, PKCS12 or JKS) or ssl.ca.location (PEM) "+
			"names the file of the certificates that do.", trust)
	case errors.As(err, &noTLS):
		return fmt.Sprintf("The broker does not speak TLS on that port, but security.protocol is %s: name a port with TLS, or set security.protocol to %s.",
			s.protocol, strings.Replace(s.protocol, "SSL", "PLAINTEXT", 1))
	case kafka.IsTLS(err):
		return fmt.Sprintf("The broker speaks TLS on that port, but security.protocol is %s: set it to %s, or name another port.",
			s.protocol, strings.Replace(s.protocol, "PLAINTEXT", "SSL", 1))
	case kafka.IsAlert(err) && s.identity == "":
		return "The broker ended the TLS connection. If it asks for a certificate: ssl.keystore.location (PEM, PKCS12 or JKS), or ssl.certificate.location " +
			"with ssl.key.location (PEM), names it."
	case kafka.IsAlert(err):
		return fmt.Sprintf("The broker does not take the certificate of %s: its trust store must have what signed it, the file all certificates "+
			"in between, and none may have expired.", s.identity)
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return fmt.Sprintf("The brokers do not offer sasl.mechanism=%s on that port (their sasl.enabled.mechanisms).", s.mechanism())
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return fmt.Sprintf("The brokers do not know this user with this password for %s: see sasl.jaas.config, or sasl.username and sasl.password.", s.mechanism())
	}
	return ""
}

func (s *Settings) mechanism() string {
	if s.SASL == nil {
		return ""
	}
	return s.SASL.Mechanism
}

// hostsOf lists the hosts that a certificate is for.
func hostsOf(c *x509.Certificate) string {
	hosts := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	if len(hosts) == 0 {
		return "no host (it has no subject alternative names; its common name does not count)"
	}
	return strings.Join(hosts, ", ")
}

// reason is what is behind the error of a file, without its path.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
