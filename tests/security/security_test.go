// Package security tests the program on a Kafka that lets nobody in without TLS and a password: a kfake with both, or Apache
// Kafka where the environment asks for it.
package security

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/kafka/security"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/apache"
	"github.com/ksqlgo/ksqlgo/tests/certificates"
	"github.com/ksqlgo/ksqlgo/tests/process"
)

// password has all that has to be escaped somewhere on the way; written is how it stands in a properties file within JAAS.
const password, written = `s3cr"et\;= `, `s3cr\\"et\\\\;= `

// broker starts a Kafka that alice alone reaches, by SASL_SSL, until the test ends. It returns its address and properties that
// say how to trust it.
func broker(t *testing.T) (address, trust string) {
	t.Helper()
	authority := certificates.New(t, "authority")
	own := authority.Issue(t, "broker")
	trust = "ssl.truststore.type=PEM\nssl.truststore.location=" + certificates.Write(t, "ca.pem", authority.PEM()) + "\n"
	if apache.Wanted(t) {
		store := certificates.Write(t, "broker.pem", own.KeyPEM(t)+own.PEM())
		c := apache.Start(t, apache.Options{Secured: &apache.Secured{Store: store, Users: map[string]string{"alice": password}}})
		return c.BootstrapServers()[0], trust
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", password),
		kfake.Superuser("SCRAM-SHA-256", "alice", password), kfake.Superuser("SCRAM-SHA-512", "alice", password),
		kfake.TLS(&tls.Config{Certificates: []tls.Certificate{own.TLS()}, MinVersion: tls.VersionTLS12}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	// Where Apache Kafka says that it does not know somebody, kfake hangs up.
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		shown := r.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes
		if !bytes.HasPrefix(shown, []byte("\x00")) || bytes.HasSuffix(shown, []byte("\x00"+password)) {
			return nil, nil, false
		}
		resp := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return resp, nil, true
	})
	return c.ListenAddrs()[0], trust
}

// login are the properties that say who it is.
func login(mechanism, module, password string) string {
	return fmt.Sprintf("security.protocol=SASL_SSL\nsasl.mechanism=%s\nsasl.jaas.config=org.apache.kafka.common.security.%s required \\\n"+
		"  username=\"alice\" \\\n  password=\"%s\";\n", mechanism, module, password)
}

// bounded is a context that ends before the test's time is up.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Each mechanism lets in who has the password, and refuses the others in words.
func TestMechanisms(t *testing.T) {
	t.Parallel()
	address, trust := broker(t)
	for mechanism, module := range map[string]string{"PLAIN": "plain.PlainLoginModule", "SCRAM-SHA-256": "scram.ScramLoginModule",
		"SCRAM-SHA-512": "scram.ScramLoginModule"} {
		for _, p := range []string{written, "wrong"} {
			if p != written && mechanism != "PLAIN" && !apache.Wanted(t) {
				continue // kfake hangs up.
			}
			read, err := properties.ParseFile(trust + login(mechanism, module, p))
			if err != nil {
				t.Fatal(err)
			}
			s, err := security.Read(read, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			cfg := kafka.Config{BootstrapServers: []string{address}}
			s.Apply(&cfg)
			c, err := kafka.Connect(bounded(t), cfg)
			if c != nil {
				c.Close()
			}
			if p == written && err != nil || p != written && kafka.KindOf(err) != kafka.Denied {
				t.Errorf("%s with %q: %v", mechanism, p, err)
			}
		}
	}
}

// With client certificates alone.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	if !apache.Wanted(t) {
		t.Skip("SKIPPED: on kfake that is tested beside the code; set " + apache.Variable + "=apache")
	}
	authority := certificates.New(t, "authority")
	own, client, stranger := authority.Issue(t, "broker"), authority.Issue(t, "client"), certificates.New(t, "other").Issue(t, "stranger")
	ca := certificates.Write(t, "ca.pem", authority.PEM())
	c := apache.Start(t, apache.Options{Secured: &apache.Secured{Store: certificates.Write(t, "broker.pem", own.KeyPEM(t)+own.PEM()), ClientCAs: ca}})
	for name, show := range map[string]*certificates.Pair{"client": &client, "stranger": &stranger, "nobody": nil} {
		p := map[string]string{"security.protocol": "SSL", "ssl.ca.location": ca}
		if show != nil {
			p["ssl.keystore.location"] = certificates.Write(t, "c.pem", show.KeyPEM(t)+show.PEM())
		}
		s, err := security.Read(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		cfg := kafka.Config{BootstrapServers: c.BootstrapServers()}
		s.Apply(&cfg)
		k, err := kafka.Connect(bounded(t), cfg)
		if k != nil {
			k.Close()
		}
		if show == &client && err != nil || show != &client && kafka.KindOf(err) != kafka.Denied {
			t.Errorf("%s: %v", name, s.Advise(err))
		}
	}
}

