package conformance

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "take the cases that pass out of the lists of failing ones")

// defaultDir is shared/conformance beside the checkout.
var defaultDir = filepath.Join("..", "..", "..", "shared", "conformance")

func conformanceDir(t *testing.T, folder string) string {
	t.Helper()
	dir := os.Getenv("CONFORMANCE_DIR")
	if dir == "" {
		dir = defaultDir
	}
	dir = filepath.Join(dir, folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: no conformance cases at %s; set CONFORMANCE_DIR to run them", dir)
	}
	return dir
}

func TestQueryValidation(t *testing.T) {
	const folder = "query-validation-tests"
	cases, err := loadCases(conformanceDir(t, folder))
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join("testdata", "failing-"+folder+".txt")
	known, listed, err := readList(list)
	if err != nil {
		t.Fatal(err)
	}
	var passed, failed, skipped int
	var still []string
	for i := range cases {
		c := &cases[i]
		if c.Enabled != nil && !*c.Enabled {
			skipped++
			continue
		}
		t.Run(c.id, func(t *testing.T) {
			err := c.run()
			if err == nil {
				passed++
				if known[c.id] && !*update {
					t.Error("it passes and is on the list of failing cases: run with -update")
				}
				return
			}
			failed++
			still = append(still, c.id)
			if known[c.id] || *update && !listed {
				t.Skipf("known to fail: %v", err)
			}
			t.Error(err)
		})
	}
	fmt.Printf("conformance %s: %d passed, %d failed, %d skipped\n", folder, passed, failed, skipped)
	if *update {
		if err := writeList(list, still, known, listed); err != nil {
			t.Fatal(err)
		}
	}
}

// readList reads the names of the cases that are known to fail; listed is false if there is no list yet.
func readList(name string) (known map[string]bool, listed bool, err error) {
	f, err := os.Open(name)
	if os.IsNotExist(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = f.Close() }()
	known = map[string]bool{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); line != "" && !strings.HasPrefix(line, "#") {
			known[line] = true
		}
	}
	return known, true, nil
}

// writeList writes the cases that still fail; a list that exists only shrinks.
func writeList(name string, still []string, known map[string]bool, listed bool) error {
	sort.Strings(still)
	var b strings.Builder
	for _, id := range still {
		if known[id] || !listed {
			b.WriteString(id + "\n")
		}
	}
	return os.WriteFile(name, []byte(b.String()), 0o644)
}
