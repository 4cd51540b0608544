package sqltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeRunner writes the files of a test into a folder of their own; an empty text is no file.
func writeRunner(t testing.TB, statements, input, output string) RunnerFiles {
	t.Helper()
	dir := t.TempDir()
	files := RunnerFiles{Statements: filepath.Join(dir, "statements.sql"), Output: filepath.Join(dir, "output.json")}
	put := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	put("statements.sql", statements)
	if input != "" {
		files.Input = put("input.json", input)
	}
	if output != "" {
		put("output.json", output)
	}
	return files
}

const filterSQL = `CREATE STREAM s (k INT KEY, v INT) WITH (kafka_topic='in', value_format='JSON');
CREATE STREAM o WITH (kafka_topic='out') AS SELECT * FROM s WHERE v > 1;`

const filterIn = `{"inputs": [
  {"topic": "in", "key": 1, "value": {"V": 1}},
  {"topic": "in", "key": 2, "value": {"V": 2}, "timestamp": 5},
  {"topic": "in", "key": 3, "value": {"v": 3}, "timestamp": 6, "headers": [{"KEY": "h", "VALUE": "IQ=="}]}
]}`

func TestRunner(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statements, input, output string
		// want is a part of the failure, "" for a pass; file and line are its place.
		want, file string
		line       int
	}{
		"passes": {filterSQL, filterIn, `{"outputs": [
			{"topic": "out", "key": 2, "value": {"V": 2}, "timestamp": 5},
			{"topic": "out", "key": 3, "value": {"V": 3.0}, "headers": [{"KEY": "h", "VALUE": "IQ=="}]}]}`, "", "", 0},
		"inserted": {filterSQL + "INSERT INTO s VALUES (1, 2);", "", `{"outputs": [{"topic": "out", "key": 1, "value": {"V": 2}, "timestamp": 0}]}`, "", "", 0},
		"variables": {"DEFINE t = 'in';" + strings.ReplaceAll(filterSQL, "'in'", "'${t}'"), filterIn, `{"outputs": [
			{"topic": "out", "key": 2, "value": {"V": 2}}, {"topic": "out", "key": 3, "value": {"V": 3}, "headers": [{"KEY": "h", "VALUE": "IQ=="}]}]}`, "", "", 0},
		"value": {filterSQL, filterIn, `{"outputs": [
			{"topic": "out", "key": 2, "value": {"V": 2}},
			{"topic": "out", "key": 3, "value": {"V": 4}, "headers": [{"KEY": "h", "VALUE": "IQ=="}]}]}`,
			`Topic 'out', message 1: Expected <3, {"V":4}> with timestamp=6 and headers=[{KEY=h,VALUE=IQ==}] but was <3, {"V":3}> with timestamp=6 and headers=[{KEY=h,VALUE=IQ==}]`, "output.json", 3},
		"timestamp": {filterSQL, filterIn, `{"outputs": [
			{"topic": "out", "key": 2, "value": {"V": 2}, "timestamp": 0},
			{"topic": "out", "key": 3, "value": {"V": 3}}]}`,
			`Topic 'out', message 0: Expected <2, {"V":2}> with timestamp=0 and headers=[] but was <2, {"V":2}> with timestamp=5 and headers=[]`, "output.json", 2},
		"too few": {filterSQL, filterIn, `{"outputs": [
			{"topic": "out", "key": 2, "value": {"V": 2}},
			{"topic": "out", "key": 9, "value": {"V": 9}},
			{"topic": "out", "key": 3, "value": {"V": 3}, "headers": [{"KEY": "h", "VALUE": "IQ=="}]}]}`,
			"Topic out. Expected <3> records but it was <2>\n  {\"key\": 2, \"value\": {\"V\":2}, \"timestamp\": 5}\n- {\"key\": 9, \"value\": {\"V\":9}}\n  {\"key\": 3", "output.json", 3},
		"too many":           {filterSQL, filterIn, `{"outputs": [{"topic": "out", "key": 2, "value": {"V": 2}}]}`, "Topic out. Expected <1> records but it was <2>", "output.json", 1},
		"no such topic":      {filterSQL, filterIn, `{"outputs": [{"topic": "nowhere", "key": 2, "value": {"V": 2}}]}`, "Topic nowhere. Expected <1> records but it was <0>", "output.json", 1},
		"statement":          {"CREATE TYPE t AS INT;\nCREATE STREAM o AS\n SELECT * FROM nowhere;", filterIn, `{"outputs": [{"topic": "o"}]}`, "NOWHERE does not exist.", "statements.sql", 3},
		"asserts are not":    {"ASSERT VALUES s (a) VALUES (1);", filterIn, `{"outputs": [{"topic": "o"}]}`, "Syntax error at or near 'VALUES'", "statements.sql", 1},
		"connectors are not": {"CREATE SOURCE CONNECTOR c WITH ('a'='b');", filterIn, `{"outputs": [{"topic": "o"}]}`, "CREATE CONNECTOR is not run in query tests.", "statements.sql", 1},
		"input of other type": {filterSQL, `{"inputs": [
			{"topic": "in", "key": "x", "value": {"V": 2}}]}`, `{"outputs": [{"topic": "o"}]}`, "Input 1 cannot be written to topic in: key:", "input.json", 2},
		"input without topic":  {filterSQL, "{\"inputs\": [\n\n{\"key\": 1}]}", `{"outputs": [{"topic": "o"}]}`, "Input 1: the record has no topic", "input.json", 3},
		"timestamp as text":    {filterSQL, filterIn, `{"outputs": [{"topic": "o", "timestamp": "1"}]}`, "Output 1: json: cannot unmarshal string", "output.json", 1},
		"header":               {filterSQL, filterIn, `{"outputs": [{"topic": "o"}, {"topic": "o", "headers": [{"KEY": "a", "VALUE": "!"}]}]}`, "Output 2: the value of header a is no base64", "output.json", 1},
		"window":               {filterSQL, filterIn, `{"outputs": [{"topic": "o", "window": {"start": 1, "end": 2, "type": "HOP"}}]}`, "the type of a window is TIME or SESSION", "output.json", 1},
		"no JSON":              {filterSQL, "{\"inputs\": [\n{\"topic\": }]}", `{"outputs": [{"topic": "o"}]}`, "The file is no JSON: invalid character '}'", "input.json", 2},
		"something behind":     {filterSQL, filterIn, "{\"outputs\": [{\"topic\": \"o\"}]}\n}", "The file is no JSON", "output.json", 2},
		"a list":               {filterSQL, filterIn, `[]`, "no JSON object with a field 'outputs'", "output.json", 1},
		"no list":              {filterSQL, filterIn, `{"outputs": {}}`, "The field 'outputs' is no list.", "output.json", 1},
		"no inputs":            {filterSQL, `{"outputs": []}`, `{"outputs": [{"topic": "o"}]}`, "No 'inputs' field in the input file.", "input.json", 1},
		"a window that is not": {filterSQL, filterIn, `{"outputs": [{"topic": "out", "key": 2, "value": {"V": 2}, "window": {"start": 1, "end": 2, "type": "TIME"}}, {"topic": "out", "key": 3, "value": null}]}`, "no window, want", "output.json", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test, err := LoadRunner(writeRunner(t, c.statements, c.input, c.output), Options{})
			if err != nil {
				t.Fatal(err)
			}
			f := test.Run(t.Context())
			switch {
			case c.want == "" && f != nil:
				t.Error(f)
			case c.want == "":
			case f == nil || !strings.Contains(f.Error(), c.want):
				t.Errorf("%v\nwant %s", f, c.want)
			case filepath.Base(f.File) != c.file || f.Line != c.line:
				t.Errorf("%s:%d, want %s:%d", f.File, f.Line, c.file, c.line)
			}
		})
	}
}

