package compare

import (
	"bufio"
	"context"
	"net/http"
	"runtime"
	"strconv"
	"strings"
)

// mallocs is how many objects the engine has allocated since its start.
func (e *engine) mallocs(ctx context.Context) (uint64, error) {
	if *inside {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.Mallocs, nil
	}
	n, err := e.metric(ctx, "go_memstats_mallocs_total")
	return uint64(n), err
}

// metric reads one figure of /metrics; 0 if it is not there.
func (e *engine) metric(ctx context.Context, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.client.URL()+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, lines.Err()
}
