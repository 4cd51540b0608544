package fault

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// figures are what a server tells under /metrics.
type figures []figure

type figure struct {
	name   string
	labels string
	value  float64
}

var label = regexp.MustCompile(`(\w+)="([^"]*)"`)

// label is the value of one label, empty when there is none.
func (f figure) label(name string) string {
	for _, m := range label.FindAllStringSubmatch(f.labels, -1) {
		if m[1] == name {
			return m[2]
		}
	}
	return ""
}

// series lists the figures of a name.
func (f figures) series(name string) []figure {
	var out []figure
	for _, x := range f {
		if x.name == name {
			out = append(out, x)
		}
	}
	return out
}

// value is the figure of a name without labels.
func (f figures) value(name string) float64 {
	for _, x := range f {
		if x.name == name {
			return x.value
		}
	}
	return 0
}

// metrics reads a server's figures.
func (m *member) metrics(ctx context.Context) (figures, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.cfg.URL()+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("/metrics of server %d: %s", m.number, resp.Status)
	}
	var out figures
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("/metrics of server %d: %q: %w", m.number, line, err)
		}
		name, labels, _ := strings.Cut(line[:at], "{")
		out = append(out, figure{name, labels, value})
	}
	return out, lines.Err()
}
