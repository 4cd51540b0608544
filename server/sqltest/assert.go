package sqltest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/sim"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner"
)

// errRecords marks failures of records that are not as expected: ksqlDB's AssertionError.
var errRecords = errors.New("records are not as expected")

// shownRecords bounds how many records of a topic a failure lists.
const shownRecords = 10

// asserted finds the source of an assertion.
func (r *sqlRun) asserted(name ast.Ident) (*catalog.Source, error) {
	src, ok := r.world.catalog.Source(name.Name)
	if ok {
		return src, nil
	}
	var names []string
	for _, s := range r.world.catalog.Sources() {
		names = append(names, s.Name)
	}
	err := diag.Errorf(diag.UnknownSource, name.Span(), "%s does not exist.", name.Name)
	if near, ok := diag.Suggest(name.Name, names); ok {
		return nil, err.WithHint("Did you mean %s?", near)
	}
	return nil, err
}

// assertValues compares the next record of a topic with a row.
func (r *sqlRun) assertValues(n *ast.AssertValues) error {
	src, err := r.asserted(n.Source)
	if err != nil {
		return err
	}
	want, err := planner.ExpectRow(r.world.plannerEnv(), src, n, n.Columns, n.Values)
	if err != nil {
		return err
	}
	return r.next(src, want, false)
}

// assertTombstone wants the next record to be null, with a key.
func (r *sqlRun) assertTombstone(n *ast.AssertTombstone) error {
	src, err := r.asserted(n.Source)
	if err != nil {
		return err
	}
	columns := n.Columns
	if len(columns) == 0 {
		for _, c := range src.Schema.Key {
			columns = append(columns, ast.Ident{Name: c.Name})
		}
	}
	for _, c := range columns {
		if _, isKey, ok := src.Schema.Find(c.Name); ok && !isKey {
			return &Failure{Message: "Unexpected value columns specified in ASSERT NULL VALUES.", Err: errRecords}
		}
	}
	want, err := planner.ExpectRow(r.world.plannerEnv(), src, n, columns, n.Key)
	if err != nil {
		return err
	}
	return r.next(src, want, true)
}

// next compares the next record of a source's topic with what is expected of it.
func (r *sqlRun) next(src *catalog.Source, want *planner.ExpectedRow, tombstone bool) error {
	expected := boxed(want)
	at := r.cursors[src.Topic]
	records := r.world.records(src.Topic, at, at+1)
	if len(records) == 0 {
		f := &Failure{
			Message: fmt.Sprintf("Expected another record, but all records have already been read: %s has %d.", src.Topic, at),
			Err:     errRecords, Diff: []DiffLine{{'-', rowText(want.Columns, expected, tombstone)}},
		}
		last := r.world.records(src.Topic, max(0, at-shownRecords), at)
		for i := range last {
			f.Diff = append(f.Diff, DiffLine{' ', r.read(src, &last[i]).text(want.Columns)})
		}
		return f
	}
	r.cursors[src.Topic] = at + 1
	got := r.read(src, &records[0])
	var different []string
	for i, c := range want.Columns {
		if got.err == nil && !types.EqualBoxed(expected[i], got.values[c.Name]) {
			different = append(different, c.Name)
		}
	}
	switch {
	case got.err == nil && got.tombstone != tombstone:
		different = []string{"whether it is a tombstone"}
	case got.err == nil && len(different) == 0:
		return nil
	case got.err != nil:
		different = []string{"it cannot be read: " + got.err.Error()}
	}
	return &Failure{
		Message: fmt.Sprintf("Expected record does not match actual.\nRecord %d of %s differs in %s.", at+1, src.Topic, strings.Join(different, ", ")),
		Err:     errRecords,
		Diff:    []DiffLine{{'-', rowText(want.Columns, expected, tombstone)}, {'+', got.text(want.Columns)}},
	}
}

func boxed(row *planner.ExpectedRow) []any {
	out := make([]any, len(row.Columns))
	for i, c := range row.Columns {
		if !row.Values[i].Null {
			out[i] = row.Values[i].Boxed(c.Type)
		}
	}
	return out
}

// readRecord is a record as the columns of a source show it.
type readRecord struct {
	// values are boxed, by the name of the column; a tombstone has those of its key alone.
	values    map[string]any
	tombstone bool
	err       error
}

// read decodes a record.
func (r *sqlRun) read(src *catalog.Source, rec *sim.Record) readRecord {
	out := readRecord{values: map[string]any{types.RowTime: rec.Timestamp}, tombstone: rec.Value == nil}
	key, window := rec.Key, (*Window)(nil)
	if key != nil {
		key, window = splitWindow(key, src.Window, src.WindowSizeMs)
	}
	if window != nil {
		out.values[types.WindowStart], out.values[types.WindowEnd] = window.Start, window.End
	}
	if out.err = r.world.decode(src, true, key, out.values); out.err == nil {
		out.err = r.world.decode(src, false, rec.Value, out.values)
	}
	return out
}

// decode reads one side of a record into values. Null leaves them out.
func (w *World) decode(src *catalog.Source, isKey bool, b []byte, values map[string]any) error {
	s := sideOf(src, isKey)
	if b == nil || s.format.Name == "NONE" {
		return nil
	}
	format, ok := w.cfg.Formats.Lookup(s.format.Name)
	if !ok {
		return fmt.Errorf("Unknown format: %s", s.format.Name)
	}
	layout := types.NewLayout(s.columns)
	dec, err := format.NewDecoder(&formats.Spec{
		Topic: src.Topic, IsKey: isKey, Columns: s.columns, Locs: layout.Locs, Unwrapped: s.format.Unwrapped, Properties: s.format.Properties,
	})
	if err != nil {
		return err
	}
	row := layout.NewRow()
	if err := dec.Decode(slices.Clone(b), row); err != nil {
		return err
	}
	for i, c := range s.columns {
		values[c.Name] = row.Boxed(layout.Locs[i], c.Type)
	}
	return nil
}

// text shows the values of columns.
func (r readRecord) text(columns []types.Column) string {
	values := make([]any, len(columns))
	for i, c := range columns {
		values[i] = r.values[c.Name]
	}
	return rowText(columns, values, r.tombstone)
}

func rowText(columns []types.Column, values []any, tombstone bool) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		text := types.FormatBoxed(c.Type, values[i])
		switch values[i].(type) {
		case nil:
			text = "NULL"
		case string:
			text = "'" + strings.ReplaceAll(text, "'", "''") + "'"
		}
		parts[i] = c.Name + "=" + text
	}
	out := strings.Join(parts, ", ")
	if tombstone {
		out += " <TOMBSTONE>"
	}
	return out
}

// assertSource compares the definition of a source with the expected one.
func (r *sqlRun) assertSource(n *ast.AssertSource) error {
	src, err := r.asserted(n.Name)
	if err != nil {
		return err
	}
	d, err := planner.CompareSource(r.world.plannerEnv(), n, src)
	if err != nil || d == nil {
		return err
	}
	return &Failure{
		Message: fmt.Sprintf("Expected %s does not match actual for source %s.", d.Property, src.Name),
		Diff:    []DiffLine{{'-', orNone(d.Expected)}, {'+', orNone(d.Actual)}},
	}
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
