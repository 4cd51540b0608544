package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/settle"
)

// flakyRegistry is the registry of another server behind a proxy that can be down.
func flakyRegistry(t *testing.T) (registry schemas.Registry, address string, down *atomic.Bool) {
	t.Helper()
	s, err := server.Start(t.Context(), server.Config{Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0", SchemaRegistryListener: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	target, err := url.Parse(s.SchemaRegistryURL())
	if err != nil {
		t.Fatal(err)
	}
	proxy, down := httputil.NewSingleHostReverseProxy(target), &atomic.Bool{}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return s.Schemas(), front.URL, down
}

// TestNothingIsSkippedWhileTheSchemaRegistryIsDown writes records with a schema that the query has not seen yet while the registry
// does not answer. The query waits and reads them afterwards.
func TestNothingIsSkippedWhileTheSchemaRegistryIsDown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	registry, address, down := flakyRegistry(t)
	s, err := server.Start(ctx, server.Config{
		Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0", SchemaRegistryURL: address,
		Properties: map[string]string{
			"ksql.streams.auto.offset.reset": "earliest", "ksql.streams.commit.interval.ms": "20",
			"ksql.query.retry.backoff.initial.ms": "50", "ksql.query.retry.backoff.max.ms": "200",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	cl, err := client.New(client.Config{URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	execute := func(sql string) {
		t.Helper()
		if _, err := cl.Execute(ctx, client.Request{SQL: sql}); err != nil {
			t.Fatal(err)
		}
	}
	execute(`CREATE STREAM input (name STRING) WITH (KAFKA_TOPIC='input', VALUE_FORMAT='AVRO', KEY_FORMAT='NONE', PARTITIONS=1);
		CREATE TABLE counts AS SELECT name, COUNT(*) AS n FROM input GROUP BY name;
		INSERT INTO input VALUES ('ada');`)
	if err := settle.Wait(ctx, s); err != nil {
		t.Fatal(err)
	}
	// The schema of another producer.
	id, err := registry.Register("others-value", schemas.Schema{Kind: schemas.Avro,
		Text: `{"type":"record","name":"Other","fields":[{"name":"NAME","type":"string"}]}`})
	if err != nil {
		t.Fatal(err)
	}
	down.Store(true)
	plain, err := s.Kafka().Plain()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		value := append(schemas.AppendHeader(nil, id), "\x06ada"...)
		if _, err := plain.Produce(ctx, kafka.TopicPartition{Topic: "input"}, nil, value, time.Now().UnixMilli(), nil); err != nil {
			t.Fatal(err)
		}
	}
	await(ctx, t, "the query meets the outage", func() (bool, error) {
		q, err := explain(ctx, cl, "CTAS_COUNTS_2")
		return err == nil && len(q.QueryErrors) > 0, err
	})
	down.Store(false)
	await(ctx, t, "all records are counted", func() (bool, error) {
		rows, err := cl.Query(ctx, client.Request{SQL: "SELECT n FROM counts WHERE name = 'ada';"})
		if err != nil {
			// The query may be between two tries.
			return false, nil
		}
		defer rows.Close()
		row, ok := rows.Next()
		return ok && string(row.Values[0]) == "6", nil
	})
	if metrics := get(ctx, t, s.URL()+"/metrics"); !strings.Contains(metrics, `ksqlgo_query_record_errors_total{query="CTAS_COUNTS_2"} 0`) {
		t.Errorf("records were skipped:\n%s", metrics)
	}
}

func await(ctx context.Context, t *testing.T, what string, ok func() (bool, error)) {
	t.Helper()
	for {
		done, err := ok()
		if err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waiting that %s: %v", what, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func explain(ctx context.Context, cl *client.Client, query string) (api.QueryDescription, error) {
	entities, err := cl.Execute(ctx, client.Request{SQL: "EXPLAIN " + query + ";"})
	if err != nil {
		return api.QueryDescription{}, err
	}
	e, ok := entities[0].(*api.QueryDescriptionEntity)
	if !ok {
		return api.QueryDescription{}, fmt.Errorf("EXPLAIN gives %T", entities[0])
	}
	return e.QueryDescription, nil
}

func get(ctx context.Context, t *testing.T, address string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
