package sqltest

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	formats "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	builtin "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// Case is one query test. Run may be called more than once; each run has an engine of its own.
type Case interface {
	// File is where the test stands, Line its first line there, Name its name within the file.
	File() string
	Line() int
	Name() string
	// Run runs the test; nil says that it passed. When ctx ends the run ends with a failure whose Err is ctx's.
	Run(ctx context.Context) *Failure
}

// Options of tests.
type Options struct {
	// Functions that statements may call; nil is those that are built in.
	Functions *functions.Registry
	// Scripts reads the file that a RUN SCRIPT names when it is not where that says; nil finds none.
	Scripts func(testFile, path string) (name string, text []byte, err error)
	// Update makes a RunnerTest write its file of outputs anew when other records came than it holds.
	Update bool
}

// Failure says why a test did not pass, and where.
type Failure struct {
	// File and Line are the place; Line is 0 where there is none.
	File string
	Line int
	// Message says what is wrong; its first line is ksqlDB's where it has one.
	Message string
	// Statement is the text of the statement that failed, "" if it was none.
	Statement string
	// Err is the error behind the failure, nil if records or a source were not as expected. Places in it count in Source.
	Err    error
	Source string
	// Diff is what was expected and what came.
	Diff []DiffLine
}

// DiffLine is a line of a difference.
type DiffLine struct {
	// Sign is '-' for what was expected, '+' for what came, ' ' for what is both.
	Sign byte
	Text string
}

// Error gives place, message and difference as plain text.
func (f *Failure) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	fmt.Fprintf(&b, ": %s", f.Message)
	if f.Statement != "" {
		fmt.Fprintf(&b, "\n%s", f.Statement)
	}
	for _, d := range f.Diff {
		fmt.Fprintf(&b, "\n%c %s", d.Sign, d.Text)
	}
	return b.String()
}

// Unwrap gives the error behind the failure.
func (f *Failure) Unwrap() error { return f.Err }

// clock is the time in all tests: it stands still, so that a test that passes today passes tomorrow.
var clock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// world is a fresh engine with a registry of its own, set up as ksqlDB's tools are.
func (o *Options) world(pipe bool) *World {
	registry := &schemas.Memory{}
	known := o.Functions
	if known == nil {
		known = builtin.Registry()
	}
	return New(Config{
		Functions: known, Formats: formats.Registry(registry), Schemas: registry, ServiceID: "some.ksql.service.id",
		Properties: map[string]string{"auto.offset.reset": "earliest", "ksql.headers.columns.enabled": "true"},
		NowMs:      clock, MakeTopics: true, Pipe: pipe,
	})
}

// guarded runs a test; a panic fails that test and no other.
func guarded(c Case, run func() *Failure) (failure *Failure) {
	defer func() {
		if r := recover(); r != nil {
			failure = &Failure{File: c.File(), Line: c.Line(), Message: fmt.Sprintf("An error within ksqlgo, please report it: %v\n%s", r, debug.Stack())}
		}
	}()
	return run()
}

// broken is a file that holds no tests that could be run.
type broken struct{ failure Failure }

func (b *broken) File() string { return b.failure.File }

func (b *broken) Line() int { return b.failure.Line }

func (b *broken) Name() string { return "the file as a whole" }

// Run implements [Case].
func (b *broken) Run(context.Context) *Failure {
	f := b.failure
	return &f
}
