package security

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/tests/certificates"
)

// broker starts a kfake for a test. With SASL it answers as Apache Kafka does to who it does not know, and does not hang up.
func broker(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// refusing lets brokers refuse whoever does not show a text in the first step of SASL.
func refusing(c *kfake.Cluster, unlessShown string) {
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if bytes.Contains(r.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes, []byte(unlessShown)) {
			return nil, nil, false
		}
		resp := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return resp, nil, true
	})
}

// connect connects with properties and asks something.
func connect(t *testing.T, servers []string, text string) (*kafka.Cluster, error) {
	t.Helper()
	s, _, err := parse(t, text)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cfg := kafka.Config{BootstrapServers: servers, ClientID: "test"}
	s.Apply(&cfg)
	c, err := kafka.Connect(ctx, cfg)
	if err != nil {
		return nil, s.Advise(err)
	}
	t.Cleanup(c.Close)
	_, err = c.Admin().CreateTopic(ctx, kafka.TopicSpec{Name: fmt.Sprintf("t%d", time.Now().UnixNano()), Partitions: 1})
	return c, err
}

func TestConnect(t *testing.T) {
	t.Parallel()
	ours, theirs := certificates.New(t, "ours"), certificates.New(t, "theirs")
	serverTLS := func(p certificates.Pair) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{p.TLS()}, MinVersion: tls.VersionTLS12}
	}
	mutual := func(version uint16) *tls.Config {
		c := serverTLS(ours.Issue(t, "broker"))
		c.ClientAuth, c.ClientCAs, c.MaxVersion = tls.RequireAndVerifyClientCert, ours.Pool(), version
		return c
	}
	client, stranger := ours.Issue(t, "client"), theirs.Issue(t, "stranger")
	show := func(p certificates.Pair) string {
		return "ssl.certificate.location=" + certificates.Write(t, "c.pem", p.PEM()) + "\nssl.key.location=" + certificates.Write(t, "k.pem", p.KeyPEM(t)) + "\n"
	}
	trust := "ssl.ca.location=" + certificates.Write(t, "ours.pem", ours.PEM()) + "\n"
	login := func(mechanism, module, password string) string {
		return fmt.Sprintf("sasl.mechanism=%s\nsasl.jaas.config=org.apache.kafka.common.security.%s required username=\"alice\" password=\"%s\";\n", mechanism, module, password)
	}
	const plain, scram = "plain.PlainLoginModule", "scram.ScramLoginModule"
	const sasl, saslTLS, onlyTLS = "security.protocol=SASL_PLAINTEXT\n", "security.protocol=SASL_SSL\n", "security.protocol=SSL\n"
	// Passwords with all that has to be escaped somewhere on the way.
	const password, written = `p"w\d;=, ü`, `p\\"w\\\\d;=, ü`
	user := func(mechanism string) []kfake.Opt {
		return []kfake.Opt{kfake.EnableSASL(), kfake.Superuser(mechanism, "alice", password)}
	}
	expired := serverTLS(ours.Issue(t, "expired"))
	expired.Certificates = []tls.Certificate{ours.IssueOld(t, "expired", "127.0.0.1").TLS()}

	for name, c := range map[string]struct {
		broker []kfake.Opt
		text   string
		// denied are parts of the error; none means that there is none.
		denied []string
		// knows is what brokers want to see of the user before they ask kfake.
		knows string
	}{
		"PLAIN":           {broker: user("PLAIN"), text: sasl + login("PLAIN", plain, written), knows: password},
		"SCRAM-SHA-256":   {broker: user("SCRAM-SHA-256"), text: sasl + login("SCRAM-SHA-256", scram, written)},
		"SCRAM-SHA-512":   {broker: user("SCRAM-SHA-512"), text: sasl + login("SCRAM-SHA-512", scram, written)},
		"TLS":             {broker: []kfake.Opt{kfake.TLS(serverTLS(ours.Issue(t, "broker")))}, text: onlyTLS + trust},
		"TLS 1.3 alone":   {broker: []kfake.Opt{kfake.TLS(serverTLS(ours.Issue(t, "broker")))}, text: onlyTLS + trust + "ssl.enabled.protocols=TLSv1.3"},
		"TLS and SCRAM":   {broker: append(user("SCRAM-SHA-512"), kfake.TLS(serverTLS(ours.Issue(t, "broker")))), text: saslTLS + trust + login("SCRAM-SHA-512", scram, written)},
		"TLS and PLAIN":   {broker: append(user("PLAIN"), kfake.TLS(serverTLS(ours.Issue(t, "broker")))), text: saslTLS + trust + login("PLAIN", plain, written)},
		"mutual TLS 1.2":  {broker: []kfake.Opt{kfake.TLS(mutual(tls.VersionTLS12))}, text: onlyTLS + trust + show(client)},
		"mutual TLS 1.3":  {broker: []kfake.Opt{kfake.TLS(mutual(tls.VersionTLS13))}, text: onlyTLS + trust + show(client)},
		"of another host": {broker: []kfake.Opt{kfake.TLS(serverTLS(ours.IssueFor(t, "broker", "elsewhere.example", "10.1.2.3")))}, text: onlyTLS + trust + "ssl.endpoint.identification.algorithm=\n"},

		"wrong password": {broker: user("PLAIN"), text: sasl + login("PLAIN", plain, "wrong"), knows: password,
			denied: []string{"SASL_AUTHENTICATION_FAILED", "do not know this user with this password for PLAIN", "sasl.jaas.config"}},
		"unknown authority": {broker: []kfake.Opt{kfake.TLS(serverTLS(theirs.Issue(t, "broker")))}, text: onlyTLS + trust,
			denied: []string{"unknown authority", "None of ssl.ca.location has signed the broker's certificate"}},
		"unknown to the system": {broker: []kfake.Opt{kfake.TLS(serverTLS(ours.Issue(t, "broker")))}, text: onlyTLS,
			denied: []string{"None of the system's certificates has signed the broker's certificate", "ssl.truststore.location"}},
		"wrong host": {broker: []kfake.Opt{kfake.TLS(serverTLS(ours.IssueFor(t, "broker", "elsewhere.example", "10.1.2.3")))}, text: onlyTLS + trust,
			denied: []string{"not for 127.0.0.1 but for elsewhere.example, 10.1.2.3", "advertised.listeners"}},
		"any host, unknown authority": {broker: []kfake.Opt{kfake.TLS(serverTLS(theirs.Issue(t, "broker")))}, text: onlyTLS + trust + "ssl.endpoint.identification.algorithm=",
			denied: []string{"unknown authority"}},
		"expired": {broker: []kfake.Opt{kfake.TLS(expired)}, text: onlyTLS + trust, denied: []string{"has expired"}},
		"no certificate, TLS 1.2": {broker: []kfake.Opt{kfake.TLS(mutual(tls.VersionTLS12))}, text: onlyTLS + trust,
			denied: []string{"remote error", "If it asks for a certificate: ssl.keystore.location"}},
		"no certificate, TLS 1.3": {broker: []kfake.Opt{kfake.TLS(mutual(tls.VersionTLS13))}, text: onlyTLS + trust,
			denied: []string{"remote error", "If it asks for a certificate: ssl.keystore.location"}},
		"certificate of a stranger": {broker: []kfake.Opt{kfake.TLS(mutual(tls.VersionTLS12))}, text: onlyTLS + trust + show(stranger),
			denied: []string{"remote error", "The broker does not take the certificate of ssl.certificate.location, ssl.key.location"}},
		"old TLS": {broker: []kfake.Opt{kfake.TLS(mutual(tls.VersionTLS12))}, text: onlyTLS + trust + show(client) + "ssl.enabled.protocols=TLSv1.3",
			denied: []string{"remote error: tls: protocol version not supported"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := broker(t, c.broker...)
			if c.knows != "" {
				refusing(b, c.knows)
			}
			began := time.Now()
			_, err := connect(t, b.ListenAddrs(), c.text)
			if len(c.denied) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if kafka.KindOf(err) != kafka.Denied {
				t.Fatalf("kind %v of %v; want it denied", kafka.KindOf(err), err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			for _, part := range c.denied {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error does not have %q: %v", part, err)
				}
			}
			if strings.Contains(err.Error(), password) {
				t.Errorf("the password is shown: %v", err)
			}
		})
	}
}

