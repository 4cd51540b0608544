package sqltest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The file holds two commands. script NAME keeps a text that RUN SCRIPT finds under that name. test runs a file of tests and prints
// what became of each.
func TestSQLTestRuns(t *testing.T) {
	scripts := map[string]string{}
	opts := Options{Scripts: func(_, path string) (string, []byte, error) {
		text, ok := scripts[path]
		if !ok {
			return path, nil, errors.New("no such script")
		}
		return path, []byte(text), nil
	}}
	datadriven.RunTest(t, "testdata/sqltests", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "script" {
			scripts[d.CmdArgs[0].Key] = d.Input
			return "kept\n"
		}
		var b strings.Builder
		for _, c := range ParseSQL("f.sql", d.Input, opts) {
			if f := c.Run(t.Context()); f != nil {
				fmt.Fprintf(&b, "✗ %s\n  %s\n", c.Name(), strings.ReplaceAll(f.Error(), "\n", "\n  "))
			} else {
				fmt.Fprintf(&b, "✓ %s\n", c.Name())
			}
		}
		return b.String()
	})
}

// A test that is interrupted is not one that fails, and not what an expected error is either.
func TestInterruptedTest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range ParseSQL("f.sql", "--@test: a\n--@expected.message: canceled\nCREATE TYPE t AS INT;", Options{}) {
		if f := c.Run(ctx); f == nil || !errors.Is(f, context.Canceled) {
			t.Errorf("%v", f)
		}
	}
}

// A row goes to all queries before what they make of it goes on: the join sees it before the filtered copy of it.
func TestPipeOrder(t *testing.T) {
	t.Parallel()
	const text = `--@test: diamond
CREATE STREAM s (id INT KEY, v INT) WITH (kafka_topic='s', value_format='JSON');
CREATE STREAM copy AS SELECT id, v * 10 AS v FROM s;
CREATE STREAM j AS SELECT s.id AS id, s.v AS a, c.v AS b FROM s LEFT JOIN copy c WITHIN 1 HOUR ON s.id = c.id;
INSERT INTO s (rowtime, id, v) VALUES (5, 1, 2);
ASSERT VALUES j (id, a, b) VALUES (1, 2, NULL);
ASSERT VALUES j (id, a, b) VALUES (1, 2, 20);`
	for _, c := range ParseSQL("f.sql", text, Options{}) {
		if f := c.Run(t.Context()); f != nil {
			t.Error(f)
		}
	}
}

// A panic fails the test that runs, and no other.
func TestPanicFailsATest(t *testing.T) {
	t.Parallel()
	f := guarded(&broken{Failure{File: "f.sql", Line: 3}}, func() *Failure { panic("oh") })
	if f == nil || f.File != "f.sql" || f.Line != 3 || !strings.Contains(f.Message, "please report it: oh") {
		t.Errorf("%v", f)
	}
}
