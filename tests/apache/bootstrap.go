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

// Servers starts Apache Kafka for a server under test, until the test ends, where the environment asks for it, and returns its
// addresses; nil means that the server is to bring its own broker.
func Servers(t testing.TB, properties map[string]string) []string {
	t.Helper()
	if !Wanted(t) {
		return nil
	}
	return Start(t, Options{Properties: properties}).BootstrapServers()
}

// LargeRecords are the properties of brokers that take records of 100 MB, as the embedded one does.
func LargeRecords() map[string]string {
	const most = "104857600"
	return map[string]string{"message.max.bytes": most, "replica.fetch.max.bytes": most, "socket.request.max.bytes": "209715200"}
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
