package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// jsonTests prints one object a test.
type jsonTests struct {
	out, notes io.Writer
}

// testObject is the object of a test.
type testObject struct {
	File         string         `json:"file"`
	Line         int            `json:"line"`
	Name         string         `json:"name"`
	Status       string         `json:"status"`
	Milliseconds float64        `json:"milliseconds"`
	Failure      *failureObject `json:"failure,omitempty"`
}

type failureObject struct {
	File      string       `json:"file"`
	Line      int          `json:"line,omitempty"`
	Column    int          `json:"column,omitempty"`
	Message   string       `json:"message"`
	Hint      string       `json:"hint,omitempty"`
	Statement string       `json:"statement,omitempty"`
	Diff      []diffObject `json:"diff,omitempty"`
}

type diffObject struct {
	// Side is expected, actual or both.
	Side string `json:"side"`
	Text string `json:"text"`
}

func (j *jsonTests) test(r *testResult) {
	o := testObject{File: r.test.File(), Line: r.test.Line(), Name: r.test.Name(), Status: "passed", Milliseconds: float64(r.took.Microseconds()) / 1000}
	if r.failure != nil {
		o.Status, o.Failure = "failed", failureOf(r.failure)
	}
	e := json.NewEncoder(j.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(o); err != nil {
		fmt.Fprintln(j.notes, err)
	}
}

func failureOf(f *sqltest.Failure) *failureObject {
	o := &failureObject{File: f.File, Line: f.Line, Message: f.Message, Statement: f.Statement}
	if d, ok := diag.As(f.Err); ok {
		o.Hint, o.Column = d.Hint, d.Span.Start.Column
	}
	for _, d := range f.Diff {
		o.Diff = append(o.Diff, diffObject{map[byte]string{'-': "expected", '+': "actual", ' ': "both"}[d.Sign], d.Text})
	}
	return o
}

func (j *jsonTests) summary(passed, failed, left int, took time.Duration) {
	fmt.Fprintln(j.notes, summaryText(passed, failed, left, took))
}
