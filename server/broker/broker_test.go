package broker

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestDirectoryIsUsedByOneProcess(t *testing.T) {
	dir := t.TempDir()
	c, err := startChild(t, "127.0.0.1:0", dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.kill()
	var locked *DirLockedError
	if b, err := Start(t.Context(), Config{Listener: "127.0.0.1:0", DataDir: dir}); !errors.As(err, &locked) {
		b.Close()
		t.Fatalf("a second broker on the directory: %v", err)
	}
	if want := fmt.Sprint(c.cmd.Process.Pid); locked.Owner != want {
		t.Errorf("owner %q, want %s", locked.Owner, want)
	}
	c.kill()
	startIn(t, dir)
}

func TestListener(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if b, err := Start(t.Context(), Config{Listener: taken.Addr().String()}); err == nil {
		b.Close()
		t.Error("a taken port was accepted")
	}
	b, err := Start(t.Context(), Config{Listener: taken.Addr().String(), FallBackToFreePort: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.Addr() == taken.Addr().String() || !strings.HasPrefix(b.Addr(), "127.0.0.1:") {
		t.Errorf("listens on %s", b.Addr())
	}
	all, err := Start(t.Context(), Config{Listener: ":0", AdvertisedHost: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if !strings.HasPrefix(all.Addr(), "localhost:") {
		t.Errorf("advertises %s", all.Addr())
	}
	createTopic(t, all, "t", 1, nil)
	cl := client(t, all)
	defer cl.Close()
	produce(t, cl, "t", 1, "over the advertised address")
	if _, err := Start(t.Context(), Config{Listener: "nonsense"}); err == nil {
		t.Error("a listener without a port was accepted")
	}
	if b.TransactionalIDSuffix() == all.TransactionalIDSuffix() {
		t.Error("two starts share a suffix")
	}
}

func TestTopicsAreNotCreatedByUse(t *testing.T) {
	b := startIn(t, t.TempDir())
	cl := client(t, b, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(1))
	defer cl.Close()
	if err := cl.ProduceSync(bounded(t), &kgo.Record{Topic: "none", Value: []byte("v")}).FirstErr(); err == nil {
		t.Error("the topic was created")
	}
}

func TestCleanRestartNeedsNoRepair(t *testing.T) {
	dir := t.TempDir()
	b := startIn(t, dir)
	createTopic(t, b, "t", 2, nil)
	cl := client(t, b)
	produce(t, cl, "t", 2, "v")
	cl.Close()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	b = startIn(t, dir)
	if b.Recovery().Needed {
		t.Error("a clean directory was repaired")
	}
	for p, values := range committed(t, b, "t", 2) {
		if !slices.Equal(values, []string{"v"}) {
			t.Errorf("partition %d has %v", p, values)
		}
	}
}

func TestCompactedTopicsKeepTheirRows(t *testing.T) {
	b := startIn(t, t.TempDir())
	compact, week := "compact", "604800000"
	createTopic(t, b, "created", 1, map[string]*string{"cleanup.policy": &compact})
	createTopic(t, b, "altered", 1, nil)
	createTopic(t, b, "plain", 1, map[string]*string{"retention.ms": &week})
	cl := client(t, b)
	defer cl.Close()
	admin := kadm.NewClient(cl)
	if _, err := admin.AlterTopicConfigs(bounded(t), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "cleanup.policy", Value: &compact}}, "altered"); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-30 * 24 * time.Hour)
	for _, topic := range []string{"created", "altered", "plain"} {
		if err := cl.ProduceSync(bounded(t), &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v"), Timestamp: old}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.keepCompacted(bounded(t)); err != nil {
		t.Fatal(err)
	}
	b.cluster.ApplyRetention()
	starts, err := admin.ListStartOffsets(bounded(t), "created", "altered", "plain")
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]int64{"created": 0, "altered": 0, "plain": 1} {
		if o, _ := starts.Lookup(topic, 0); o.Offset != want {
			t.Errorf("%s begins at %d, want %d", topic, o.Offset, want)
		}
	}
}

// TestEmptiedPartitionGoesOn kills a broker after all records of a partition
// were deleted: new records must not take offsets groups have passed.
func TestEmptiedPartitionGoesOn(t *testing.T) {
	dir := t.TempDir()
	b := startIn(t, dir)
	createTopic(t, b, "t", 1, nil)
	cl := client(t, b)
	defer cl.Close()
	admin := kadm.NewClient(cl)
	for range 5 {
		produce(t, cl, "t", 1, "old")
	}
	var offsets kadm.Offsets
	offsets.AddOffset("t", 0, 5, -1)
	if err := admin.CommitAllOffsets(bounded(t), "g", offsets); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.DeleteRecords(bounded(t), offsets); err != nil {
		t.Fatal(err)
	}
	killed := t.TempDir()
	writeFiles(t, killed, files(t, dir))
	after := startIn(t, killed)
	cl2 := client(t, after)
	defer cl2.Close()
	r := &kgo.Record{Topic: "t", Value: []byte("new")}
	if err := cl2.ProduceSync(bounded(t), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if r.Offset < 5 {
		t.Errorf("the next record has offset %d, the group is at 5", r.Offset)
	}
	if got := committed(t, after, "t", 1); !slices.Equal(got[0], []string{"new"}) {
		t.Errorf("the partition has %v", got)
	}
}

// TestTornFilesAreRepaired cuts each file that is appended to at every length
// within its last entry; the rest must be intact, and the next kill too.
func TestTornFilesAreRepaired(t *testing.T) {
	dir := t.TempDir()
	b := startIn(t, dir)
	createTopic(t, b, "t", 1, nil)
	cl := client(t, b)
	produce(t, cl, "t", 1, "one")
	before := files(t, dir)
	produce(t, cl, "t", 1, "two")
	var offsets kadm.Offsets
	offsets.AddOffset("t", 0, 1, -1)
	if err := kadm.NewClient(cl).CommitAllOffsets(bounded(t), "g", offsets); err != nil {
		t.Fatal(err)
	}
	after := files(t, dir)
	cl.Close()
	b.Close()
	for name, data := range after {
		for cut := len(before[name]) + 1; cut < len(data); cut += 1 + (len(data)-len(before[name]))/7 {
			t.Run(fmt.Sprintf("%s at %d", name[strings.LastIndexByte(name, os.PathSeparator)+1:], cut), func(t *testing.T) {
				state := maps.Clone(after)
				state[name] = data[:cut]
				torn := t.TempDir()
				writeFiles(t, torn, state)
				b := startIn(t, torn)
				cl := client(t, b)
				produce(t, cl, "t", 1, "three")
				if err := kadm.NewClient(cl).CommitAllOffsets(bounded(t), "g", offsets); err != nil {
					t.Fatal(err)
				}
				again := t.TempDir()
				writeFiles(t, again, files(t, torn))
				cl.Close()
				b.Close()
				b = startIn(t, again)
				want := []string{"one", "two", "three"}
				if strings.HasSuffix(name, ".dat") {
					want = []string{"one", "three"}
				}
				if got := committed(t, b, "t", 1); !slices.Equal(got[0], want) {
					t.Errorf("the partition has %v, want %v", got[0], want)
				}
				if got := groupOffsets(t, b, "g", "t", 1); got[0] != 1 {
					t.Errorf("the group is at %d", got[0])
				}
			})
		}
	}
}

// TestSurvivorOfAnAbortIsRefused has a client go on with the transaction that
// was open when the broker was killed.
func TestSurvivorOfAnAbortIsRefused(t *testing.T) {
	dir := t.TempDir()
	b := startIn(t, dir)
	createTopic(t, b, testTopic, testPartitions, nil)
	createTopic(t, b, "in", testPartitions, nil)
	cl := client(t, b, kgo.TransactionalID(testTxn))
	defer cl.Close()
	commitOne(t, cl, "one", 1, nil)
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produce(t, cl, testTopic, testPartitions, "open")
	id, epoch, err := cl.ProducerID(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	killed := t.TempDir()
	writeFiles(t, killed, files(t, dir))
	after := startIn(t, killed)
	if n := after.Recovery().AbortedTransactions; n != 1 {
		t.Errorf("%d transactions aborted", n)
	}
	raw := client(t, after)
	defer raw.Close()
	for _, commit := range []bool{true, false} {
		req := kmsg.NewPtrEndTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = testTxn, id, epoch, commit
		resp, err := req.RequestWith(bounded(t), raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := kerr.ErrorForCode(resp.ErrorCode); commit && err == nil {
			t.Error("the aborted transaction could be committed")
		}
	}
	for p, values := range committed(t, after, testTopic, testPartitions) {
		if !slices.Equal(values, []string{"one"}) {
			t.Errorf("partition %d has %v", p, values)
		}
	}
}

// TestFullDiskRefusesWrites lets the disk run full within a transaction:
// nothing is lost, and the transaction commits once there is room again.
func TestFullDiskRefusesWrites(t *testing.T) {
	b := startIn(t, t.TempDir())
	createTopic(t, b, testTopic, testPartitions, nil)
	createTopic(t, b, "in", testPartitions, nil)
	var left atomic.Uint64
	setLeft := func(n uint64) { left.Store(n); b.room.looked.Store(0) }
	setLeft(roomForRecords)
	b.room.free = func() (uint64, uint64, error) { return left.Load(), 1 << 40, nil }
	cl := client(t, b, kgo.TransactionalID(testTxn), kgo.RequestRetries(1))
	defer cl.Close()
	commitOne(t, cl, "one", 1, func() {
		setLeft(roomForCommits)
		other := client(t, b, kgo.RecordRetries(1))
		defer other.Close()
		err := other.ProduceSync(bounded(t), &kgo.Record{Topic: "in", Value: []byte("v")}).FirstErr()
		if !errors.Is(err, kerr.KafkaStorageError) {
			t.Errorf("produced onto a full disk: %v", err)
		}
	})
	setLeft(roomForRecords)
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produce(t, cl, testTopic, testPartitions, "two")
	setLeft(0)
	if err := cl.EndTransaction(bounded(t), kgo.TryCommit); err == nil {
		t.Error("committed onto a full disk")
	}
	setLeft(roomForRecords)
	if err := cl.EndTransaction(bounded(t), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	for p, values := range committed(t, b, testTopic, testPartitions) {
		if !slices.Equal(values, []string{"one"}) {
			t.Errorf("partition %d has %v", p, values)
		}
	}
}

func FuzzStateLog(f *testing.F) {
	f.Add(appendFrame(appendFrame(nil, []byte(`{"type":"init","pid":1}`)), []byte(`{"type":"endtx","pid":1,"epoch":2,"commit":true}`)))
	f.Add(appendFrame(nil, []byte(`{"type":"commit","g":"g","t":"t","p":1,"o":5}`)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		entries, valid := frames(raw)
		if valid > int64(len(raw)) {
			t.Fatalf("read %d of %d bytes", valid, len(raw))
		}
		highestCommits(entries)
		states := replayPIDs(entries)
		encoded, err := encodePIDs(states)
		if err != nil {
			t.Fatal(err)
		}
		if again := replayPIDs(first(frames(encoded))); len(again) != len(states) {
			t.Errorf("%d states became %d", len(states), len(again))
		}
		_, _ = decodeIntent(raw)
		parseBatch(raw)
	})
}

func first(entries [][]byte, _ int64) [][]byte { return entries }
