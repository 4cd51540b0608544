package apache

import (
	"os"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/broker"
)

// Variable is the environment variable that says what Kafka tests run on: "embedded", which is the default, or "apache".
const Variable = "KSQLGO_TEST_KAFKA"

// Wanted says whether tests are to run on Apache Kafka.
func Wanted(t testing.TB) bool {
	t.Helper()
	switch v := os.Getenv(Variable); v {
	case "", "embedded":
		return false
	case "apache":
		return true
	default:
		t.Fatalf("%s is %q; it may be embedded or apache", Variable, v)
		return false
	}
}

// Bootstrap starts the broker that the environment asks for, until the test ends, and returns its addresses. It is a broker
// of this test's own, with nothing in it.
func Bootstrap(t testing.TB) []string {
	t.Helper()
	if Wanted(t) {
		return Start(t, Options{}).BootstrapServers()
	}
	b, err := broker.Start(t.Context(), broker.Config{Listener: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b.BootstrapServers()
}
