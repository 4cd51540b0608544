package diag_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// spanOf finds the first occurrence of a part of the text.
func spanOf(source, part string) diag.Span {
	i := strings.Index(source, part)
	start := diag.Start().Advance(source[:i])
	return diag.Span{Start: start, End: start.Advance(part)}
}

// The file holds one command: render part=(text) [hint=(text)] points at the
// first occurrence of part in the input. In the input \t, \x00 and the like are escapes.
func TestRender(t *testing.T) {
	escapes := strings.NewReplacer(`\t`, "\t", `\x00`, "\x00", `\x1b`, "\x1b", `\r`, "\r", `\u2028`, "\u2028", `\u202e`, "\u202e")
	datadriven.RunTest(t, "testdata/render", func(t *testing.T, d *datadriven.TestData) string {
		var part, hint string
		d.ScanArgs(t, "part", &part)
		d.MaybeScanArgs(t, "hint", &hint)
		source := escapes.Replace(d.Input)
		span := spanOf(source, escapes.Replace(strings.ReplaceAll(part, `\n`, "\n")))
		err := diag.Errorf(diag.Syntax, span, "The message").WithHint("%s", hint)
		return diag.Render(fmt.Errorf("wrapped: %w", err), source)
	})
}

func TestRenderShowsLongLinesInPart(t *testing.T) {
	source := strings.Repeat("ä", 1<<20) + "HERE" + strings.Repeat("ö", 1<<20)
	out := diag.Render(diag.Errorf(diag.Type, spanOf(source, "HERE"), "x"), source)
	lines := strings.Split(out, "\n")
	if len(out) > 1000 || !strings.HasPrefix(lines[2], "  ...ä") || !strings.HasSuffix(lines[2], "ö...") {
		t.Errorf("%d bytes: %.300q", len(out), out)
	}
	if caret := strings.Index(lines[3], "^"); caret != len([]rune(lines[2][:strings.Index(lines[2], "HERE")])) || strings.Count(lines[3], "^") != 4 {
		t.Errorf("caret at %d:\n%s\n%s", caret, lines[2], lines[3])
	}
}

func TestRenderWithoutPlace(t *testing.T) {
	for _, err := range []error{
		errors.New("plain"),
		diag.Errorf(diag.Type, diag.Span{}, "plain"),
		diag.Errorf(diag.Type, diag.Span{Start: diag.Pos{Offset: 99, Line: 1, Column: 100}}, "plain"),
	} {
		if out := diag.Render(err, "text"); out != "plain\n" {
			t.Errorf("%q", out)
		}
	}
	if out := diag.Render(nil, "text"); out != "" {
		t.Errorf("%q", out)
	}
}

func TestRenderStyled(t *testing.T) {
	err := diag.Errorf(diag.Type, spanOf("ab", "b"), "msg").WithHint("do")
	style := diag.Style{Message: "<m>", Place: "<p>", Source: "<s>", Caret: "<c>", Hint: "<h>", Reset: "</>"}
	want := "<m>msg</>\n<p>line 1:2</>\n  <s>ab</>\n  <c> ^</>\n<h>Hint: do</>\n"
	if out := diag.RenderStyled(err, "ab", style); out != want {
		t.Errorf("%q", out)
	}
}

func TestErrorChain(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("outer: %w", &diag.Error{Code: diag.Type, Message: "inner", Cause: cause})
	if e, ok := diag.As(err); !ok || e.Code != diag.Type || e.Error() != "inner" {
		t.Errorf("%v", e)
	}
	if !errors.Is(err, cause) {
		t.Error("cause lost")
	}
}

func TestPositions(t *testing.T) {
	got := diag.Start().Advance("aä\n\xffö\tx")
	if want := (diag.Pos{Offset: 9, Line: 2, Column: 5}); got != want {
		t.Errorf("%+v", got)
	}
	source := "one two three"
	a, b := spanOf(source, "one"), spanOf(source, "three")
	if got := a.Join(b).Text(source); got != source {
		t.Errorf("%q", got)
	}
	if b.Join(a) != a.Join(b) || a.Join(diag.Span{}) != a || (diag.Span{}).Join(a) != a {
		t.Error("Join is not symmetric")
	}
	if got := b.Text("short"); got != "" {
		t.Errorf("%q", got)
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"ORDERS", "CUSTOMERS", "ID", "AMOUNT", "amount_eur", "SELECT"}
	for name, want := range map[string]string{
		"ORDRES": "ORDERS", "orders": "ORDERS", "ODERS": "ORDERS", "CUSTOMER": "CUSTOMERS", "AMUONT": "AMOUNT", "AMOUNT_EUR": "amount_eur",
		"IT": "ID", "X": "", "": "", "ELEPHANT": "", "SELEKT": "SELECT", "ORDERS": "", strings.Repeat("A", 1<<20): "",
	} {
		got, ok := diag.Suggest(name, names)
		if got != want || ok != (want != "") {
			t.Errorf("Suggest(%.20q) = %q, %v, want %q", name, got, ok, want)
		}
	}
}
