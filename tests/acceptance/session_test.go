package acceptance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// step is one file of a session.
type step struct {
	name       string
	statements []string
	kind       kind
	// log is what the console must print; nil if no log is kept for the step.
	log *string
}

// kind orders the files of a session, whose order is not kept: sources first, then records, queries, and looking at them.
type kind int

const (
	declares kind = iota
	inserts
	derives
	looks
)

// runSession types a session's statements in turn and compares what the console prints.
func runSession(ctx context.Context, cli, dir string) error {
	c, err := newConsole(ctx, cli)
	if err != nil {
		return err
	}
	defer c.close()
	steps, err := readSession(c, dir)
	if err != nil {
		return err
	}
	var failed, wrong []error
	ordered, logs := true, 0
	for _, s := range steps {
		if s.log == nil && s.kind == looks {
			// Nobody can tell what it should print, or when it should end.
			continue
		}
		for _, statement := range s.statements {
			ordered = ordered && !severalPartitions.MatchString(statement)
		}
		if s.log == nil {
			// Folders hold left-overs of other programs: what fails matters if something is not as in its log.
			if _, err := c.run(ctx, 0, s.statements...); err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
			}
			continue
		}
		logs++
		try := func() error {
			got, err := c.run(ctx, boxWidth(*s.log), s.statements...)
			if err == nil {
				err = compare(*s.log, got, ordered)
			}
			return err
		}
		check := try
		if s.kind == looks {
			check = func() error { return retry(ctx, try) }
		}
		if err := check(); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	switch {
	case logs == 0:
		return errors.New("no log belongs to any statement")
	case len(wrong) == 0:
		return nil
	}
	return errors.Join(append(failed, wrong...)...)
}

var severalPartitions = regexp.MustCompile(`(?i)partitions\s*=\s*([2-9]|\d\d)`)

// readSession reads the files of a session in the order in which they are typed, each with its log.
func readSession(c *console, dir string) ([]*step, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.sql"))
	if err != nil {
		return nil, err
	}
	var steps []*step
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		statements := c.set(string(content))
		if len(statements) == 0 {
			continue
		}
		s := &step{name: strings.TrimSuffix(filepath.Base(file), ".sql"), statements: statements}
		for _, statement := range statements {
			s.kind = max(s.kind, kindOf(statement))
		}
		steps = append(steps, s)
	}
	slices.SortStableFunc(steps, func(a, b *step) int { return int(a.kind) - int(b.kind) })
	logs, err := filepath.Glob(filepath.Join(dir, "expected-*.log"))
	if err != nil {
		return nil, err
	}
	for _, file := range logs {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		log := strings.TrimLeft(string(content), "\r\n")
		s := stepOf(steps, strings.TrimPrefix(strings.TrimSuffix(filepath.Base(file), ".log"), "expected-"), log)
		if s == nil {
			return nil, fmt.Errorf("%s: no statement fits it", filepath.Base(file))
		}
		s.log = &log
	}
	return steps, nil
}

func kindOf(statement string) kind {
	words := token.Tokenize(statement)
	has := func(keyword string) bool {
		return slices.ContainsFunc(words, func(t token.Token) bool { return t.Keyword == keyword })
	}
	switch words[0].Keyword {
	case "CREATE", "INSERT":
		if has("SELECT") {
			return derives
		}
		if words[0].Keyword == "INSERT" {
			return inserts
		}
		return declares
	}
	return looks
}

// stepOf finds the step that a log belongs to: one whose statement prints in the log's form, with the most words of the
// log's name in its own.
func stepOf(steps []*step, name, log string) *step {
	var best *step
	bestScore := 0
	for _, s := range steps {
		if s.log != nil || !prints(s, log) {
			continue
		}
		score := 0
		for word := range strings.SplitSeq(name, "-") {
			if strings.Contains(s.name, word) {
				score += 2
			}
		}
		// Of equal ones the one with fewer other words.
		score = score*10 - strings.Count(s.name, "-")
		if best == nil || score > bestScore {
			best, bestScore = s, score
		}
	}
	return best
}

// prints says whether a step could print in the form of a log.
func prints(s *step, log string) bool {
	first := token.Tokenize(s.statements[len(s.statements)-1])[0].Keyword
	switch {
	case strings.HasPrefix(log, "+-"):
		return first == "SELECT"
	case strings.HasPrefix(log, "Key format"):
		return first == "PRINT"
	case strings.HasPrefix(log, "Name "):
		return first == "DESCRIBE"
	}
	return first == "CREATE" || first == "SHOW" || first == "LIST" || first == "INSERT"
}
