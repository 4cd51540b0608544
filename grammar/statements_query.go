package grammar

import "github.com/ksqlgo/ksqlgo/grammar/ast"

type query struct {
	matched
	Select selectPart `parser:"@@"`
}

func (s query) build() (ast.Statement, error) {
	return &ast.Query{Located: s.at(), Select: s.Select.Select}, nil
}

type terminate struct {
	matched
	All   bool  `parser:"'TERMINATE' ( @'ALL'"`
	Query *name `parser:"| @@ )"`
}

func (s terminate) build() (ast.Statement, error) {
	return &ast.Terminate{Located: s.at(), Query: s.Query.pointer()}, nil
}

type pause struct {
	matched
	All   bool  `parser:"'PAUSE' ( @'ALL'"`
	Query *name `parser:"| @@ )"`
}

func (s pause) build() (ast.Statement, error) {
	return &ast.Pause{Located: s.at(), Query: s.Query.pointer()}, nil
}

type resume struct {
	matched
	All   bool  `parser:"'RESUME' ( @'ALL'"`
	Query *name `parser:"| @@ )"`
}

func (s resume) build() (ast.Statement, error) {
	return &ast.Resume{Located: s.at(), Query: s.Query.pointer()}, nil
}

type explainStatement struct {
	matched
	Statement production `parser:"'EXPLAIN' ( @@"`
	Query     *name      `parser:"| @@ )"`
}

func (s explainStatement) build() (ast.Statement, error) {
	out := &ast.Explain{Located: s.at(), Query: s.Query.pointer()}
	if s.Statement == nil {
		return out, nil
	}
	var err error
	out.Statement, err = s.Statement.build()
	return out, err
}

type printTopic struct {
	matched
	Topic         topicName    `parser:"'PRINT' @@"`
	FromBeginning bool         `parser:"@( 'FROM' 'BEGINNING' )?"`
	Interval      *integerPart `parser:"( ( 'INTERVAL' | 'SAMPLE' ) @@ )?"`
	Limit         *limitPart   `parser:"@@?"`
}

func (s printTopic) build() (ast.Statement, error) {
	return &ast.Print{
		Located: s.at(), Topic: s.Topic.Ident, FromBeginning: s.FromBeginning,
		Interval: s.Interval.pointer(), Limit: s.Limit.limit(),
	}, nil
}

type setProperty struct {
	matched
	Name  text `parser:"'SET' @@"`
	Value text `parser:"'=' @@"`
}

func (s setProperty) build() (ast.Statement, error) {
	return &ast.SetProperty{Located: s.at(), Name: s.Name.StringLiteral, Value: s.Value.StringLiteral}, nil
}

type unsetProperty struct {
	matched
	Name text `parser:"'UNSET' @@"`
}

func (s unsetProperty) build() (ast.Statement, error) {
	return &ast.UnsetProperty{Located: s.at(), Name: s.Name.StringLiteral}, nil
}

type alterSystem struct {
	matched
	Name  text `parser:"'ALTER' 'SYSTEM' @@"`
	Value text `parser:"'=' @@"`
}

func (s alterSystem) build() (ast.Statement, error) {
	return &ast.AlterSystem{Located: s.at(), Name: s.Name.StringLiteral, Value: s.Value.StringLiteral}, nil
}

type define struct {
	matched
	Name  name `parser:"'DEFINE' @@"`
	Value text `parser:"'=' @@"`
}

func (s define) build() (ast.Statement, error) {
	return &ast.Define{Located: s.at(), Name: s.Name.Ident, Value: s.Value.StringLiteral}, nil
}

type undefine struct {
	matched
	Name name `parser:"'UNDEFINE' @@"`
}

func (s undefine) build() (ast.Statement, error) {
	return &ast.Undefine{Located: s.at(), Name: s.Name.Ident}, nil
}

type runScript struct {
	matched
	Path text `parser:"'RUN' 'SCRIPT' @@"`
}

func (s runScript) build() (ast.Statement, error) {
	return &ast.RunScript{Located: s.at(), Path: s.Path.StringLiteral}, nil
}
