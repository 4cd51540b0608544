package kafka_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/server/broker"
	"github.com/twmb/franz-go/pkg/kgo"
)

// childEnv makes the test binary run a broker instead of the tests, so that
// benchmarks can tell the client's CPU time from the broker's.
const childEnv = "KSQLGO_TEST_BROKER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		b, err := broker.Start(context.Background(), broker.Config{Listener: "127.0.0.1:0", DataDir: dir})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(b.Addr())
		select {}
	}
	os.Exit(m.Run())
}

// startChild is a broker in a process of its own.
func startChild(b *testing.B) (*kafka.Cluster, string) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+b.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	addr := strings.TrimSpace(line)
	c, err := kafka.Connect(timeout(b), kafka.Config{BootstrapServers: []string{addr}, ClientID: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c, addr
}

// cpu is the process's CPU time so far.
func cpu() time.Duration {
	var ru syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// reportCPU reports the CPU time of this process a record.
func reportCPU(b *testing.B, since time.Duration) {
	b.ReportMetric(float64(cpu()-since)/float64(b.N), "cpu-ns/op")
}

const benchPartitions = 4

var (
	benchKey   = []byte("user_12345")
	benchValue = bytes.Repeat([]byte("x"), 250)
)

func fillBench(b *testing.B, c *kafka.Cluster, topic string, n int) {
	b.Helper()
	if _, err := c.Admin().CreateTopic(timeout(b), kafka.TopicSpec{Name: topic, Partitions: benchPartitions}); err != nil {
		b.Fatal(err)
	}
	p, err := c.NewProducer(timeout(b), kafka.ProducerConfig{Name: "fill"})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	for i := range n {
		p.Produce(topic, int32(i%benchPartitions), benchKey, benchValue, int64(i), nil)
	}
	if err := p.Flush(timeout(b)); err != nil {
		b.Fatal(err)
	}
}

func benchReader(b *testing.B, c *kafka.Cluster) *kafka.Reader {
	b.Helper()
	r, err := c.NewReader(kafka.ReaderConfig{Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.Close)
	starts := map[kafka.TopicPartition]int64{}
	for p := range int32(benchPartitions) {
		starts[kafka.TopicPartition{Topic: "in", Partition: p}] = 0
	}
	if err := r.Start(timeout(b), starts); err != nil {
		b.Fatal(err)
	}
	return r
}

// BenchmarkConsume is the cost of a record from the broker to the engine.
func BenchmarkConsume(b *testing.B) {
	c, _ := startChild(b)
	fillBench(b, c, "in", b.N)
	ctx := timeout(b)
	b.ReportAllocs()
	b.ResetTimer()
	began := cpu()
	r := benchReader(b, c)
	for n := 0; n < b.N; {
		batches, err := r.Poll(ctx, time.Second)
		if err != nil {
			b.Fatal(err)
		}
		for _, batch := range batches {
			n += len(batch.Records)
			batch.Release()
		}
	}
	reportCPU(b, began)
}

// BenchmarkConsumeFranz is franz-go's own consumer beside it.
func BenchmarkConsumeFranz(b *testing.B) {
	c, addr := startChild(b)
	fillBench(b, c, "in", b.N)
	b.ReportAllocs()
	b.ResetTimer()
	began := cpu()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics("in"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	for n := 0; n < b.N; {
		n += cl.PollFetches(timeout(b)).NumRecords()
	}
	reportCPU(b, began)
}

// BenchmarkProduce is the cost of a record from the engine to the broker, in
// transactions of 100 000.
func BenchmarkProduce(b *testing.B) {
	c, _ := startChild(b)
	fillBench(b, c, "out", 1)
	p, err := c.NewProducer(timeout(b), kafka.ProducerConfig{Name: "bench", TransactionalID: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	ctx := timeout(b)
	b.ReportAllocs()
	b.ResetTimer()
	began := cpu()
	for i := range b.N {
		p.Produce("out", int32(i%benchPartitions), benchKey, benchValue, int64(i), nil)
		if i%100_000 == 99_999 || i == b.N-1 {
			if err := p.CommitTransaction(ctx, kafka.Member{}, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	reportCPU(b, began)
}

// BenchmarkPassthrough copies records exactly once, in transactions of 100 ms.
func BenchmarkPassthrough(b *testing.B) {
	c, _ := startChild(b)
	fillBench(b, c, "in", b.N)
	fillBench(b, c, "out", 1)
	p, err := c.NewProducer(timeout(b), kafka.ProducerConfig{Name: "bench", TransactionalID: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	ctx := timeout(b)
	b.ReportAllocs()
	b.ResetTimer()
	began := cpu()
	r := benchReader(b, c)
	commitAt := time.Now().Add(100 * time.Millisecond)
	for n := 0; n < b.N; {
		batches, err := r.Poll(ctx, time.Second)
		if err != nil {
			b.Fatal(err)
		}
		for _, batch := range batches {
			for i := range batch.Records {
				rec := &batch.Records[i]
				p.Produce("out", batch.Partition, rec.Key, rec.Value, rec.Timestamp, nil)
			}
			n += len(batch.Records)
			batch.Release()
		}
		if now := time.Now(); now.After(commitAt) || n >= b.N {
			if err := p.CommitTransaction(ctx, kafka.Member{}, nil); err != nil {
				b.Fatal(err)
			}
			commitAt = now.Add(100 * time.Millisecond)
		}
	}
	reportCPU(b, began)
}
