package render

import (
	"encoding/json"
	"strings"

	"github.com/mattn/go-runewidth"
)

// minCell is the narrowest column of a row table, in cells of the screen.
const minCell = 5

// tombstoneMark stands in the columns of a deleted row.
const tombstoneMark = "<TOMBSTONE>"

// box is ksqlDB's table of rows: columns of equal fixed width inside borders,
// printed row by row.
type box struct {
	cell int // width of each column
	wrap bool
}

// newBox sizes the columns: columnWidth when it is set, otherwise the screen
// divided by the number of columns less 2, at least minCell.
func newBox(columns, screen, columnWidth int, wrap bool) box {
	if columnWidth > 0 {
		return box{cell: columnWidth, wrap: wrap}
	}
	if columns == 0 {
		return box{cell: minCell, wrap: wrap}
	}
	return box{cell: max(minCell, screen/columns-2), wrap: wrap}
}

func (x box) header(names []string, style Style) string {
	var b strings.Builder
	border := style.Dim("+"+strings.Repeat(strings.Repeat("-", x.cell)+"+", len(names))) + "\n"
	b.WriteString(border)
	b.WriteString(x.lines(names, style))
	b.WriteString(border)
	return b.String()
}

// lines prints one row, wrapped over as many lines as its longest cell needs,
// or clipped to one.
func (x box) lines(cells []string, style Style) string {
	split, height := make([][]string, len(cells)), 1
	for i, cell := range cells {
		cell = printable(cell)
		if x.wrap {
			split[i] = wrapCell(cell, x.cell)
		} else {
			split[i] = []string{clipCell(cell, x.cell)}
		}
		height = max(height, len(split[i]))
	}
	bar := style.Dim("|")
	var b strings.Builder
	for n := range height {
		b.WriteString(bar)
		for i := range split {
			text := ""
			if n < len(split[i]) {
				text = split[i][n]
			}
			b.WriteString(pad(text, x.cell))
			b.WriteString(bar)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// wrapCell cuts text into pieces of at most width, and at line breaks.
func wrapCell(text string, width int) []string {
	var out []string
	for part := range strings.SplitSeq(text, "\n") {
		start, used := 0, 0
		for i, r := range part {
			w := runewidth.RuneWidth(r)
			if used+w > width && i > start {
				out = append(out, part[start:i])
				start, used = i, 0
			}
			used += w
		}
		out = append(out, part[start:])
	}
	return out
}

// clipCell cuts text to one line of width, showing with "..." that it did.
func clipCell(text string, width int) string {
	text = strings.ReplaceAll(text, "\n", " ")
	if runewidth.StringWidth(text) <= width {
		return text
	}
	return runewidth.Truncate(text, width, "...")
}

// cellTexts are the values of a row as the console shows them.
func cellTexts(values []json.RawMessage, tombstone bool) []string {
	out := make([]string, len(values))
	for i, v := range values {
		if tombstone && string(v) == "null" {
			out[i] = tombstoneMark
			continue
		}
		out[i] = Text(v)
	}
	return out
}
