package server_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server"
)

// What is wrong with the security of connections ends the start at once, and is told: nobody was asked yet.
func TestStartWithWrongSecurity(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s, err := server.Start(t.Context(), server.Config{BootstrapServers: []string{"127.0.0.1:1"}, Listener: "http://127.0.0.1:0",
		Properties: map[string]string{"ksql.streams.security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI"}})
	if err == nil {
		s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), `sasl.mechanism: "GSSAPI" is not supported`) || time.Since(began) > 10*time.Second {
		t.Errorf("error %v after %v", err, time.Since(began))
	}
}

// A server that is to ask its clients who they are does not start and let everybody in.
func TestStartWithAuthentication(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{"BASIC": "authentication.method is BASIC: this version does not ask clients who they are", "NONE": ""} {
		s, err := server.Start(t.Context(), server.Config{Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0",
			Properties: map[string]string{"authentication.method": method}})
		if err == nil {
			s.Close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", method, err, want)
		}
	}
}

// The embedded broker is reached as ever. That settings are for nothing is said.
func TestEmbeddedBrokerWithSecurity(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s, err := server.Start(t.Context(), server.Config{Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Properties: map[string]string{"security.protocol": "SASL_SSL", "sasl.password": "s3cret"}})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if said := log.String(); !strings.Contains(said, "the embedded broker is used, and these have no effect") || !strings.Contains(said, "sasl.password") ||
		strings.Contains(said, "s3cret") {
		t.Errorf("said:\n%s", said)
	}
}

func TestReadProperties(t *testing.T) {
	t.Parallel()
	got, err := server.ReadProperties(strings.NewReader("sasl.jaas.config=a.B required \\\n  username=\"u\" \\\n  password=\"p\\\\\"q\";  \nempty\nname : x=y \n"))
	if err != nil || got["sasl.jaas.config"] != `a.B required username="u" password="p\"q";` || got["name"] != "x=y" || len(got) != 3 {
		t.Errorf("got %q, %v", got, err)
	}
}
