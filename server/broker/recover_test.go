package broker

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func startIn(t testing.TB, dir string) *Broker {
	t.Helper()
	b, err := Start(t.Context(), Config{Listener: "127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func client(t testing.TB, b *Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	opts = append([]kgo.Opt{kgo.SeedBrokers(b.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MetadataMinAge(100 * time.Millisecond)}, opts...)
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func createTopic(t testing.TB, b *Broker, name string, partitions int32, configs map[string]*string) {
	t.Helper()
	if _, err := kadm.NewClient(client(t, b)).CreateTopic(bounded(t), partitions, 1, configs, name); err != nil {
		t.Fatal(err)
	}
}

// produce writes one value to each partition.
func produce(t testing.TB, cl *kgo.Client, topic string, partitions int32, value string) {
	t.Helper()
	for p := range partitions {
		if err := cl.ProduceSync(bounded(t), &kgo.Record{Topic: topic, Partition: p, Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// stageOffsets adds offsets of a group to the open transaction.
func stageOffsets(t testing.TB, cl *kgo.Client, txnID, group, topic string, partitions int32, offset int64) {
	t.Helper()
	id, epoch, err := cl.ProducerID(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	infos, err := kadm.NewClient(cl).ListTopics(bounded(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch, req.Generation = txnID, group, id, epoch, -1
	rt := kmsg.NewTxnOffsetCommitRequestTopic()
	rt.Topic, rt.TopicID = topic, infos[topic].ID
	for p := range partitions {
		rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		rp.Partition, rp.Offset = p, offset
		rt.Partitions = append(rt.Partitions, rp)
	}
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(bounded(t), cl)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range resp.Topics[0].Partitions {
		if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
			t.Fatal(err)
		}
	}
}

// committed returns the committed values of each partition, in order.
func committed(t testing.TB, b *Broker, topic string, partitions int32) [][]string {
	t.Helper()
	cl := client(t, b, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(bounded(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	values := make([][]string, partitions)
	ctx := bounded(t)
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%s: ends %v not reached", topic, left)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				values[r.Partition] = append(values[r.Partition], string(r.Value))
			}
			if r.Offset >= left[r.Partition]-1 {
				delete(left, r.Partition)
			}
		})
	}
	return values
}

func groupOffsets(t testing.TB, b *Broker, group, topic string, partitions int32) []int64 {
	t.Helper()
	resp, err := kadm.NewClient(client(t, b)).FetchOffsets(bounded(t), group)
	if err != nil {
		t.Fatal(err)
	}
	offsets := make([]int64, partitions)
	for p := range offsets {
		offsets[p] = -1
		if o, ok := resp.Lookup(topic, int32(p)); ok {
			offsets[p] = o.At
		}
	}
	return offsets
}

// files reads a directory tree.
func files(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	tree := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == lockName {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		tree[rel], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func writeFiles(t testing.TB, dir string, tree map[string][]byte) {
	t.Helper()
	for name, data := range tree {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// write is one append that kfake makes to a file.
type write struct {
	file string
	data []byte
}

// writesBetween lists the appends that lead from one state to the next, in
// the order in which kfake commits a transaction: on each partition segment,
// then index; then each group offset; then the end and the next epoch.
func writesBetween(t testing.TB, before, after map[string][]byte) []write {
	t.Helper()
	var writes []write
	grown := func(name string) []byte { return after[name][len(before[name]):] }
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if idx, ok := strings.CutSuffix(name, ".dat"); ok && len(grown(name)) > 0 {
			writes = append(writes, write{name, grown(name)}, write{idx + ".idx", grown(idx + ".idx")})
		}
	}
	for _, log := range []string{groupsLogName, pidsLogName} {
		entries, _ := frames(grown(log))
		for _, e := range entries {
			writes = append(writes, write{log, appendFrame(nil, e)})
		}
	}
	return writes
}

const (
	testTopic      = "out"
	testPartitions = 3
	testGroup      = "group"
	testTxn        = "txn"
)

// commitOne commits a transaction of one value a partition and offsets.
func commitOne(t testing.TB, cl *kgo.Client, value string, offset int64, beforeEnd func()) {
	t.Helper()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produce(t, cl, testTopic, testPartitions, value)
	stageOffsets(t, cl, testTxn, testGroup, "in", testPartitions, offset)
	if beforeEnd != nil {
		beforeEnd()
	}
	if err := cl.EndTransaction(bounded(t), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
}

// TestTornCommitIsUndone stops a commit after each of its writes, and in the
// middle of each, and wants all of it or nothing after the restart; a stable
// transactional id must go on exactly.
func TestTornCommitIsUndone(t *testing.T) {
	dir := t.TempDir()
	b := startIn(t, dir)
	createTopic(t, b, testTopic, testPartitions, nil)
	createTopic(t, b, "in", testPartitions, nil)
	cl := client(t, b, kgo.TransactionalID(testTxn))
	commitOne(t, cl, "one", 1, nil)
	var before map[string][]byte
	commitOne(t, cl, "two", 2, func() { before = files(t, dir) })
	after := files(t, dir)
	cl.Close()
	b.Close()
	before[journalName] = after[journalName] // noted before the first write

	writes := writesBetween(t, before, after)
	if want := 2*testPartitions + testPartitions + 2; len(writes) != want {
		t.Fatalf("a commit makes %d writes, the test knows of %d", len(writes), want)
	}
	for k := 0; k <= len(writes); k++ {
		for _, half := range []bool{false, true} {
			if half && k == len(writes) {
				continue
			}
			t.Run(fmt.Sprintf("after=%d,half=%v", k, half), func(t *testing.T) {
				state := maps.Clone(before)
				for i, w := range writes[:min(k+1, len(writes))] {
					data := w.data
					if i == k {
						if !half {
							break
						}
						data = data[:len(data)/2]
					}
					state[w.file] = slices.Concat(state[w.file], data)
				}
				checkTorn(t, state, writes, k)
			})
		}
	}
}

// checkTorn restarts on a state and goes on with the same transactional id.
func checkTorn(t *testing.T, state map[string][]byte, writes []write, k int) {
	dir := t.TempDir()
	writeFiles(t, dir, state)
	repointJournal(t, dir)
	b := startIn(t, dir)
	if !b.Recovery().Needed {
		t.Fatal("the directory was not repaired")
	}
	// The commit counts from the moment its end is in pids.log.
	done := k >= len(writes)-1
	want, offset := []string{"one"}, int64(1)
	if done {
		want, offset = []string{"one", "two"}, 2
	}
	check := func(want []string, offset int64) {
		t.Helper()
		for p, values := range committed(t, b, testTopic, testPartitions) {
			if !slices.Equal(values, want) {
				t.Errorf("partition %d has %v, want %v", p, values, want)
			}
		}
		if got := groupOffsets(t, b, testGroup, "in", testPartitions); !slices.Equal(got, slices.Repeat([]int64{offset}, testPartitions)) {
			t.Errorf("group offsets %v, want %d", got, offset)
		}
	}
	check(want, offset)
	cl := client(t, b, kgo.TransactionalID(testTxn))
	commitOne(t, cl, "three", 3, nil)
	check(append(want, "three"), 3)

	// A second kill, right after: copy the directory as it is and start there.
	again := t.TempDir()
	writeFiles(t, again, files(t, dir))
	cl.Close()
	b.Close()
	repointJournal(t, again)
	b = startIn(t, again)
	check(append(want, "three"), 3)
}

// repointJournal gives the journal the inodes of a copied directory's logs.
func repointJournal(t *testing.T, dir string) {
	t.Helper()
	n, running, err := readJournal(dir)
	if err != nil || !running {
		t.Fatalf("no journal in %s: %v", dir, err)
	}
	if n.ProducerID == 0 {
		return
	}
	n.Groups.ID = markFile(filepath.Join(dir, groupsLogName)).ID
	n.PIDs.ID = markFile(filepath.Join(dir, pidsLogName)).ID
	if err := os.WriteFile(filepath.Join(dir, journalName), n.encode(), 0o644); err != nil {
		t.Fatal(err)
	}
}
