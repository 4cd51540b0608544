package types

import "strings"

// Column is a named column of a source or of a row between operators.
type Column struct {
	Name string `json:"name"`
	Type *Type  `json:"type"`
}

// HeaderColumn is a column that shows headers of the record: the value of the last one named Key, or all of them when Key is nil.
type HeaderColumn struct {
	Column
	Key *string `json:"header,omitempty"`
}

// Constraint is how a statement marks the column: HEADERS, or HEADER('name').
func (c HeaderColumn) Constraint() string {
	if c.Key == nil {
		return "HEADERS"
	}
	return "HEADER('" + strings.ReplaceAll(*c.Key, "'", "''") + "')"
}

// HeadersType is the type of a column that shows all headers.
var HeadersType = ArrayOf(StructOf(Field{Name: "KEY", Type: StringType}, Field{Name: "VALUE", Type: BytesType}))

// Schema is the logical schema of a stream or table: its key columns, its value columns, and those that show headers, in order.
// Immutable.
type Schema struct {
	Key     []Column       `json:"key,omitempty"`
	Value   []Column       `json:"value,omitempty"`
	Headers []HeaderColumn `json:"headers,omitempty"`
}

// String prints the schema as ksqlDB does: `ID` INTEGER KEY, `AMOUNT` DOUBLE.
func (s *Schema) String() string {
	var b strings.Builder
	for i, c := range s.Key {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(QuoteName(c.Name) + " " + c.Type.String() + " KEY")
	}
	for i, c := range s.Value {
		if i > 0 || len(s.Key) > 0 {
			b.WriteString(", ")
		}
		b.WriteString(QuoteName(c.Name) + " " + c.Type.String())
	}
	for i, c := range s.Headers {
		if i > 0 || len(s.Key)+len(s.Value) > 0 {
			b.WriteString(", ")
		}
		b.WriteString(QuoteName(c.Name) + " " + c.Type.String() + " " + c.Constraint())
	}
	return b.String()
}

// Columns returns key columns followed by value columns in a new slice: what a topic's records hold.
func (s *Schema) Columns() []Column {
	out := make([]Column, 0, len(s.Key)+len(s.Value))
	return append(append(out, s.Key...), s.Value...)
}

// Header looks a column that shows headers up by exact name.
func (s *Schema) Header(name string) (HeaderColumn, bool) {
	for _, c := range s.Headers {
		if c.Name == name {
			return c, true
		}
	}
	return HeaderColumn{}, false
}

// Find looks a column of key or value up by exact name; ok is false when there is none. isKey tells the side, index the place on it.
func (s *Schema) Find(name string) (index int, isKey, ok bool) {
	for i := range s.Key {
		if s.Key[i].Name == name {
			return i, true, true
		}
	}
	for i := range s.Value {
		if s.Value[i].Name == name {
			return i, false, true
		}
	}
	return 0, false, false
}

// EqualColumns reports whether two column lists have the same names and types in the same order.
func EqualColumns(a, b []Column) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || !Equal(a[i].Type, b[i].Type) {
			return false
		}
	}
	return true
}

// The pseudo columns every source has (ksqlDB's names). They are reserved: no column or alias may be named so.
const (
	RowTime      = "ROWTIME"
	RowPartition = "ROWPARTITION"
	RowOffset    = "ROWOFFSET"
	WindowStart  = "WINDOWSTART"
	WindowEnd    = "WINDOWEND"
)

// IsPseudoColumn reports whether name is one of the five reserved pseudo columns.
func IsPseudoColumn(name string) bool {
	switch name {
	case RowTime, RowPartition, RowOffset, WindowStart, WindowEnd:
		return true
	}
	return false
}
