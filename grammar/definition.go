package grammar

import (
	"github.com/alecthomas/participle/v2"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// column parses one column of a definition.
func (p *parser) column() (c ast.Column, err error) {
	start := posOf(p.peek())
	if c.Name, err = p.ident(); err != nil {
		return c, err
	}
	if c.Type, err = p.typeName(); err != nil {
		return c, err
	}
	switch {
	case p.take("PRIMARY"):
		c.Constraint = ast.PrimaryConstraint
		if err = p.expect("KEY"); err != nil {
			return c, err
		}
	case p.take("KEY"):
		c.Constraint = ast.KeyConstraint
	case p.take("HEADERS"):
		c.Constraint = ast.HeadersConstraint
	case p.take("HEADER"):
		c.Constraint = ast.HeaderConstraint
		if err = p.expectOp("("); err != nil {
			return c, err
		}
		key, err := p.stringLiteral()
		if err != nil {
			return c, err
		}
		c.HeaderKey = key.Value
		if err = p.expectOp(")"); err != nil {
			return c, err
		}
	}
	c.Located = p.from(start)
	return c, nil
}

// columns parses ( column, … ) if it is there.
func (p *parser) columns() ([]ast.Column, error) {
	if !isOp(p.peek(), "(") {
		return nil, participle.NextMatch
	}
	p.next()
	columns, err := commaSeparated(p, p.column)
	if err != nil {
		return nil, err
	}
	if !p.takeOp(")") {
		if p.atEnd() {
			return nil, p.unexpected("',' or ')'")
		}
		return nil, p.refuse("Expecting {',', ')'}", "',' or ')'")
	}
	return columns, nil
}

// addColumn parses ADD [COLUMN] name type. COLUMN is a name, too.
func (p *parser) addColumn() (c ast.Column, err error) {
	if err = p.expect("ADD"); err != nil {
		return c, err
	}
	if isKeyword(p.peek(), "COLUMN") && isName(p.peekAt(1)) {
		if after := p.peekAt(2); !after.EOF() && !isOp(after, ",") && !isOp(after, "<") && !isOp(after, "(") {
			p.next()
		}
	}
	start := posOf(p.peek())
	if c.Name, err = p.ident(); err != nil {
		return c, err
	}
	if c.Type, err = p.typeName(); err != nil {
		return c, err
	}
	c.Located = p.from(start)
	return c, nil
}

// properties parses WITH ( name = literal, … ) if it is there.
func (p *parser) properties() ([]ast.Property, error) {
	if !isKeyword(p.peek(), "WITH") {
		return nil, participle.NextMatch
	}
	p.next()
	return list(p, false, p.property)
}

func (p *parser) property() (prop ast.Property, err error) {
	t := p.peek()
	start := posOf(t)
	if kindOf(t) == token.String {
		p.next()
		prop.Name, prop.IsString = token.Value(token.String, t.Value), true
	} else {
		name, err := p.ident()
		if err != nil {
			return prop, err
		}
		prop.Name = name.Name
	}
	if err = p.expectOp("="); err != nil {
		return prop, err
	}
	if prop.Value, err = p.literal(); err != nil {
		return prop, err
	}
	prop.Located = p.from(start)
	return prop, nil
}

// identList parses ( name, … ) if it is there.
func (p *parser) identList() ([]ast.Ident, error) {
	if !isOp(p.peek(), "(") {
		return nil, participle.NextMatch
	}
	return list(p, false, p.ident)
}

// values parses ( value, … ), which may be empty.
func (p *parser) values() ([]ast.Expr, error) {
	return list(p, true, p.groupingValue)
}

// topic parses the name of a topic or subject, whose case is kept without quotes too.
func (p *parser) topic() (ast.Ident, error) {
	t := p.peek()
	switch {
	case kindOf(t) == token.String:
		p.next()
		return ast.Ident{Located: ast.At(spanOf(t)), Name: token.Value(token.String, t.Value), Quoted: true}, nil
	case isName(t) && kindOf(t) != token.QuotedIdent:
		p.next()
		return ast.Ident{Located: ast.At(spanOf(t)), Name: t.Value}, nil
	}
	return p.ident()
}
