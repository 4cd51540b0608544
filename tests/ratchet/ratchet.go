// Package ratchet runs cases of which some are known to fail: their committed list may only shrink, and a case on it that
// passes fails the run.
package ratchet

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Folder finds the folder with the cases: name below the directory that the environment variable gives, by default below
// shared/<fallback> beside the checkout. The test is skipped when there is none.
func Folder(t *testing.T, variable, fallback, name string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		dir = filepath.Join(checkout(t), "..", "shared", fallback)
	}
	dir = filepath.Join(dir, name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: there is nothing at %s; set %s to the folder of the cases", dir, variable)
	}
	return dir
}

// checkout is the top of the module: the first folder upwards that holds go.mod.
func checkout(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod in this folder or above it")
		}
	}
}

// List is the list of the cases that are known to fail, and the count of the run. Its methods are safe for concurrent use.
type List struct {
	file   string
	update bool
	known  map[string]bool
	listed bool

	mu                      sync.Mutex
	passed, failed, skipped int
	ran                     map[string]bool
	failing                 []string
}

// Open reads the list from a file, one case a line. When t and its subtests are done it prints "<title>: N passed, M
// failed, K skipped" and, with update, writes the list anew: without the cases that passed, and with the ones that failed
// only if there was no list before.
func Open(t *testing.T, file, title string, update bool) *List {
	t.Helper()
	l := &List{file: file, update: update, known: map[string]bool{}, ran: map[string]bool{}}
	if err := l.read(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		fmt.Printf("%s: %d passed, %d failed, %d skipped\n", title, l.passed, l.failed, l.skipped)
		if !update {
			return
		}
		if err := l.write(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *List) read() error {
	f, err := os.Open(l.file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	l.listed = true
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			l.known[line] = true
		}
	}
	return lines.Err()
}

// Skip counts a case that is not run.
func (l *List) Skip() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.skipped++
}

// Case reports what became of a case: err is nil if it passed.
func (l *List) Case(t *testing.T, name string, err error) {
	t.Helper()
	l.mu.Lock()
	l.ran[name] = true
	if err == nil {
		l.passed++
	} else {
		l.failed++
		l.failing = append(l.failing, name)
	}
	l.mu.Unlock()
	switch known := l.known[name]; {
	case err == nil && known && !l.update:
		t.Errorf("it passes and is in %s: run with -update to take it off", l.file)
	case err == nil:
	case known || l.update && !l.listed:
		t.Skipf("known to fail: %v", err)
	default:
		t.Error(err)
	}
}

func (l *List) write() error {
	var lines []string
	for name := range l.known {
		if !l.ran[name] {
			lines = append(lines, name)
		}
	}
	for _, name := range l.failing {
		if l.known[name] || !l.listed {
			lines = append(lines, name)
		}
	}
	slices.Sort(lines)
	text := strings.Join(lines, "\n")
	if text != "" {
		text += "\n"
	}
	if err := os.MkdirAll(filepath.Dir(l.file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(l.file, []byte(text), 0o644)
}