// Brokers name the mechanisms that they offer.
func TestMechanismNotOffered(t *testing.T) {
	t.Parallel()
	b := broker(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", "x"))
	b.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLHandshakeResponse)
		resp.ErrorCode, resp.SupportedMechanisms = kerr.UnsupportedSaslMechanism.Code, []string{"PLAIN"}
		return resp, nil, true
	})
	_, err := connect(t, b.ListenAddrs(), "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\nsasl.username=alice\nsasl.password=x\n")
	if kafka.KindOf(err) != kafka.Denied || !strings.Contains(err.Error(), "do not offer sasl.mechanism=SCRAM-SHA-256") {
		t.Errorf("error %v", err)
	}
}

// listen is a port that answers whatever is said with the same, and hangs up.
func listen(t *testing.T, answer string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = conn.Write([]byte(answer))
			conn.Close()
		}
	}()
	return l.Addr().String()
}

// A port without TLS is not reached with it, and the other way round. Apache Kafka hangs up on what it takes for nonsense, which
// may as well be one that stops: it is no refusal, but the error tells. To what is no TLS it answers with an alert.
func TestConnectToWrongPort(t *testing.T) {
	t.Parallel()
	_, err := connect(t, []string{listen(t, "")}, "security.protocol=SSL\n")
	if kafka.KindOf(err) != kafka.Retriable || !strings.Contains(err.Error(), "is TLS misconfigured on the client or the broker?") {
		t.Errorf("no TLS there: error %v", err)
	}
	_, err = connect(t, []string{listen(t, "HTTP/1.1 400 Bad Request\r\n\r\n")}, "security.protocol=SSL\n")
	if kafka.KindOf(err) != kafka.Denied || !strings.Contains(err.Error(), "does not speak TLS on that port, but security.protocol is SSL: name a port with TLS, or set security.protocol to PLAINTEXT") {
		t.Errorf("something else there: error %v", err)
	}
	_, err = connect(t, []string{listen(t, "\x15\x03\x03\x00\x02\x02\x50")}, "security.protocol=PLAINTEXT\n")
	if kafka.KindOf(err) != kafka.Denied || !strings.Contains(err.Error(), "The broker speaks TLS on that port, but security.protocol is PLAINTEXT: set it to SSL") {
		t.Errorf("TLS there: error %v", err)
	}
}

