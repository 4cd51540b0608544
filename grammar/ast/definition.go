package ast

// CreateSource is CREATE STREAM or CREATE TABLE over a topic.
type CreateSource struct {
	Located
	Kind        SourceKind
	OrReplace   bool
	ReadOnly    bool // CREATE SOURCE STREAM|TABLE
	IfNotExists bool
	Name        Ident
	Columns     []Column // empty if to be inferred
	With        []Property
}

// CreateAsSelect is CREATE STREAM or CREATE TABLE … AS SELECT.
type CreateAsSelect struct {
	Located
	Kind        SourceKind
	OrReplace   bool
	IfNotExists bool
	Name        Ident
	With        []Property
	Select      *Select
}

// Column is one column of a definition.
type Column struct {
	Located
	Name       Ident
	Type       TypeName
	Constraint Constraint
	HeaderKey  string // for HeaderConstraint
}

// Constraint says what a column is besides a plain value.
type Constraint uint8

// The constraints of a column.
const (
	NoConstraint      Constraint = iota
	KeyConstraint                // KEY, of streams
	PrimaryConstraint            // PRIMARY KEY, of tables
	HeadersConstraint            // HEADERS: all of them
	HeaderConstraint             // HEADER('key'): one of them
)

// InsertSelect is INSERT INTO … SELECT, a persistent query.
type InsertSelect struct {
	Located
	Target Ident
	With   []Property
	Select *Select
}

// InsertValues writes one record. The lists need not be of equal length: that is checked later.
type InsertValues struct {
	Located
	Target  Ident
	Columns []Ident // empty if not given
	Values  []Expr
}

// AlterSource adds columns to a source.
type AlterSource struct {
	Located
	Kind SourceKind
	Name Ident
	Add  []Column // without constraints
}

// DropSource is DROP STREAM or DROP TABLE.
type DropSource struct {
	Located
	Kind        SourceKind
	IfExists    bool
	Name        Ident
	DeleteTopic bool
}

// CreateType gives a type a name.
type CreateType struct {
	Located
	IfNotExists bool
	Name        Ident
	Type        TypeName
}

// DropType removes the name of a type.
type DropType struct {
	Located
	IfExists bool
	Name     Ident
}

// ConnectorKind tells source from sink connectors.
type ConnectorKind uint8

// The kinds of connector.
const (
	AnyConnector ConnectorKind = iota // for ListConnectors only
	SourceConnector
	SinkConnector
)

// CreateConnector passes a connector to Kafka Connect.
type CreateConnector struct {
	Located
	Kind        ConnectorKind
	IfNotExists bool
	Name        Ident
	With        []Property
}

// DropConnector removes a connector.
type DropConnector struct {
	Located
	IfExists bool
	Name     Ident
}

func (*CreateSource) statement()    {}
func (*CreateAsSelect) statement()  {}
func (*InsertSelect) statement()    {}
func (*InsertValues) statement()    {}
func (*AlterSource) statement()     {}
func (*DropSource) statement()      {}
func (*CreateType) statement()      {}
func (*DropType) statement()        {}
func (*CreateConnector) statement() {}
func (*DropConnector) statement()   {}
