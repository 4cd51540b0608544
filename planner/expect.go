package planner

import (
	"fmt"

	"maps"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// ExpectedRow is what a test expects of one record: values of some columns of a source.
type ExpectedRow struct {
	// Columns in the order in which they are named; ROWTIME, WINDOWSTART and WINDOWEND may be among them, as BIGINT.
	Columns []types.Column
	// Values hold one slot a column.
	Values []types.Slot
}

// ExpectRow binds the values of ASSERT VALUES to columns of a source: those that are named, else all that its records hold. The
// values are converted as those of INSERT INTO … VALUES are. at is the statement, for errors about the whole.
func ExpectRow(env *Env, src *catalog.Source, at ast.Node, columns []ast.Ident, values []ast.Expr) (*ExpectedRow, error) {
	row := &ExpectedRow{}
	for _, c := range columns {
		column, err := expectedColumn(src, c)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(row.Columns, func(o types.Column) bool { return o.Name == c.Name }) {
			return nil, diag.Errorf(diag.Duplicate, c.Span(), "Duplicate column name: %s", types.QuoteName(c.Name))
		}
		row.Columns = append(row.Columns, column)
	}
	if len(columns) == 0 {
		row.Columns = src.Schema.Columns()
	}
	if len(row.Columns) != len(values) {
		return nil, diag.Errorf(diag.InvalidQuery, at.Span(), "Failed to prepare statement: Expected number columns and values to match: %d, %d", len(row.Columns), len(values))
	}
	for i, e := range values {
		v, unknown, err := env.insertValue(e, row.Columns[i].Name, row.Columns[i].Type)
		if err == nil && len(unknown) > 0 {
			err = fmt.Errorf("%s has no field %s", types.QuoteName(row.Columns[i].Name), strings.Join(unknown, ", "))
		}
		if err != nil {
			if d, ok := diag.As(err); ok {
				return nil, d
			}
			return nil, diag.Errorf(diag.Type, e.Span(), "%s", err)
		}
		row.Values = append(row.Values, v)
	}
	return row, nil
}

func expectedColumn(src *catalog.Source, c ast.Ident) (types.Column, error) {
	switch i, isKey, ok := src.Schema.Find(c.Name); {
	case ok && isKey:
		return src.Schema.Key[i], nil
	case ok:
		return src.Schema.Value[i], nil
	case c.Name == types.RowTime, src.Window != types.NoWindow && (c.Name == types.WindowStart || c.Name == types.WindowEnd):
		return types.Column{Name: c.Name, Type: types.BigintType}, nil
	}
	err := diag.Errorf(diag.UnknownColumn, c.Span(), "Column name %s does not exist.", types.QuoteName(c.Name))
	return types.Column{}, withColumnHint(err, c.Name, src.Schema.Columns())
}

// SourceDifference is a property in which a source is not what a test expects.
type SourceDifference struct {
	// Property is its name in ksqlDB's messages: schema, type, kafka topic, key format, value format, …
	Property         string
	Expected, Actual string
}

// CompareSource compares a source with the definition of an ASSERT STREAM or ASSERT TABLE: its columns, its kind and what the WITH
// clause, if there is one, says of topic, formats and timestamp. It gives the first difference, nil if there is none; the error says what is wrong
// with the statement.
func CompareSource(env *Env, st *ast.AssertSource, src *catalog.Source) (*SourceDifference, error) {
	w, err := parseWith(st.With, createProperties)
	if err != nil {
		return nil, err
	}
	compared := []SourceDifference{{"type", kindOf(st.Kind).String(), src.Kind.String()}}
	if len(st.Columns) > 0 {
		schema, err := env.columns(st.Columns, kindOf(st.Kind))
		if err != nil {
			return nil, err
		}
		compared = append([]SourceDifference{{"schema", schema.String(), src.Schema.String()}}, compared...)
	}
	if len(st.With) == 0 {
		return firstDifference(compared), nil
	}
	if topic, ok := w.text(withTopic); ok {
		compared = append(compared, SourceDifference{"kafka topic", topic, src.Topic})
	}
	formats, err := compareFormats(env, w, src)
	if err != nil {
		return nil, err
	}
	compared = append(compared, formats...)
	timestamp := ""
	if text, ok := w.text(withTimestamp); ok {
		timestamp = columnNameOf(text)
	}
	format, _ := w.text(withTimestampFormat)
	compared = append(compared, SourceDifference{"timestamp column", timestamp, src.TimestampColumn},
		SourceDifference{"timestamp format", format, src.TimestampFormat})
	return firstDifference(compared), nil
}

func firstDifference(compared []SourceDifference) *SourceDifference {
	for _, d := range compared {
		if d.Expected != d.Actual {
			return &d
		}
	}
	return nil
}

// compareFormats lists what the WITH clause expects of the formats of key and value beside what they are.
func compareFormats(env *Env, w *with, src *catalog.Source) ([]SourceDifference, error) {
	key, at := w.formatName("KEY")
	switch {
	case key != "":
		if _, err := env.format(key, at); err != nil {
			return nil, err
		}
	case len(src.Schema.Key) == 0:
		key = noneFormat
	default:
		if key = strings.ToUpper(env.property("ksql.persistence.default.format.key")); key == "" {
			key = "KAFKA"
		}
	}
	value, at := w.formatName("VALUE")
	if value == "" {
		value = strings.ToUpper(env.property("ksql.persistence.default.format.value"))
	} else if _, err := env.format(value, at); err != nil {
		return nil, err
	}
	var out []SourceDifference
	if len(src.Schema.Key) > 0 || key == noneFormat {
		out = append(out, SourceDifference{"key format", key, src.KeyFormat.Name})
	}
	if value != "" {
		out = append(out, SourceDifference{"value format", value, src.ValueFormat.Name})
	}
	for _, side := range []struct {
		prefix string
		format catalog.Format
	}{{"KEY", src.KeyFormat}, {"VALUE", src.ValueFormat}} {
		props, err := w.formatProps(side.prefix)
		if err != nil {
			return nil, err
		}
		if actual, ok := side.format.Properties["DELIMITER"]; ok && props["DELIMITER"] == "" {
			out = append(out, SourceDifference{strings.ToLower(side.prefix) + " delimiter", ",", actual})
		}
		for _, name := range slices.Sorted(maps.Keys(props)) {
			what := strings.ToLower(side.prefix) + " " + strings.ToLower(strings.ReplaceAll(name, "_", " "))
			actual, ok := side.format.Properties[name]
			if !ok && name == "DELIMITER" {
				actual = ","
			}
			out = append(out, SourceDifference{what, props[name], actual})
		}
	}
	var s side
	if err := env.wrapping(w, &s); err != nil {
		return nil, err
	}
	if s.wrapByProperty {
		s.wrap = !src.ValueFormat.Unwrapped
	}
	unwrapped := s.wrapGiven && !s.wrap
	return append(out, SourceDifference{"value serde features", featuresText(unwrapped), featuresText(src.ValueFormat.Unwrapped)}), nil
}

// featuresText shows the features of a format as ksqlDB's messages do.
func featuresText(unwrapped bool) string {
	if unwrapped {
		return "[UNWRAP_SINGLES]"
	}
	return "[]"
}
