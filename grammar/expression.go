package grammar

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// expression parses a whole expression. From loose to tight binding:
//
//	OR, AND, NOT, one predicate (comparison, BETWEEN, IN, LIKE, IS), ||, + -, * / %, sign, AT TIME ZONE, -> and []
func (p *parser) expression() (ast.Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	return p.logical(precedenceOr)
}

const (
	precedenceOr = iota
	precedenceAnd
)

// countOperator keeps the tree from getting deeper than walkers can recurse.
func (p *parser) countOperator(t *lexer.Token) error {
	p.operators++
	if p.operators > MaxOperators {
		return diag.Errorf(diag.Limit, spanOf(t), "line %s: The expression has too many operators, the limit is %d.", posOf(t), MaxOperators).
			WithHint("use IN for long lists of alternatives")
	}
	return nil
}

// logical climbs over OR and AND.
func (p *parser) logical(least int) (ast.Expr, error) {
	start := posOf(p.peek())
	left, err := p.negation()
	for err == nil {
		var op ast.LogicalOp
		var precedence int
		switch t := p.peek(); {
		case isKeyword(t, "AND"):
			op, precedence = ast.And, precedenceAnd
		case isKeyword(t, "OR"):
			op, precedence = ast.Or, precedenceOr
		default:
			return left, nil
		}
		if precedence < least {
			return left, nil
		}
		if err := p.countOperator(p.next()); err != nil {
			return nil, err
		}
		var right ast.Expr
		right, err = p.logical(precedence + 1)
		if err == nil {
			left = &ast.Logical{Located: p.from(start), Op: op, Left: left, Right: right}
		}
	}
	return nil, err
}

