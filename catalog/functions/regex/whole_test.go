package regex

import (
	"fmt"
	"testing"
)

func TestWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"FOO", "FOO", true},
		{"FOO", "FOOD", false},
		{"FOO", "AFOO", false},
		{"FOO", "foo", false},
		{"(?i)FOO", "foo", true},
		{"bar.*", "bar", true},
		{"bar.*", "bar-1", true},
		{"bar.*", "xbar", false},
		{"a|ab", "ab", true},
		{"a|b", "ab", false},
		{"a$", "a", true},
		{"", "", true},
		{"", "x", false},
		{`\Qa.b`, "a.b", true},
		{`\Qa.b\E`, "axb", false},
		{`(a)(?!b).`, "ac", true},
		{`(a)(?!b).`, "ab", false},
		{`(\w)\1`, "aa", true},
		{`(\w)\1`, "aab", false},
	} {
		matches, err := Whole(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got, err := matches(c.text); err != nil || got != c.want {
			t.Errorf("%q matches %q: %v, %v; want %v", c.pattern, c.text, got, err, c.want)
		}
	}
	for _, bad := range []string{"[", "(", ")", "*", "a)(b", `\`} {
		if _, err := Whole(bad); err == nil {
			t.Errorf("the pattern %s was taken", fmt.Sprintf("%q", bad))
		}
	}
}
