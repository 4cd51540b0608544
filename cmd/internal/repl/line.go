package repl

import (
	"fmt"
	"slices"

	"github.com/c-bata/go-prompt"
	"github.com/mattn/go-runewidth"
)

// ended is the event of Ctrl-D on an empty line; the terminal never posts it.
const ended event = 100

// maxMenu is how many suggestions are shown at once.
const maxMenu = 6

// maxFound is how many entries a search of the history offers.
const maxFound = 50

// lineEditor reads single lines by go-prompt.
type lineEditor struct {
	s         *session
	prompt    *prompt.Prompt
	fired     event // why Input returns, set by key bindings
	searching bool  // Ctrl-R was pressed
	size      *prompt.WinSize

	// What the menu shows. While keys move through it, it must not change:
	// go-prompt would select what is not there.
	menuFor string
	menu    []prompt.Suggest
}

// newLineEditor builds the prompt. go-prompt opens /dev/tty and panics when
// the process has no controlling terminal; that comes back as an error.
func newLineEditor(s *session) (l *lineEditor, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			l, err = nil, fmt.Errorf("cannot open the terminal: %v", cause)
		}
	}()
	l = &lineEditor{s: s, size: s.term.GetWinSize()}
	l.prompt = prompt.New(
		func(string) {}, // only Prompt.Run calls it
		l.complete,
		prompt.OptionParser(s.term),
		prompt.OptionWriter(s.screen),
		prompt.OptionLivePrefix(l.prefix),
		prompt.OptionInputTextColor(inputColor),
		prompt.OptionPrefixTextColor(prompt.DefaultColor),
		prompt.OptionSuggestionBGColor(prompt.DarkGray),
		prompt.OptionSuggestionTextColor(prompt.White),
		prompt.OptionDescriptionBGColor(prompt.DarkGray),
		prompt.OptionDescriptionTextColor(prompt.LightGray),
		prompt.OptionSelectedSuggestionBGColor(prompt.Cyan),
		prompt.OptionSelectedDescriptionBGColor(prompt.Cyan),
		prompt.OptionSetExitCheckerOnInput(func(string, bool) bool {
			s.term.release()
			return l.fired != noEvent
		}),
		prompt.OptionAddKeyBind(l.bindings()...),
	)
	return l, nil
}

func (l *lineEditor) bindings() []prompt.KeyBind {
	leave := func(e event) prompt.KeyBindFunc {
		return func(*prompt.Buffer) {
			l.fired = e
			l.s.screen.hush()
		}
	}
	stopSearch := func(*prompt.Buffer) { l.search(false) }
	return []prompt.KeyBind{
		{Key: prompt.ControlC, Fn: leave(interrupted)},
		{Key: prompt.F24, Fn: func(b *prompt.Buffer) {
			if e := l.s.term.take(); e != noEvent {
				leave(e)(b)
			}
		}},
		{Key: prompt.ControlR, Fn: func(*prompt.Buffer) { l.search(!l.searching) }},
		{Key: prompt.Escape, Fn: stopSearch},
		{Key: prompt.ControlG, Fn: stopSearch},
		{Key: prompt.Left, Fn: stopSearch},
		{Key: prompt.Right, Fn: stopSearch},
		{Key: prompt.Home, Fn: stopSearch},
		{Key: prompt.End, Fn: stopSearch},
		{Key: prompt.ControlLeft, Fn: func(b *prompt.Buffer) { b.CursorLeft(wordLeft([]rune(b.Document().TextBeforeCursor()))) }},
		{Key: prompt.ControlRight, Fn: func(b *prompt.Buffer) { b.CursorRight(wordRight([]rune(b.Document().TextAfterCursor()))) }},
	}
}