// Of several brokers one is enough; and what one refuses is told even when another is away.
func TestConnectToSeveral(t *testing.T) {
	t.Parallel()
	ours, theirs := certificates.New(t, "ours"), certificates.New(t, "theirs")
	good := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ours.Issue(t, "good").TLS()}}))
	bad := broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{theirs.Issue(t, "bad").TLS()}}))
	away := broker(t)
	gone := away.ListenAddrs()[0]
	away.Close()
	text := "security.protocol=SSL\nssl.truststore.certificates=" + oneLine(ours.PEM()) + "\n"
	if _, err := connect(t, []string{gone, bad.ListenAddrs()[0], good.ListenAddrs()[0]}, text); err != nil {
		t.Errorf("one of three: %v", err)
	}
	if _, err := connect(t, []string{bad.ListenAddrs()[0], gone}, text); kafka.KindOf(err) != kafka.Denied {
		t.Errorf("one refuses, one is away: %v", err)
	}
	if _, err := connect(t, []string{gone}, text); kafka.KindOf(err) != kafka.Retriable {
		t.Errorf("one is away: %v", err)
	}
}

// lines gather what is logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

// Certificates and trust are exchanged while connections come and go; files that do not fit change nothing.
func TestRotation(t *testing.T) {
	t.Parallel()
	first, second := certificates.New(t, "first"), certificates.New(t, "second")
	write := func(path, text string) {
		t.Helper()
		// As rotation is done by those who do it well: a reader sees the old file or the new one.
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	client := first.Issue(t, "client")
	ca, cert, key := certificates.Write(t, "ca.pem", first.PEM()), certificates.Write(t, "c.pem", client.PEM()), certificates.Write(t, "k.pem", client.KeyPEM(t))
	accept := func(a *certificates.Authority) *kfake.Cluster {
		return broker(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{a.Issue(t, "broker").TLS()}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.Pool()}))
	}
	old, renewed := accept(first), accept(second)
	log := &lines{}
	s, err := Read(map[string]string{"security.protocol": "SSL", "ssl.ca.location": ca, "ssl.certificate.location": cert, "ssl.key.location": key},
		slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	reaches := func(c *kfake.Cluster) error {
		cfg := kafka.Config{BootstrapServers: c.ListenAddrs()}
		s.Apply(&cfg)
		k, err := kafka.Connect(t.Context(), cfg)
		if err == nil {
			k.Close()
		}
		return err
	}
	if err := errors.Join(reaches(old), reaches(old)); err != nil {
		t.Fatal(err)
	}
	if kafka.KindOf(reaches(renewed)) != kafka.Denied {
		t.Error("the new broker is reached with the old files")
	}
	if said := log.take(); said != "" {
		t.Errorf("said for nothing: %s", said)
	}

	// Half of a rotation: the certificate is there, its key is not. What was before serves on.
	next := second.Issue(t, "client")
	write(cert, next.PEM())
	if err := reaches(old); err != nil {
		t.Error(err)
	}
	if said := log.take(); strings.Count(said, "level=WARN") != 1 || !strings.Contains(said, "ssl.certificate.location") || !strings.Contains(said, cert) {
		t.Errorf("said of half a rotation: %s", said)
	}
	if err := reaches(old); err != nil || log.take() != "" {
		t.Errorf("again, or said again: %v", err)
	}
	write(key, next.KeyPEM(t))
	write(ca, second.PEM())
	if err := reaches(renewed); err != nil {
		t.Error(err)
	}
	if said := log.take(); strings.Count(said, "read again") != 2 {
		t.Errorf("said of the rotation: %s", said)
	}
	if kafka.KindOf(reaches(old)) != kafka.Denied {
		t.Error("the old broker is reached with the new files")
	}
	if err := os.Remove(ca); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(reaches(renewed), reaches(renewed)); err != nil {
		t.Error(err)
	}
	if said := log.take(); strings.Count(said, "level=WARN") != 1 {
		t.Errorf("said of a file that is gone: %s", said)
	}
}

// Files are read again when they have changed and, while they are young, each time: never for nothing.
func TestWatched(t *testing.T) {
	t.Parallel()
	path := certificates.Write(t, "f", "1")
	reads := 0
	w, err := newWatched("f", []string{path}, func() (string, error) {
		reads++
		b, err := os.ReadFile(path)
		return string(b), err
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	age := func(d time.Duration) {
		t.Helper()
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-d)); err != nil {
			t.Fatal(err)
		}
	}
	age(time.Minute)
	want := func(value string, atReads int) {
		t.Helper()
		if got, err := w.get(); got != value || err != nil || reads != atReads {
			t.Errorf("got %q, %v after %d reads; want %q after %d", got, err, reads, value, atReads)
		}
	}
	want("1", 2)
	want("1", 2)
	// A young file may be written again at the same time, with the same size.
	if err := os.WriteFile(path, []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("2", 3)
	want("2", 4)
	age(time.Minute)
	want("2", 5)
	want("2", 5)
}