// A server works as it does anywhere; its password is in no answer, in no log and not in Kafka; the tools read the same file; and
// a wrong password ends all of them soon.
func TestServer(t *testing.T) {
	t.Parallel()
	address, trust := broker(t)
	dir := t.TempDir()
	if err := process.Build(dir, "cmd/ksqlgo"); err != nil {
		t.Fatal(err)
	}
	ctx := bounded(t)
	binary := filepath.Join(dir, "ksqlgo")
	config := func(name, password string) string {
		return certificates.Write(t, name, "bootstrap.servers="+address+"\nksql.service.id=secured_\nksql.streams.sasl.mechanism=PLAIN\n"+
			trust+login("SCRAM-SHA-512", "scram.ScramLoginModule", password))
	}
	good := config("server.properties", written)
	s, err := start(binary, filepath.Join(dir, "data"), good)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	if err := s.Ready(ctx); err != nil {
		t.Fatalf("%v\n%s", err, s.Output())
	}
	execute := func(sql string) api.Entities {
		t.Helper()
		out, err := s.Client.Execute(ctx, client.Request{SQL: sql, Properties: api.Properties{"auto.offset.reset": "earliest"}})
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return out
	}
	execute(`CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);
		CREATE TABLE T AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;
		INSERT INTO S VALUES ('a', 1); INSERT INTO S VALUES ('b', 2); INSERT INTO S VALUES ('a', 3);`)
	if err := s.Await(ctx, func() error { return wants(ctx, s, "SELECT N FROM T WHERE K='a';", "[2]") }); err != nil {
		t.Fatalf("%v\n%s", err, s.Output())
	}

	shown := map[string]string{}
	for _, p := range execute("SHOW PROPERTIES;")[0].(*api.PropertiesList).Properties {
		if p.Value != nil {
			shown[p.Name] = *p.Value
		}
	}
	for name, want := range map[string]string{"sasl.jaas.config": properties.Hidden, "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
		"ssl.truststore.type": "PEM"} {
		if shown[name] != want {
			t.Errorf("%s is shown as %q, want %q", name, shown[name], want)
		}
	}
	for _, name := range []string{"sasl.jaas.config", "ksql.streams.sasl.password", "producer.ssl.truststore.location"} {
		if _, err := s.Client.Execute(ctx, client.Request{SQL: "SET '" + name + "'='x';"}); err == nil || !strings.Contains(err.Error(), "Cannot override property") {
			t.Errorf("SET %s: %v", name, err)
		}
		if _, err := s.Client.Execute(ctx, client.Request{SQL: "SHOW QUERIES;", Properties: api.Properties{name: "x"}}); err == nil {
			t.Errorf("a request may set %s", name)
		}
	}
	query := execute("SHOW QUERIES;")[0].(*api.Queries).Queries[0].ID
	if explained := fmt.Sprintf("%+v", *execute("EXPLAIN " + query + ";")[0].(*api.QueryDescriptionEntity)); leaks(explained) {
		t.Errorf("EXPLAIN shows the password: %s", explained)
	}

	backup := filepath.Join(dir, "log.backup")
	for _, args := range [][]string{{"list"}, {"backup", backup}} {
		out, err := exec.CommandContext(ctx, binary, slices.Concat([]string{"command", args[0], "--config", good}, args[1:])...).CombinedOutput()
		if err != nil || args[0] == "list" && !bytes.Contains(out, []byte("CREATE STREAM S")) || leaks(string(out)) {
			t.Errorf("command %v: %v\n%s", args, err, out)
		}
	}
	kept, err := os.ReadFile(backup)
	if err != nil || !bytes.Contains(kept, []byte("CREATE TABLE T")) || leaks(string(kept)) || bytes.Contains(kept, []byte("jaas")) {
		t.Errorf("the command log has the password, or nothing: %v\n%s", err, kept)
	}
	if out := s.Output(); leaks(out) || !strings.Contains(out, "sasl.mechanism and ksql.streams.sasl.mechanism have different values") {
		t.Errorf("the log has the password, or not the warning:\n%s", out)
	}
	if err := s.Stop(time.Minute); err != nil {
		t.Error(err)
	}

	bad := strings.ReplaceAll(strings.ReplaceAll(contents(t, config("bad.properties", "wrong")), "SCRAM-SHA-512", "PLAIN"), "scram.Scram", "plain.Plain")
	for _, run := range [][]string{
		{"server", "--no-console", "--ephemeral", "--listeners", "http://127.0.0.1:0"},
		{"command", "list"},
	} {
		began := time.Now()
		args := append(run, "--config", certificates.Write(t, "bad.properties", bad))
		out, err := exec.CommandContext(ctx, binary, args...).CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("do not know this user with this password for PLAIN: see sasl.jaas.config")) || bytes.Contains(out, []byte("wrong")) {
			t.Errorf("%v with a wrong password: %v\n%s", run, err, out)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%v with a wrong password took %v", run, took)
		}
	}
}

// leaks says whether a text has the password, escaped or not.
func leaks(text string) bool { return strings.Contains(text, "s3cr") }

func contents(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// start runs a server of a properties file.
func start(binary, dataDir, config string) (*process.Server, error) {
	port, err := process.FreePort()
	if err != nil {
		return nil, err
	}
	url := "http://" + net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	p, err := process.Start(nil, nil, binary, "server", "--no-console", "--data-dir", dataDir, "--listeners", url, "--config", config)
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Config{URL: url})
	if err != nil {
		p.Kill()
		return nil, err
	}
	return &process.Server{Process: p, Client: c}, nil
}

// wants asks a pull query for one row.
func wants(ctx context.Context, s *process.Server, sql, want string) error {
	rows, err := s.Client.Query(ctx, client.Request{SQL: sql})
	if err != nil {
		return err
	}
	defer rows.Close()
	have := "nothing"
	for r, err := range rows.All() {
		if err != nil {
			return err
		}
		have = fmt.Sprintf("%s", r.Values)
	}
	if have != want {
		return fmt.Errorf("%s: %s, want %s", sql, have, want)
	}
	return nil
}
