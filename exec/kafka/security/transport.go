package security

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"strings"
)

// transport makes the settings of TLS connections. Safe for concurrent use.
type transport struct {
	// trust holds who may sign brokers' certificates; nil means whom the system trusts.
	trust *watched[*x509.CertPool]
	// identity is what to show brokers that ask; nil means nothing.
	identity *watched[[]tls.Certificate]
	// anyHost takes a broker's certificate whatever host it is for.
	anyHost  bool
	min, max uint16
	// The properties that trust and identity are from, for messages.
	trustFrom, identityFrom string
}

func readTransport(v *values, logger *slog.Logger) (*transport, error) {
	t := &transport{}
	var err error
	if t.min, t.max, err = readVersions(v); err != nil {
		return nil, err
	}
	if t.anyHost, err = readAnyHost(v); err != nil {
		return nil, err
	}
	if t.trust, t.trustFrom, err = readTrust(v, logger); err != nil {
		return nil, err
	}
	t.identity, t.identityFrom, err = readIdentity(v, logger)
	return t, err
}

// readAnyHost reads ssl.endpoint.identification.algorithm, of which the empty text means something.
func readAnyHost(v *values) (bool, error) {
	const property = "ssl.endpoint.identification.algorithm"
	value, set := v.set[property]
	switch strings.ToLower(value) {
	case "https":
		return false, nil
	case "":
		if set {
			v.warn("%s is empty: a broker's certificate counts whatever host it is for", v.called(property))
		}
		return set, nil
	case "none":
		// librdkafka's word for it.
		v.warn("%s is none: a broker's certificate counts whatever host it is for", v.called(property))
		return true, nil
	}
	return false, v.errorf(property, "%q is not https, nor empty", value)
}

// readVersions reads ssl.enabled.protocols.
func readVersions(v *values) (lowest, highest uint16, err error) {
	const property = "ssl.enabled.protocols"
	if !v.has(property) {
		return tls.VersionTLS12, 0, nil
	}
	var old []string
	for _, name := range strings.Split(v.get(property), ",") {
		name = strings.TrimSpace(name)
		version := uint16(0)
		switch strings.ToLower(name) {
		case "tlsv1.3":
			version = tls.VersionTLS13
		case "tlsv1.2":
			version = tls.VersionTLS12
		case "tlsv1.1", "tlsv1", "sslv3", "sslv2hello":
			old = append(old, name)
			continue
		case "":
			continue
		default:
			return 0, 0, v.errorf(property, "%q is not known; it may have TLSv1.2 and TLSv1.3, separated by commas", name)
		}
		if lowest == 0 || version < lowest {
			lowest = version
		}
		highest = max(highest, version)
	}
	switch {
	case lowest == 0:
		return 0, 0, v.errorf(property, "TLSv1.2 is the oldest version that is spoken; add it, or TLSv1.3")
	case len(old) > 0:
		v.warn("%s: not spoken, since they are not safe: %s", v.called(property), strings.Join(old, ", "))
	}
	return lowest, highest, nil
}

// settings are those of a new connection to a host.
func (t *transport) settings(host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host, MinVersion: t.min, MaxVersion: t.max}
	if t.trust != nil {
		roots, err := t.trust.get()
		if err != nil {
			return nil, err
		}
		c.RootCAs = roots
	}
	if t.identity != nil {
		certificates, err := t.identity.get()
		if err != nil {
			return nil, err
		}
		// Of several the one that the broker says it takes is shown, or none.
		c.Certificates = certificates
	}
	if t.anyHost {
		// The library checks chain and host together: the chain is checked here instead.
		roots := c.RootCAs
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s.PeerCertificates, roots) }
	}
	return c, nil
}

// verifyChain checks that a chain leads to one of the roots, of the system when nil, and is for servers.
func verifyChain(chain []*x509.Certificate, roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: chain, Err: err}
	}
	return nil
}
