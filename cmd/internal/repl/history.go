package repl

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// maxHistory is how many statements are kept in memory; the file is cut down
// to as many when it is read and has twice that.
const maxHistory = 5000

// maxHistoryItem is the longest statement that is kept, in bytes.
const maxHistoryItem = 64 << 10

// History is what was entered, oldest first, one line a statement. It belongs
// to one goroutine.
type History struct {
	path  string
	items []string
}

// OpenHistory reads the history from a file; a missing or unreadable file is
// an empty history, and an empty path keeps it in memory only.
func OpenHistory(path string) *History {
	h := &History{path: path}
	if path == "" {
		return h
	}
	file, err := os.Open(path)
	if err != nil {
		return h
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxHistoryItem*4)
	read := 0
	for lines.Scan() {
		if line := lineText(lines.Text()); line != "" {
			h.items = append(h.items, line)
			read++
		}
	}
	h.items = h.items[max(0, len(h.items)-maxHistory):]
	if read > 2*maxHistory {
		h.rewrite()
	}
	return h
}

// rewrite replaces the file by what is in memory.
func (h *History) rewrite() {
	part := h.path + ".tmp"
	if os.WriteFile(part, []byte(strings.Join(h.items, "\n")+"\n"), 0o600) == nil {
		_ = os.Rename(part, h.path)
	}
}

// Items are all entries, oldest first. The slice must not be changed.
func (h *History) Items() []string { return h.items }

// Add appends a statement, joined to one line, unless it repeats the one
// before. Trouble with the file is not worth a word: the history is a comfort.
func (h *History) Add(text string) {
	line := lineText(oneLine(text))
	if line == "" || len(line) > maxHistoryItem || len(h.items) > 0 && h.items[len(h.items)-1] == line {
		return
	}
	h.items = append(h.items, line)
	if len(h.items) > 2*maxHistory {
		h.items = slices.Clone(h.items[len(h.items)-maxHistory:])
	}
	if h.path == "" {
		return
	}
	file, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = file.WriteString(line + "\n")
	_ = file.Close()
}

// Expand replaces "!!" at the start of a line by the last entry and "!n" by
// entry n, counted from 1. It says whether it did.
func (h *History) Expand(line string) (string, bool) {
	rest, found := strings.CutPrefix(line, "!")
	if !found || len(h.items) == 0 {
		return line, false
	}
	if after, last := strings.CutPrefix(rest, "!"); last {
		return plainText(h.items[len(h.items)-1]) + after, true
	}
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	n, err := strconv.Atoi(rest[:digits])
	if err != nil || n < 1 || n > len(h.items) {
		return line, false
	}
	return plainText(h.items[n-1]) + rest[digits:], true
}

// Search returns the entries that have all letters of pattern in order, best
// first: those that contain it as it is before others, newer before older.
func (h *History) Search(pattern string, limit int) []string {
	var exact, loose []string
	seen := map[string]bool{}
	lower := strings.ToLower(strings.TrimSpace(pattern))
	for _, item := range slices.Backward(h.items) {
		if seen[item] {
			continue
		}
		seen[item] = true
		text := strings.ToLower(item)
		switch {
		case strings.Contains(text, lower):
			exact = append(exact, item)
		case hasInOrder(text, lower):
			loose = append(loose, item)
		}
		if len(exact) >= limit {
			break
		}
	}
	found := append(exact, loose...)
	return found[:min(limit, len(found))]
}

// hasInOrder says that text has all runes of pattern, blanks aside, in order.
func hasInOrder(text, pattern string) bool {
	for _, r := range pattern {
		if r == ' ' {
			continue
		}
		i := strings.IndexRune(text, r)
		if i < 0 {
			return false
		}
		text = text[i+len(string(r)):]
	}
	return true
}

// oneLine joins a statement to one line: white space between tokens becomes a
// blank and a "--" comment becomes a "/* */" one. Line breaks inside quotes stay
// what they are.
func oneLine(text string) string {
	var b strings.Builder
	at := 0
	for lexer := token.NewLexer(text); ; {
		t := lexer.Next()
		if strings.ContainsAny(text[at:t.Pos.Offset], "\n\r") {
			if b.Len() > 0 && t.Kind != token.EOF {
				b.WriteByte(' ')
			}
		} else if t.Kind != token.EOF {
			b.WriteString(text[at:t.Pos.Offset])
		}
		if t.Kind == token.EOF {
			return strings.TrimSpace(b.String())
		}
		at = t.Pos.Offset + len(t.Text)
		switch {
		case t.IsComment() && strings.HasPrefix(t.Text, "--"):
			b.WriteString("/* " + strings.ReplaceAll(strings.TrimSpace(t.Text[2:]), "*/", "* /") + " */")
		case t.Kind == token.Comment:
			b.WriteString(strings.Join(strings.Fields(t.Text), " "))
		default:
			b.WriteString(t.Text)
		}
	}
}

// Entries are all entries as they were entered, oldest first, each shown on
// one line.
func (h *History) Entries() []string {
	out := make([]string, len(h.items))
	for i, item := range h.items {
		out[i] = visible(item)
	}
	return out
}
