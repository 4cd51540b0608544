package types

import (
	"math"
	"testing"
)

func TestCompare(t *testing.T) {
	ordered := []struct{ a, b any }{
		{false, true},
		{int32(-1), int32(1)},
		{int64(1), int64(2)},
		{1.0, math.NaN()},
		{math.Copysign(0, -1), 0.0},
		{"a", "b"},
		{"a", "ab"},
		{"\U0001F600", "\uFF5E"},
		{"\uD7FF", "\U0001F600"},
		{[]byte{0x80}, []byte{0x7F}},
		{mustDecimal(t, "1.5"), mustDecimal(t, "1.50001")},
		{DateValue(1), DateValue(2)},
		{TimeValue(1), TimeValue(2)},
		{TimestampValue(1), TimestampValue(2)},
		{[]any{int32(1)}, []any{int32(1), nil}},
		{[]any{nil}, []any{int32(1)}},
		{StructValue{"a"}, StructValue{"b"}},
	}
	for _, o := range ordered {
		if Compare(o.a, o.b) >= 0 || Compare(o.b, o.a) <= 0 || Compare(o.a, o.a) != 0 {
			t.Errorf("%v and %v compare as %d, %d, %d", o.a, o.b, Compare(o.a, o.b), Compare(o.b, o.a), Compare(o.a, o.a))
		}
	}
	if Compare(mustDecimal(t, "1.5"), mustDecimal(t, "1.50")) != 0 {
		t.Error("decimals compare by value")
	}
}

func TestLike(t *testing.T) {
	tests := []struct {
		pattern, text string
		escape        rune
		want          bool
	}{
		{"foo", "foo", 0, true}, {"foo", "foobar", 0, false}, {"", "", 0, true}, {"", "a", 0, false},
		{"%", "", 0, true}, {"%", "anything", 0, true}, {"foo%", "foobar", 0, true}, {"%bar", "foobar", 0, true},
		{"%o%b%", "foobar", 0, true}, {"f_o", "foo", 0, true}, {"_", "é", 0, true}, {"_", "", 0, false},
		{"%ab", "aab", 0, true}, {"%aab", "aaab", 0, true}, {"a%b%c", "aXbXbXc", 0, true}, {"a%b%c", "aXbXbX", 0, false},
		{"a.c", "abc", 0, false}, {"(%", "(x", 0, true},
		{"!%", "%", '!', true}, {"!%", "a", '!', false}, {"%!_%", "a_b", '!', true}, {"%!_%", "ab", '!', false}, {"!!", "!", '!', true},
		{"%", "a\nb", 0, false}, {"a_b", "a\nb", 0, false}, {"a\n%", "a\nb", 0, true}, {"%b", "a\nb", 0, false},
	}
	for _, tt := range tests {
		if got := NewLike(tt.pattern, tt.escape).Match([]byte(tt.text)); got != tt.want {
			t.Errorf("%q LIKE %q escape %q: got %v", tt.text, tt.pattern, tt.escape, got)
		}
	}
}

// The matcher agrees with the definition, tried out on every split of the text.
func FuzzLike(f *testing.F) {
	f.Add("a%b_c", "axxbyc")
	f.Add("%%_%", "é\n")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 12 || len(text) > 12 {
			return
		}
		if got, want := NewLike(pattern, '!').Match([]byte(text)), likeByDefinition([]rune(pattern), []rune(text)); got != want {
			t.Errorf("%q LIKE %q: got %v, want %v", text, pattern, got, want)
		}
	})
}

func likeByDefinition(pattern, text []rune) bool {
	if len(pattern) == 0 {
		return len(text) == 0
	}
	switch c := pattern[0]; {
	case c == '%':
		for i := 0; ; i++ {
			if likeByDefinition(pattern[1:], text[i:]) {
				return true
			}
			if i == len(text) || isLineEnd(text[i]) {
				return false
			}
		}
	case c == '!':
		if len(pattern) == 1 {
			return len(text) == 0
		}
		return len(text) > 0 && text[0] == pattern[1] && likeByDefinition(pattern[2:], text[1:])
	case c == '_':
		return len(text) > 0 && !isLineEnd(text[0]) && likeByDefinition(pattern[1:], text[1:])
	default:
		return len(text) > 0 && text[0] == c && likeByDefinition(pattern[1:], text[1:])
	}
}

func TestHashOrder(t *testing.T) {
	m := &MapValue{Keys: []any{"yes, thanks", "nope", "sure, yeah"}, Values: []any{1, 2, 3}}
	if got := m.HashOrder(); got[0] != 0 || got[1] != 2 || got[2] != 1 {
		t.Errorf("got %v", got)
	}
	for s, want := range map[string]int32{"": 0, "abc": 96354, "hello world": 1794106052, "é": 233, "\U0001F600": 1772899} {
		if got := int32(javaHash(s)); got != want {
			t.Errorf("%q: got %d, want %d", s, got, want)
		}
	}
	big := &MapValue{}
	for i := range 100 {
		big.Put(string(rune('a'+i)), nil)
	}
	seen := map[int]bool{}
	for _, i := range big.HashOrder() {
		seen[i] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d of 100 places", len(seen))
	}
}
