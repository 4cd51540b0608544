package fault

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/process"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// sources declares the topics that tests write to; persistent the queries that must come out exact: a count over a value
// column (through a repartition topic), a join of stream and table, a sum by windows; a join of two streams of which one is
// another query's, and sessions.
const (
	sources = `
CREATE STREAM inputs (usr VARCHAR KEY, id BIGINT, grp VARCHAR, amount BIGINT)
  WITH (KAFKA_TOPIC = 'inputs', VALUE_FORMAT = 'JSON', PARTITIONS = 6);
CREATE TABLE users (usr VARCHAR PRIMARY KEY, region VARCHAR)
  WITH (KAFKA_TOPIC = 'users', VALUE_FORMAT = 'JSON', PARTITIONS = 6);`
	persistent = `
CREATE TABLE counts WITH (KAFKA_TOPIC = 'counts') AS
  SELECT grp, COUNT(*) AS n, SUM(amount) AS total, LATEST_BY_OFFSET(id) AS last_id FROM inputs GROUP BY grp EMIT CHANGES;
CREATE STREAM joined WITH (KAFKA_TOPIC = 'joined') AS
  SELECT i.usr AS usr, i.id AS id, u.region AS region FROM inputs i JOIN users u ON i.usr = u.usr EMIT CHANGES;
CREATE TABLE sums WITH (KAFKA_TOPIC = 'sums') AS
  SELECT grp, COUNT(*) AS n, SUM(amount) AS total FROM inputs
  WINDOW TUMBLING (SIZE 10 SECONDS, RETENTION 30 DAYS, GRACE PERIOD 10 DAYS) GROUP BY grp EMIT CHANGES;
CREATE STREAM keyed WITH (KAFKA_TOPIC = 'keyed') AS SELECT id, grp FROM inputs PARTITION BY id EMIT CHANGES;
CREATE STREAM paired WITH (KAFKA_TOPIC = 'paired') AS
  SELECT i.id AS id, i.usr AS usr, k.grp AS grp FROM inputs i JOIN keyed k WITHIN 1 MINUTE GRACE PERIOD 10 DAYS ON i.id = k.id EMIT CHANGES;
CREATE TABLE visits WITH (KAFKA_TOPIC = 'visits') AS
  SELECT usr, COUNT(*) AS n FROM inputs WINDOW SESSION (10 SECONDS, RETENTION 30 DAYS, GRACE PERIOD 10 DAYS) GROUP BY usr EMIT CHANGES;`
)

// wantRead is how many records each query has to read of so many inputs.
func wantRead(queries map[string]string, inputs int64) map[string]int64 {
	return map[string]int64{
		queries["COUNTS"]: inputs, queries["SUMS"]: inputs, queries["JOINED"]: inputs + users,
		queries["KEYED"]: inputs, queries["PAIRED"]: 2 * inputs, queries["VISITS"]: inputs,
	}
}

// properties of all statements: every update is emitted, from the first record on.
var properties = api.Properties{"auto.offset.reset": "earliest", "cache.max.bytes.buffering": "0"}

// execute runs statements and returns the ids of the queries they started, by sink.
func execute(ctx context.Context, s *process.Server, sql string) (map[string]string, error) {
	entities, err := s.Client.Execute(ctx, client.Request{SQL: sql, Properties: properties})
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, e := range entities {
		status, ok := e.(*api.CommandStatusEntity)
		if ok && status.CommandStatus.QueryID != nil {
			name := strings.Split(status.CommandID, "`")[1]
			ids[name] = *status.CommandStatus.QueryID
		}
	}
	return ids, nil
}

// declare makes sources and queries and fills the table.
func declare(ctx context.Context, s *process.Server) (map[string]string, error) {
	if _, err := execute(ctx, s, sources); err != nil {
		return nil, err
	}
	if err := topics.Write(ctx, s.Config.Kafka(), userRecords("users")...); err != nil {
		return nil, err
	}
	return execute(ctx, s, persistent)
}