// read returns one line, or the event that came instead. A resize only draws
// the line again.
func (l *lineEditor) read() (string, event) {
	for {
		l.apply(prompt.OptionHistory(slices.Clone(l.s.History.Items())))
		l.fired = noEvent
		l.search(false)
		l.size = l.s.term.GetWinSize()
		l.limitMenu("")
		l.s.screen.begin()
		text := l.prompt.Input()
		l.s.screen.begin()
		switch {
		case l.fired == resized:
		case l.fired != noEvent:
			return "", l.fired
		case text == "" && l.s.term.atEOF():
			return "", ended
		case l.searching && !slices.Contains(l.s.History.Items(), text):
			l.recall(text)
		default:
			return plainText(text), noEvent
		}
	}
}

// recall puts the best match of a search on the next line, to be seen before
// it is run.
func (l *lineEditor) recall(pattern string) {
	if found := l.s.History.Search(pattern, 1); len(found) > 0 {
		pattern = found[0]
	}
	l.apply(prompt.OptionInitialBufferText(pattern))
}

// apply changes an option of the prompt while it runs.
func (l *lineEditor) apply(option prompt.Option) { _ = option(l.prompt) }

func (l *lineEditor) prefix() (string, bool) {
	switch {
	case l.searching:
		return "history> ", true
	case l.s.statement.Len() > 0:
		return l.s.Continuation, true
	}
	return l.s.Prompt, true
}

func (l *lineEditor) search(on bool) { l.searching = on }

// complete is go-prompt's Completer. It is called after every key.
func (l *lineEditor) complete(d prompt.Document) []prompt.Suggest {
	before := d.TextBeforeCursor()
	switch d.LastKeyStroke() {
	case prompt.Tab, prompt.BackTab, prompt.Up, prompt.Down:
		if before == l.menuFor {
			return l.menu
		}
	}
	l.menuFor, l.menu = before, nil
	if !l.s.term.busy() { // otherwise text is being pasted
		l.limitMenu(d.Text)
		l.menu = l.suggest(before)
	}
	return l.menu
}

// suggest finds what can follow, and tells go-prompt what of it to replace.
func (l *lineEditor) suggest(before string) []prompt.Suggest {
	if l.searching {
		l.apply(prompt.OptionCompletionWordSeparator(wholeLine))
		return suggests(l.found(before))
	}
	c := complete(l.s.statement.String()+plainText(before), l.s.Catalog(), l.s.Commands)
	l.apply(prompt.OptionCompletionWordSeparator(c.breaks))
	return suggests(c.suggestions)
}

func (l *lineEditor) found(pattern string) []suggestion {
	var out []suggestion
	for _, item := range l.s.History.Search(pattern, maxFound) {
		out = append(out, suggestion{text: item})
	}
	return out
}

// suggests makes go-prompt's suggestions; their texts must have a width.
func suggests(found []suggestion) []prompt.Suggest {
	out := make([]prompt.Suggest, len(found))
	for i, s := range found {
		out[i] = prompt.Suggest{Text: s.text, Description: s.note}
	}
	return out
}

// limitMenu leaves the menu the rows that the line does not need: go-prompt
// refuses to draw anything when the two do not fit the screen together.
func (l *lineEditor) limitMenu(text string) {
	prefix, _ := l.prefix()
	rows := (runewidth.StringWidth(prefix)+runewidth.StringWidth(text))/int(l.size.Col) + 1
	l.apply(prompt.OptionMaxSuggestion(uint16(max(0, min(maxMenu, int(l.size.Row)-rows)))))
}

// wordLeft is how many runes the word before the cursor is long, with the
// blanks after it.
func wordLeft(before []rune) int {
	n := len(before)
	for n > 0 && isBlank(before[n-1]) {
		n--
	}
	for n > 0 && !isBlank(before[n-1]) {
		n--
	}
	return len(before) - n
}

// wordRight is how many runes the word after the cursor is long, with the
// blanks before it.
func wordRight(after []rune) int {
	n := 0
	for n < len(after) && isBlank(after[n]) {
		n++
	}
	for n < len(after) && !isBlank(after[n]) {
		n++
	}
	return n
}

func isBlank(r rune) bool { return r == ' ' || r == tabRune || r == newlineRune }
