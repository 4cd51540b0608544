package repl

// Catalog is what names completion knows. It is read while it is shared, so
// nobody may change it: a new state is a new Catalog.
type Catalog struct {
	Sources    []Source
	Functions  []Function
	Properties []string
	Topics     []string
	Queries    []string // ids of persistent queries
	Types      []string
}

// Source is a stream or a table.
type Source struct {
	Name string
	// Kind is "STREAM" or "TABLE".
	Kind    string
	Columns []Column
}

// Column is a column of a source.
type Column struct{ Name, Type string }

// Function is a function by name, with its category or kind.
type Function struct{ Name, Kind string }
