package grammar

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// production is the form of a statement that participle fills by its tags.
type production interface {
	// build makes the node of the syntax tree.
	build() (ast.Statement, error)
}

// productions are the members of the union, told apart by their first two words.
func productions() []production {
	return []production{
		query{}, insert{}, create{},
		dropSource{}, dropType{}, dropConnector{}, alterSource{}, alterSystem{},
		terminate{}, pause{}, resume{}, explainStatement{}, printTopic{},
		listSources{}, listQueries{}, listTopics{}, listOthers{}, listConnectors{}, listPlugins{},
		describeSources{}, describeFunction{}, describeConnector{}, describe{},
		setProperty{}, unsetProperty{}, define{}, undefine{}, assert{}, runScript{},
	}
}

// matched is embedded in productions; participle fills in what they have matched.
type matched struct {
	Tokens []lexer.Token
}

// at is the place of the production.
func (m matched) at() ast.Located {
	if len(m.Tokens) == 0 {
		return ast.Located{}
	}
	return ast.At(diag.Span{Start: posOf(&m.Tokens[0]), End: endOf(&m.Tokens[len(m.Tokens)-1])})
}

// The parts that are parsed by hand, as participle sees them.
type (
	name         struct{ ast.Ident }
	topicName    struct{ ast.Ident }
	text         struct{ *ast.StringLiteral }
	selectPart   struct{ *ast.Select }
	typePart     struct{ ast.TypeName }
	columnsPart  struct{ list []ast.Column }
	addPart      struct{ ast.Column }
	withPart     struct{ list []ast.Property }
	identsPart   struct{ list []ast.Ident }
	valuesPart   struct{ list []ast.Expr }
	limitPart    struct{ *ast.Limit }
	intervalPart struct{ ast.Interval }
	integerPart  struct{ value int64 }
)

// Parse lets participle call the hand-written parser.
func (x *name) Parse(lex *lexer.PeekingLexer) error { return part(lex, &x.Ident, (*parser).ident) }

// Parse lets participle call the hand-written parser.
func (x *topicName) Parse(lex *lexer.PeekingLexer) error { return part(lex, &x.Ident, (*parser).topic) }

// Parse lets participle call the hand-written parser.
func (x *text) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.StringLiteral, (*parser).stringLiteral)
}

// Parse lets participle call the hand-written parser.
func (x *selectPart) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.Select, (*parser).selectStatement)
}

// Parse lets participle call the hand-written parser.
func (x *typePart) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.TypeName, (*parser).typeName)
}

// Parse lets participle call the hand-written parser.
func (x *columnsPart) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.list, (*parser).columns)
}

// Parse lets participle call the hand-written parser.
func (x *addPart) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.Column, (*parser).addColumn)
}

// Parse lets participle call the hand-written parser.
func (x *withPart) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.list, (*parser).properties)
}

// Parse lets participle call the hand-written parser.
func (x *identsPart) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.list, (*parser).identList)
}

// Parse lets participle call the hand-written parser.
func (x *valuesPart) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.list, (*parser).values)
}

// Parse lets participle call the hand-written parser.
func (x *limitPart) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.Limit, (*parser).requiredLimit)
}

// Parse lets participle call the hand-written parser.
func (x *intervalPart) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.Interval, (*parser).interval)
}

// Parse lets participle call the hand-written parser.
func (x *integerPart) Parse(lex *lexer.PeekingLexer) error {
	return part(lex, &x.value, func(p *parser) (int64, error) {
		n, _, err := p.integer()
		return n, err
	})
}

func (x *withPart) properties() []ast.Property {
	if x == nil {
		return nil
	}
	return x.list
}

func (x *identsPart) idents() []ast.Ident {
	if x == nil {
		return nil
	}
	return x.list
}

func (x *limitPart) limit() *ast.Limit {
	if x == nil {
		return nil
	}
	return x.Limit
}

func (x *intervalPart) interval() *ast.Interval {
	if x == nil {
		return nil
	}
	return &x.Interval
}

func (x *integerPart) pointer() *int64 {
	if x == nil {
		return nil
	}
	return &x.value
}

// pointer gives the name, nil if it was left out.
func (x *name) pointer() *ast.Ident {
	if x == nil {
		return nil
	}
	return &x.Ident
}

func sourceKind(word string) ast.SourceKind {
	switch word[len(word)-1] | 0x20 {
	case 'm': // STREAM
		return ast.Stream
	case 's':
		return sourceKind(word[:len(word)-1])
	}
	return ast.Table
}