// negation parses NOT … NOT predicate.
func (p *parser) negation() (ast.Expr, error) {
	if !isKeyword(p.peek(), "NOT") {
		return p.predicate()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := posOf(p.next())
	x, err := p.negation()
	if err != nil {
		return nil, err
	}
	return &ast.Not{Located: p.from(start), X: x}, nil
}

// predicate parses a value with at most one predicate behind it.
func (p *parser) predicate() (ast.Expr, error) {
	start := posOf(p.peek())
	x, err := p.value()
	if err != nil {
		return nil, err
	}
	t := p.peek()
	switch kindOf(t) {
	case token.Op:
		op, ok := compareOp(t.Value)
		if !ok {
			return x, nil
		}
		p.next()
		right, err := p.value()
		if err != nil {
			return nil, err
		}
		return &ast.Comparison{Located: p.from(start), Op: op, Left: x, Right: right}, nil
	case token.Keyword:
		if isKeyword(t, "IS") {
			return p.isPredicate(start, x)
		}
		after := t
		if isKeyword(t, "NOT") {
			after = p.peekAt(1)
		}
		switch {
		case isKeyword(after, "BETWEEN"), isKeyword(after, "IN"), isKeyword(after, "LIKE"):
			return p.setPredicate(start, x)
		}
	default:
	}
	return x, nil
}

func compareOp(text string) (ast.CompareOp, bool) {
	switch text {
	case "=":
		return ast.Equals, true
	case "<>", "!=":
		return ast.NotEquals, true
	case "<":
		return ast.Less, true
	case "<=":
		return ast.LessOrEqual, true
	case ">":
		return ast.Greater, true
	case ">=":
		return ast.GreaterOrEqual, true
	}
	return 0, false
}

// isPredicate parses IS [NOT] NULL and IS [NOT] DISTINCT FROM.
func (p *parser) isPredicate(start diag.Pos, x ast.Expr) (ast.Expr, error) {
	p.next()
	negated := p.take("NOT")
	if p.take("NULL") {
		return &ast.IsNull{Located: p.from(start), X: x, Negated: negated}, nil
	}
	if !p.take("DISTINCT") {
		return nil, p.unexpected("NULL or DISTINCT FROM")
	}
	if err := p.expect("FROM"); err != nil {
		return nil, err
	}
	right, err := p.value()
	if err != nil {
		return nil, err
	}
	op := ast.IsDistinctFrom
	if negated {
		op = ast.IsNotDistinctFrom
	}
	return &ast.Comparison{Located: p.from(start), Op: op, Left: x, Right: right}, nil
}

// setPredicate parses [NOT] BETWEEN, IN and LIKE.
func (p *parser) setPredicate(start diag.Pos, x ast.Expr) (ast.Expr, error) {
	negated := p.take("NOT")
	switch keyword(p.next()) {
	case "BETWEEN":
		low, err := p.value()
		if err != nil {
			return nil, err
		}
		if err := p.expect("AND"); err != nil {
			return nil, err
		}
		high, err := p.value()
		if err != nil {
			return nil, err
		}
		return &ast.Between{Located: p.from(start), X: x, Low: low, High: high, Negated: negated}, nil
	case "IN":
		items, err := list(p, false, p.expression)
		if err != nil {
			return nil, err
		}
		return &ast.In{Located: p.from(start), X: x, List: items, Negated: negated}, nil
	default:
		pattern, err := p.value()
		if err != nil {
			return nil, err
		}
		like := &ast.Like{X: x, Pattern: pattern, Negated: negated}
		if p.take("ESCAPE") {
			if like.Escape, err = p.stringLiteral(); err != nil {
				return nil, err
			}
		}
		like.Located = p.from(start)
		return like, nil
	}
}

const (
	precedenceConcat = iota
	precedenceSum
	precedenceProduct
)

func binaryOp(t *lexer.Token) (op ast.BinaryOp, precedence int, ok bool) {
	if kindOf(t) != token.Op {
		return 0, 0, false
	}
	switch t.Value {
	case "||":
		return ast.Concat, precedenceConcat, true
	case "+":
		return ast.Add, precedenceSum, true
	case "-":
		return ast.Subtract, precedenceSum, true
	case "*":
		return ast.Multiply, precedenceProduct, true
	case "/":
		return ast.Divide, precedenceProduct, true
	case "%":
		return ast.Modulo, precedenceProduct, true
	}
	return 0, 0, false
}

// value parses an expression without comparisons and logic.
func (p *parser) value() (ast.Expr, error) { return p.binary(precedenceConcat) }

// binary climbs over concatenation and arithmetic.
func (p *parser) binary(least int) (ast.Expr, error) {
	start := posOf(p.peek())
	left, err := p.signed()
	for err == nil {
		op, precedence, ok := binaryOp(p.peek())
		if !ok || precedence < least {
			return left, nil
		}
		if err := p.countOperator(p.next()); err != nil {
			return nil, err
		}
		var right ast.Expr
		right, err = p.binary(precedence + 1)
		if err == nil {
			left = &ast.Binary{Located: p.from(start), Op: op, Left: left, Right: right}
		}
	}
	return nil, err
}

// signed parses signs, and AT TIME ZONE behind the operand. A minus before a
// number belongs to the number.
func (p *parser) signed() (ast.Expr, error) {
	t := p.peek()
	if !isOp(t, "-") && !isOp(t, "+") || isOp(t, "-") && isNumber(p.peekAt(1)) {
		return p.zoned()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := posOf(p.next())
	op := ast.Plus
	if t.Value == "-" {
		op = ast.Minus
	}
	x, err := p.signed()
	if err != nil {
		return nil, err
	}
	return &ast.Unary{Located: p.from(start), Op: op, X: x}, nil
}

func (p *parser) zoned() (ast.Expr, error) {
	start := posOf(p.peek())
	x, err := p.postfix()
	for n := 0; err == nil && isKeyword(p.peek(), "AT"); n++ {
		if p.depth+n > MaxDepth {
			return nil, tooDeep(spanOf(p.peek()))
		}
		p.next()
		if err = p.expect("TIME", "ZONE"); err != nil {
			break
		}
		var zone *ast.StringLiteral
		if zone, err = p.stringLiteral(); err == nil {
			x = &ast.AtTimeZone{Located: p.from(start), X: x, Zone: zone.Value}
		}
	}
	return x, err
}

// postfix parses a primary with subscripts and fields behind it.
func (p *parser) postfix() (ast.Expr, error) {
	start := posOf(p.peek())
	x, err := p.primary()
	for n := 0; err == nil; n++ {
		t := p.peek()
		if p.depth+n > MaxDepth {
			return nil, tooDeep(spanOf(t))
		}
		switch {
		case isOp(t, "["):
			x, err = p.subscript(start, x)
		case isOp(t, "->") && !isOp(p.peekAt(1), "*"):
			p.next()
			var field ast.Ident
			if field, err = p.ident(); err == nil {
				x = &ast.Deref{Located: p.from(start), Base: x, Field: field}
			}
		default:
			return x, nil
		}
	}
	return nil, err
}

func (p *parser) subscript(start diag.Pos, base ast.Expr) (ast.Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.next()
	index, err := p.value()
	if err != nil {
		return nil, err
	}
	if err := p.expectOp("]"); err != nil {
		return nil, err
	}
	return &ast.Subscript{Located: p.from(start), Base: base, Index: index}, nil
}
