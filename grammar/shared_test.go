package grammar_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/format"
)

// everything accepts all statements there are.
var everything = grammar.Options{TestStatements: true, RunScript: true}

// roundTrip parses, prints in each form and parses again, and compares the trees.
func roundTrip(t *testing.T, text string, opts grammar.Options) []grammar.Stmt {
	t.Helper()
	stmts, err := grammar.Parse(text, opts)
	if err != nil {
		t.Errorf("%s\nof:\n%s", diag.Render(err, text), clip(text))
		return nil
	}
	for _, stmt := range stmts {
		for _, options := range []format.Options{{}, {Quoting: format.QuoteAlways}} {
			printed := options.Statement(stmt.Statement)
			again, err := grammar.ParseOne(printed, opts)
			if err != nil {
				t.Errorf("printed statement does not parse: %s\nof:\n%s", diag.Render(err, printed), clip(stmt.Text))
			} else if !ast.Equal(stmt.Statement, again.Statement) {
				t.Errorf("the tree changed:\n%s\n%s", clip(stmt.Text), clip(printed))
			} else if p := options.Statement(again.Statement); p != printed {
				t.Errorf("the print changed:\n%s\n%s", clip(printed), clip(p))
			}
		}
	}
	laidOut, err := format.Format(text)
	if err != nil {
		t.Errorf("%v\nof:\n%s", err, clip(text))
		return stmts
	}
	again, err := grammar.Parse(laidOut, opts)
	if err != nil || len(again) != len(stmts) {
		t.Errorf("formatted text does not parse: %v\n%s", err, clip(laidOut))
		return stmts
	}
	for i := range stmts {
		if !ast.Equal(stmts[i].Statement, again[i].Statement) {
			t.Errorf("formatting changed the tree:\n%s\n%s", clip(stmts[i].Text), clip(again[i].Text))
		}
	}
	if twice, err := format.Format(laidOut); err != nil || twice != laidOut {
		t.Errorf("formatting is not stable: %v\n--- source\n%s\n--- once\n%s\n--- twice\n%s", err, clip(text), clip(laidOut), clip(twice))
	}
	return stmts
}

func clip(s string) string {
	if len(s) > 4000 {
		return s[:4000] + "..."
	}
	return s
}

// shared finds the folder of the reference material, which stands beside the checkout.
func shared(t *testing.T, name, variable string) string {
	t.Helper()
	if dir := os.Getenv(variable); dir != "" {
		return dir
	}
	dir := filepath.Join("..", "..", "shared", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: %s is not there and %s is not set", dir, variable)
	}
	return dir
}

func TestAcceptanceProgramsRoundTrip(t *testing.T) {
	dir := shared(t, "acceptance", "ACCEPTANCE_DIR")
	files, statements := 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".sql" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		rel, _ := filepath.Rel(dir, path)
		t.Run(rel, func(t *testing.T) {
			statements += len(roundTrip(t, string(text), everything))
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d statements", files, statements)
}

func TestConformanceStatementsRoundTrip(t *testing.T) {
	dir := shared(t, "conformance", "CONFORMANCE_DIR")
	type testCase struct {
		Name              string
		Statements        []string
		Format            []string
		Config            []json.RawMessage
		ExpectedException json.RawMessage
		ExpectedError     json.RawMessage
	}
	cases, statements := 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if filepath.Ext(path) == ".sql" {
			text, err := os.ReadFile(path)
			if err == nil && !strings.Contains(path, "incorrect") {
				statements += len(roundTrip(t, string(text), everything))
			}
			return err
		}
		if filepath.Ext(path) != ".json" {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var file struct{ Tests []testCase }
		if json.Unmarshal(data, &file) != nil {
			return nil // inputs of the test tools
		}
		for _, c := range file.Tests {
			cases++
			for i, text := range c.Statements {
				refused := i == len(c.Statements)-1 && (c.ExpectedException != nil || c.ExpectedError != nil)
				name := "JSON"
				if len(c.Format) > 0 {
					name = c.Format[0]
				}
				text = strings.ReplaceAll(text, "{FORMAT}", name)
				if len(c.Config) > 0 {
					text = strings.ReplaceAll(text, "{CONFIG}", strings.Trim(string(c.Config[0]), `"`))
				}
				if refused {
					if _, err := grammar.Parse(text, everything); err != nil {
						continue
					}
				}
				t.Run(filepath.Base(path)+"/"+c.Name, func(t *testing.T) {
					statements += len(roundTrip(t, text, everything))
				})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cases, %d statements", cases, statements)
}

// The messages of ksqlDB's parser are compared: they have positions in the
// text of all statements of the case, one a line.
func TestConformanceSyntaxErrors(t *testing.T) {
	dir := shared(t, "conformance", "CONFORMANCE_DIR")
	paths, err := filepath.Glob(filepath.Join(dir, "query-validation-tests", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	type expected struct{ Type, Message string }
	checked := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Tests []struct {
				Name              string
				Statements        []string
				ExpectedException *expected
			}
		}
		if err := json.Unmarshal(data, &file); err != nil {
			continue
		}
		for _, c := range file.Tests {
			want := c.ExpectedException
			if want == nil || !strings.HasSuffix(want.Type, "ParseFailedException") || strings.Contains(want.Message, "WINDOW_SIZE") {
				continue
			}
			checked++
			t.Run(filepath.Base(path)+"/"+c.Name, func(t *testing.T) {
				text := strings.Join(c.Statements, "\n")
				stmts, err := grammar.Parse(text, grammar.Options{})
				if err == nil {
					t.Fatalf("no error, want %q", want.Message)
				}
				got := err.Error() + "\nStatement: " + c.Statements[len(stmts)]
				if !strings.Contains(got, want.Message) {
					t.Errorf("got  %q\nwant %q", got, want.Message)
				}
				if e, ok := diag.As(err); !ok || !e.Span.IsValid() || e.Hint == "" {
					t.Errorf("error without place or hint: %#v", err)
				}
			})
		}
	}
	t.Logf("%d messages", checked)
}
