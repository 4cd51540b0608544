package acceptance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// runRecipe loads a program, puts the INSERTs in, and expects validate.sql to show the rows of the log.
func runRecipe(ctx context.Context, cli, dir string) error {
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
	if _, err := os.Stat(filepath.Join(dir, "manual.sql")); os.IsNotExist(err) {
		// Without INSERTs there are no rows: the query must be accepted.
		for i := range query {
			query[i] = "EXPLAIN " + query[i]
			if !strings.Contains(strings.ToUpper(query[i]), "EMIT CHANGES") {
				return errors.New("the log's rows come from a connector, and there are no INSERTs in its place")
			}
		}
		_, err := c.run(ctx, 0, query...)
		return err
	}
	return retry(ctx, func() error {
		got, err := c.run(ctx, boxWidth(log), query...)
		if err != nil {
			return err
		}
		return compare(rowsOf(log), rowsOf(got), false)
	})
}

// load runs statements; connectors must be refused in words that say so, and are skipped.
func load(ctx context.Context, c *console, statements []string) error {
	var run []string
	for _, s := range statements {
		if !isConnector(s) {
			run = append(run, s)
			continue
		}
		_, err := c.run(ctx, 0, s)
		var said *errConsole
		if !errors.As(err, &said) || !strings.Contains(said.text, "not supported") {
			return fmt.Errorf("a connector was not refused kindly: %w", err)
		}
	}
	if len(run) == 0 {
		return nil
	}
	_, err := c.run(ctx, 0, run...)
	return err
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

// theLog is the one log of a recipe.
func theLog(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("%d logs, want one", len(files))
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

// retry tries until the queries have caught up.
func retry(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(2 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
