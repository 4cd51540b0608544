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
	"time"

	"github.com/ksqlgo/ksqlgo/grammar/token"
	"github.com/ksqlgo/ksqlgo/tests/settle"
)

// runRecipe runs a recipe, and once more if need be: many have windows of wall-clock time, whose bounds may come between
// two INSERTs.
func runRecipe(ctx context.Context, cli, dir string) error {
	err := tryRecipe(ctx, cli, dir)
	if err != nil && ctx.Err() == nil {
		err = tryRecipe(ctx, cli, dir)
	}
	return err
}

// tryRecipe loads a program, puts the INSERTs in, and expects validate.sql to show the rows of the log.
func tryRecipe(ctx context.Context, cli, dir string) error {
	c, err := newConsole(ctx, cli)
	if err != nil {
		return err
	}
	defer c.close()
	for _, file := range []string{"source.sql", "process.sql", "manual.sql"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := load(ctx, c, c.set(string(text))); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	validate, err := os.ReadFile(filepath.Join(dir, "validate.sql"))
	if err != nil {
		return err
	}
	log, err := theLog(dir)
	if err != nil {
		return err
	}
	query := c.set(string(validate))
	if _, err := os.Stat(filepath.Join(dir, "manual.sql")); os.IsNotExist(err) || log == "" {
		// Without INSERTs there are no rows, and without a log nothing to compare them with: the query must be accepted.
		for i := range query {
			if strings.Contains(strings.ToUpper(query[i]), "EMIT CHANGES") {
				query[i] = "EXPLAIN " + query[i]
			}
		}
		_, err := c.run(ctx, 0, query...)
		return err
	}
	err = retry(ctx, func() error {
		got, err := c.run(ctx, boxWidth(log), query...)
		if err != nil {
			return err
		}
		return compare(rowsOf(log), rowsOf(got), false)
	})
	if err != nil && limited.MatchString(query[0]) {
		return anyOf(ctx, c, log, query[0], err)
	}
	return err
}

// limited finds the LIMIT of a push query.
var limited = regexp.MustCompile(`(?is)\bEMIT\s+CHANGES\s+(LIMIT\s+\d+)`)

// anyOf is for logs of the first rows of a topic with several partitions, which come in any order: without the LIMIT all
// rows of the log must be among the rows of the query. err is what is wrong otherwise.
func anyOf(ctx context.Context, c *console, log, query string, err error) error {
	i := limited.FindStringSubmatchIndex(query)
	got, failed := c.runWithin(ctx, time.Second, boxWidth(log), query[:i[2]]+query[i[3]:])
	if failed != nil {
		return errors.Join(err, failed)
	}
	left := mask(rowsOf(got), false)
	for _, want := range mask(rowsOf(log), false) {
		at := slices.Index(left, want)
		if at < 0 {
			return err
		}
		left = slices.Delete(left, at, at+1)
	}
	return nil
}

// load types statements; connectors must be refused in words that say so, and are skipped. INSERTs are typed one by one,
// as some programs count on it that no two have the same time, and when they turn to another source what went before is
// processed first, as one asks for in a comment.
func load(ctx context.Context, c *console, statements []string) error {
	var run []string
	flush := func() error {
		if len(run) == 0 {
			return nil
		}
		_, err := c.run(ctx, 0, run...)
		run = nil
		return err
	}
	target := ""
	for _, s := range statements {
		switch {
		case isConnector(s):
			_, err := c.run(ctx, 0, s)
			var said *errConsole
			if !errors.As(err, &said) || !strings.Contains(said.text, "not supported") {
				return fmt.Errorf("a connector was not refused kindly: %w", err)
			}
		case kindOf(s) == inserts:
			if err := flush(); err != nil {
				return err
			}
			if into := insertsInto(s); into != target {
				if err := settle.Wait(ctx, c.server); err != nil {
					return err
				}
				target = into
			}
			if _, err := c.run(ctx, 0, s); err != nil {
				return err
			}
		default:
			run = append(run, s)
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return settle.Wait(ctx, c.server)
}

// insertsInto is the source an INSERT names, in upper case.
func insertsInto(statement string) string {
	words := strings.Fields(strings.ToUpper(statement))
	return words[min(2, len(words)-1)]
}

func isConnector(statement string) bool {
	words := token.Tokenize(statement)
	for i, t := range words {
		if i < 4 && t.Keyword == "CONNECTOR" {
			return true
		}
	}
	return false
}

// theLog is the log of a recipe, "" if it has none.
func theLog(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(files) == 0 {
		return "", err
	}
	text, err := os.ReadFile(files[0])
	return string(text), err
}

// rowsOf leaves the rows of what a console printed.
func rowsOf(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// retry tries until the queries have caught up. What the console refuses is refused for good.
func retry(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(2 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		var refused *errConsole
		if err == nil || errors.As(err, &refused) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
