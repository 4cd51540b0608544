package peers

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
)

// TLS names the PEM files of internal connections. Both sides show their certificate, and take only one that is signed by
// the CA and, when it is a server's, made out for the host of its endpoint.
type TLS struct {
	// CertificateFile holds the server's certificate and those between it and the CA, KeyFile its key, unencrypted. Both are
	// read again for new connections, so that they may be replaced while the server runs.
	CertificateFile, KeyFile string
	// CAFile holds the certificates of the CA.
	CAFile string
}

// security makes the TLS settings of connections; nil makes none.
type security struct {
	files TLS
	roots *x509.CertPool

	mu   sync.Mutex
	last *tls.Certificate
}

func newSecurity(t *TLS) (*security, error) {
	if t == nil {
		return nil, nil
	}
	s := &security{files: *t, roots: x509.NewCertPool()}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ksql.internal.ssl.ca.location: %w", err)
	}
	if !s.roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ksql.internal.ssl.ca.location: %s holds no certificate in PEM", t.CAFile)
	}
	if _, err := s.certificate(); err != nil {
		return nil, fmt.Errorf("ksql.internal.ssl.certificate.location and .key.location: %w", err)
	}
	return s, nil
}

// certificate reads the certificate anew; if that fails, for example while the files are being replaced, the last one serves.
func (s *security) certificate() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(s.files.CertificateFile, s.files.KeyFile)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if s.last != nil {
			return s.last, nil
		}
		return nil, err
	}
	s.last = &c
	return s.last, nil
}

func (s *security) scheme() string {
	if s == nil {
		return "http"
	}
	return "https"
}

// client is for connections to others.
func (s *security) client() *tls.Config {
	if s == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.roots,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.certificate() }}
}

// server is for connections from others.
func (s *security) server() *tls.Config {
	if s == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, ClientCAs: s.roots, ClientAuth: tls.RequireAndVerifyClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.certificate() }}
}

// Check says what is missing; nil when all three files are named.
func (t *TLS) Check() error {
	if t.CertificateFile == "" || t.KeyFile == "" || t.CAFile == "" {
		return errors.New("TLS between servers wants all of ksql.internal.ssl.certificate.location, ksql.internal.ssl.key.location and ksql.internal.ssl.ca.location")
	}
	return nil
}
