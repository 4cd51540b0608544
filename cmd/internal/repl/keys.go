package repl

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/c-bata/go-prompt"
)

// Runes that stand for white space inside one line of the prompt, which can
// draw neither tabs nor line breaks. They are of Unicode's private use area and
// one cell wide; screen draws them, plainText takes them back.
const (
	tabRune     = '\uE009'
	newlineRune = '\uE00A'
)

// plainText gives text of the prompt back as it was written.
func plainText(text string) string {
	return strings.NewReplacer(string(tabRune), "\t", string(newlineRune), "\n").Replace(text)
}

// lineText makes text fit for one line of the prompt; other control characters
// are dropped.
func lineText(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return tabRune
		case r == '\n':
			return newlineRune
		case r < 0x20, r >= 0x7f && r < 0xa0:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

const (
	ctrlC = 0x03
	ctrlD = 0x04
	enter = '\r'
	esc   = 0x1b
)

// Marks of bracketed paste, sent by the terminal around pasted text.
var (
	pasteStart = []byte("\x1b[200~")
	pasteEnd   = []byte("\x1b[201~")
)

// wakeKey is go-prompt's code of F24. No keyboard of today sends it; terminal
// uses it to make the prompt look at an event.
var wakeKey = []byte{esc, '[', 0x24, ';', '2', '~'}

const (
	escapeWait = 50 * time.Millisecond // a lone ESC is the key after that
	pasteWait  = time.Second           // a paste that stalls is over after that
	maxEscape  = 64                    // longest escape sequence, in bytes
)

// keys cuts the bytes of a terminal into what go-prompt wants one at a time:
// runs of text, control bytes, known escape sequences. Unknown sequences vanish.
// The zero keys is ready for use.
type keys struct {
	pending  []byte   // not cut yet
	queue    [][]byte // cut, not handed out yet
	paste    []byte
	pasting  bool
	wasCR    bool // the last byte was a CR; a LF after it belongs to it
	lastFeed time.Time
}

// feed takes bytes that arrived now.
func (k *keys) feed(data []byte, now time.Time) {
	k.lastFeed = now
	k.pending = append(k.pending, data...)
	for len(k.pending) > 0 && k.cut() {
	}
	if len(k.pending) == 0 {
		k.pending = nil
	}
}

// idle is called when no bytes came: what is cut short will not be completed.
func (k *keys) idle(now time.Time) {
	since := now.Sub(k.lastFeed)
	switch {
	case k.pasting && since >= pasteWait:
		k.paste = append(k.paste, k.pending...)
		k.pending = nil
		k.endPaste()
	case !k.pasting && len(k.pending) > 0 && since >= escapeWait:
		if len(k.pending) == 1 && k.pending[0] == esc {
			k.queue = append(k.queue, []byte{esc})
		}
		k.pending = nil
	}
}

// next hands out one key, nil when there is none.
func (k *keys) next() []byte {
	if len(k.queue) == 0 {
		return nil
	}
	key := k.queue[0]
	k.queue = k.queue[1:]
	if len(k.queue) == 0 {
		k.queue = nil
	}
	return key
}

// clear forgets everything that was not handed out.
func (k *keys) clear() { k.queue, k.pending, k.paste, k.pasting = nil, nil, nil, false }

// cut moves one key from pending to queue; false when more bytes are needed.
func (k *keys) cut() bool {
	if k.pasting {
		return k.cutPaste()
	}
	c := k.pending[0]
	wasCR := k.wasCR
	k.wasCR = false
	switch {
	case c == esc:
		return k.cutEscape()
	case c == '\n' && wasCR:
		k.drop(1)
	case c == '\n', c == '\r':
		k.wasCR = c == '\r'
		k.queue = append(k.queue, []byte{enter})
		k.drop(1)
	case c == ctrlC:
		k.queue = append(k.queue[:0], []byte{ctrlC})
		k.drop(1)
	case c < 0x20, c == 0x7f:
		k.queue = append(k.queue, []byte{c})
		k.drop(1)
	default:
		return k.cutText()
	}
	return true
}

func (k *keys) drop(n int) { k.pending = k.pending[n:] }

// cutText takes text up to the next control byte; a rune that is cut short
// stays until the rest of it comes.
func (k *keys) cutText() bool {
	n := 0
	for n < len(k.pending) && k.pending[n] >= 0x20 && k.pending[n] != 0x7f {
		if !utf8.FullRune(k.pending[n:]) {
			break
		}
		_, size := utf8.DecodeRune(k.pending[n:])
		n += size
	}
	if n == 0 {
		return false
	}
	if text := lineText(string(k.pending[:n])); text != "" {
		k.queue = append(k.queue, []byte(text))
	}
	k.drop(n)
	return true
}

// cutEscape takes one escape sequence: starts a paste, queues a key that
// go-prompt knows, and drops any other.
func (k *keys) cutEscape() bool {
	n := escapeLen(k.pending)
	if n == 0 {
		return false
	}
	seq := append([]byte(nil), k.pending[:n]...)
	k.drop(n)
	switch {
	case bytes.Equal(seq, pasteStart):
		k.pasting = true
	case bytes.Equal(seq, wakeKey):
	case prompt.GetKey(seq) != prompt.NotDefined:
		k.queue = append(k.queue, seq)
	}
	return true
}

// cutPaste collects pasted text up to its end mark.
func (k *keys) cutPaste() bool {
	if i := bytes.Index(k.pending, pasteEnd); i >= 0 {
		k.paste = append(k.paste, k.pending[:i]...)
		k.drop(i + len(pasteEnd))
		k.endPaste()
		return true
	}
	keep := 0 // the start of an end mark may stand at the end
	for n := 1; n < len(pasteEnd) && n <= len(k.pending); n++ {
		if bytes.HasSuffix(k.pending, pasteEnd[:n]) {
			keep = n
		}
	}
	k.paste = append(k.paste, k.pending[:len(k.pending)-keep]...)
	k.pending = append([]byte(nil), k.pending[len(k.pending)-keep:]...)
	return false
}

// endPaste queues pasted text line by line with Enter between the lines.
func (k *keys) endPaste() {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(k.paste))
	k.paste, k.pasting = nil, false
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			k.queue = append(k.queue, []byte{enter})
		}
		if line = lineText(line); line != "" {
			k.queue = append(k.queue, []byte(line))
		}
	}
}

