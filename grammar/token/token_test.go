package token_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// The files in testdata hold commands:
//
//	tokens                 prints place, kind, text and value of each token
//	split                  prints the statements of a text
//	incomplete             whether the console has to ask for more lines
//	substitute a=(x) b=(y) prints the text with variables replaced, or the error
func TestTokens(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var b strings.Builder
			switch d.Cmd {
			case "tokens":
				for _, tok := range token.Tokenize(d.Input) {
					fmt.Fprintf(&b, "%-5s %-11s %q", tok.Pos, tok.Kind, tok.Text)
					if tok.Value() != tok.Text && tok.Kind != token.Invalid {
						fmt.Fprintf(&b, " = %q", tok.Value())
					}
					if err := tok.Err(); err != nil {
						fmt.Fprintf(&b, " %s", strings.ReplaceAll(err.Error(), "\n", " | "))
					}
					b.WriteByte('\n')
				}
			case "split":
				for _, p := range token.Split(d.Input) {
					fmt.Fprintf(&b, "%s-%s complete=%v %q", p.Span.Start, p.Span.End, p.Complete, p.Text)
					for _, c := range p.Directives {
						fmt.Fprintf(&b, " %s", c.Text)
					}
					b.WriteByte('\n')
				}
			case "incomplete":
				fmt.Fprintln(&b, token.Incomplete(d.Input))
			case "substitute":
				values := map[string]string{}
				for _, arg := range d.CmdArgs {
					values[arg.Key] = strings.Join(arg.Vals, ",")
				}
				out, err := token.Substitute(d.Input, token.VariablesOf(values))
				if err != nil {
					return diag.Render(err, d.Input)
				}
				fmt.Fprintln(&b, out)
			default:
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			return b.String()
		})
	})
}

func TestHostileVariablesStayOneToken(t *testing.T) {
	vars := token.VariablesOf(map[string]string{
		"evil": "'; DROP STREAM x; --", "self": "${self}", "big": strings.Repeat("'", 1<<20+1), "comment": "a /*",
	})
	// Inside a string everything is text of the string.
	out, err := token.Substitute("SELECT '${EVIL}', '${self}', `${evil}` FROM s;", vars)
	if err != nil || len(token.Split(out)) != 1 {
		t.Errorf("%q, %v", out, err)
	}
	if !strings.Contains(out, "'''; DROP STREAM x; --'") || !strings.Contains(out, "'${self}'") {
		t.Errorf("%q", out)
	}
	// Alone a value has to be one token.
	for _, text := range []string{"SELECT ${evil};", "SELECT ${self};", "SELECT ${comment};", "SELECT ${big};", strings.Repeat("'${big}'", 10)} {
		if out, err := token.Substitute(text, vars); err == nil {
			t.Errorf("%s became %.100q", text, out)
		} else if e, ok := diag.As(err); !ok || e.Hint == "" || len(err.Error()) > 300 {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestNeedsQuotes(t *testing.T) {
	for name, want := range map[string]bool{
		"": true, "A": false, "a": true, "A_1@X": false, "1ABC": false, "1": true, "1E3": true, "SELECT": true, "KEY": false,
		"A B": true, "A-B": true, "Ä": true, "_": false, "@A": true, "A.B": true, "'A'": true, "`": true,
	} {
		if got := token.NeedsQuotes(name); got != want {
			t.Errorf("NeedsQuotes(%q) = %v", name, got)
		}
	}
}

func TestKeywords(t *testing.T) {
	words := token.Keywords()
	if len(words) < 130 {
		t.Errorf("only %d keywords", len(words))
	}
	for _, w := range words {
		if k, ok := token.KeywordOf(strings.ToLower(w)); !ok || k != w {
			t.Errorf("%s: %s, %v", w, k, ok)
		}
	}
	if _, ok := token.KeywordOf("A_WORD_LONGER_THAN_ALL_KEYWORDS"); ok {
		t.Error("unknown word found")
	}
}

func FuzzLexer(f *testing.F) {
	for _, s := range []string{"", "a", "'it''s' \"x\" `y`", "-- c\n--@d\n/* e */", "${x} $${y} $ ${", "1.5e-3 .5 1. 1abc a@b", "\xff\u2028\x00", "'open", "/* open"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, tok := range token.Tokenize(text) {
			at := tok.Pos.Offset
			if at < end || at+len(tok.Text) > len(text) || text[at:at+len(tok.Text)] != tok.Text {
				t.Fatalf("token %q is not at %d", tok.Text, at)
			}
			if strings.Trim(text[end:at], " \t\r\n\f\ufeff") != "" {
				t.Fatalf("text lost: %q", text[end:at])
			}
			if want := diag.Start().Advance(text[:at]); tok.Pos != want {
				t.Fatalf("token %q has place %+v, want %+v", tok.Text, tok.Pos, want)
			}
			end = at + len(tok.Text)
			_ = tok.Value()
			if (tok.Err() != nil) != (tok.Kind == token.Invalid) {
				t.Fatalf("token %q: %v", tok.Text, tok.Err())
			}
		}
		out, err := token.Substitute(text, func(string) (string, bool) { return "v", true })
		if err == nil && len(token.Split(out)) != len(token.Split(text)) {
			t.Fatalf("substitution changed the statements: %q", out)
		}
	})
}

func BenchmarkTokenize(b *testing.B) {
	text := strings.Repeat("SELECT a, b + 12.5, 'text' FROM orders WHERE `x` = 1; -- done\n", 100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		token.Tokenize(text)
	}
}
