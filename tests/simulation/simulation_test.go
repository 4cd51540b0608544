package simulation

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seedFlag      = flag.Uint64("seed", 0, "the seed of TestSeed")
	scenariosFlag = flag.Int("scenarios", 0, "how many scenarios TestSimulation runs; 0 means as many as fit in the default time")
	traceFlag     = flag.Bool("trace", false, "TestSeed also shows the requests of groups and transactions")
	firstFlag     = flag.Uint64("first", 1, "the first seed of TestSimulation")
)

// budget is how long TestSimulation takes by default.
const budget = 10 * time.Second

// stuckAfter is how much real time a scenario may take. One that takes longer does not move in its own time either: a
// goroutine waits for a mutex whose holder waits for the clock.
const stuckAfter = 3 * time.Minute

func TestSimulation(t *testing.T) {
	var next, done, failed, restarts atomic.Int64
	began := time.Now()
	var virtual atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for w := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint("worker ", w), func(t *testing.T) {
				t.Parallel()
				for {
					n := next.Add(1) - 1
					if *scenariosFlag > 0 && n >= int64(*scenariosFlag) || *scenariosFlag == 0 && time.Since(began) > budget || failed.Load() > 20 {
						return
					}
					o := guarded(t, generate(*firstFlag+uint64(n)), options{level: slog.LevelWarn})
					done.Add(1)
					virtual.Add(int64(o.virtual))
					restarts.Add(o.restarts)
					if len(o.wrong) > 0 {
						failed.Add(1)
						t.Errorf("FAILED %s", o)
					}
				}
			})
		}
	})
	t.Logf("%d scenarios in %v, %v of their own time; %d failed; %d times a fault of the fake broker was helped over", done.Load(), time.Since(began).Round(time.Millisecond),
		time.Duration(virtual.Load()).Round(time.Second), failed.Load(), restarts.Load())
}

// guarded runs a scenario and ends the test with all goroutines shown if it does not move.
func guarded(t *testing.T, s *script, o options) *outcome {
	alarm := time.AfterFunc(stuckAfter, func() {
		buf := make([]byte, 8<<20)
		buf = buf[:runtime.Stack(buf, true)]
		fmt.Fprintf(os.Stderr, "a scenario does not move:\n%s\n%s\n", s, buf)
		os.Exit(2)
	})
	defer alarm.Stop()
	out := &outcome{script: s}
	func() {
		defer func() {
			if p := recover(); p != nil {
				out.wrong = append(out.wrong, fmt.Sprint("panic: ", p))
				out.wrong = append(out.wrong, leftGoroutines(out.bubble)...)
			}
		}()
		simulate(t, out, o)
	}()
	return out
}

// leftGoroutines shows the goroutines of a bubble, each kind once.
func leftGoroutines(bubble string) []string {
	buf := make([]byte, 16<<20)
	buf = buf[:runtime.Stack(buf, true)]
	seen := map[string]int{}
	var list []string
	for g := range strings.SplitSeq(string(buf), "\n\n") {
		head, frames, _ := strings.Cut(g, "\n")
		if !strings.Contains(head, bubble+"]") {
			continue
		}
		kind := addresses.ReplaceAllString(frames, "")
		if seen[kind]++; seen[kind] == 1 {
			list = append(list, head+"\n"+frames)
		}
	}
	return list
}

var addresses = regexp.MustCompile(`0x[0-9a-f]+|\+0x[0-9a-f]+|goroutine \d+`)

// TestSeed runs the scenario of one seed, with its log under -v.
func TestSeed(t *testing.T) {
	if *seedFlag == 0 {
		t.Skip("needs -seed")
	}
	o := options{level: slog.LevelInfo, trace: *traceFlag}
	if testing.Verbose() {
		o.echo = func(line string) { fmt.Println(line) }
	}
	s := generate(*seedFlag)
	t.Logf("%s", s)
	if out := guarded(t, s, o); len(out.wrong) > 0 {
		t.Errorf("FAILED %s", out)
	}
}

// Without faults every workload comes to the end it should, and the reader is answered.
func TestWithoutFaults(t *testing.T) {
	t.Parallel()
	for i, w := range workloads {
		for _, atLeastOnce := range []bool{false, true} {
			s := &script{seed: uint64(i + 1), workload: w, servers: 3, commitInterval: 100 * time.Millisecond, inputs: 100, span: 10 * time.Second,
				atLeastOnce: atLeastOnce}
			out := guarded(t, s, options{level: slog.LevelWarn})
			if len(out.wrong) > 0 {
				t.Errorf("FAILED %s", out)
			}
			if w.counts && !atLeastOnce && out.answers < 20 {
				t.Errorf("the reader had %d answers", out.answers)
			}
		}
	}
}