// escapeLen is the length of the escape sequence that b starts with, 0 when it
// is not complete. ESC itself counts as one when a control byte follows.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch c := b[1]; {
	case c == '[':
		return csiLen(b)
	case c == 'O':
		if len(b) < 3 {
			return 0
		}
		return 3
	case c == ']', c == 'P', c == '_', c == '^':
		return stringLen(b)
	case c < 0x20, c == 0x7f:
		return 1
	case !utf8.FullRune(b[1:]):
		return 0
	}
	_, size := utf8.DecodeRune(b[1:])
	return 1 + size
}

// csiLen is escapeLen for ESC [ … final byte.
func csiLen(b []byte) int {
	if len(b) >= 3 && b[2] == '[' { // function keys of the Linux console
		if len(b) < 4 {
			return 0
		}
		return 4
	}
	for n := 2; n < len(b); n++ {
		switch c := b[n]; {
		case c == 'M' && n == 2: // a mouse report of old: three more bytes
			if len(b) < 6 {
				return 0
			}
			return 6
		case c >= 0x40 && c <= 0x7e:
			return n + 1
		case c < 0x20 || c > 0x7e || n >= maxEscape:
			return n // broken off
		}
	}
	return 0
}

// stringLen is escapeLen for what ends with BEL or ESC \, such as the
// terminal's answers about itself.
func stringLen(b []byte) int {
	for n := 2; n < len(b); n++ {
		switch {
		case b[n] == 0x07:
			return n + 1
		case b[n] == esc && n+1 < len(b) && b[n+1] == '\\':
			return n + 2
		case n >= maxEscape*16:
			return n
		}
	}
	return 0
}
