package fault

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDiskFull gives the state of one query a file system of a megabyte and fills it: the query fails and says why, the
// process and the other queries go on, and when there is room again the query takes up where it was.
func TestDiskFull(t *testing.T) {
	ctx := within(t, 90*time.Second)
	cfg := newServerOnKafka(t)
	cfg.Properties = retrySoon
	s := start(ctx, t, cfg)
	queries, err := declare(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	next := feed(ctx, t, s, 0, 3000)
	awaitJoined(ctx, t, s, queries["JOINED"], next)
	if err := s.Stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	dir := stateDir(s, queries["SUMS"])
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("SKIPPED: a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	s = start(ctx, t, cfg)
	// The file system lies below the data directory and goes first at the end.
	t.Cleanup(s.Kill)
	full := func() {
		t.Helper()
		cause := awaitError(ctx, t, s, queries["SUMS"])
		if cause.Type != "SYSTEM" || !strings.Contains(cause.ErrorMessage, "no space left") {
			t.Errorf("the cause is %+v, want a SYSTEM error about the space", cause)
		}
		next = feed(ctx, t, s, next, 3000)
		awaitJoined(ctx, t, s, queries["JOINED"], next)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		want := wantRead(queries, next)
		if _, err := drained(ctx, s, want); err != nil {
			t.Fatal(err)
		}
	}
	full() // When it starts.
	fill(t, ballast)
	next = feed(ctx, t, s, next, 100_000)
	full() // While it runs.
	verify(ctx, t, s, queries)
	if err := s.Stop(10 * time.Second); err != nil {
		t.Error(err)
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{64 << 10, 1} {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
}
