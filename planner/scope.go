package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// column is a column that expressions may name. Its id is unique in one plan: until a plan is cut into stages, expr.Column.Index
// holds the id, so that operators can be moved without renumbering.
type column struct {
	id     int
	source string // name or alias of the source; "" after an aggregation
	name   string
	// label names it in plans: SOURCE_NAME in joins.
	label string
	typ   *types.Type
	key   bool
	// pseudo: ROWTIME and its kin, which * leaves out.
	pseudo bool
}

// scope is the columns in sight, in order.
type scope struct {
	columns []column
	sources []string // names or aliases, in order
	// joined: several sources; messages then name columns as the join does, SOURCE_NAME.
	joined bool
}

// locate puts ksqlDB's place in front of a message.
func locate(span diag.Span, text string) string {
	if !span.IsValid() {
		return text
	}
	return fmt.Sprintf("Line: %d, Col: %d: %s", span.Start.Line, span.Start.Column, text)
}

// resolve finds the column that ref names. clause is how ksqlDB calls the place: SELECT, WHERE, JOIN ON.
func (s *scope) resolve(ref *ast.ColumnRef, clause string) (*column, error) {
	if ref.Source != nil && !slices.Contains(s.sources, ref.Source.Name) {
		err := diag.Errorf(diag.UnknownSource, ref.Source.Span(), "'%s' is not a valid stream/table name or alias.", ref.Source.Name)
		if name, ok := diag.Suggest(ref.Source.Name, s.sources); ok {
			return nil, err.WithHint("Did you mean %s?", name)
		}
		return nil, err
	}
	var found []*column
	for i := range s.columns {
		c := &s.columns[i]
		if c.name == ref.Name.Name && (ref.Source == nil || ref.Source.Name == c.source) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, s.unknown(ref, clause)
	}
	names := make([]string, len(found))
	for i, c := range found {
		names[i] = c.source + "." + c.name
	}
	slices.Sort(names)
	return nil, diag.Errorf(diag.AmbiguousColumn, ref.Span(), "%s",
		locate(ref.Span(), fmt.Sprintf("Column '%s' is ambiguous. Could be %s.", refText(ref), orList(names)))).
		WithHint("Write the name of the source in front of the column.")
}

func (s *scope) unknown(ref *ast.ColumnRef, clause string) error {
	text := fmt.Sprintf("%s column '%s' cannot be resolved.", clause, refText(ref))
	if clause == "PARTITION BY" {
		text += fmt.Sprintf(" '%s' must be a column in the source schema since PARTITION BY is applied on the input.", refText(ref))
	}
	err := diag.Errorf(diag.UnknownColumn, ref.Span(), "%s", locate(ref.Span(), text))
	var names []string
	for i := range s.columns {
		if ref.Source == nil || ref.Source.Name == s.columns[i].source {
			names = append(names, s.columns[i].name)
		}
	}
	if name, ok := diag.Suggest(ref.Name.Name, names); ok {
		return err.WithHint("Did you mean %s?", types.QuoteName(name))
	}
	if ref.Name.Quoted {
		return err.WithHint("Double quotes and back-quotes enclose names; a text is written in single quotes: '%s'.", ref.Name.Name)
	}
	return err
}

// text is a column as messages show it.
func (s *scope) text(ref *ast.ColumnRef) string {
	if ref.Source != nil && !s.joined {
		return ref.Name.Name
	}
	if s.joined {
		if c, err := s.resolve(ref, ""); err == nil {
			return c.source + "_" + c.name
		}
	}
	return refText(ref)
}

// byID finds a column.
func (s *scope) byID(id int) *column {
	for i := range s.columns {
		if s.columns[i].id == id {
			return &s.columns[i]
		}
	}
	return nil
}

// orList is "a, b or c".
func orList(names []string) string { return joinLast(names, " or ") }

// andList is "a, b and c".
func andList(names []string) string { return joinLast(names, " and ") }

func joinLast(names []string, last string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + last + names[len(names)-1]
}