// What --update writes passes, and what is right already is left alone.
func TestRunnerUpdate(t *testing.T) {
	t.Parallel()
	const windowed = `CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='in', value_format='JSON');
		CREATE TABLE n AS SELECT k, COUNT(*) AS n FROM s WINDOW SESSION (10 SECONDS) GROUP BY k;
		CREATE STREAM d WITH (value_format='DELIMITED') AS SELECT k, v, 'a<b' AS t FROM s;
		CREATE STREAM a WITH (value_format='AVRO') AS SELECT * FROM s;`
	const in = `{"inputs": [{"topic": "in", "key": "x", "value": {"V": 1}, "timestamp": 3}, {"topic": "in", "key": "x", "value": {"V": 2}, "timestamp": 4, "headers": [{"KEY": "h", "VALUE": null}]}]}`
	for name, c := range map[string]struct{ before, after string }{
		"no file": {"", `{
  "outputs": [
    {"topic": "N", "key": "x", "value": {"N":1}, "timestamp": 3, "window": {"start": 3, "end": 3, "type": "SESSION"}},
    {"topic": "N", "key": "x", "value": null, "timestamp": 3, "window": {"start": 3, "end": 3, "type": "SESSION"}, "headers": [{"KEY":"h","VALUE":null}]},
    {"topic": "N", "key": "x", "value": {"N":2}, "timestamp": 4, "window": {"start": 3, "end": 4, "type": "SESSION"}, "headers": [{"KEY":"h","VALUE":null}]},
    {"topic": "D", "key": "x", "value": "1,a<b", "timestamp": 3},
    {"topic": "D", "key": "x", "value": "2,a<b", "timestamp": 4, "headers": [{"KEY":"h","VALUE":null}]},
    {"topic": "A", "key": "x", "value": {"V":1}, "timestamp": 3},
    {"topic": "A", "key": "x", "value": {"V":2}, "timestamp": 4, "headers": [{"KEY":"h","VALUE":null}]}
  ]
}
`},
		"its topics": {`{"outputs": [{"topic": "A", "key": "y", "value": {"V": 9}}]}`, `{
  "outputs": [
    {"topic": "A", "key": "x", "value": {"V":1}},
    {"topic": "A", "key": "x", "value": {"V":2}, "headers": [{"KEY":"h","VALUE":null}]}
  ]
}
`},
		"right": {`{"outputs":[{"topic":"A","key":"x","value":{"v":1}},{"topic":"A","key":"x","value":{"v":2},"headers":[{"KEY":"h"}]}]}`,
			`{"outputs":[{"topic":"A","key":"x","value":{"v":1}},{"topic":"A","key":"x","value":{"v":2},"headers":[{"KEY":"h"}]}]}`},
		"broken": {`{"outputs": [`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := writeRunner(t, windowed, in, c.before)
			if c.before == "" {
				if _, err := LoadRunner(files, Options{}); !os.IsNotExist(err) {
					t.Errorf("without update: %v", err)
				}
			}
			if f := runFiles(t, files, Options{Update: true}); f != nil {
				t.Fatal(f)
			}
			got, err := os.ReadFile(files.Output)
			if err != nil || c.after != "" && string(got) != c.after {
				t.Errorf("%v\n%s", err, got)
			}
			if f := runFiles(t, files, Options{}); f != nil {
				t.Errorf("what was written does not pass: %v", f)
			}
		})
	}
	// A test that fails otherwise writes nothing.
	files := writeRunner(t, "CREATE STREAM o AS SELECT * FROM nowhere;", in, `{"outputs": [{"topic": "A"}]}`)
	before, _ := os.ReadFile(files.Output)
	if f := runFiles(t, files, Options{Update: true}); f == nil {
		t.Error("it passes")
	}
	if after, _ := os.ReadFile(files.Output); string(after) != string(before) {
		t.Errorf("%s", after)
	}
}

