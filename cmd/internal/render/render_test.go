package render

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
)

var update = flag.Bool("update", false, "rewrite testdata from what is printed")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s\n got:\n%s\nwant:\n%s", path, got, want)
	}
}

func newPrinter(f Format) (*Printer, *strings.Builder, *strings.Builder) {
	var out, notes strings.Builder
	return &Printer{Out: &out, Notes: &notes, Format: f}, &out, &notes
}

// samples are the entities of server/api's own tests: every "@type" once.
func samples(t *testing.T) map[string]api.Entity {
	t.Helper()
	files, err := filepath.Glob("../../../server/api/testdata/entities/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	out := map[string]api.Entity{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e, err := api.DecodeEntity(text)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".json")] = e
	}
	return out
}

func TestEveryEntityRendersInEveryFormat(t *testing.T) {
	for name, e := range samples(t) {
		t.Run(name, func(t *testing.T) {
			p, out, notes := newPrinter(Tabular)
			if err := p.Entities(api.Entities{e}); err != nil {
				t.Fatal(err)
			}
			if notes.Len() != 0 {
				t.Errorf("notes: %s", notes)
			}
			golden(t, name+".txt", out.String())

			p, out, _ = newPrinter(JSON)
			if err := p.Entities(api.Entities{e}); err != nil {
				t.Fatal(err)
			}
			var back api.Entities
			if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back[0].Type() != e.Type() {
				t.Errorf("JSON: %v\n%s", err, out)
			}

			p, out, _ = newPrinter(NDJSON)
			if err := p.Entities(api.Entities{e, e}); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(out.String(), "\n"); n != 2 {
				t.Errorf("NDJSON has %d lines for 2 entities", n)
			}

			p, _, _ = newPrinter(CSV)
			if err := p.Entities(api.Entities{e}); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, name := range api.Types() {
		p, out, _ := newPrinter(Tabular)
		if err := p.Entities(api.Entities{api.NewEntity(name)}); err != nil {
			t.Errorf("empty %s prints %q, %v", name, out, err)
		}
	}
}

func TestRowFormats(t *testing.T) {
	row := func(text string) []json.RawMessage {
		var out []json.RawMessage
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	rows := [][]json.RawMessage{row(`[1,"a,\"b\"",10.10,null]`), row(`[2,"x",1.0E10,{"A":[1,null],"b":"c"}]`)}
	want := map[Format]string{
		Tabular: "+-----+-----+-----+-----+\n|ID   |NAME |TOTAL|S    |\n+-----+-----+-----+-----+\n" +
			"|1    |a,\"b\"|10.10|null |\n|2    |x    |1.0E1|{A=[1|\n|     |     |0    |, nul|\n|     |     |     |l], b|\n|     |     |     |=c}  |\n" +
			"|3    |<TOMB|<TOMB|<TOMB|\n|     |STONE|STONE|STONE|\n|     |>    |>    |>    |\n",
		JSON:   "[1,\"a,\\\"b\\\"\",10.10,null]\n[2,\"x\",1.0E10,{\"A\":[1,null],\"b\":\"c\"}]\n{\"columns\":[3,null,null,null],\"tombstone\":true}\n",
		NDJSON: "{\"ID\":1,\"NAME\":\"a,\\\"b\\\"\",\"TOTAL\":10.10,\"S\":null}\n{\"ID\":2,\"NAME\":\"x\",\"TOTAL\":1.0E10,\"S\":{\"A\":[1,null],\"b\":\"c\"}}\n{\"ID\":3,\"NAME\":null,\"TOTAL\":null,\"S\":null,\"@tombstone\":true}\n",
		CSV:    "ID,NAME,TOTAL,S\n1,\"a,\"\"b\"\"\",10.10,\n2,x,1.0E10,\"{\"\"A\"\":[1,null],\"\"b\"\":\"\"c\"\"}\"\n3,<TOMBSTONE>,<TOMBSTONE>,<TOMBSTONE>\n",
	}
	for _, f := range Formats() {
		p, out, _ := newPrinter(f)
		p.Screen = func() int { return 10 }
		if err := p.BeginRows([]string{"ID", "NAME", "TOTAL", "S"}); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if err := p.Row(r, false); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Row(row(`[3,null,null,null]`), true); err != nil {
			t.Fatal(err)
		}
		if out.String() != want[f] {
			t.Errorf("%s\n got:\n%s\nwant:\n%s", f, out, want[f])
		}
	}
}

func TestCells(t *testing.T) {
	tests := []struct {
		text, wrapped, clipped string
	}{
		{"", "", ""},
		{"abcdefgh", "abcdefgh", "abcdefgh"},
		{"abcdefghi", "abcdefgh|i", "abcde..."},
		{"ab\ncd", "ab|cd", "ab cd"},
		{"日本語日本", "日本語日|本", "日本..."},
		{"a\x1b[31mb\x07", "a\uFFFD[31mb\uFFFD", "a\uFFFD[31mb\uFFFD"},
	}
	for _, test := range tests {
		text := printable(test.text)
		if got := strings.Join(wrapCell(text, 8), "|"); got != test.wrapped {
			t.Errorf("wrap %q: %q, want %q", test.text, got, test.wrapped)
		}
		if got := clipCell(text, 8); got != test.clipped {
			t.Errorf("clip %q: %q, want %q", test.text, got, test.clipped)
		}
	}
}

func TestColumnWidths(t *testing.T) {
	tests := []struct{ columns, screen, fixed, want int }{
		{3, 80, 0, 24}, {10, 80, 0, 6}, {30, 80, 0, 5}, {3, 80, 20, 20}, {0, 80, 0, 5}, {1, 0, 0, 5},
	}
	for _, test := range tests {
		if got := newBox(test.columns, test.screen, test.fixed, true).cell; got != test.want {
			t.Errorf("%+v: cell %d", test, got)
		}
	}
}

func TestErrorsPointAtTheToken(t *testing.T) {
	tests := map[string]struct{ message, source, want string }{
		"place": {"line 1:8: Column 'FOO' cannot be resolved.", "SELECT FOO FROM A;",
			"line 1:8: Column 'FOO' cannot be resolved.\nline 1:8\n  SELECT FOO FROM A;\n         ^^^\n"},
		"second line": {"line 2:3: no\nDid you mean 'X'?", "SELECT\n  é y FROM A;",
			"line 2:3: no\nDid you mean 'X'?\nline 2:3\n    é y FROM A;\n    ^\n"},
		"no place":      {"A does not exist.", "SELECT 1 FROM A;", "A does not exist.\n"},
		"place outside": {"line 9:1: no", "SELECT 1;", "line 9:1: no\n"},
		"drawn by the server": {"X does not exist.\nline 1:8\n  SELECT X;\n         ^\nHint: Did you mean Y?\n", "SELECT X;",
			"X does not exist.\nline 1:8\n  SELECT X;\n         ^\nHint: Did you mean Y?\n"},
		"control bytes": {"bad \x1b[2J name", "X;", "bad \uFFFD[2J name\n"},
	}
	for name, test := range tests {
		p, out, notes := newPrinter(JSON)
		p.Error(test.message, test.source)
		if notes.String() != test.want || out.Len() != 0 {
			t.Errorf("%s\n got:\n%s\nwant:\n%s", name, notes, test.want)
		}
	}
}

func TestErrorsAreColoured(t *testing.T) {
	const drawn = "X does not exist.\nline 1:8\n  SELECT X;\n         ^\nHint: Did you mean Y?\n"
	for _, message := range []string{drawn, "line 1:8: X does not exist."} {
		p, _, notes := newPrinter(Tabular)
		p.Style = Colors(true)
		p.Error(message, "SELECT X;")
		for _, want := range []string{"\x1b[31m", "\x1b[2mline 1:8\x1b[0m", "^\x1b[0m"} {
			if !strings.Contains(notes.String(), want) {
				t.Errorf("%q is missing in %q", want, notes)
			}
		}
	}
}

func TestMachineFormatsKeepNotesAside(t *testing.T) {
	for _, f := range Formats() {
		p, out, notes := newPrinter(f)
		p.Note("Query terminated")
		if f.Machine() != (out.Len() == 0) || f.Machine() != (notes.Len() > 0) {
			t.Errorf("%s: out %q, notes %q", f, out, notes)
		}
	}
}

func TestColoursOnlyWhenOn(t *testing.T) {
	for _, on := range []bool{false, true} {
		p, out, _ := newPrinter(Tabular)
		p.Style = Colors(on)
		if err := p.Entities(api.Entities{&api.StreamsList{}}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "\x1b["); got != on {
			t.Errorf("colours on: %v, escape sequences: %v", on, got)
		}
	}
}

func TestParseFormat(t *testing.T) {
	if f, err := ParseFormat("json"); err != nil || f != JSON {
		t.Errorf("json: %v %v", f, err)
	}
	if _, err := ParseFormat("xml"); err == nil || !strings.Contains(err.Error(), "TABULAR, JSON, NDJSON, CSV") {
		t.Errorf("xml: %v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("pipe is closed") }

func TestWriteErrorsComeBack(t *testing.T) {
	for _, f := range Formats() {
		p := &Printer{Out: brokenWriter{}, Notes: brokenWriter{}, Format: f}
		if err := p.Row([]json.RawMessage{json.RawMessage("1")}, false); err == nil {
			t.Errorf("%s: the error was lost", f)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":null}],"c":"d"}`))
	f.Add([]byte(`[[[`))
	f.Add([]byte(`"\ud800"`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		text := Text(raw)
		for _, piece := range wrapCell(printable(text), 5) {
			if strings.ContainsAny(piece, "\x1b\n") {
				t.Errorf("control bytes in %q", piece)
			}
		}
	})
}

func BenchmarkRow(b *testing.B) {
	p := &Printer{Out: new(strings.Builder), Format: Tabular}
	if err := p.BeginRows([]string{"A", "B", "C"}); err != nil {
		b.Fatal(err)
	}
	row := []json.RawMessage{json.RawMessage("12345"), json.RawMessage(`"some text that is wrapped somewhere"`), json.RawMessage("1.5")}
	b.ReportAllocs()
	for b.Loop() {
		p.Out.(*strings.Builder).Reset()
		if err := p.Row(row, false); err != nil {
			b.Fatal(err)
		}
	}
}
