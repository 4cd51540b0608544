package repl

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/c-bata/go-prompt"
)

// inputColor marks the text of the user for screen; it is no colour.
const inputColor = prompt.Color(1 << 20)

// tooSmall is what go-prompt writes, after wiping the screen, when the line
// and the suggestions do not fit. We rather leave the screen as it is.
const tooSmall = "Your console window is too small..."

// screen is go-prompt's view of the output: it collects escape sequences until
// Flush. It belongs to the goroutine of the prompt.
type screen struct {
	out    io.Writer
	buf    bytes.Buffer
	colors bool
	// paint colours the user's text.
	paint func(text string) string

	input bool // the next text is the user's
	cut   bool // from the next SetColor on, nothing is written
	muted bool
}

// begin ends the silence of the line before.
func (s *screen) begin() { s.cut, s.muted = false, false }

// hush keeps back the line that go-prompt draws when it is made to return; what
// comes before it, the erasing of the line, is still written.
func (s *screen) hush() { s.cut = true }

func (s *screen) put(text string) {
	if !s.muted {
		s.buf.WriteString(text)
	}
}

// csi writes a control sequence with a count. No count is none at all.
func (s *screen) csi(n int, forward, backward byte) {
	if n < 0 {
		n, forward = -n, backward
	}
	if n > 0 {
		s.put("\x1b[" + strconv.Itoa(n) + string(forward))
	}
}

// Flush writes what was collected.
func (s *screen) Flush() error {
	_, err := s.out.Write(s.buf.Bytes())
	s.buf.Reset()
	return err
}

// WriteRaw writes bytes as they are.
func (s *screen) WriteRaw(data []byte) { s.put(string(data)) }

// Write writes text with escape bytes made harmless.
func (s *screen) Write(data []byte) { s.WriteStr(string(data)) }

// WriteRawStr writes text as it is.
func (s *screen) WriteRawStr(text string) { s.put(text) }

// WriteStr writes text; the user's is coloured.
func (s *screen) WriteStr(text string) {
	if text == tooSmall {
		s.buf.Reset()
		return
	}
	painted := s.input && s.colors && s.paint != nil
	s.input = false
	if painted {
		body := strings.TrimSuffix(text, "\n")
		s.put(s.paint(body) + text[len(body):])
		return
	}
	s.put(visible(text))
}

// visible shows the stand-ins for tabs and line breaks, and escape bytes as
// question marks.
func visible(text string) string {
	if !strings.ContainsAny(text, "\x1b\uE009\uE00A\t") {
		return text
	}
	return strings.NewReplacer("\x1b", "?", string(tabRune), " ", "\t", " ", string(newlineRune), "↵").Replace(text)
}

// SetColor sets colours, none when the terminal is to stay plain.
func (s *screen) SetColor(fg, bg prompt.Color, bold bool) {
	if s.cut {
		s.muted = true
	}
	if fg == inputColor {
		s.input, fg = true, prompt.DefaultColor
	}
	if !s.colors {
		if bold || bg != prompt.DefaultColor { // what is selected must be seen
			s.put("\x1b[0;7m")
			return
		}
		s.put("\x1b[0m")
		return
	}
	weight := "0"
	if bold {
		weight = "0;1"
	}
	s.put("\x1b[" + weight + ";" + ansi(fg, 30, 39) + ";" + ansi(bg, 40, 49) + "m")
}

// ansi is the SGR parameter of a colour: base for black, or standard.
func ansi(c prompt.Color, base, standard int) string {
	switch {
	case c == prompt.DefaultColor:
		return strconv.Itoa(standard)
	case c >= prompt.Black && c <= prompt.LightGray:
		return strconv.Itoa(base + int(c-prompt.Black))
	case c >= prompt.DarkGray && c <= prompt.White:
		return strconv.Itoa(base + 60 + int(c-prompt.DarkGray))
	}
	return strconv.Itoa(standard)
}

// EraseScreen clears the screen.
func (s *screen) EraseScreen() { s.put("\x1b[2J") }

// EraseUp clears from the cursor to the top.
func (s *screen) EraseUp() { s.put("\x1b[1J") }

// EraseDown clears from the cursor to the bottom.
func (s *screen) EraseDown() { s.put("\x1b[J") }

// EraseStartOfLine clears the line up to the cursor.
func (s *screen) EraseStartOfLine() { s.put("\x1b[1K") }

// EraseEndOfLine clears the line from the cursor.
func (s *screen) EraseEndOfLine() { s.put("\x1b[K") }

// EraseLine clears the line.
func (s *screen) EraseLine() { s.put("\x1b[2K") }

// ShowCursor shows the cursor.
func (s *screen) ShowCursor() { s.put("\x1b[?25h") }

// HideCursor hides the cursor.
func (s *screen) HideCursor() { s.put("\x1b[?25l") }

// CursorGoTo moves the cursor to a row and column from 1; 0, 0 is the top left.
func (s *screen) CursorGoTo(row, col int) {
	if row == 0 && col == 0 {
		s.put("\x1b[H")
		return
	}
	s.put("\x1b[" + strconv.Itoa(row) + ";" + strconv.Itoa(col) + "H")
}

// CursorUp moves the cursor up, down when n is negative.
func (s *screen) CursorUp(n int) { s.csi(n, 'A', 'B') }

// CursorDown moves the cursor down, up when n is negative.
func (s *screen) CursorDown(n int) { s.csi(n, 'B', 'A') }

// CursorForward moves the cursor right, left when n is negative.
func (s *screen) CursorForward(n int) { s.csi(n, 'C', 'D') }

// CursorBackward moves the cursor left, right when n is negative.
func (s *screen) CursorBackward(n int) { s.csi(n, 'D', 'C') }

// AskForCPR asks the terminal where the cursor is.
func (s *screen) AskForCPR() { s.put("\x1b[6n") }

// SaveCursor remembers the cursor.
func (s *screen) SaveCursor() { s.put("\x1b[s") }

// UnSaveCursor moves the cursor to where it was remembered.
func (s *screen) UnSaveCursor() { s.put("\x1b[u") }

// ScrollDown moves down a line, scrolling at the bottom.
func (s *screen) ScrollDown() { s.put("\x1bD") }

// ScrollUp moves up a line, scrolling at the top.
func (s *screen) ScrollUp() { s.put("\x1bM") }

// SetTitle does nothing: the window's title is the user's.
func (s *screen) SetTitle(string) {}

// ClearTitle does nothing.
func (s *screen) ClearTitle() {}
