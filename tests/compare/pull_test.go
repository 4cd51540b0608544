package compare

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// What is asked of pull queries: so many a second, of which 99 in a hundred are answered within the limit.
const (
	pullsPerSecond = 2000
	pullLimit      = 2 * time.Millisecond
	pullTime       = 10 * time.Second
	pullers        = 16
)

// TestPull asks for the count of one key after another while events are being counted. A pull begins when it is due, not
// when the one before has been answered: that it has to wait for one counts as its own time.
func TestPull(t *testing.T) {
	if !*whole {
		t.Skip("SKIPPED: takes figures; -compare runs it")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	b := newBench(ctx, t, 500_000)
	e := b.start(ctx, t, "compare_pull_", t.TempDir())
	e.execute(ctx, t, declarations)
	id := e.execute(ctx, t, queries[3].sql)
	if err := e.reach(ctx, id, b.n); err != nil {
		t.Fatal(err)
	}
	for _, load := range []int{0, 20_000} {
		writer, stopWriting := context.WithCancel(ctx)
		var writing sync.WaitGroup
		if load > 0 {
			writing.Go(func() {
				_ = exec.CommandContext(writer, filepath.Join(programs, "raw"), "-broker", b.broker, "fill", "-topic", "events",
					"-n", strconv.Itoa(load*int(pullTime/time.Second)*2), "-rate", strconv.Itoa(load)).Run()
			})
		}
		took := e.pullAtRate(ctx, t)
		stopWriting()
		writing.Wait()
		slices.Sort(took)
		at := func(p float64) time.Duration {
			return took[min(int(float64(len(took))*p), len(took)-1)].Round(time.Microsecond)
		}
		t.Logf("%d pulls at %d a second while %d events a second are counted: median %s, p99 %s, p99.9 %s, most %s",
			len(took), pullsPerSecond, load, at(0.5), at(0.99), at(0.999), at(1))
		if load > 0 && at(0.99) > pullLimit {
			t.Errorf("p99 is %s, more than %s", at(0.99), pullLimit)
		}
	}
	e.stop()
	e.clean(ctx, t, "out")
}

// pullAtRate asks for keys at a steady rate and returns how long each took from when it was due.
func (e *engine) pullAtRate(ctx context.Context, t *testing.T) []time.Duration {
	t.Helper()
	total := pullsPerSecond * int(pullTime/time.Second)
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: pullers}}
	defer hc.CloseIdleConnections()
	results := make([][]time.Duration, pullers)
	errs := make(chan error, pullers)
	began := time.Now()
	var wg sync.WaitGroup
	for p := range pullers {
		wg.Go(func() {
			dice := rand.New(rand.NewPCG(7, uint64(p)))
			for i := p; i < total; i += pullers {
				due := began.Add(time.Duration(i) * time.Second / pullsPerSecond)
				if wait := time.Until(due); wait > 0 {
					time.Sleep(wait)
					due = time.Now() // That the sleep was too long, as it is by up to a millisecond, is nobody's fault.
				}
				if err := e.pullOne(ctx, hc, dice.IntN(keys)); err != nil {
					errs <- err
					return
				}
				results[p] = append(results[p], time.Since(due))
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Fatal(err)
	}
	return slices.Concat(results...)
}

// pullOne asks for the count of one user.
func (e *engine) pullOne(ctx context.Context, hc *http.Client, user int) error {
	sql := fmt.Sprintf("SELECT n FROM out WHERE user_id = 'user_%d';", user)
	body, err := json.Marshal(api.KsqlRequest{SQL: &sql})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.client.URL()+"/query", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", api.MediaJSON)
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || !json.Valid(answer)) {
		err = fmt.Errorf("%s: %d %s", sql, resp.StatusCode, answer)
	}
	return err
}
