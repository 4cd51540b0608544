package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/sim"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// world is a server of its own for one case.
type world struct {
	server *server.Server
	// properties are sent with every request.
	properties map[string]any
}

func newWorld(ctx context.Context, properties map[string]any) (*world, error) {
	s, err := server.Start(ctx, server.Config{
		Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0", ServiceID: "some.ksql.service.id",
		Properties: map[string]string{
			"ksql.streams.auto.offset.reset":         "earliest",
			"ksql.streams.cache.max.bytes.buffering": "0",
			"ksql.headers.columns.enabled":           "true",
			"ksql.query.push.v2.enabled":             "true",
			"ksql.query.pull.table.scan.enabled":     "true",
			"ksql.streams.commit.interval.ms":        "20",
		},
	})
	if err != nil {
		return nil, err
	}
	return &world{server: s, properties: properties}, nil
}

func (w *world) close() { w.server.Close() }

// failure is an error answer of the server.
type failure struct {
	status int
	body   map[string]any
}

func (f *failure) Error() string { return fmt.Sprintf("status %d: %s", f.status, show(f.body)) }

// post sends a request and gives the body of the answer, of the media type that is asked for; the error is a *failure if the
// server refused.
func (w *world) post(ctx context.Context, path, media, sql string) (io.ReadCloser, error) {
	body, err := json.Marshal(map[string]any{"ksql": sql, "streamsProperties": w.properties})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", media)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if got := res.Header.Get("Content-Type"); res.StatusCode == http.StatusOK && got == media {
		return res.Body, nil
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return nil, fmt.Errorf("the answer is %s, want %s", res.Header.Get("Content-Type"), media)
	}
	f := &failure{status: res.StatusCode}
	if err := decode(res.Body, &f.body); err != nil {
		return nil, fmt.Errorf("status %d: %w", res.StatusCode, err)
	}
	return nil, f
}

func decode(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	d.UseNumber()
	return d.Decode(into)
}

// execute sends statements and gives their entities.
func (w *world) execute(ctx context.Context, statements []string) ([]any, error) {
	body, err := w.post(ctx, "/ksql", api.MediaJSON, strings.Join(statements, "\n"))
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var entities []any
	return entities, decode(body, &entities)
}

// query sends a SELECT and gives the objects of the answer in a format of api.StreamedRow. It ends by itself or after so many objects; atMost 0 waits
// for the end. started is called when the first object has come.
func (w *world) query(ctx context.Context, sql, media string, atMost int, started func()) ([]any, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	body, err := w.post(ctx, "/query", media, sql)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	d := json.NewDecoder(body)
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var out []any
	for d.More() {
		var object any
		if err := d.Decode(&object); err != nil {
			return out, fmt.Errorf("after %d objects %s: %w", len(out), show(out), err)
		}
		if m, ok := object.(map[string]any); ok && m["errorMessage"] != nil {
			text, _ := m["errorMessage"].(map[string]any)
			return out, &failure{status: http.StatusOK, body: text}
		}
		out = append(out, object)
		if started != nil {
			started()
			started = nil
		}
		if atMost > 0 && len(out) >= atMost {
			return out, nil
		}
	}
	return out, nil
}

// createTopics makes topics before the statements run.
func (w *world) createTopics(ctx context.Context, topics []topic) error {
	for _, t := range topics {
		if _, err := w.server.Kafka().Admin().EnsureTopic(ctx, kafka.TopicSpec{Name: t.Name, Partitions: int32(t.Partitions)}); err != nil {
			return err
		}
	}
	return nil
}

// produce writes a record to the partition that Kafka's own clients would choose.
func (w *world) produce(ctx context.Context, name string, r sim.Record) error {
	infos, err := w.server.Kafka().Admin().Topics(ctx, name)
	if err != nil {
		return err
	}
	info, ok := infos[name]
	if !ok {
		return fmt.Errorf("there is no topic %s", name)
	}
	plain, err := w.server.Kafka().Plain()
	if err != nil {
		return err
	}
	tp := kafka.TopicPartition{Topic: name}
	if r.Key != nil {
		tp.Partition = kafka.PartitionForKey(r.Key, info.Partitions)
	}
	_, err = plain.Produce(ctx, tp, r.Key, r.Value, r.Timestamp, r.Headers)
	return err
}

// read gives the committed records of a topic, want of them at least unless ctx ends first.
func (w *world) read(ctx context.Context, name string, want int) ([]sim.Record, error) {
	infos, err := w.server.Kafka().Admin().Topics(ctx, name)
	if err != nil {
		return nil, err
	}
	reader, err := w.server.Kafka().NewReader(kafka.ReaderConfig{Name: "test"})
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	start := map[kafka.TopicPartition]int64{}
	for p := range infos[name].Partitions {
		start[kafka.TopicPartition{Topic: name, Partition: p}] = kafka.AtStart
	}
	if err := reader.Start(ctx, start); err != nil {
		return nil, err
	}
	var out []sim.Record
	for len(out) < want {
		batches, err := reader.Poll(ctx, 50*time.Millisecond)
		if err != nil {
			return out, nil
		}
		for _, b := range batches {
			if b.Err != nil {
				return out, b.Err
			}
			for i := range b.Records {
				out = append(out, copyRecord(b.Partition, &b.Records[i]))
			}
			b.Release()
		}
	}
	return out, nil
}

func copyRecord(partition int32, m *record.Message) sim.Record {
	r := sim.Record{Partition: partition, Timestamp: m.Timestamp, Headers: m.Headers}
	if m.Key != nil {
		r.Key = append([]byte{}, m.Key...)
	}
	if m.Value != nil {
		r.Value = append([]byte{}, m.Value...)
	}
	return r
}
