package grammar

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

type create struct {
	matched
	OrReplace bool         `parser:"'CREATE' @( 'OR' 'REPLACE' )?"`
	Target    createTarget `parser:"@@"`
}

// createTarget is what comes behind CREATE [OR REPLACE].
type createTarget interface {
	buildCreate(create) (ast.Statement, error)
}

func createTargets() []createTarget {
	return []createTarget{createType{}, createConnector{}, createSource{}}
}

func (s create) build() (ast.Statement, error) { return s.Target.buildCreate(s) }

// refuseReplace is the error for OR REPLACE where there is no such thing.
func (s create) refuseReplace() error {
	if !s.OrReplace {
		return nil
	}
	return &unexpectedError{token: s.Tokens[3], hint: "OR REPLACE is for streams and tables alone"}
}

type createType struct {
	IfNotExists bool     `parser:"'TYPE' @( 'IF' 'NOT' 'EXISTS' )?"`
	Name        name     `parser:"@@"`
	Type        typePart `parser:"'AS' @@"`
}

func (t createType) buildCreate(s create) (ast.Statement, error) {
	return &ast.CreateType{Located: s.at(), IfNotExists: t.IfNotExists, Name: t.Name.Ident, Type: t.Type.TypeName}, s.refuseReplace()
}

type createConnector struct {
	Kind        string   `parser:"@( 'SOURCE' | 'SINK' ) 'CONNECTOR'"`
	IfNotExists bool     `parser:"@( 'IF' 'NOT' 'EXISTS' )?"`
	Name        name     `parser:"@@"`
	With        withPart `parser:"@@"`
}

func (t createConnector) buildCreate(s create) (ast.Statement, error) {
	kind := ast.SourceConnector
	if strings.EqualFold(t.Kind, "SINK") {
		kind = ast.SinkConnector
	}
	return &ast.CreateConnector{Located: s.at(), Kind: kind, IfNotExists: t.IfNotExists, Name: t.Name.Ident, With: t.With.list}, s.refuseReplace()
}

type createSource struct {
	matched
	ReadOnly    bool         `parser:"@'SOURCE'?"`
	Kind        string       `parser:"@( 'STREAM' | 'TABLE' )"`
	IfNotExists bool         `parser:"@( 'IF' 'NOT' 'EXISTS' )?"`
	Name        name         `parser:"@@"`
	Columns     *columnsPart `parser:"@@?"`
	With        *withPart    `parser:"@@?"`
	As          *asSelect    `parser:"@@?"`
}

type asSelect struct {
	matched
	Select selectPart `parser:"'AS' @@"`
}

func (t createSource) buildCreate(s create) (ast.Statement, error) {
	kind := sourceKind(t.Kind)
	if t.As != nil {
		if t.Columns != nil || t.ReadOnly {
			return nil, &unexpectedError{token: t.As.Tokens[0], hint: "leave out the columns and the word SOURCE: CREATE ... AS SELECT takes its columns from the query"}
		}
		return &ast.CreateAsSelect{
			Located: s.at(), Kind: kind, OrReplace: s.OrReplace, IfNotExists: t.IfNotExists,
			Name: t.Name.Ident, With: t.With.properties(), Select: t.As.Select.Select,
		}, nil
	}
	out := &ast.CreateSource{
		Located: s.at(), Kind: kind, OrReplace: s.OrReplace, ReadOnly: t.ReadOnly, IfNotExists: t.IfNotExists,
		Name: t.Name.Ident, With: t.With.properties(),
	}
	if t.Columns != nil {
		out.Columns = t.Columns.list
	}
	return out, checkKeys(kind, out.Columns)
}

// checkKeys refuses KEY in tables and PRIMARY KEY in streams.
func checkKeys(kind ast.SourceKind, columns []ast.Column) error {
	for i := range columns {
		c := &columns[i]
		var is, use, sources string
		switch {
		case kind == ast.Table && c.Constraint == ast.KeyConstraint:
			is, use, sources = "KEY", "PRIMARY KEY", "tables"
		case kind == ast.Stream && c.Constraint == ast.PrimaryConstraint:
			is, use, sources = "PRIMARY KEY", "KEY", "streams"
		default:
			continue
		}
		return diag.Errorf(diag.InvalidSource, c.At, "Line: %d, Col: %d: Column `%s` is a '%s' column: please use '%s' for %s.\nTables have PRIMARY KEYs, which are unique and NON NULL.\nStreams have KEYs, which have no uniqueness or NON NULL constraints.",
			c.At.Start.Line, c.At.Start.Column, c.Name.Name, is, use, sources).
			WithHint("write %s %s", c.Name.Name, use)
	}
	return nil
}

type insert struct {
	matched
	Target  name        `parser:"'INSERT' 'INTO' @@"`
	Columns *identsPart `parser:"( @@?"`
	Values  *valuesPart `parser:"'VALUES' @@"`
	With    *withPart   `parser:"| @@?"`
	Select  *selectPart `parser:"@@ )"`
}

func (s insert) build() (ast.Statement, error) {
	if s.Values == nil {
		return &ast.InsertSelect{Located: s.at(), Target: s.Target.Ident, With: s.With.properties(), Select: s.Select.Select}, nil
	}
	return &ast.InsertValues{Located: s.at(), Target: s.Target.Ident, Columns: s.Columns.idents(), Values: s.Values.list}, nil
}

type dropSource struct {
	matched
	Kind        string `parser:"'DROP' @( 'STREAM' | 'TABLE' )"`
	IfExists    bool   `parser:"@( 'IF' 'EXISTS' )?"`
	Name        name   `parser:"@@"`
	DeleteTopic bool   `parser:"@( 'DELETE' 'TOPIC' )?"`
}

func (s dropSource) build() (ast.Statement, error) {
	return &ast.DropSource{
		Located: s.at(), Kind: sourceKind(s.Kind), IfExists: s.IfExists, Name: s.Name.Ident, DeleteTopic: s.DeleteTopic,
	}, nil
}

type dropType struct {
	matched
	IfExists bool `parser:"'DROP' 'TYPE' @( 'IF' 'EXISTS' )?"`
	Name     name `parser:"@@"`
}

func (s dropType) build() (ast.Statement, error) {
	return &ast.DropType{Located: s.at(), IfExists: s.IfExists, Name: s.Name.Ident}, nil
}

type dropConnector struct {
	matched
	IfExists bool `parser:"'DROP' 'CONNECTOR' @( 'IF' 'EXISTS' )?"`
	Name     name `parser:"@@"`
}

func (s dropConnector) build() (ast.Statement, error) {
	return &ast.DropConnector{Located: s.at(), IfExists: s.IfExists, Name: s.Name.Ident}, nil
}

type alterSource struct {
	matched
	Kind string    `parser:"'ALTER' @( 'STREAM' | 'TABLE' )"`
	Name name      `parser:"@@"`
	Add  []addPart `parser:"@@ ( ',' @@ )*"`
}

func (s alterSource) build() (ast.Statement, error) {
	out := &ast.AlterSource{Located: s.at(), Kind: sourceKind(s.Kind), Name: s.Name.Ident}
	for _, add := range s.Add {
		out.Add = append(out.Add, add.Column)
	}
	return out, nil
}