func runFiles(t *testing.T, files RunnerFiles, opts Options) *Failure {
	t.Helper()
	test, err := LoadRunner(files, opts)
	if err != nil {
		t.Fatal(err)
	}
	return test.Run(t.Context())
}

func TestInterruptedRunner(t *testing.T) {
	t.Parallel()
	test, err := LoadRunner(writeRunner(t, filterSQL, filterIn, `{"outputs": [{"topic": "out"}]}`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f := test.Run(ctx); f == nil || !errors.Is(f, context.Canceled) {
		t.Errorf("%v", f)
	}
}

// Records come out as many as the JSON has, at lines that are there; what is written reads back.
func FuzzReadRecords(f *testing.F) {
	f.Add(filterIn)
	f.Add(`{"a": [1, {"inputs": 2}], "inputs": [{"topic": "x", "key": {"a": null}, "window": {"start": 1, "end": 2, "type": "time"}}]}`)
	f.Add(`{"inputs": [1], "inputs": [{"topic": "\u0000", "value": "\ud800"}]}`)
	f.Add(`{"Inputs": [{"topic": "x"}], "inputs": [{"TOPIC": "y", "headers": [{"key": "a"}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		records, failure := readRecords("f.json", text, "inputs", "input")
		if lines := 1 + strings.Count(text, "\n"); failure != nil && failure.Line > lines {
			t.Errorf("line %d of %d", failure.Line, lines)
		}
		if failure != nil {
			return
		}
		last := 0
		for _, r := range records {
			if r.line < last {
				t.Errorf("line %d after %d", r.line, last)
			}
			last = r.line
		}
		again, failure := readRecords("f.json", strings.Replace(string(outputsText(records)), `"outputs"`, `"inputs"`, 1), "inputs", "input")
		if failure != nil || len(again) != len(records) {
			t.Fatalf("%v: %d records, %d before", failure, len(again), len(records))
		}
		for i := range again {
			if a, b := again[i].text(), records[i].text(); a != b {
				t.Errorf("%s\nbefore %s", a, b)
			}
		}
	})
}

func TestAligned(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ want, got, diff string }{
		{"abc", "abc", "… 3 as expected"},
		{"abc", "abxc", "  a|  b|+ x|  c"},
		{"abc", "ac", "  a|- b|  c"},
		{"abc", "xyz", "- a|- b|- c|+ x|+ y|+ z"},
		{"abcdefg", "abcdefx", "… 4 as expected|  e|  f|- g|+ x"},
		{"", "a", "+ a"},
		{strings.Repeat("a", 100), strings.Repeat("b", 100), strings.Repeat("- a|", maxDiffLines) + "… 160 more records"},
		{strings.Repeat("a", maxAligned+1), strings.Repeat("a", maxAligned) + "b", "… 298 as expected|  a|  a|- a|+ b"},
	} {
		want := make([]*fileRecord, len(c.want))
		for i := range c.want {
			want[i] = &fileRecord{Key: jsonText(c.want[i : i+1])}
		}
		got := make([]fileRecord, len(c.got))
		for i := range c.got {
			got[i] = fileRecord{Key: jsonText(c.got[i : i+1])}
		}
		var lines []string
		for _, d := range diffRecords(want, got, func(i, k int) bool { return c.want[i] == c.got[k] }) {
			text := d.Text
			if strings.HasPrefix(text, "{") {
				text = fmt.Sprintf("%c %s", d.Sign, strings.TrimSuffix(strings.TrimPrefix(text, `{"key": "`), `", "value": null}`))
			}
			lines = append(lines, text)
		}
		if diff := strings.Join(lines, "|"); diff != c.diff {
			t.Errorf("%.20s and %.20s: %s, want %s", c.want, c.got, diff, c.diff)
		}
	}
}
