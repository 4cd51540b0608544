package repl

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// drain hands out all keys, printed.
func drain(k *keys) string {
	var out []string
	for key := k.next(); key != nil; key = k.next() {
		out = append(out, fmt.Sprintf("%q", key))
	}
	return strings.Join(out, " ")
}

func TestKeys(t *testing.T) {
	tests := map[string]struct {
		reads []string
		want  string
	}{
		"text and enter":            {[]string{"ab\r"}, `"ab" "\r"`},
		"line feed is enter":        {[]string{"a\nb\r\nc\r", "\nd"}, `"a" "\r" "b" "\r" "c" "\r" "d"`},
		"partial rune":              {[]string{"a\xc3", "\xa9b"}, `"a" "éb"`},
		"known key":                 {[]string{"x\x1b[Dy"}, `"x" "\x1b[D" "y"`},
		"key over two reads":        {[]string{"\x1b", "[", "3~"}, `"\x1b[3~"`},
		"unknown keys vanish":       {[]string{"\x1bb\x1b[1;9Z\x1b[?1;2c\x1bOzok"}, `"ok"`},
		"answers vanish":            {[]string{"\x1b]11;rgb:0000/0000/0000\x07\x1bP1$r0m\x1b\\ok"}, `"ok"`},
		"mouse report vanishes":     {[]string{"\x1b[M !!ok"}, `"ok"`},
		"wake key cannot be typed":  {[]string{"\x1b[$;2~ok"}, `"ok"`},
		"alt and a wide character":  {[]string{"\x1bé!"}, `"!"`},
		"escape before a control":   {[]string{"\x1b\x1b[A"}, `"\x1b" "\x1b[A"`},
		"broken sequence":           {[]string{"\x1b[12\rok"}, `"\r" "ok"`},
		"paste":                     {[]string{"\x1b[200~a;\nb\x1b[A\r\n\r\nc\x1b[201~x"}, `"a;" "\r" "b[A" "\r" "\r" "c" "x"`},
		"paste over reads":          {[]string{"\x1b[20", "0~a\xc3", "\xa9\x1b[2", "01~"}, `"aé"`},
		"paste keeps tabs":          {[]string{"\x1b[200~a\tb\x1b[201~"}, `"a\ue009b"`},
		"interrupt drops the queue": {[]string{"\x1b[200~a\nb\n\x1b[201~", "\x03x"}, `"\x03" "x"`},
		"tab is a key":              {[]string{"a\t"}, `"a" "\t"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var k keys
			for _, read := range test.reads {
				k.feed([]byte(read), time.Unix(0, 0))
			}
			if got := drain(&k); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestKeysCutShort(t *testing.T) {
	start := time.Unix(0, 0)
	var k keys
	k.feed([]byte{esc}, start)
	k.idle(start.Add(escapeWait / 2))
	if got := drain(&k); got != "" {
		t.Errorf("too early: %s", got)
	}
	k.idle(start.Add(escapeWait))
	if got := drain(&k); got != `"\x1b"` {
		t.Errorf("a lone ESC is %s", got)
	}
	k.feed([]byte("\x1b[200~ab"), start)
	k.idle(start.Add(pasteWait))
	if got := drain(&k); got != `"ab"` {
		t.Errorf("a stalled paste gives %s", got)
	}
	k.feed([]byte("c\x1b[1"), start)
	k.idle(start.Add(escapeWait))
	k.feed([]byte("d"), start)
	if got := drain(&k); got != `"c" "d"` {
		t.Errorf("a sequence cut short gives %s", got)
	}
}

func TestPlainTextUndoesLineText(t *testing.T) {
	const text = "SELECT 'a\tb\nc' é日"
	if got := plainText(lineText(text)); got != text {
		t.Errorf("got %q", got)
	}
	if got := lineText("a\x1b[2J\x00b\u0085"); got != "a[2Jb" {
		t.Errorf("control characters: %q", got)
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("ab\r\x1b[A\x1b[200~x\ny\x1b[201~", uint8(3))
	f.Add("\x1b]1;x\x07\xc3\xa9", uint8(1))
	f.Fuzz(func(t *testing.T, text string, step uint8) {
		var k keys
		size, now := int(step)%7+1, time.Unix(0, 0)
		for data := []byte(text); len(data) > 0; {
			n := min(size, len(data))
			k.feed(data[:n], now)
			data = data[n:]
		}
		k.idle(now.Add(time.Hour))
		for key := k.next(); key != nil; key = k.next() {
			if len(key) == 0 || key[0] != esc && len(key) > 1 && strings.ContainsAny(string(key), "\r\n\x1b") {
				t.Errorf("key %q", key)
			}
		}
		if k.pending != nil || k.pasting {
			t.Errorf("left over: %q, pasting %v", k.pending, k.pasting)
		}
	})
}
