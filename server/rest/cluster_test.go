package rest_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// TestReadinessStays asks whether a server is ready before, when and after it has taken up its work.
func TestReadinessStays(t *testing.T) {
	e := &fakeEngine{notReady: []string{"The query Q is starting."}}
	url := serve(t, e)
	const not = `{"ready":false,"notReady":["The query Q is starting."]}`
	if res, body := exchange(t, "GET", url+"/chc/ready", ""); res.StatusCode != http.StatusServiceUnavailable || body != not {
		t.Errorf("at the start: status %d, %s; want 503, %s", res.StatusCode, body, not)
	}
	e.notReady = nil
	if res, body := exchange(t, "GET", url+"/chc/ready", ""); res.StatusCode != http.StatusOK || body != "{}" {
		t.Errorf("at work: status %d, %s; want 200", res.StatusCode, body)
	}
	e.notReady = []string{"The task 0_0 of Q is RESTORING."}
	if res, _ := exchange(t, "GET", url+"/chc/ready", ""); res.StatusCode != http.StatusOK {
		t.Errorf("while a task restores later: status %d, want 200", res.StatusCode)
	}
}

func TestDrain(t *testing.T) {
	tests := map[string]struct {
		drain  func(ctx context.Context, progress func(api.DrainProgress)) error
		status int
		body   string
	}{
		"done": {
			func(_ context.Context, progress func(api.DrainProgress)) error {
				progress(api.DrainProgress{Tasks: 3, Queries: 2})
				progress(api.DrainProgress{Done: true})
				return nil
			}, 200, "{\"tasks\":3,\"queries\":2,\"done\":false}\n{\"tasks\":0,\"queries\":0,\"done\":true}\n",
		},
		"refused": {
			func(context.Context, func(api.DrainProgress)) error {
				return api.NewError(api.CodeBadRequest, "nobody else")
			},
			400, `{"@type":"generic_error","error_code":40000,"message":"nobody else"}`,
		},
		"fails on the way": {
			func(_ context.Context, progress func(api.DrainProgress)) error {
				progress(api.DrainProgress{Tasks: 3, Queries: 2})
				return errors.New("the last server is gone")
			}, 200, "{\"tasks\":3,\"queries\":2,\"done\":false}\n{\"tasks\":0,\"queries\":0,\"done\":false,\"error\":\"the last server is gone\"}\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, &fakeEngine{drain: tt.drain})
			if res, body := exchange(t, "POST", url+"/cluster/drain", ""); res.StatusCode != tt.status || body != tt.body {
				t.Errorf("status %d, %s; want %d, %s", res.StatusCode, body, tt.status, tt.body)
			}
		})
	}
}

// TestDrainTellsAtOnce reads a line while the drain goes on, and leaves: the engine's context ends.
func TestDrainTellsAtOnce(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	url := serve(t, &fakeEngine{drain: func(ctx context.Context, progress func(api.DrainProgress)) error {
		progress(api.DrainProgress{Tasks: 1, Queries: 1})
		<-ctx.Done()
		close(left)
		return ctx.Err()
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/cluster/drain", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := clientOf(t, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	if want := "{\"tasks\":1,\"queries\":1,\"done\":false}\n"; err != nil || line != want {
		t.Fatalf("line %q, %v; want %q", line, err, want)
	}
	cancel()
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("the engine was not told that the client has left")
	}
}

func TestEndDrain(t *testing.T) {
	t.Parallel()
	e := &fakeEngine{}
	url := serve(t, e)
	if res, body := exchange(t, "DELETE", url+"/cluster/drain", ""); res.StatusCode != http.StatusOK || body != `{"draining":false}` || e.drainsEnded != 1 {
		t.Errorf("status %d, %s, %d drains ended", res.StatusCode, body, e.drainsEnded)
	}
}
