package peers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server/peers"
)

// authority signs certificates.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.file = filepath.Join(a.dir, name+".pem")
	a.cert, a.key = a.make(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}, a.file, "")
	return a
}

// make makes a certificate, signed by the authority if it has one yet.
func (a *authority) make(t *testing.T, c *x509.Certificate, certFile, keyFile string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := c, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certFile, "CERTIFICATE", der)
	if keyFile != "" {
		raw, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		write(t, keyFile, "EC PRIVATE KEY", raw)
	}
	return cert, key
}

func write(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// issue makes a server's certificate, which others check against ca.
func (a *authority) issue(t *testing.T, name, ca string) *peers.TLS {
	t.Helper()
	files := &peers.TLS{CertificateFile: filepath.Join(a.dir, name+".crt"), KeyFile: filepath.Join(a.dir, name+".key"), CAFile: ca}
	a.make(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, files.CertificateFile, files.KeyFile)
	return files
}

// With certificates servers talk to those whose certificates the same CA has signed, and to nobody else.
func TestTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	with := func(f *peers.TLS) func(*peers.Config) { return func(c *peers.Config) { c.TLS = f } }
	w := &town{}
	a, b := start(t, w, "a", 1, true, with(ours.issue(t, "a", ours.file))), start(t, w, "b", 1, true, with(ours.issue(t, "b", ours.file)))
	forger := start(t, w, "forger", 1, true, with(theirs.issue(t, "forger", ours.file)))
	bare := start(t, w, "bare", 1, true, nil)
	eventually(t, "a sees b", a.sees("b", true))
	eventually(t, "b sees a", b.sees("a", true))
	if text, err := a.echo("b", "secret"); text != "secret" || err != nil {
		t.Errorf("echo %q, %v", text, err)
	}
	for _, s := range []*server{forger, bare} {
		eventually(t, "a was tried", func() bool { h, ok := s.Host("a"); return ok && h.Misses > 5 })
		if h, _ := s.Host("a"); h.Alive {
			t.Errorf("a took a stranger: %+v", h)
		}
		if text, err := s.echo("a", "secret"); err == nil {
			t.Errorf("a answered a stranger: %s", text)
		}
	}
	for _, id := range []string{"forger", "bare"} {
		if h, ok := a.Host(id); ok && h.Alive {
			t.Errorf("a trusts %+v", h)
		}
	}
}

func TestTLSFiles(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t, "ca")
	good := ca.issue(t, "a", ca.file)
	for _, c := range []struct {
		files peers.TLS
		want  string
	}{
		{peers.TLS{CertificateFile: good.CertificateFile, KeyFile: good.KeyFile, CAFile: "nowhere"}, "ksql.internal.ssl.ca.location"},
		{peers.TLS{CertificateFile: good.CertificateFile, KeyFile: good.KeyFile, CAFile: good.KeyFile}, "holds no certificate"},
		{peers.TLS{CertificateFile: "nowhere", KeyFile: good.KeyFile, CAFile: good.CAFile}, "ksql.internal.ssl.certificate.location"},
	} {
		if _, err := peers.New(peers.Config{TLS: &c.files}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.files, err, c.want)
		}
	}
	if (&peers.TLS{CertificateFile: "a", KeyFile: "b"}).Check() == nil || good.Check() != nil {
		t.Error("Check")
	}
}
