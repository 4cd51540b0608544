package schemaregistry_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/broker"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry"
)

func connect(t *testing.T, dir string) (*kafka.Cluster, func()) {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Listener: "127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	c, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: b.BootstrapServers(), ClientID: "test", TransactionalIDSuffix: b.TransactionalIDSuffix()})
	if err != nil {
		t.Fatal(err)
	}
	stop := func() {
		c.Close()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	return c, stop
}

func openOn(t *testing.T, c *kafka.Cluster) *schemaregistry.Registry {
	t.Helper()
	log, err := schemaregistry.OpenTopic(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := schemaregistry.Open(t.Context(), schemaregistry.Config{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTheTopicKeepsIt holds that what was answered is there after the broker and the registry were stopped.
func TestTheTopicKeepsIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var ids []int
	for round := range 3 {
		c, stop := connect(t, dir)
		r := openOn(t, c)
		for i := range 3 {
			s := schemas.Schema{Kind: schemas.JSON, Text: fmt.Sprintf(`{"title":"%d.%d"}`, round, i)}
			id, err := r.Register("subject", s)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		for i, id := range ids {
			if want := i + 1; id != want {
				t.Errorf("the %d. schema has number %d", want, id)
			}
			s, err := r.ByID(id)
			if want := fmt.Sprintf(`{"title":"%d.%d"}`, i/3, i%3); err != nil || s.Text != want {
				t.Errorf("number %d is %s, %v", id, s.Text, err)
			}
		}
		if latest, err := r.Latest("subject"); err != nil || latest.Version != len(ids) {
			t.Errorf("the latest is %d, %v", latest.Version, err)
		}
		r.Close()
		stop()
	}
}

// TestOnlyOneWrites holds that a registry whose log was taken over writes nothing that the other does not know.
func TestOnlyOneWrites(t *testing.T) {
	t.Parallel()
	c, stop := connect(t, "")
	defer stop()
	first, second := openOn(t, c), openOn(t, c)
	defer first.Close()
	defer second.Close()
	if id, err := second.Register("a", schemas.Schema{Kind: schemas.Avro, Text: `"int"`}); id != 1 || err != nil {
		t.Fatal(id, err)
	}
	if _, err := first.Register("b", schemas.Schema{Kind: schemas.Avro, Text: `"string"`}); !schemas.IsUnavailable(err) {
		t.Fatalf("the one that was fenced: %v", err)
	}
	// It finds out what the other has written, and takes the log over in turn.
	if id, err := first.Register("b", schemas.Schema{Kind: schemas.Avro, Text: `"string"`}); id != 2 || err != nil {
		t.Fatal(id, err)
	}
}

func TestSchemasTooLargeForTheTopic(t *testing.T) {
	t.Parallel()
	c, stop := connect(t, "")
	defer stop()
	r := openOn(t, c)
	defer r.Close()
	for _, size := range []int{900_000, 1_000_001} {
		_, err := r.Register("a", schemas.Schema{Kind: schemas.JSON, Text: `{"title":"` + strings.Repeat("x", size) + `"}`})
		if (err == nil) != (size < 1_000_000) || schemas.IsUnavailable(err) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestWithoutItsTopic holds that a registry whose topic is gone says so rather than to begin anew.
func TestWithoutItsTopic(t *testing.T) {
	t.Parallel()
	c, stop := connect(t, "")
	defer stop()
	r := openOn(t, c)
	defer r.Close()
	register := func() error {
		_, err := r.Register("a", schemas.Schema{Kind: schemas.Avro, Text: `"int"`})
		return err
	}
	if err := register(); err != nil {
		t.Fatal(err)
	}
	if err := c.Admin().DeleteTopics(context.Background(), schemaregistry.TopicName); err != nil {
		t.Fatal(err)
	}
	_, err := r.Register("b", schemas.Schema{Kind: schemas.Avro, Text: `"long"`})
	if !schemas.IsUnavailable(err) {
		t.Errorf("got %v", err)
	}
}
