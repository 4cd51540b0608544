package ast

// Statement is a statement without its semicolon.
//
//sumtype:decl
type Statement interface {
	Node
	statement()
}

// Query is a SELECT by itself: push if Select.Emit is set, else pull.
type Query struct {
	Located
	Select *Select
}

// Terminate ends one query, or all.
type Terminate struct {
	Located
	Query *Ident // nil for ALL
}

// Pause stops one persistent query, or all, for a while.
type Pause struct {
	Located
	Query *Ident // nil for ALL
}

// Resume lets one paused query, or all, go on.
type Resume struct {
	Located
	Query *Ident // nil for ALL
}

// Explain shows the plan of a running query, or of a statement; exactly one is set.
type Explain struct {
	Located
	Query     *Ident
	Statement Statement
}

// Print shows the records of a topic.
type Print struct {
	Located
	Topic         Ident // case as written, whether quoted or not
	FromBeginning bool
	Interval      *int64 // nil if not given: every record
	Limit         *Limit // nil if not given
}

// SetProperty is SET 'name' = 'value'.
type SetProperty struct {
	Located
	Name, Value *StringLiteral
}

// UnsetProperty is UNSET 'name'.
type UnsetProperty struct {
	Located
	Name *StringLiteral
}

// AlterSystem is ALTER SYSTEM 'name' = 'value'.
type AlterSystem struct {
	Located
	Name, Value *StringLiteral
}

// Define is DEFINE name = 'value'.
type Define struct {
	Located
	Name  Ident // variables are compared without regard to case
	Value *StringLiteral
}

// Undefine is UNDEFINE name.
type Undefine struct {
	Located
	Name Ident
}

// RunScript is RUN SCRIPT 'file', which only clients carry out.
type RunScript struct {
	Located
	Path *StringLiteral
}

func (*Query) statement()         {}
func (*Terminate) statement()     {}
func (*Pause) statement()         {}
func (*Resume) statement()        {}
func (*Explain) statement()       {}
func (*Print) statement()         {}
func (*SetProperty) statement()   {}
func (*UnsetProperty) statement() {}
func (*AlterSystem) statement()   {}
func (*Define) statement()        {}
func (*Undefine) statement()      {}
func (*RunScript) statement()     {}
