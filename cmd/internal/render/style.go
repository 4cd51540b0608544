package render

import "github.com/ksqlgo/ksqlgo/grammar/diag"

// Style colours output. The zero Style prints plain text.
type Style struct{ on bool }

// Colors returns a style that colours when on is true. Whether to colour is
// decided once: on a terminal, and not when NO_COLOR is set.
func Colors(on bool) Style { return Style{on: on} }

// On says whether the style colours.
func (s Style) On() bool { return s.on }

func (s Style) paint(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Bold is for headings.
func (s Style) Bold(text string) string { return s.paint("1", text) }

// Dim is for rules and borders.
func (s Style) Dim(text string) string { return s.paint("2", text) }

// Bad is for errors.
func (s Style) Bad(text string) string { return s.paint("31", text) }

// Good is for what is as it should be.
func (s Style) Good(text string) string { return s.paint("32", text) }

// Warn is for warnings.
func (s Style) Warn(text string) string { return s.paint("33", text) }

// Hint is for advice.
func (s Style) Hint(text string) string { return s.paint("36", text) }

// Diagnostics is the style in which diag renders errors.
func (s Style) Diagnostics() diag.Style {
	if !s.on {
		return diag.Style{}
	}
	return diag.Style{Message: "\x1b[31m", Place: "\x1b[2m", Caret: "\x1b[31;1m", Hint: "\x1b[36m", Reset: "\x1b[0m"}
}
