package grammar

import "github.com/ksqlgo/ksqlgo/grammar/ast"

type assert struct {
	matched
	NotExists bool         `parser:"'ASSERT' @( 'NOT' 'EXISTS' )?"`
	Target    assertTarget `parser:"@@"`
}

// assertTarget is what comes behind ASSERT [NOT EXISTS].
type assertTarget interface {
	buildAssert(assert) (ast.Statement, error)
}

func assertTargets() []assertTarget {
	return []assertTarget{assertTopic{}, assertSchema{}, assertValues{}, assertTombstone{}, assertSource{}}
}

func (s assert) build() (ast.Statement, error) { return s.Target.buildAssert(s) }

// refuseNot is the error for NOT EXISTS where there is no such thing.
func (s assert) refuseNot() error {
	if !s.NotExists {
		return nil
	}
	return &unexpectedError{token: s.Tokens[3], hint: "NOT EXISTS is for TOPIC and SCHEMA alone"}
}

type assertTopic struct {
	Topic   topicName     `parser:"'TOPIC' @@"`
	With    *withPart     `parser:"@@?"`
	Timeout *intervalPart `parser:"( 'TIMEOUT' @@ )?"`
}

func (t assertTopic) buildAssert(s assert) (ast.Statement, error) {
	return &ast.AssertTopic{
		Located: s.at(), NotExists: s.NotExists, Topic: t.Topic.Ident,
		With: t.With.properties(), Timeout: t.Timeout.interval(),
	}, nil
}

type assertSchema struct {
	Subject *topicName    `parser:"'SCHEMA' ( 'SUBJECT' @@ )?"`
	ID      *integerPart  `parser:"( 'ID' @@ )?"`
	Timeout *intervalPart `parser:"( 'TIMEOUT' @@ )?"`
}

func (t assertSchema) buildAssert(s assert) (ast.Statement, error) {
	out := &ast.AssertSchema{Located: s.at(), NotExists: s.NotExists, ID: t.ID.pointer(), Timeout: t.Timeout.interval()}
	if t.Subject != nil {
		out.Subject = &t.Subject.Ident
	}
	return out, nil
}

type assertValues struct {
	Source  name        `parser:"'VALUES' @@"`
	Columns *identsPart `parser:"@@?"`
	Values  valuesPart  `parser:"'VALUES' @@"`
}

func (t assertValues) buildAssert(s assert) (ast.Statement, error) {
	return &ast.AssertValues{Located: s.at(), Source: t.Source.Ident, Columns: t.Columns.idents(), Values: t.Values.list}, s.refuseNot()
}

type assertTombstone struct {
	Source  name        `parser:"'NULL' 'VALUES' @@"`
	Columns *identsPart `parser:"@@?"`
	Key     valuesPart  `parser:"'KEY' @@"`
}

func (t assertTombstone) buildAssert(s assert) (ast.Statement, error) {
	return &ast.AssertTombstone{Located: s.at(), Source: t.Source.Ident, Columns: t.Columns.idents(), Key: t.Key.list}, s.refuseNot()
}

type assertSource struct {
	Kind    string       `parser:"@( 'STREAM' | 'TABLE' )"`
	Name    name         `parser:"@@"`
	Columns *columnsPart `parser:"@@?"`
	With    *withPart    `parser:"@@?"`
}

func (t assertSource) buildAssert(s assert) (ast.Statement, error) {
	out := &ast.AssertSource{Located: s.at(), Kind: sourceKind(t.Kind), Name: t.Name.Ident, With: t.With.properties()}
	if t.Columns != nil {
		out.Columns = t.Columns.list
	}
	return out, s.refuseNot()
}
