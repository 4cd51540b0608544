package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runTests runs ksqlgo test and returns its code and what it wrote to either output.
func runTests(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(append([]string{"test"}, args...), &streams{out: &o, err: &e})
	return code, o.String(), e.String()
}

// failing is a file with a test of each kind of failure.
const failing = `--@test: passes
CREATE TYPE t AS INT;
--@test: rows <&> differ
CREATE STREAM s (k INT KEY, v STRING) WITH (kafka_topic='s', value_format='JSON');
INSERT INTO s VALUES (1, 'a');
ASSERT VALUES s VALUES (1, 'b');
--@test: a statement fails
CREATE STREAM s (k INT KEY, v STRING) WITH (kafka_topic='s', value_format='JSON');
CREATE STREAM o AS
  SELECT k, vv FROM s;
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTestExitCodes(t *testing.T) {
	t.Parallel()
	const dir = "testdata/tests/large_orders/"
	bad := write(t, "bad.sql", failing)
	for name, c := range map[string]struct {
		args string
		code int
		// out and errs are parts of the outputs.
		out, errs string
	}{
		"folder":              {"testdata/tests", 0, "3 passed, 0 failed", ""},
		"file":                {"testdata/tests/orders.sql", 0, "✓ testdata/tests/orders.sql: small orders are left out (", ""},
		"the gallery's tests": {"../../queries", 0, " passed, 0 failed", ""},
		"runner":              {"-s " + dir + "statements.sql -i " + dir + "input.json -o " + dir + "output.json", 0, "1 passed, 0 failed", ""},
		"long flags":          {"--sql-file " + dir + "statements.sql --input-file=" + dir + "input.json --output-file " + dir + "output.json", 0, "1 passed", ""},
		"run-ksql-test":       {"--test-directory testdata/tests --temp-folder x", 0, "3 passed", ""},
		"failures":            {bad, 1, "1 passed, 2 failed", ""},
		"some failures":       {"testdata/tests " + bad, 1, "4 passed, 2 failed", ""},
		"nothing goes in":     {"-s " + dir + "statements.sql -o " + dir + "output.json", 1, "Topic LARGE_ORDERS. Expected <2> records but it was <0>", ""},
		"nothing":             {"", 2, "", "name the files or folders of the tests"},
		"no output":           {"-s " + dir + "statements.sql", 2, "", "--sql-file needs --output-file"},
		"no statements":       {"-o " + dir + "output.json", 2, "", "belong to --sql-file"},
		"both":                {"-s a -o b c", 2, "", "name either files and folders, or one test"},
		"extensions":          {"-s a -o b -e c", 2, "", "functions in Java"},
		"unknown flag":        {"--nope", 2, "", "unknown flag --nope"},
		"no such file":        {"nowhere.sql", 2, "", "nowhere.sql"},
		"no such input":       {"-s " + dir + "statements.sql -i nowhere.json -o " + dir + "output.json", 2, "", "nowhere.json"},
		"no tests":            {"../../queries/word_count", 2, "", "holds no tests"},
		"unknown test":        {"testdata/tests --test nope", 2, "", "there is no test named \"nope\"; there are:\n  large_orders\n  small orders"},
		"misspelt test":       {"testdata/tests --test large_order", 2, "", "did you mean \"large_orders\"?"},
		"JUnit nowhere":       {"testdata/tests --junit no/such/folder/x.xml", 2, "3 passed", "the results cannot be written"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := runTests(strings.Fields(c.args)...)
			if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) {
				t.Errorf("code %d\n%s\n%s", code, out, errs)
			}
		})
	}
	code, out, _ := runTests("testdata/tests", "--test", "amounts add up", "--test=large_orders")
	if code != 0 || !strings.Contains(out, "2 passed, 0 failed") {
		t.Errorf("chosen tests: %d, %s", code, out)
	}
}

// What people read: the place, the statement with a caret, or what was expected and what came.
func TestTestText(t *testing.T) {
	t.Parallel()
	file := write(t, "bad.sql", failing)
	_, out, _ := runTests(file)
	for _, want := range []string{
		"✓ " + file + ": passes (",
		"✗ " + file + ": rows <&> differ (",
		"    " + file + ":6\n      Expected record does not match actual.\n      Record 1 of s differs in V.\n        ASSERT VALUES s VALUES (1, 'b');\n" +
			"      - K=1, V='b'\n      + K=1, V='a'\n      (- expected, + came)\n",
		"    " + file + ":10\n",
		"      line 10:13\n          SELECT k, vv FROM s;\n                    ^^\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("colours without a terminal: %q", out)
	}
}

// Names and values cannot move the cursor.
func TestTestTextIsPrintable(t *testing.T) {
	t.Parallel()
	_, out, _ := runTests(write(t, "bad.sql", "--@test: a\x1b[2Jb\nCREATE STREAM s (k INT KEY, v STRING) WITH (kafka_topic='s', value_format='JSON');\n"+
		"INSERT INTO s VALUES (1, 'x\x1b[2Jy');\nASSERT VALUES s VALUES (1, '\x1b]0;z');"))
	if strings.Contains(out, "\x1b") || !strings.Contains(out, "0 passed, 1 failed") {
		t.Errorf("%q", out)
	}
}

func TestTestJSON(t *testing.T) {
	t.Parallel()
	code, out, errs := runTests(write(t, "bad.sql", failing), "--json")
	if code != 1 || !strings.Contains(errs, "1 passed, 2 failed") {
		t.Errorf("code %d, %s", code, errs)
	}
	var tests []testObject
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var o testObject
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, o)
	}
	if len(tests) != 3 || tests[0].Status != "passed" || tests[0].Failure != nil || tests[1].Status != "failed" || tests[1].Name != "rows <&> differ" || tests[1].Line != 3 {
		t.Fatalf("%s", out)
	}
	if f := tests[1].Failure; f.Line != 6 || len(f.Diff) != 2 || f.Diff[0] != (diffObject{"expected", "K=1, V='b'"}) || f.Diff[1] != (diffObject{"actual", "K=1, V='a'"}) {
		t.Errorf("%+v", f)
	}
	if f := tests[2].Failure; f.Line != 10 || f.Column != 13 || f.Hint == "" || !strings.Contains(f.Statement, "SELECT k, vv") {
		t.Errorf("%+v", f)
	}
}

func TestTestJUnit(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report.xml")
	bad := write(t, "bad.sql", failing+"--@test: odd \x01 ]]>\nX;")
	if code, out, errs := runTests(bad, "testdata/tests", "--junit", report); code != 1 {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(text, &suites); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if suites.Tests != 7 || suites.Failures != 3 || len(suites.Suites) != 3 {
		t.Fatalf("%s", text)
	}
	first := suites.Suites[0]
	if first.Name != bad || first.Tests != 4 || first.Failures != 3 || len(first.Cases) != 4 || first.Cases[0].Failure != nil {
		t.Errorf("%+v", first)
	}
	if c := first.Cases[1]; c.Name != "rows <&> differ" || c.Class != bad || c.Failure == nil || c.Failure.Type != "assertion" ||
		c.Failure.Message != "Expected record does not match actual." || !strings.Contains(c.Failure.Text, "+ K=1, V='a'") {
		t.Errorf("%+v %+v", c, c.Failure)
	}
	if c := first.Cases[2]; c.Failure == nil || c.Failure.Type != "error" {
		t.Errorf("%+v", c)
	}
}

// --update writes output.json of tests in the runner's form and nothing else.
func TestTestUpdate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/tests")); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.sql")
	if err := os.WriteFile(bad, []byte(failing), 0o600); err != nil {
		t.Fatal(err)
	}
	output := filepath.Join(dir, "large_orders", "output.json")
	right := contents(t, dir)
	if err := os.WriteFile(output, []byte(`{"outputs": [{"topic": "LARGE_ORDERS", "key": "x", "value": null}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := runTests(dir, "--update")
	if code != 1 || !strings.Contains(out, "4 passed, 2 failed") || strings.Count(out, "outputs written") != 1 {
		t.Errorf("%d %s", code, out)
	}
	after := contents(t, dir)
	written := after[output]
	if strings.Contains(written, "SPENT") || strings.Contains(written, "timestamp") || strings.Count(written, "LARGE_ORDERS") != 2 {
		t.Errorf("%s", written)
	}
	right[output] = written
	for file, text := range after {
		if right[file] != text {
			t.Errorf("%s was changed", file)
		}
	}
	if len(after) != len(right) {
		t.Errorf("%d files, %d before", len(after), len(right))
	}
	if code, out, _ = runTests(filepath.Join(dir, "large_orders"), "--update"); code != 0 || strings.Contains(out, "written") {
		t.Errorf("again: %d %s", code, out)
	}
}

// contents reads all files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		out[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// interrupter cancels a context at the first thing that is written.
type interrupter struct {
	bytes.Buffer
	cancel context.CancelFunc
}

func (w *interrupter) Write(p []byte) (int, error) {
	w.cancel()
	return w.Buffer.Write(p)
}

// Ctrl-C ends the run after the test that runs; what was not run is said, and the code is that of an interrupt.
func TestTestInterrupt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &interrupter{cancel: cancel}
	report := filepath.Join(t.TempDir(), "report.xml")
	err := (&testCommand{Paths: []string{write(t, "bad.sql", failing)}, JUnit: report}).run(ctx, &streams{out: out, err: io.Discard})
	var exit *exitError
	if !errors.As(err, &exit) || exit.code != exitInterrupted || !strings.Contains(out.String(), "1 passed, 0 failed, 2 not run") {
		t.Errorf("%v\n%s", err, out.String())
	}
	text, err := os.ReadFile(report)
	if err != nil || !strings.Contains(string(text), `tests="3" failures="0" errors="0" skipped="2"`) {
		t.Errorf("%v\n%s", err, text)
	}
}

// ksqlgo run leaves the tests beside query files alone.
func TestRunLeavesTestsOut(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"../../queries/user_accounts", "../../queries/page_views", "../../queries/order_enrichment"} {
		files, err := readFiles([]string{dir})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.Contains(f.Name, "tests") {
				t.Errorf("%s would be applied", f.Name)
			}
		}
		if len(files) < 2 {
			t.Errorf("%s: %d files", dir, len(files))
		}
	}
}
