package state

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// TestFormatIsAsDocumented pins the entries that docs/formats/state.md describes: a change of them needs a
// new version there and in the code. Checksums are left out.
func TestFormatIsAsDocumented(t *testing.T) {
	db, err := Open(Options{Dir: "q", FS: NewMemFS(), Fingerprint: []byte{0xab}, Stores: []StoreSpec{
		{ID: 1, Kind: Keyed}, {ID: 0x102, Kind: Windowed, Bucket: 1_000_000}, {ID: 3, Kind: Session, Bucket: 1_000_000_000},
		{ID: 4, Kind: Buffer, Bucket: 1_000_000_000},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	task, err := db.NewTask(5, []StoreID{1, 0x102, 3, 4}, TaskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	task.Keyed(1).Put([]byte("k"), []byte("v"), 7)
	task.Windowed(0x102).Put([]byte("k"), 10, []byte("w"), 11)
	task.Session(3).Put([]byte("k"), -1, 1500, []byte("s"), 1500)
	task.Buffer(4).Add([]byte("k"), -1, []byte("b"))
	if err := task.Changes(func(Change) error { return nil }); err != nil {
		t.Fatal(err)
	}
	err = db.Commit(Commit{
		Tasks:       []*Task{task},
		Checkpoints: []Checkpoint{{Topic: "log", Partition: 5, TopicID: [16]byte{1}, Offset: 9, LeaderEpoch: -1, WallClock: 2}},
		Positions:   []Position{{Topic: "in", Partition: 5, Offset: 8, LeaderEpoch: 3}},
		StreamTimes: []StreamTime{{Partition: 5, Name: "op", Time: -1}},
		Meta:        []Meta{{Partition: 5, Name: "x", Value: []byte("y")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Sync(); err != nil {
		t.Fatal(err)
	}
	const part, global = "00000005", "ffffffff"
	one := "8000000000000001"
	minus := "7fffffffffffffff"
	text := func(s string) string { return hex.EncodeToString([]byte(s)) }
	state := func(t, seq string) string { return "01" + t + seq }
	want := []string{
		"0000" + part + text("clog") + " = 01" + "01" + strings.Repeat("00", 15) + "0900000000000000" + "ffffffff" + "0200000000000000",
		"0000" + part + text("pin") + " = 01" + "0800000000000000" + "03000000",
		"0000" + part + text("s") + "0003 = " + state("dc05000000000000", "0000000000000000"),
		"0000" + part + text("s") + "0004 = " + state("ffffffffffffffff", "0100000000000000"),
		"0000" + part + text("s") + "0102 = " + state("0a00000000000000", "0000000000000000"),
		"0000" + part + text("top") + " = 01" + "ffffffffffffffff",
		"0000" + part + text("ux") + " = 01" + text("y"),
		"0000" + global + text("F") + " = 0101",
		"0000" + global + text("P") + " = 01ab",
		"0000" + global + text("S") + "0001 = 01" + "01" + "0000000000000000",
		"0000" + global + text("S") + "0003 = 01" + "03" + "e803000000000000",
		"0000" + global + text("S") + "0004 = 01" + "04" + "e803000000000000",
		"0000" + global + text("S") + "0102 = 01" + "02" + "0100000000000000",
		"0001" + part + text("k") + " = 0000000000000007" + text("v"),
		"0003" + part + one + text("k") + "80000000000005dc" + minus + " = 00000000000005dc" + text("s"),
		"0004" + part + minus + text("k") + minus + "0000000000000000 = ffffffffffffffff" + text("b"),
		"0102" + part + "800000000000000a" + text("k") + "800000000000000a = 000000000000000b" + text("w"),
	}
	it, err := db.pdb.NewIter(&pebble.IterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	var got []string
	for ok := it.First(); ok; ok = it.Next() {
		v := it.Value()
		if it.Key()[0] == 0 && it.Key()[1] == 0 {
			v = v[:len(v)-4]
		}
		got = append(got, fmt.Sprintf("%x = %x", it.Key(), v))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
