package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Printer prints results. It is not safe for concurrent use. Its fields may be
// changed between results.
type Printer struct {
	// Out takes results.
	Out io.Writer
	// Notes takes what is said to people when Format is for machines.
	Notes io.Writer
	// Format is the current format.
	Format Format
	// Style colours Out and Notes.
	Style Style
	// Screen returns the width of the screen in cells; nil means 80.
	Screen func() int
	// ColumnWidth fixes the width of row columns when it is above 0.
	ColumnWidth int
	// Clip cuts long cells instead of wrapping them.
	Clip bool

	names []string // columns of the rows being printed
	box   box
}

// Entities prints the results of statements.
func (p *Printer) Entities(entities api.Entities) error {
	switch p.Format {
	case JSON:
		return p.writeIndented(entities)
	case NDJSON:
		for _, e := range entities {
			if err := p.writeLine(e); err != nil {
				return err
			}
		}
		return nil
	}
	for _, e := range entities {
		if err := p.entity(e); err != nil {
			return err
		}
	}
	return nil
}

func (p *Printer) entity(e api.Entity) error {
	page := pageOf(e, p.width())
	if p.Format == CSV {
		for _, w := range e.Meta().Warnings {
			p.Warning(w.Message)
		}
		return p.writeCSV(page)
	}
	var b strings.Builder
	for _, w := range e.Meta().Warnings {
		b.WriteString(p.Style.Warn("WARNING: "+printable(w.Message)) + "\n")
	}
	b.WriteString("\n")
	page.write(&b, p.Style)
	_, err := io.WriteString(p.Out, b.String())
	return err
}

// BeginRows starts the rows of one query.
func (p *Printer) BeginRows(names []string) error {
	p.names = names
	switch p.Format {
	case Tabular:
		p.box = newBox(len(names), p.width(), p.ColumnWidth, !p.Clip)
		_, err := io.WriteString(p.Out, p.box.header(names, p.Style))
		return err
	case CSV:
		return p.writeRecord(names)
	}
	return nil
}

// Row prints one row. A tombstone says that the row of this key was deleted.
func (p *Printer) Row(values []json.RawMessage, tombstone bool) error {
	switch p.Format {
	case JSON:
		if tombstone {
			return p.writeLine(api.DataRow{Columns: values, Tombstone: true})
		}
		return p.writeLine(values)
	case NDJSON:
		return p.writeObject(values, tombstone)
	case CSV:
		cells := cellTexts(values, tombstone)
		for i, v := range values {
			if string(v) == "null" && !tombstone {
				cells[i] = ""
			} else if len(v) > 0 && (v[0] == '[' || v[0] == '{') {
				cells[i] = string(v)
			}
		}
		return p.writeRecord(cells)
	}
	_, err := io.WriteString(p.Out, p.box.lines(cellTexts(values, tombstone), p.Style))
	return err
}

// Line prints one line of PRINT.
func (p *Printer) Line(text string) error {
	_, err := io.WriteString(p.Out, printable(text)+"\n")
	return err
}

// Note says something that is no result: in machine formats it goes to Notes,
// otherwise to Out, where ksqlDB's console prints it.
func (p *Printer) Note(format string, args ...any) {
	out := p.Out
	if p.Format.Machine() {
		out = p.Notes
	}
	fmt.Fprintf(out, format+"\n", args...)
}

// Warning prints a warning to Notes.
func (p *Printer) Warning(message string) {
	fmt.Fprintln(p.Notes, p.Style.Warn("WARNING: "+printable(message)))
}

// Hint prints advice to Notes.
func (p *Printer) Hint(message string) {
	fmt.Fprintln(p.Notes, p.Style.Hint("Hint: "+printable(message)))
}

func (p *Printer) width() int {
	if p.Screen != nil {
		if w := p.Screen(); w > 0 {
			return w
		}
	}
	return 80
}

func (p *Printer) writeIndented(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = p.Out.Write(b.Bytes())
	return err
}

func (p *Printer) writeLine(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = p.Out.Write(append(text, '\n'))
	return err
}

// writeObject prints a row as an object of column names, in column order.
func (p *Printer) writeObject(values []json.RawMessage, tombstone bool) error {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, v := range values {
		if i > 0 {
			b.WriteByte(',')
		}
		name := fmt.Sprintf("COL%d", i)
		if i < len(p.names) {
			name = p.names[i]
		}
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(v)
	}
	if tombstone {
		if len(values) > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"@tombstone":true`)
	}
	b.WriteString("}\n")
	_, err := p.Out.Write(b.Bytes())
	return err
}

func (p *Printer) writeRecord(cells []string) error {
	w := csv.NewWriter(p.Out)
	if err := w.Write(cells); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

func (p *Printer) writeCSV(page *page) error {
	for _, t := range page.tables() {
		if err := p.writeRecord(t.headers); err != nil {
			return err
		}
		for _, row := range t.rows {
			if err := p.writeRecord(row); err != nil {
				return err
			}
		}
	}
	return nil
}
