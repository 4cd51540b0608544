package client

import (
	"fmt"
	"strings"
)

// Column is one column of an answer.
type Column struct {
	// Name is as stored, without quotes.
	Name string
	// Type is the SQL type as the server printed it: "DECIMAL(4, 2)".
	Type string
	// Key says that the column belongs to the key; push queries do not tell.
	Key bool
}

// ParseSchema reads the schema text of a row header:
// "`ID` INTEGER KEY, `TAGS` ARRAY<STRING>".
func ParseSchema(text string) ([]Column, error) {
	var columns []Column
	rest := strings.TrimSpace(text)
	for rest != "" {
		name, after, err := quoted(rest)
		if err != nil {
			return nil, err
		}
		sqlType, next := untilComma(after)
		sqlType = strings.TrimSpace(sqlType)
		if sqlType == "" {
			return nil, fmt.Errorf("schema %q: column %s has no type", text, name)
		}
		column := Column{Name: name, Type: sqlType}
		if cut, ok := strings.CutSuffix(sqlType, " KEY"); ok {
			column.Type, column.Key = strings.TrimSuffix(cut, " PRIMARY"), true
		}
		columns = append(columns, column)
		rest = strings.TrimSpace(next)
	}
	return columns, nil
}

// quoted takes a back-quoted name off the front of text; a back-quote inside
// is doubled.
func quoted(text string) (name, rest string, err error) {
	if text[0] != '`' {
		return "", "", fmt.Errorf("schema: a column name in back-quotes should stand at %q", text)
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '`' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '`' {
			b.WriteByte('`')
			i++
			continue
		}
		return b.String(), text[i+1:], nil
	}
	return "", "", fmt.Errorf("schema: the name that starts at %q is not closed", text)
}

// untilComma splits at the first comma outside brackets and back-quotes.
func untilComma(text string) (before, after string) {
	depth, inQuotes := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '`':
			inQuotes = !inQuotes
		case inQuotes:
		case c == '<' || c == '(':
			depth++
		case c == '>' || c == ')':
			depth--
		case c == ',' && depth == 0:
			return text[:i], text[i+1:]
		}
	}
	return text, ""
}
