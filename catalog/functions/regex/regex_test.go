package regex

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestJavaSyntax(t *testing.T) {
	tests := []struct {
		pattern, text string
		// want are the whole matches; nil for none.
		want []string
		// slow says that the pattern needs backtracking.
		slow bool
	}{
		{`test.`, "a_test_b_testc", []string{"test_", "testc"}, false},
		{`a.c`, "abc a\nc a\rc a\u2028c", []string{"abc"}, false},
		{`(?s)a.c`, "a\nc", []string{"a\nc"}, false},
		{`^a|b$`, "aab\n", []string{"a", "b"}, false},
		{`b\Z`, "ab\r\n", []string{"b"}, false},
		{`b\z`, "ab\n", nil, false},
		{`(?m)^.$`, "a\nb\n", []string{"a", "b"}, true},
		{`\d+\s\w+`, "12\v x 34 y_1", []string{"34 y_1"}, false},
		{`\d+\s`, "12\v", []string{"12\v"}, false},
		{`\h+`, "a \t\u00A0b", []string{" \t\u00A0"}, false},
		{`\R`, "\r\n\n\u2028", []string{"\r\n", "\n", "\u2028"}, false},
		{`[^\d\s]+`, "ab 12 c", []string{"ab", "c"}, false},
		{`[\D]+`, "ab12", []string{"ab"}, true},
		{`[a-c[x-z]]+`, "abxyq", []string{"abxy"}, true},
		{`[a-z&&[^bc]]+`, "abcd", []string{"a", "d"}, true},
		{`[^a-c[x-z]]+`, "abqxr", []string{"q", "r"}, true},
		{`[--1]+`, "0-.2", []string{"0-."}, false},
		{`[a\-z]+`, "a-zb", []string{"a-z"}, false},
		{`[]a]+`, "]a", []string{"]a"}, false},
		{`[a&b]+`, "a&b", []string{"a&b"}, false},
		{`\p{Lower}+`, "aéB", []string{"a"}, false},
		{`\p{L}+`, "aéB1", []string{"aéB"}, false},
		{`\p{Punct}+`, "a[!`]b", []string{"[!`]"}, false},
		{`\p{IsLatin}+`, "éλ", []string{"é"}, false},
		{`\P{Digit}+`, "a1", []string{"a"}, false},
		{`[\p{Upper}\p{Digit}]+`, "aB1", []string{"B1"}, false},
		{`\Qa.b*\E+`, "a.b*a.b*", []string{"a.b*a.b*"}, false},
		{`[\Q^]\E]+`, "^]", []string{"^]"}, false},
		{`(?i)straße`, "STRAßE", []string{"STRAßE"}, false},
		{`(?x) a b # comment` + "\n c", "abc", []string{"abc"}, false},
		{`(?i:a)b`, "Ab AB", []string{"Ab"}, false},
		{`a++b`, "aab", []string{"aab"}, true},
		{`a*+a`, "aaa", nil, true},
		{`(?>a+)b`, "aab", []string{"aab"}, true},
		{`(?<=#)\d+(?!\d|x)`, "#12 #34x", []string{"12"}, true},
		{`(\w)\1`, "abbc", []string{"bb"}, true},
		{`(?<q>['"]).*?\k<q>`, `say 'it"s' ok`, []string{`'it"s'`}, true},
		{`\x41\u0042\x{43}\0104\t`, "ABCD\t", []string{"ABCD\t"}, false},
		{`a{2}|b{2,3}|c{2,}`, "aa bbbb ccc", []string{"aa", "bbb", "ccc"}, false},
		{`a{1,2000}b`, "aab", []string{"aab"}, true},
		{`a*`, "baac", []string{"", "aa", "", ""}, false},
		{`\bfoo\b`, "foo food", []string{"foo"}, false},
		{`𝄞.`, "x𝄞yé", []string{"𝄞y"}, false},
		{`(?=é)é`, "aéb", []string{"é"}, true},
	}
	for _, tt := range tests {
		p, err := compile(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if (p.fast == nil) != tt.slow {
			t.Errorf("%s: needs backtracking: %v, want %v", tt.pattern, p.fast == nil, tt.slow)
		}
		found, err := p.findAll(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		var got []string
		for _, m := range found {
			got = append(got, tt.text[m[0]:m[1]])
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s of %q: got %q, want %q", tt.pattern, tt.text, got, tt.want)
		}
	}
}

func TestNamedGroupsCountInTheirOrder(t *testing.T) {
	for _, pattern := range []string{`(?<a>x)(y)(?<b>z)`, `(?<a>x)(y)(?<b>z)(?=!)`} {
		p, err := compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.find("xyz!")
		if err != nil || m == nil {
			t.Fatal(m, err)
		}
		if s, _ := group("xyz!", m, 2); s != "y" || p.names["b"] != 3 || p.groups != 3 {
			t.Errorf("%s: group 2 is %s, names %v", pattern, s, p.names)
		}
		out, err := p.expand(nil, "${b}$2$12", "xyz!", m)
		if err != nil || string(out) != "zyx2" {
			t.Errorf("%s: got %s, %v", pattern, out, err)
		}
	}
}

func TestMalformedPatterns(t *testing.T) {
	for _, pattern := range []string{
		"(", ")", "a)", "[", "[a", "[b-a]", "*", "a**", "{", "a{x}", `\`, `\y`, `\p{Foo}`, `\k<x>`, "(?<1>a)", "(?z)", `\xZZ`,
		`\u12`, `[&&]`, "a{3,1}", strings.Repeat("(", 500),
	} {
		if _, err := compile(pattern); err == nil {
			t.Errorf("%q was accepted", pattern)
		} else if !strings.HasPrefix(err.Error(), "Invalid regular expression pattern: ") {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

func TestCatastrophicBacktrackingEnds(t *testing.T) {
	p, err := compile(`(?=x)|(a+)+$`)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err = p.find(strings.Repeat("a", 40) + "!")
	if err == nil || time.Since(start) > 20*time.Second {
		t.Errorf("error %v after %v", err, time.Since(start))
	}
}

// Patterns of the common subset give the same matches on both engines.
func FuzzEnginesAgree(f *testing.F) {
	f.Add(`(a|b)+c?[^x\d]`, "abacyé1")
	f.Add(`a*b|^c$`, "aabc\n")
	f.Add(`[a-c&&[^b]]\s{1,2}`, "a  b")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 30 || len(text) > 30 || strings.ToValidUTF8(text, "") != text || strings.ToValidUTF8(pattern, "") != pattern {
			return
		}
		p, err := compile(pattern)
		if err != nil || p.fast == nil || !p.fastFor(text, true) {
			return
		}
		// Word boundaries and case folding are Unicode's in regexp2, ASCII's and simple in Go.
		if strings.Contains(pattern, `\b`) || strings.Contains(pattern, `\B`) || strings.Contains(pattern, "(?") || strings.Contains(pattern, `\p`) || strings.Contains(pattern, `\P`) {
			return
		}
		fast, err := p.findAll(text)
		if err != nil {
			t.Fatal(err)
		}
		slow, err := p.search(text, -1)
		if err != nil {
			return
		}
		if len(fast) != len(slow) {
			t.Fatalf("%q of %q: %v and %v", pattern, text, fast, slow)
		}
		for i := range fast {
			if fast[i][0] != slow[i][0] || fast[i][1] != slow[i][1] {
				t.Fatalf("%q of %q: %v and %v", pattern, text, fast, slow)
			}
		}
	})
}
