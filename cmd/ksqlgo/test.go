package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ksqlgo/ksqlgo/cmd/internal/render"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// exitInterrupted is the exit code after Ctrl-C, as shells have it.
const exitInterrupted = 130

// testCommand runs query tests.
type testCommand struct {
	Paths []string `arg:"" optional:"" help:"Test files, or folders: .sql files with --@test directives, and folders with statements.sql, input.json and output.json."`
	Test  []string `env:"-" sep:"none" help:"Run only the test of this name; may be given again." placeholder:"NAME"`

	SQLFile    string `name:"sql-file" short:"s" env:"-" help:"One test in the form of ksql-test-runner: the statements." placeholder:"FILE"`
	InputFile  string `short:"i" env:"-" help:"The records that go in (JSON); may be left out when the statements insert them." placeholder:"FILE"`
	OutputFile string `short:"o" env:"-" help:"The records that must come out (JSON)." placeholder:"FILE"`
	Extensions string `name:"extension-dir" short:"e" env:"-" help:"Refused: functions in Java cannot be loaded." placeholder:"DIR"`
	// ksqlDB's run-ksql-test has these two.
	TestDirectory string `env:"-" hidden:""`
	TempFolder    string `env:"-" hidden:""`

	JUnit  string `name:"junit" env:"-" help:"Write the results to this file as JUnit's XML." placeholder:"FILE"`
	JSON   bool   `name:"json" env:"-" help:"Print one JSON object a test; all else goes to standard error."`
	Update bool   `env:"-" help:"Write output.json of tests in the runner's form anew with what came out, where that differs."`
}

// Run implements the command.
func (c *testCommand) Run(io *streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return c.run(ctx, io)
}

// run is Run until ctx ends.
func (c *testCommand) run(ctx context.Context, io *streams) error {
	cases, err := c.load()
	if err != nil {
		return &exitError{code: 2, message: err.Error()}
	}
	report := c.reporter(io)
	results := make([]testResult, 0, len(cases))
	passed, began := 0, time.Now()
	for _, t := range cases {
		start := time.Now()
		failure := t.Run(ctx)
		if ctx.Err() != nil {
			break
		}
		results = append(results, testResult{test: t, failure: failure, took: time.Since(start)})
		if failure == nil {
			passed++
		}
		report.test(&results[len(results)-1])
	}
	failed, left := len(results)-passed, cases[len(results):]
	report.summary(passed, failed, len(left), time.Since(began))
	if c.JUnit != "" {
		if err := writeJUnit(c.JUnit, results, left); err != nil {
			return &exitError{code: 2, message: fmt.Sprintf("the results cannot be written: %v", err)}
		}
	}
	switch {
	case ctx.Err() != nil:
		return &exitError{code: exitInterrupted, message: "interrupted"}
	case failed > 0:
		return &exitError{code: 1}
	}
	return nil
}

// testResult is what became of a test.
type testResult struct {
	test    sqltest.Case
	failure *sqltest.Failure
	took    time.Duration
}

// load finds the tests that the command line names.
func (c *testCommand) load() ([]sqltest.Case, error) {
	opts := sqltest.Options{Update: c.Update}
	paths := c.Paths
	if c.TestDirectory != "" {
		paths = append(slices.Clone(paths), c.TestDirectory)
	}
	switch {
	case c.Extensions != "":
		return nil, errors.New("--extension-dir holds functions in Java, which cannot be loaded: ksqlgo has no Java in it. Leave the flag out; SHOW FUNCTIONS lists what there is")
	case c.SQLFile == "" && (c.InputFile != "" || c.OutputFile != ""):
		return nil, errors.New("--input-file and --output-file belong to --sql-file, which names the statements")
	case c.SQLFile != "" && len(paths) > 0:
		return nil, errors.New("name either files and folders, or one test by --sql-file, --input-file and --output-file")
	case c.SQLFile != "" && c.OutputFile == "":
		return nil, errors.New("--sql-file needs --output-file, the records that must come out")
	case c.SQLFile == "" && len(paths) == 0:
		return nil, errors.New("name the files or folders of the tests, or one test by --sql-file, --input-file and --output-file (ksqlgo test --help)")
	}
	var cases []sqltest.Case
	if c.SQLFile != "" {
		t, err := sqltest.LoadRunner(sqltest.RunnerFiles{Statements: c.SQLFile, Input: c.InputFile, Output: c.OutputFile}, opts)
		if err != nil {
			return nil, err
		}
		cases = []sqltest.Case{t}
	} else {
		var err error
		if cases, err = sqltest.Load(paths, opts); err != nil {
			return nil, err
		}
	}
	return c.chosen(cases)
}

// chosen picks the tests that --test names.
func (c *testCommand) chosen(cases []sqltest.Case) ([]sqltest.Case, error) {
	if len(c.Test) == 0 {
		return cases, nil
	}
	var out []sqltest.Case
	names := make([]string, len(cases))
	for i, t := range cases {
		names[i] = t.Name()
		if slices.Contains(c.Test, t.Name()) {
			out = append(out, t)
		}
	}
	for _, name := range c.Test {
		if slices.Contains(names, name) {
			continue
		}
		if near, ok := diag.Suggest(name, names); ok {
			return nil, fmt.Errorf("there is no test named %q; did you mean %q?", name, near)
		}
		return nil, fmt.Errorf("there is no test named %q; there are:\n  %s", name, strings.Join(names, "\n  "))
	}
	return out, nil
}

// testReporter tells of tests as they end.
type testReporter interface {
	test(r *testResult)
	summary(passed, failed, left int, took time.Duration)
}

func (c *testCommand) reporter(io *streams) testReporter {
	if c.JSON {
		return &jsonTests{out: io.out, notes: io.err}
	}
	return &textTests{out: io.out, style: render.Colors(colours(io.out))}
}

// summaryText is the last line.
func summaryText(passed, failed, left int, took time.Duration) string {
	text := fmt.Sprintf("%d passed, %d failed", passed, failed)
	if left > 0 {
		text += fmt.Sprintf(", %d not run", left)
	}
	return fmt.Sprintf("%s (%s)", text, millis(took))
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
}
