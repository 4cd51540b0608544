package grammar

import (
	"github.com/alecthomas/participle/v2"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// selectStatement parses SELECT with its clauses, in the order ksqlDB wants them.
func (p *parser) selectStatement() (*ast.Select, error) {
	if !isKeyword(p.peek(), "SELECT") {
		return nil, participle.NextMatch
	}
	start := posOf(p.next())
	s := &ast.Select{}
	var err error
	if s.Items, err = commaSeparated(p, p.selectItem); err != nil {
		return nil, err
	}
	if err = p.expect("FROM"); err != nil {
		return nil, err
	}
	if s.From, err = p.relation(); err != nil {
		return nil, err
	}
	if err = p.clauses(s); err != nil {
		return nil, err
	}
	s.Located = p.from(start)
	return s, nil
}

// clauses parses what comes behind FROM.
func (p *parser) clauses(s *ast.Select) (err error) {
	if p.take("WINDOW") {
		if s.Window, err = p.window(); err != nil {
			return err
		}
	}
	if p.take("WHERE") {
		if s.Where, err = p.wholeExpression(); err != nil {
			return err
		}
	}
	if p.take("GROUP") {
		if s.GroupBy, err = p.grouping("GROUP BY"); err != nil {
			return err
		}
	}
	if p.take("PARTITION") {
		if s.PartitionBy, err = p.grouping("PARTITION BY"); err != nil {
			return err
		}
	}
	if p.take("HAVING") {
		if s.Having, err = p.wholeExpression(); err != nil {
			return err
		}
	}
	if p.take("EMIT") {
		switch {
		case p.take("CHANGES"):
			s.Emit = ast.EmitChanges
		case p.take("FINAL"):
			s.Emit = ast.EmitFinal
		default:
			return p.unexpected("CHANGES or FINAL")
		}
	}
	s.Limit, err = p.limit()
	return err
}

// wholeExpression parses an expression that stands by itself.
func (p *parser) wholeExpression() (ast.Expr, error) {
	p.operators = 0
	return p.expression()
}

func (p *parser) selectItem() (ast.SelectItem, error) {
	t := p.peek()
	start := posOf(t)
	switch {
	case p.takeOp("*"):
		return &ast.SelectAll{Located: p.from(start)}, nil
	case isName(t) && isOp(p.peekAt(1), ".") && isOp(p.peekAt(2), "*"):
		source, err := p.identPointer()
		if err != nil {
			return nil, err
		}
		p.next()
		p.next()
		return &ast.SelectAll{Located: p.from(start), Source: source}, nil
	}
	x, err := p.wholeExpression()
	if err != nil {
		return nil, err
	}
	if isOp(p.peek(), "->") { // expression leaves it only before *
		p.next()
		p.next()
		return &ast.SelectStructAll{Located: p.from(start), Base: x}, nil
	}
	item := &ast.SelectExpr{Expr: x}
	if p.take("AS") || isName(p.peek()) {
		if item.Alias, err = p.identPointer(); err != nil {
			return nil, err
		}
	}
	item.Located = p.from(start)
	return item, nil
}

// relation parses a source and the joins behind it.
func (p *parser) relation() (ast.Relation, error) {
	start := posOf(p.peek())
	first, err := p.source()
	if err != nil {
		return nil, err
	}
	var r ast.Relation = first
	for n := 0; ; n++ {
		kind, ok, err := p.joinKind()
		if err != nil {
			return nil, err
		}
		if !ok {
			return r, nil
		}
		if n == MaxDepth {
			return nil, tooDeep(spanOf(p.peek()))
		}
		j := &ast.Join{Left: r, Kind: kind}
		if j.Right, err = p.source(); err != nil {
			return nil, err
		}
		if p.take("WITHIN") {
			if j.Within, err = p.within(); err != nil {
				return nil, err
			}
		}
		if err := p.expect("ON"); err != nil {
			return nil, err
		}
		if j.On, err = p.wholeExpression(); err != nil {
			return nil, err
		}
		j.Located = p.from(start)
		r = j
	}
}

// source parses a name with an optional alias.
func (p *parser) source() (*ast.Source, error) {
	start := posOf(p.peek())
	s := &ast.Source{}
	var err error
	if s.Name, err = p.ident(); err != nil {
		return nil, err
	}
	if p.take("AS") || isName(p.peek()) && !p.atClause() {
		if s.Alias, err = p.identPointer(); err != nil {
			return nil, err
		}
		if s.Alias.Name == s.Name.Name {
			s.Alias = nil
		}
	}
	s.Located = p.from(start)
	return s, nil
}

// atClause reports whether a word that can be an alias starts a clause instead.
func (p *parser) atClause() bool {
	t, following := p.peek(), p.peekAt(1)
	return isKeyword(t, "EMIT") && (isKeyword(following, "CHANGES") || isKeyword(following, "FINAL")) ||
		isKeyword(t, "PARTITION") && isKeyword(following, "BY")
}

// joinKind parses the words up to JOIN; ok is false if no join comes.
func (p *parser) joinKind() (kind ast.JoinKind, ok bool, err error) {
	switch {
	case p.take("JOIN"):
		return ast.InnerJoin, true, nil
	case p.take("INNER"):
		kind = ast.InnerJoin
	case p.take("LEFT"):
		kind = ast.LeftJoin
	case p.take("RIGHT"):
		kind = ast.RightJoin
	case p.take("FULL"):
		kind = ast.FullJoin
	default:
		return 0, false, nil
	}
	if kind != ast.InnerJoin {
		p.take("OUTER")
	}
	return kind, true, p.expect("JOIN")
}

// grouping parses BY and a list, which may stand in parentheses.
func (p *parser) grouping(clause string) (*ast.Grouping, error) {
	if err := p.expect("BY"); err != nil {
		return nil, err
	}
	start := posOf(p.peek())
	g := &ast.Grouping{}
	var err error
	if p.atParenthesizedList() {
		g.Exprs, err = list(p, true, p.groupingValue)
	} else {
		g.Exprs, err = commaSeparated(p, p.groupingValue)
	}
	if err != nil {
		return nil, err
	}
	g.Located = p.from(start)
	if len(g.Exprs) == 0 {
		return nil, diag.Errorf(diag.Syntax, g.At, "%s requires at least one expression", clause).
			WithHint("name the columns to group by, or leave the clause out")
	}
	return g, nil
}

func (p *parser) groupingValue() (ast.Expr, error) {
	p.operators = 0
	return p.value()
}

// atParenthesizedList tells (a, b) and () from (a + b) * 2: there is a comma
// directly within the parentheses, or nothing.
func (p *parser) atParenthesizedList() bool {
	if !isOp(p.peek(), "(") {
		return false
	}
	mark := p.lex.MakeCheckpoint()
	defer p.lex.LoadCheckpoint(mark)
	p.lex.Next()
	if isOp(p.peek(), ")") {
		return true
	}
	for depth := 1; depth > 0 && !p.atEnd(); p.lex.Next() {
		switch t := p.peek(); {
		case isOp(t, "(") || isOp(t, "["):
			depth++
		case isOp(t, ")") || isOp(t, "]"):
			depth--
		case depth == 1 && isOp(t, ","):
			return true
		}
	}
	return false
}

// limit parses an optional LIMIT clause.
func (p *parser) limit() (*ast.Limit, error) {
	if !isKeyword(p.peek(), "LIMIT") {
		return nil, nil
	}
	start := posOf(p.next())
	number := p.peek()
	if isOp(number, "-") {
		number = p.peekAt(1)
	}
	if k := kindOf(number); k == token.Decimal || k == token.Float {
		x, err := p.literal()
		if err != nil {
			return nil, err
		}
		return nil, diag.Errorf(diag.Literal, x.Span(), "Failed to prepare statement: Value must be integer for command: LIMIT").
			WithHint("expected a whole number")
	}
	n, _, err := p.integer()
	if err != nil {
		return nil, err
	}
	return &ast.Limit{Located: p.from(start), Count: n}, nil
}

// requiredLimit lets participle skip a LIMIT clause that is not there.
func (p *parser) requiredLimit() (*ast.Limit, error) {
	if !isKeyword(p.peek(), "LIMIT") {
		return nil, participle.NextMatch
	}
	return p.limit()
}
