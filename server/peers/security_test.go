package peers_test

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/peers"
	"github.com/ksqlgo/ksqlgo/tests/certificates"
)

// authority signs certificates; file is its own.
type authority struct {
	*certificates.Authority
	file string
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	a := certificates.New(t, name)
	return authority{a, certificates.Write(t, name+".pem", a.PEM())}
}

// issue makes a server's certificate, which others check against ca.
func (a authority) issue(t *testing.T, name, ca string) *peers.TLS {
	t.Helper()
	p := a.Issue(t, name)
	return &peers.TLS{CertificateFile: certificates.Write(t, name+".crt", p.PEM()), KeyFile: certificates.Write(t, name+".key", p.KeyPEM(t)), CAFile: ca}
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
