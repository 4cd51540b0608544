package repl

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/grammar/token"
)

func TestOneLine(t *testing.T) {
	tests := map[string]string{
		"SELECT 1;":                              "SELECT 1;",
		"SELECT\n  1,\n\t2;\n":                   "SELECT 1, 2;",
		"SELECT 1 -- one\nFROM a;":               "SELECT 1 /* one */ FROM a;",
		"-- */ first\nX;":                        "/* * / first */ X;",
		"SELECT 'a\nb' /* c\n d */ FROM `x\ny`;": "SELECT 'a\nb' /* c d */ FROM `x\ny`;",
		"SELECT a  ,  b;":                        "SELECT a  ,  b;",
		"":                                       "",
		"SELECT 'unterminated":                   "SELECT 'unterminated",
		"a;\nb;":                                 "a; b;",
	}
	for in, want := range tests {
		if got := oneLine(in); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

func FuzzOneLine(f *testing.F) {
	f.Add("SELECT 1 -- x\nFROM 'a\nb' /* c */;")
	f.Fuzz(func(t *testing.T, text string) {
		texts := func(s string) (out []string, whole bool) {
			for _, k := range token.Tokenize(s) {
				if k.Kind == token.Invalid { // what is not closed loses the blanks at its end
					return nil, false
				}
				if !k.IsComment() {
					out = append(out, k.Text)
				}
			}
			return out, true
		}
		want, whole := texts(text)
		if !whole {
			return
		}
		if got, _ := texts(oneLine(text)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q became %q", want, got)
		}
	})
}

func TestHistoryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	h := OpenHistory(path)
	h.Add("SELECT 1\nFROM a;")
	h.Add("SELECT 1\nFROM a;")
	h.Add("SELECT 'x\ty\nz';")
	h.Add("   ")
	again := OpenHistory(path)
	if !reflect.DeepEqual(h.Items(), again.Items()) || len(again.Items()) != 2 {
		t.Errorf("%q, then %q", h.Items(), again.Items())
	}
	if got := plainText(again.Items()[1]); got != "SELECT 'x\ty\nz';" {
		t.Errorf("white space in quotes became %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

func TestHistoryIsCutDown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	var lines []string
	for i := range 2*maxHistory + 1 {
		lines = append(lines, fmt.Sprintf("SELECT %d;", i))
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if h := OpenHistory(path); len(h.Items()) != maxHistory || h.Items()[maxHistory-1] != lines[2*maxHistory] {
		t.Errorf("%d items", len(h.Items()))
	}
	text, _ := os.ReadFile(path)
	if n := strings.Count(string(text), "\n"); n != maxHistory {
		t.Errorf("the file has %d lines", n)
	}
	h := OpenHistory(filepath.Join(path, "not", "there"))
	h.Add("X;")
	if len(h.Items()) != 1 {
		t.Error("a history without a file should work in memory")
	}
}

func TestHistorySearchAndExpand(t *testing.T) {
	h := OpenHistory("")
	for _, item := range []string{"SHOW STREAMS;", "SELECT * FROM orders;", "SHOW TABLES;", "SELECT * FROM orders;"} {
		h.Add(item)
	}
	if got := h.Search("show", 10); !reflect.DeepEqual(got, []string{"SHOW TABLES;", "SHOW STREAMS;"}) {
		t.Errorf("search show: %q", got)
	}
	if got := h.Search("sel ord", 10); !reflect.DeepEqual(got, []string{"SELECT * FROM orders;"}) {
		t.Errorf("fuzzy search: %q", got)
	}
	if got := h.Search("", 1); len(got) != 1 || got[0] != "SELECT * FROM orders;" {
		t.Errorf("empty search: %q", got)
	}
	tests := map[string]string{"!!": "SELECT * FROM orders;", "!1": "SHOW STREAMS;", "!3 x": "SHOW TABLES; x"}
	for in, want := range tests {
		if got, ok := h.Expand(in); !ok || got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
	for _, in := range []string{"!9", "!0", "!x", "SELECT !1;", "!"} {
		if got, ok := h.Expand(in); ok || got != in {
			t.Errorf("%s became %q", in, got)
		}
	}
}
