package kafka_test

import (
	"os"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/broker"
)

// TestEverythingKilledAtOnce takes the broker's directory as it is while a
// transaction is open, as a kill of the whole process leaves it, and goes on
// there: with the same member, and with the same transactional id.
func TestEverythingKilledAtOnce(t *testing.T) {
	dir := t.TempDir()
	open := func(dir string) env {
		b, err := broker.Start(t.Context(), broker.Config{Listener: "127.0.0.1:0", DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return env{connect(t, b.BootstrapServers())}
	}
	e := open(dir)
	e.topic(t, "in", 4)
	e.topic(t, "out", 4)
	const n = 3000
	e.write(t, "in", 4, 0, n)
	ctx := timeout(t)
	committed := 0
	for life := range 4 {
		c := newCopier(t, e.Cluster, "in", "out", "one")
		began := time.Now()
		pollUntil(t, ctx, "the copier to begin", func() bool { return c.copied > 0 }, c)
		if took := time.Since(began); took > time.Second {
			t.Errorf("life %d: a second of a restart is gone: %v", life, took)
		}
		if life%2 == 1 {
			if err := c.commit(ctx); err != nil {
				t.Fatal(err)
			}
			committed += c.copied
		} else if err := kafka.StageOffsets(ctx, c.producer, c.consumer.Member(), nil); err != nil {
			t.Fatal(err)
		}
		killed := t.TempDir()
		if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		c.close()
		dir = killed
		e = open(dir)
		if committed == 0 && life%2 == 1 {
			t.Fatal("nothing was committed")
		}
		e.write(t, "in", 4, n+life*100, 100)
	}
	c := newCopier(t, e.Cluster, "in", "out", "one")
	defer c.close()
	for !c.atEnd(t) {
		if err := c.step(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	wantOnce(t, e.readAll(t, "out"), n+400)
}
