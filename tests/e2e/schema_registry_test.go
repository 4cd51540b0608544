package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/tests/process"
)

// registry talks to a schema registry as other programs do: over HTTP.
type registry struct{ url string }

// send returns the status and the answer of a request.
func (r registry) send(ctx context.Context, method, path string, body any) (int, string, error) {
	var b []byte
	if body != nil {
		b, _ = json.Marshal(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, bytes.NewReader(b))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer), err
}

// TestRegistryOutlivesItsServer registers schemas with a real server, kills it while it is at that, and looks what is left: all
// that was answered, with the numbers that were told, and at most the one more that was under way.
func TestRegistryOutlivesItsServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the binary")
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	ctx := within(t, 2*time.Minute)
	cfg, err := process.NewServerConfig(filepath.Join(programs, "ksqlgo"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if cfg.RegistryPort, err = process.FreePort(); err != nil {
		t.Fatal(err)
	}
	r := registry{fmt.Sprintf("http://127.0.0.1:%d", cfg.RegistryPort)}
	text := func(i int) string { return fmt.Sprintf(`{"type":"record","name":"R%d","fields":[]}`, i) }
	// told are the numbers that were answered, by the schema.
	told, tried := map[int]string{}, 0
	for round := range 4 {
		s, err := process.StartServer(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Kill)
		if err := s.Ready(ctx); err != nil {
			t.Fatal(err)
		}
		for i, answer := range told {
			if status, got, err := r.send(ctx, http.MethodPost, fmt.Sprintf("/subjects/s%d/versions", i), map[string]string{"schema": text(i)}); status != 200 || got != answer || err != nil {
				t.Fatalf("schema %d was answered with %s, and after the kill with %d %s, %v", i, answer, status, got, err)
			}
		}
		_, subjects, err := r.send(ctx, http.MethodGet, "/subjects", nil)
		var names []string
		if err == nil {
			err = json.Unmarshal([]byte(subjects), &names)
		}
		if err != nil || len(names) < len(told) || len(names) > len(told)+round {
			t.Fatalf("round %d: %d were answered, %d are there, %v", round, len(told), len(names), err)
		}
		kill := time.AfterFunc(time.Duration(50+37*round)*time.Millisecond, s.Kill)
		for {
			i := tried
			tried++
			status, answer, err := r.send(ctx, http.MethodPost, fmt.Sprintf("/subjects/s%d/versions", i), map[string]string{"schema": text(i)})
			if err != nil {
				break
			}
			if status != 200 {
				t.Fatalf("%d %s", status, answer)
			}
			told[i] = answer
		}
		kill.Stop()
		<-s.Done()
	}
	seen := map[string]bool{}
	for i, answer := range told {
		if !strings.HasPrefix(answer, `{"id":`) || seen[answer] {
			t.Errorf("schema %d has the number %s, which another one has, too", i, answer)
		}
		seen[answer] = true
	}
	if len(told) < 20 {
		t.Errorf("only %d schemas were registered: the test does not say much", len(told))
	}
	t.Logf("%d of %d registrations were answered", len(told), tried)
}
