package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

const shop = `
	CREATE TABLE customers (id VARCHAR PRIMARY KEY, name VARCHAR) WITH (KAFKA_TOPIC = 'customers', VALUE_FORMAT = 'JSON', PARTITIONS = 3);
	CREATE STREAM orders (customer VARCHAR KEY, amount INT) WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON', PARTITIONS = 3);
	CREATE STREAM named WITH (KAFKA_TOPIC = 'named') AS SELECT o.customer AS customer, c.name AS name, o.amount AS amount FROM orders o
		JOIN customers c ON o.customer = c.id EMIT CHANGES;
	CREATE TABLE spent AS SELECT name, SUM(amount) AS total FROM named GROUP BY name EMIT CHANGES;`

// TestLatency measures how long a row takes through a join, a repartition and an aggregate to a push query, on a server with
// nothing else to do. Two commits of 100 ms lie on the way.
func TestLatency(t *testing.T) {
	ctx := within(t, 60*time.Second)
	w := start(ctx, t, server.Config{})
	w.execute(ctx, t, shop)
	w.execute(ctx, t, "INSERT INTO customers (id, name) VALUES ('c1', 'Ann');")
	rows, err := w.client.Query(ctx, client.Request{SQL: "SELECT name, total FROM spent EMIT CHANGES;", Properties: earliest})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	w.caughtUp(ctx, t)
	var longest time.Duration
	for n := 1; n <= 10; n++ {
		began := time.Now()
		if err := topics.Write(ctx, w.kafka(), &kgo.Record{Topic: "orders", Key: []byte("c1"), Value: []byte(`{"amount":1}`)}); err != nil {
			t.Fatal(err)
		}
		row, ok := rows.Next()
		if want := fmt.Sprintf(`"Ann" | %d`, n); !ok || text(row.Values) != want {
			t.Fatalf("row %d is %s, want %s (%v)", n, text(row.Values), want, rows.Err())
		}
		took := time.Since(began)
		t.Logf("row %d came after %s", n, took.Round(time.Millisecond))
		longest = max(longest, took)
	}
	if limit := 2 * time.Second; longest > limit {
		t.Errorf("a row took %s, more than %s", longest, limit)
	}
}

// TestKafkaPort uses the embedded broker as any Kafka client would: a consumer group reads what a query writes, and the
// query's own group is there to be looked at.
func TestKafkaPort(t *testing.T) {
	ctx := within(t, 60*time.Second)
	w := start(ctx, t, server.Config{})
	w.execute(ctx, t, shop)
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.kafka()), kgo.ConsumerGroup("outside"), kgo.ConsumeTopics("named"),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	w.execute(ctx, t, "INSERT INTO customers (id, name) VALUES ('c1', 'Ann');")
	w.caughtUp(ctx, t)
	const n = 100
	var list []*kgo.Record
	for i := range n {
		list = append(list, &kgo.Record{Topic: "orders", Key: []byte("c1"), Value: fmt.Appendf(nil, `{"amount":%d}`, i)})
	}
	if err := topics.Write(ctx, w.kafka(), list...); err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) < n {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d records: %v", len(got), err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Key)+" "+string(r.Value)) })
	}
	for i, have := range got {
		if want := fmt.Sprintf(`c1 {"NAME":"Ann","AMOUNT":%d}`, i); have != want {
			t.Fatalf("record %d is %s, want %s", i, have, want)
		}
	}
	admin := kadm.NewClient(cl)
	groups, err := admin.DescribeGroups(ctx)
	if err == nil {
		err = groups.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	lags, err := admin.Lag(ctx, "outside")
	if err == nil {
		err = lags.Error()
	}
	if err != nil {
		t.Errorf("lag: %v", err)
	}
	eventually(ctx, t, func() error {
		for name, g := range groups {
			if g.ProtocolType == "consumer" && len(name) > 30 && name[:30] == "_confluent-ksql-default_query_" {
				return nil
			}
		}
		return errors.New("no group of a query is there")
	})
}
