package grammar

import (
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// primary parses what binds tightest: literals, columns, calls, constructors, parentheses.
func (p *parser) primary() (ast.Expr, error) {
	t := p.peek()
	switch kindOf(t) {
	case token.Integer, token.Decimal, token.Float, token.String:
		return p.literal()
	case token.Op:
		switch t.Value {
		case "-":
			return p.literal()
		case "(":
			return p.parenthesized()
		}
		return nil, p.unexpected("an expression")
	case token.Keyword:
		word := keyword(t)
		switch word {
		case "TRUE", "FALSE", "NULL":
			return p.literal()
		case "CASE":
			return p.caseExpression()
		case "CAST":
			return p.cast()
		}
		following := p.peekAt(1)
		switch {
		case word == "ARRAY" && isOp(following, "["):
			return p.arrayExpression()
		case word == "MAP" && isOp(following, "("):
			return p.mapExpression()
		case word == "STRUCT" && isOp(following, "("):
			return p.structExpression()
		}
	default:
	}
	if !isName(t) {
		return nil, &unexpectedError{token: *t, expected: "an expression", wantName: kindOf(t) == token.Keyword}
	}
	return p.named()
}

// parenthesized parses ( expression ), which leaves no node.
func (p *parser) parenthesized() (ast.Expr, error) {
	p.next()
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	if !p.takeOp(")") {
		t := p.peek()
		if t.EOF() {
			return nil, p.unexpected("')'")
		}
		return nil, p.refuse("missing ')' at '"+clip(t.Value)+"'", "')'")
	}
	return x, nil
}

// named parses what starts with a name: a column, a call, or a literal with a type.
func (p *parser) named() (ast.Expr, error) {
	start := posOf(p.peek())
	id, err := p.ident()
	if err != nil {
		return nil, err
	}
	t := p.peek()
	switch {
	case kindOf(t) == token.String:
		p.next()
		return &ast.TypedLiteral{Located: p.from(start), Type: id, Value: token.Value(token.String, t.Value)}, nil
	case isOp(t, "("):
		return p.call(id)
	case isOp(t, ".") && !isOp(p.peekAt(1), "*"):
		p.next()
		column, err := p.ident()
		if err != nil {
			return nil, err
		}
		return &ast.ColumnRef{Located: p.from(start), Source: &id, Name: column}, nil
	}
	return &ast.ColumnRef{Located: p.from(start), Name: id}, nil
}

// call parses the arguments of a function.
func (p *parser) call(name ast.Ident) (ast.Expr, error) {
	c := &ast.Call{Name: name}
	if isOp(p.peekAt(1), "*") {
		p.next()
		p.next()
		c.Star = true
		if err := p.expectOp(")"); err != nil {
			return nil, err
		}
	} else {
		args, err := list(p, true, p.argument)
		if err != nil {
			return nil, err
		}
		c.Args = args
	}
	c.Located = p.from(name.At.Start)
	return c, nil
}

// argument parses an argument: an expression, a lambda, or a unit of time that is a reserved word.
func (p *parser) argument() (ast.Expr, error) {
	t := p.peek()
	if word := keyword(t); token.IsReserved(word) {
		if unit, ok := ast.TimeUnitOf(word); ok {
			p.next()
			return &ast.IntervalUnit{Located: ast.At(spanOf(t)), Unit: unit}, nil
		}
	}
	if p.atLambda() {
		return p.lambda()
	}
	return p.expression()
}

// atLambda looks ahead for x => and (x, y) =>.
func (p *parser) atLambda() bool {
	mark := p.lex.MakeCheckpoint()
	defer p.lex.LoadCheckpoint(mark)
	if isName(p.peek()) {
		p.lex.Next()
		return isOp(p.peek(), "=>")
	}
	if !isOp(p.peek(), "(") {
		return false
	}
	for {
		p.lex.Next()
		if !isName(p.peek()) {
			return false
		}
		p.lex.Next()
		if isOp(p.peek(), ")") {
			p.lex.Next()
			return isOp(p.peek(), "=>")
		}
		if !isOp(p.peek(), ",") {
			return false
		}
	}
}

func (p *parser) lambda() (ast.Expr, error) {
	start := posOf(p.peek())
	l := &ast.Lambda{}
	var err error
	if isOp(p.peek(), "(") {
		l.Params, err = list(p, false, p.ident)
	} else {
		l.Params = make([]ast.Ident, 1)
		l.Params[0], err = p.ident()
	}
	if err != nil {
		return nil, err
	}
	if err := p.expectOp("=>"); err != nil {
		return nil, err
	}
	if l.Body, err = p.expression(); err != nil {
		return nil, err
	}
	l.Located = p.from(start)
	return l, nil
}

// caseExpression parses both forms of CASE.
func (p *parser) caseExpression() (ast.Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := posOf(p.next())
	c := &ast.Case{}
	var err error
	if !isKeyword(p.peek(), "WHEN") {
		if c.Operand, err = p.value(); err != nil {
			return nil, err
		}
	}
	for len(c.Whens) == 0 || isKeyword(p.peek(), "WHEN") {
		w := ast.When{}
		from := posOf(p.peek())
		if err = p.expect("WHEN"); err != nil {
			return nil, err
		}
		if w.Condition, err = p.expression(); err != nil {
			return nil, err
		}
		if err = p.expect("THEN"); err != nil {
			return nil, err
		}
		if w.Result, err = p.expression(); err != nil {
			return nil, err
		}
		w.Located = p.from(from)
		c.Whens = append(c.Whens, w)
	}
	if p.take("ELSE") {
		if c.Else, err = p.expression(); err != nil {
			return nil, err
		}
	}
	if !p.take("END") {
		return nil, p.unexpected("WHEN, ELSE or END")
	}
	c.Located = p.from(start)
	return c, nil
}

func (p *parser) cast() (ast.Expr, error) {
	start := posOf(p.next())
	if err := p.expectOp("("); err != nil {
		return nil, err
	}
	x, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.expect("AS"); err != nil {
		return nil, err
	}
	typ, err := p.typeName()
	if err != nil {
		return nil, err
	}
	if err := p.expectOp(")"); err != nil {
		return nil, err
	}
	return &ast.Cast{Located: p.from(start), X: x, Type: typ}, nil
}

// arrayExpression parses ARRAY[…].
func (p *parser) arrayExpression() (ast.Expr, error) {
	start := posOf(p.next())
	p.next()
	a := &ast.ArrayExpr{}
	if !isOp(p.peek(), "]") {
		elems, err := commaSeparated(p, p.expression)
		if err != nil {
			return nil, err
		}
		a.Elems = elems
	}
	if err := p.expectOp("]"); err != nil {
		return nil, err
	}
	a.Located = p.from(start)
	return a, nil
}

// mapExpression parses MAP(k := v, …).
func (p *parser) mapExpression() (ast.Expr, error) {
	start := posOf(p.next())
	entries, err := list(p, true, func() (e ast.MapEntry, err error) {
		if e.Key, err = p.expression(); err != nil {
			return e, err
		}
		if err = p.expectOp(":="); err != nil {
			return e, err
		}
		e.Value, err = p.expression()
		return e, err
	})
	if err != nil {
		return nil, err
	}
	return &ast.MapExpr{Located: p.from(start), Entries: entries}, nil
}

// structExpression parses STRUCT(f := v, …).
func (p *parser) structExpression() (ast.Expr, error) {
	start := posOf(p.next())
	fields, err := list(p, true, func() (f ast.StructField, err error) {
		if f.Name, err = p.ident(); err != nil {
			return f, err
		}
		if err = p.expectOp(":="); err != nil {
			return f, err
		}
		f.Value, err = p.expression()
		return f, err
	})
	if err != nil {
		return nil, err
	}
	return &ast.StructExpr{Located: p.from(start), Fields: fields}, nil
}
