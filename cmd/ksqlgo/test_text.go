package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/cmd/internal/render"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// textTests tells people of tests.
type textTests struct {
	out   io.Writer
	style render.Style
}

func (t *textTests) test(r *testResult) {
	mark := t.style.Good("✓")
	if r.failure != nil {
		mark = t.style.Bad("✗")
	}
	took := t.style.Dim("(" + millis(r.took) + ")")
	if u, ok := r.test.(*sqltest.RunnerTest); ok && u.Updated() {
		took += t.style.Warn(" outputs written")
	}
	fmt.Fprintf(t.out, "%s %s: %s %s\n", mark, render.Printable(r.test.File()), render.Printable(r.test.Name()), took)
	if r.failure != nil {
		t.failure(r.failure)
	}
}

// maxStatementLines bounds how much of a statement a failure shows.
const maxStatementLines = 6

// failure shows where a test failed, why, and what was expected and what came.
func (t *textTests) failure(f *sqltest.Failure) {
	fmt.Fprintf(t.out, "    %s\n", t.style.Bold(placeOf(f)))
	if d, ok := diag.As(f.Err); ok && d.Span.IsValid() {
		printable := *d
		printable.Message = render.Printable(f.Message)
		t.indent(diag.RenderStyled(&printable, f.Source, t.style.Diagnostics()))
		return
	}
	for _, line := range strings.Split(render.Printable(f.Message), "\n") {
		t.indent(t.style.Bad(line))
	}
	if f.Statement != "" {
		lines := strings.Split(f.Statement, "\n")
		if len(lines) > maxStatementLines {
			lines = append(lines[:maxStatementLines:maxStatementLines], "…")
		}
		t.indent(render.Printable("  " + strings.Join(lines, "\n  ")))
	}
	if d, ok := diag.As(f.Err); ok && d.Hint != "" {
		t.indent(t.style.Hint("Hint: " + d.Hint))
	}
	for _, d := range f.Diff {
		line := fmt.Sprintf("%c %s", d.Sign, render.Printable(d.Text))
		switch d.Sign {
		case '-':
			line = t.style.Good(line)
		case '+':
			line = t.style.Bad(line)
		}
		t.indent(line)
	}
	if hasSigns(f.Diff) {
		t.indent(t.style.Dim("(- expected, + came)"))
	}
}

func hasSigns(lines []sqltest.DiffLine) bool {
	return slices.ContainsFunc(lines, func(l sqltest.DiffLine) bool { return l.Sign != ' ' })
}

func placeOf(f *sqltest.Failure) string {
	if f.Line == 0 {
		return f.File
	}
	return fmt.Sprintf("%s:%d", f.File, f.Line)
}

func (t *textTests) indent(text string) {
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(t.out, "      %s\n", line)
	}
}

func (t *textTests) summary(passed, failed, left int, took time.Duration) {
	paint := t.style.Good
	if failed+left > 0 {
		paint = t.style.Bad
	}
	fmt.Fprintln(t.out, paint(summaryText(passed, failed, left, took)))
}
