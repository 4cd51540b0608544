package render

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// table is ksqlDB's table for statement results: " a | b " with dashed rules.
type table struct {
	headers []string
	rows    [][]string
	// painters colour the cells of columns, by index.
	painters map[int]painter
}

// painter colours a cell: text is what is in it, padded what is printed.
type painter func(style Style, text, padded string) string

// paint colours the cells of a column.
func (t *table) paint(column int, p painter) {
	if t.painters == nil {
		t.painters = map[int]painter{}
	}
	t.painters[column] = p
}

func newTable(headers ...string) *table { return &table{headers: headers} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// widths is the width of each column; a cell may have several lines.
func (t *table) widths() []int {
	out := make([]int, len(t.headers))
	for i, h := range t.headers {
		out[i] = runewidth.StringWidth(h)
	}
	for _, row := range t.rows {
		for i, cell := range row {
			for line := range strings.SplitSeq(cell, "\n") {
				out[i] = max(out[i], runewidth.StringWidth(line))
			}
		}
	}
	return out
}

func (t *table) write(b *strings.Builder, style Style) {
	widths := t.widths()
	length := 2 + 3*(len(widths)-1)
	for _, w := range widths {
		length += w
	}
	rule := style.Dim(strings.Repeat("-", length)) + "\n"
	b.WriteString(style.Bold(line(t.headers, widths, nil)) + "\n")
	b.WriteString(rule)
	for _, row := range t.rows {
		t.writeCells(b, row, widths, style)
	}
	b.WriteString(rule)
}

// writeCells prints one row, over several lines if a cell has them.
func (t *table) writeCells(b *strings.Builder, row []string, widths []int, style Style) {
	split, height := make([][]string, len(row)), 1
	for i, cell := range row {
		split[i] = strings.Split(cell, "\n")
		height = max(height, len(split[i]))
	}
	for n := range height {
		cells := make([]string, len(row))
		for i := range split {
			if n < len(split[i]) {
				cells[i] = split[i][n]
			}
		}
		b.WriteString(line(cells, widths, func(column int, padded string) string {
			if p := t.painters[column]; p != nil {
				return p(style, row[column], padded)
			}
			return padded
		}) + "\n")
	}
}

// line joins cells as ksqlDB does, including the blank at the end. paint may be nil.
func line(cells []string, widths []int, paint func(column int, padded string) string) string {
	var b strings.Builder
	b.WriteByte(' ')
	for i, cell := range cells {
		if i > 0 {
			b.WriteString(" | ")
		}
		padded := pad(printable(cell), widths[i])
		if paint != nil {
			padded = paint(i, padded)
		}
		b.WriteString(padded)
	}
	b.WriteByte(' ')
	return b.String()
}

// pad fills text with blanks to a display width.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-runewidth.StringWidth(text)))
}