// pull asks a query and hands its rows over.
func pull(ctx context.Context, s *process.Server, sql string, row func([]json.RawMessage) error) error {
	rows, err := s.Client.Query(ctx, client.Request{SQL: sql})
	if err != nil {
		return err
	}
	defer rows.Close()
	for r, err := range rows.All() {
		if err != nil {
			return err
		}
		if err := row(r.Values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// statistics are the figures of DESCRIBE EXTENDED by query and name.
func statistics(ctx context.Context, s *process.Server, source string) (map[string]map[string]int64, []api.QueryOffsetSummary, error) {
	entities, err := s.Client.Execute(ctx, client.Request{SQL: "DESCRIBE " + source + " EXTENDED;"})
	if err != nil {
		return nil, nil, err
	}
	d, ok := entities[0].(*api.SourceDescriptionEntity)
	if !ok {
		return nil, nil, fmt.Errorf("DESCRIBE answered %T", entities[0])
	}
	out := map[string]map[string]int64{}
	for _, x := range d.SourceDescription.ClusterStatistics {
		query, name, _ := strings.Cut(x.Name, ".")
		if out[query] == nil {
			out[query] = map[string]int64{}
		}
		out[query][name] = int64(x.Value)
	}
	return out, d.SourceDescription.QueryOffsetSummaries, nil
}

// drained waits until every query that reads inputs has committed all there is, repartition topics included, and returns
// the statistics.
func drained(ctx context.Context, s *process.Server, want map[string]int64) (map[string]map[string]int64, error) {
	var stats map[string]map[string]int64
	err := s.Await(ctx, func() error {
		var summaries []api.QueryOffsetSummary
		var err error
		if stats, summaries, err = statistics(ctx, s, "inputs"); err != nil {
			return err
		}
		if len(summaries) != len(want) {
			return fmt.Errorf("%d of %d queries are there", len(summaries), len(want))
		}
		for _, q := range summaries {
			if len(q.TopicSummaries) == 0 {
				return fmt.Errorf("%s has no tasks", q.GroupID)
			}
			for _, t := range q.TopicSummaries {
				for _, o := range t.Offsets {
					if o.ConsumerOffset < o.LogEndOffset {
						return fmt.Errorf("%s is at %d of %d in %s-%d", q.GroupID, o.ConsumerOffset, o.LogEndOffset, t.KafkaTopic, o.Partition)
					}
				}
			}
		}
		for query, n := range want {
			if got := stats[query]["records-read"]; got < n {
				return fmt.Errorf("%s has read %d of %d", query, got, n)
			}
		}
		return nil
	})
	return stats, err
}

// readInputs reads what is in the source topic.
func (l *ledger) readInputs(ctx context.Context, broker string) (total int64, err error) {
	l.inputs = map[int64]int{}
	var bad error
	err = topics.ReadPlain(ctx, broker, "inputs", func(r *kgo.Record) {
		var v struct{ ID int64 }
		if err := json.Unmarshal(r.Value, &v); err != nil {
			bad = err
		}
		l.inputs[v.ID]++
		total++
	})
	if err == nil {
		err = bad
	}
	return total, err
}

// readOutputs reads the sink topics.
func (l *ledger) readOutputs(ctx context.Context, broker string) error {
	var bad []error
	value := func(r *kgo.Record, v any) {
		if err := json.Unmarshal(r.Value, v); err != nil {
			bad = append(bad, fmt.Errorf("%s-%d at %d: %w: %q", r.Topic, r.Partition, r.Offset, err, r.Value))
		}
	}
	read := func(topic string, fn func(*kgo.Record)) {
		if err := topics.Read(ctx, broker, topic, fn); err != nil {
			bad = append(bad, err)
		}
	}
	read("counts", func(r *kgo.Record) {
		var v struct {
			N, Total int64
			LastID   int64 `json:"LAST_ID"`
		}
		value(r, &v)
		l.counts = append(l.counts, runningCount{string(r.Key), v.N, v.Total, v.LastID})
	})
	read("joined", func(r *kgo.Record) {
		var v struct {
			ID     int64
			Region string
		}
		value(r, &v)
		l.joined = append(l.joined, joinRow{string(r.Key), v.ID, v.Region})
	})
	read("sums", func(r *kgo.Record) {
		var v struct{ N, Total int64 }
		value(r, &v)
		k, ok := windowedKey(r.Key)
		if !ok {
			bad = append(bad, fmt.Errorf("sums-%d at %d: not a windowed key: %q", r.Partition, r.Offset, r.Key))
		}
		l.sums = append(l.sums, windowSum{k, v.N, v.Total})
	})
	read("paired", func(r *kgo.Record) {
		var v struct{ Usr, Grp string }
		value(r, &v)
		id := int64(binary.BigEndian.Uint64(r.Key))
		if v.Usr != userOf(id) || v.Grp != groupOf(id) {
			bad = append(bad, fmt.Errorf("paired-%d at %d: input %d with %+v", r.Partition, r.Offset, id, v))
		}
		l.paired = append(l.paired, id)
	})
	l.visits = map[session]int64{}
	read("visits", func(r *kgo.Record) {
		k, ok := sessionKey(r.Key)
		if !ok {
			bad = append(bad, fmt.Errorf("visits-%d at %d: not a session's key: %q", r.Partition, r.Offset, r.Key))
		}
		if r.Value == nil {
			delete(l.visits, k)
			return
		}
		var v struct{ N int64 }
		value(r, &v)
		l.visits[k] = v.N
	})
	if len(bad) > 0 {
		return bad[0]
	}
	return nil
}

// sessionKey takes a key of a table of sessions apart: the key, eight bytes of the session's end, eight of its start.
func sessionKey(b []byte) (session, bool) {
	n := len(b) - 16
	if n < 0 {
		return session{}, false
	}
	return session{string(b[:n]), int64(binary.BigEndian.Uint64(b[n+8:])), int64(binary.BigEndian.Uint64(b[n : n+8]))}, true
}

// windowedKey takes a key of a windowed table apart: the key and eight bytes of window start.
func windowedKey(b []byte) (windowKey, bool) {
	n := len(b) - 8
	if n < 0 {
		return windowKey{}, false
	}
	at := binary.BigEndian.Uint64(b[n:])
	return windowKey{string(b[:n]), int64(at)}, at <= math.MaxInt64
}

// pullAll asks for all rows of the tables.
func (l *ledger) pullAll(ctx context.Context, s *process.Server) error {
	l.pulledCounts, l.pulledSums = map[string]runningCount{}, map[windowKey]windowSum{}
	err := pull(ctx, s, "SELECT grp, n, total, last_id FROM counts;", func(v []json.RawMessage) error {
		var c runningCount
		err := scan(v, &c.group, &c.n, &c.total, &c.lastID)
		l.pulledCounts[c.group] = c
		return err
	})
	if err != nil {
		return err
	}
	err = pull(ctx, s, "SELECT grp, windowstart, n, total FROM sums;", func(v []json.RawMessage) error {
		var w windowSum
		err := scan(v, &w.group, &w.start, &w.n, &w.total)
		l.pulledSums[w.windowKey] = w
		return err
	})
	if err != nil {
		return err
	}
	l.pulledVisits = map[session]int64{}
	return pull(ctx, s, "SELECT usr, windowstart, windowend, n FROM visits;", func(v []json.RawMessage) error {
		var k session
		var n int64
		err := scan(v, &k.user, &k.start, &k.end, &n)
		l.pulledVisits[k] = n
		return err
	})
}

// scan decodes a row into variables.
func scan(values []json.RawMessage, into ...any) error {
	if len(values) != len(into) {
		return fmt.Errorf("%d columns, want %d", len(values), len(into))
	}
	for i, v := range values {
		if err := json.Unmarshal(v, into[i]); err != nil {
			return err
		}
	}
	return nil
}

// percentile is the p-th percentile of durations, which it sorts.
func percentile(list []time.Duration, p int) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(len(list)*p/100, len(list)-1)]
}
