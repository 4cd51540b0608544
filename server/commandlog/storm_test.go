package commandlog

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog"
)

// Four servers write 50 commands each at once, and validating each takes a moment. Every command is in the log once, each
// was validated against everything before it, and all servers have the same catalog.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	cluster := connect(t)
	const writers, each = 4, 50
	var servers []*server
	for range writers {
		servers = append(servers, open(t, cluster, serverOptions{}))
	}
	began := time.Now()
	var longest atomic.Int64
	var wg sync.WaitGroup
	for n, s := range servers {
		wg.Go(func() {
			for i := range each {
				called := time.Now()
				name := fmt.Sprintf("S%d_%d", n, i)
				_, offset, err := s.Append(t.Context(), func(c *catalog.Snapshot, _ int64) (ID, *Command, error) {
					cmd := source(name)
					// What this writer saw is written down, to be compared with where the command came to stand.
					cmd.Statement = fmt.Sprint(len(c.Sources()))
					sleep(t.Context(), 2*time.Millisecond)
					return idOf(name), cmd, nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := s.Wait(t.Context(), offset); err != nil {
					t.Error(err)
				}
				for took := int64(time.Since(called)); ; {
					if most := longest.Load(); took <= most || longest.CompareAndSwap(most, took) {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	last := open(t, cluster, serverOptions{})
	if n := len(last.Snapshot().Sources()); n != writers*each {
		t.Fatalf("%d sources, want %d", n, writers*each)
	}
	seen := map[string]bool{}
	for _, o := range last.Outcomes() {
		if seen[o.Command.Statement] {
			t.Errorf("two commands were validated against a catalog of %s sources", o.Command.Statement)
		}
		seen[o.Command.Statement] = true
	}
	var lost int64
	for _, s := range servers {
		if _, err := s.Wait(t.Context(), last.Applied()-1); err != nil || names(s.Snapshot()) != names(last.Snapshot()) {
			t.Errorf("a server has %d sources: %v", len(s.Snapshot().Sources()), err)
		}
		_, n := s.topic.WriteStats()
		lost += n
	}
	t.Logf("%d commands of %d servers in %v, %d attempts were void; the slowest took %v", writers*each, writers, took.Round(time.Millisecond), lost,
		time.Duration(longest.Load()).Round(time.Millisecond))
}

// A refused command writes nothing; one that fails to be carried out stays in the log with its error.
func TestRefusedAndFailedCommands(t *testing.T) {
	t.Parallel()
	s := open(t, connect(t), serverOptions{fail: "X"})
	refused := errors.New("no such thing")
	_, _, err := s.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) { return ID{}, nil, refused })
	if !errors.Is(err, refused) || s.Applied() != 0 {
		t.Fatalf("error %v, applied %d", err, s.Applied())
	}
	id, offset, err := s.Append(t.Context(), func(*catalog.Snapshot, int64) (ID, *Command, error) {
		return ID{"stream", "X", "drop"}, &Command{Action: DropSource, Name: "X"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	failure, err := s.Wait(t.Context(), offset)
	if err != nil || failure == nil || failure.Error() != "it does not work" {
		t.Errorf("failure %v, error %v", failure, err)
	}
	if o := s.Outcomes()[id.String()]; o.Err == nil || o.Offset != offset {
		t.Errorf("outcome %+v", o)
	}
}
