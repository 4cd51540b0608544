package sqltest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/grammar/token"
)

func TestParseDirective(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, kind, content, err string }{
		{"--@test: a name, with: colons", "test", "a name, with: colons", ""},
		{"--@TEST:x", "test", "x", ""},
		{"--@test:", "", "", "needs a text"},
		{"--@test", "", "", "This is no directive"},
		{"--@expected.error: java.lang.AssertionError", "expected.error", "java.lang.AssertionError", ""},
		{"--@expected.error: io.confluent.ksql.util.KsqlException\r", "expected.error", "io.confluent.ksql.util.KsqlException", ""},
		{"--@expected.error: Exception", "expected.error", "Exception", ""},
		{"--@expected.error: something bad", "", "", "names a class"},
		{"--@expected.error: KsqlExceptions", "", "", "names a class"},
		{"--@expected.message: (a) [b]  ", "expected.message", "(a) [b]", ""},
		{"--@expected.messages: x", "", "", "Unknown directive --@expected.messages"},
		{"--@tset: x", "", "", "Unknown directive --@tset"},
		{"--@: x", "", "", "This is no directive"},
	} {
		d, err := parseDirective(token.Token{Kind: token.Directive, Text: c.text})
		switch {
		case c.err == "" && (err != nil || d.kind != c.kind || d.text != c.content):
			t.Errorf("%q: %+v, %v", c.text, d, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%q: error %v, want %q", c.text, err, c.err)
		}
	}
}

func TestParseSQL(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		// tests are line, name and flaw of each.
		tests []string
	}{
		"no tests":         {"CREATE STREAM s;\n-- @test: no\n--test: no\n", nil},
		"two":              {"-- head\n--@test: a\nX;\nY;\n--@test: b\n\nZ;", []string{"2 a", "5 b"}},
		"names twice":      {"--@test: a\nX;--@test: a\nX;--@test: a\nX;", []string{"1 a", "2 a #2", "3 a #3"}},
		"before the first": {"X;\n--@test: a\nY;", []string{"1 the file as a whole: Expected test to start with --@test.", "2 a"}},
		"directive before": {"--@expected.message: x\n--@test: a\nY;", []string{"1 the file as a whole: Expected test to start with --@test.", "2 a"}},
		"unknown":          {"--@test: a\nX;\n--@tst: b\nY;\n--@test: c\nZ;", []string{"1 a: Unknown directive --@tst.", "5 c"}},
		"empty":            {"--@test: a\n--@test: b\nX;\n--@test: c\n--@expected.message: d", []string{"1 a: The test holds no statements.", "2 b", "4 c: The test holds no statements."}},
		"commented out":    {"--@test: a\nX;\n/* --@test: b\nY; */\nZ;", []string{"1 a"}},
		"in a string":      {"--@test: a\nX '\n--@test: b\n';", []string{"1 a"}},
		"in a statement":   {"--@test: a\nX\n--@test: b\nY;Z;", []string{"1 a", "3 b"}},
		"windows":          {"--@test: a\r\nX;\r\n--@test: b\r\nY;\r\n", []string{"1 a", "3 b"}},
	} {
		var got []string
		for _, tt := range ParseSQL("f.sql", c.text, Options{}) {
			got = append(got, describe(tt))
		}
		if strings.Join(got, "|") != strings.Join(c.tests, "|") {
			t.Errorf("%s: %q, want %q", name, got, c.tests)
		}
	}
}

// describe gives line, name and flaw of a test.
func describe(c Case) string {
	text := fmt.Sprint(c.Line(), " ", c.Name())
	var flaw *Failure
	switch x := c.(type) {
	case *SQLTest:
		flaw = x.flaw
	case *broken:
		flaw = &x.failure
	}
	if flaw != nil {
		first, _, _ := strings.Cut(flaw.Message, "\n")
		text += ": " + first
	}
	return text
}

// Whatever the text is, every directive that names a test makes one, at its line, and all statements are in some test.
func FuzzParseSQL(f *testing.F) {
	f.Add("--@test: a\nCREATE STREAM s;\n--@expected.error: KsqlException\n--@expected.message: m\nX;")
	f.Add("X;\n--@test: a\n--@nope: b\nY '")
	f.Add("--@test: a\n/* --@test: b */ X\n--@test: c\n;\n;--@")
	f.Fuzz(func(t *testing.T, text string) {
		wanted := 0
		for _, d := range directivesOf(text) {
			if p, err := parseDirective(d); err == nil && p.kind == directiveTest {
				wanted++
			}
		}
		tests, statements, last := 0, 0, 0
		before := false
		for _, c := range ParseSQL("f.sql", text, Options{}) {
			if c.Line() > 1+strings.Count(text, "\n") {
				t.Errorf("%s at line %d", c.Name(), c.Line())
			}
			x, ok := c.(*SQLTest)
			if !ok {
				before = true
				continue
			}
			tests++
			if x.line < last {
				t.Errorf("line %d after line %d", x.line, last)
			}
			last = x.line
			for _, s := range x.steps {
				if s.directive == nil {
					statements++
				}
			}
		}
		if tests != wanted {
			t.Errorf("%d tests of %d directives", tests, wanted)
		}
		if all := len(token.Split(text)); tests > 0 && !before && statements != all {
			t.Errorf("%d statements of %d", statements, all)
		}
	})
}
