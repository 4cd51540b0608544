package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	registry "github.com/ksqlgo/ksqlgo/server/schemaregistry/client"
)

func startWith(t *testing.T, change func(*server.Config)) (*server.Server, error) {
	t.Helper()
	cfg := server.Config{Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0"}
	change(&cfg)
	s, err := server.Start(t.Context(), cfg)
	if err == nil {
		t.Cleanup(s.Close)
	}
	return s, err
}

func clientOf(t *testing.T, s *server.Server) *registry.Client {
	t.Helper()
	c, err := registry.New(registry.Config{URLs: []string{s.SchemaRegistryURL()}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEmbeddedRegistry holds that the queries of a server and everybody else have the same schemas.
func TestEmbeddedRegistry(t *testing.T) {
	t.Parallel()
	s, err := startWith(t, func(c *server.Config) { c.SchemaRegistryListener = "http://127.0.0.1:0" })
	if err != nil {
		t.Fatal(err)
	}
	r := clientOf(t, s)
	if _, err := r.Register("orders-value", schemas.Schema{Kind: schemas.Avro,
		Text: `{"type":"record","name":"Order","fields":[{"name":"amount","type":"double"},{"name":"item","type":"string"}]}`}); err != nil {
		t.Fatal(err)
	}
	cl, err := client.New(client.Config{URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	earliest := api.Properties{"auto.offset.reset": "earliest"}
	for _, sql := range []string{
		"CREATE STREAM orders (id STRING KEY) WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='AVRO', VALUE_SCHEMA_FULL_NAME='Order', PARTITIONS=1);",
		"CREATE STREAM big AS SELECT id, item, amount FROM orders WHERE amount > 10;",
		"INSERT INTO orders (id, item, amount) VALUES ('a', 'bread', 12.5);",
	} {
		if _, err := cl.Execute(t.Context(), client.Request{SQL: sql, Properties: earliest}); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	latest, err := r.Latest("BIG-value")
	if err != nil || !strings.Contains(latest.Text, `"name":"ITEM"`) {
		t.Errorf("the schema of the query's topic is %s, %v", latest.Text, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	rows, err := cl.Query(ctx, client.Request{SQL: "SELECT * FROM big EMIT CHANGES LIMIT 1;", Properties: earliest})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for r, err := range rows.All() {
		if err != nil || len(r.Values) != 3 || string(r.Values[1]) != `"bread"` {
			t.Errorf("the row is %s, %v", r.Values, err)
		}
	}
}

// TestRegistryListener holds what becomes of a port that is taken.
func TestRegistryListener(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	taken := l.Addr().String()
	for name, c := range map[string]struct {
		change    func(*server.Config)
		err, says string
		listens   bool
	}{
		"none":               {change: func(*server.Config) {}},
		"by its name":        {change: func(c *server.Config) { c.SchemaRegistryListener = "none" }},
		"taken":              {change: func(c *server.Config) { c.SchemaRegistryListener = taken }, err: "--schema-registry-listener"},
		"taken, optional":    {change: func(c *server.Config) { c.SchemaRegistryListener, c.SchemaRegistryOptional = taken, true }, says: "is taken"},
		"taken, another one": {change: func(c *server.Config) { c.SchemaRegistryListener, c.FreePorts = taken, true }, listens: true},
		"no TLS":             {change: func(c *server.Config) { c.SchemaRegistryListener = "https://127.0.0.1:0" }, err: "only http"},
		"no address":         {change: func(c *server.Config) { c.SchemaRegistryListener = "8081" }, err: "--schema-registry-listener"},
		"of another registry": {change: func(c *server.Config) {
			c.SchemaRegistryListener, c.SchemaRegistryURL = "127.0.0.1:0", "http://127.0.0.1:1"
		}, says: "has no effect", listens: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			s, err := startWith(t, func(cfg *server.Config) {
				cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
				c.change(cfg)
			})
			if err != nil || c.err != "" {
				if c.err == "" || err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if (s.SchemaRegistryURL() != "") != c.listens {
				t.Errorf("it is at %q", s.SchemaRegistryURL())
			}
			s.Close()
			if !strings.Contains(log.String(), c.says) {
				t.Errorf("it says %s", log.String())
			}
		})
	}
}

// TestRegistryElsewhere holds that a server uses the registry of an address, and shows no secret of it.
func TestRegistryElsewhere(t *testing.T) {
	t.Parallel()
	first, err := startWith(t, func(c *server.Config) { c.SchemaRegistryListener = "127.0.0.1:0" })
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Replace(first.SchemaRegistryURL(), "http://", "http://user:opensesame@", 1)
	s, err := startWith(t, func(c *server.Config) {
		c.ApplyProperties(map[string]string{"ksql.schema.registry.url": at, "ksql.schema.registry.basic.auth.user.info": "user:opensesame",
			"ksql.schema.registry.basic.auth.credentials.source": "USER_INFO"})
	})
	if err != nil {
		t.Fatal(err)
	}
	cl, err := client.New(client.Config{URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if _, err := cl.Execute(t.Context(), client.Request{SQL: "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON_SR', PARTITIONS=1);"}); err != nil {
		t.Fatal(err)
	}
	if v, err := clientOf(t, first).Latest("s-value"); err != nil || v.Kind != schemas.JSON {
		t.Errorf("the other registry has %v, %v", v, err)
	}
	answer, err := cl.Execute(t.Context(), client.Request{SQL: "SHOW PROPERTIES;"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := api.Encode(answer)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "opensesame") || !strings.Contains(string(text), first.SchemaRegistryURL()) {
		t.Errorf("the properties are %s", text)
	}
}

func TestRegistryProperties(t *testing.T) {
	t.Parallel()
	_, err := startWith(t, func(c *server.Config) {
		c.SchemaRegistryURL, c.Properties = "http://127.0.0.1:1", map[string]string{"ksql.schema.registry.basic.auth.credentials.source": "SASL_INHERIT"}
	})
	if err == nil || !strings.Contains(err.Error(), "credentials.source") {
		t.Errorf("got %v", err)
	}
}
