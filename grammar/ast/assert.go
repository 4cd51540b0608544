package ast

// AssertTopic waits until a topic exists, or does not.
type AssertTopic struct {
	Located
	NotExists bool
	Topic     Ident // case as written, whether quoted or not
	With      []Property
	Timeout   *Interval // nil if not given
}

// AssertSchema waits until a schema exists in Schema Registry, or does not.
type AssertSchema struct {
	Located
	NotExists bool
	Subject   *Ident // case as written; nil if not given
	ID        *int64 // nil if not given
	Timeout   *Interval
}

// AssertValues, of the test tool, expects the next record of a source.
type AssertValues struct {
	Located
	Source  Ident
	Columns []Ident
	Values  []Expr
}

// AssertTombstone, of the test tool, expects a tombstone: ASSERT NULL VALUES … KEY (…).
type AssertTombstone struct {
	Located
	Source  Ident
	Columns []Ident
	Key     []Expr
}

// AssertSource, of the test tool, expects a source with this definition.
type AssertSource struct {
	Located
	Kind    SourceKind
	Name    Ident
	Columns []Column
	With    []Property
}

func (*AssertTopic) statement()     {}
func (*AssertSchema) statement()    {}
func (*AssertValues) statement()    {}
func (*AssertTombstone) statement() {}
func (*AssertSource) statement()    {}
