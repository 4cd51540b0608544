package grammar

import (
	"math"
	"strconv"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

func isNumber(t *lexer.Token) bool {
	switch kindOf(t) {
	case token.Integer, token.Decimal, token.Float:
		return true
	default:
		return false
	}
}

// literal parses a number with an optional minus, a string, TRUE, FALSE or NULL.
func (p *parser) literal() (ast.Expr, error) {
	start := posOf(p.peek())
	sign := ""
	if isOp(p.peek(), "-") && isNumber(p.peekAt(1)) {
		p.next()
		sign = "-"
	}
	t := p.peek()
	switch {
	case isNumber(t):
		p.next()
		return number(kindOf(t), sign+t.Value, p.from(start))
	case kindOf(t) == token.String:
		return p.stringLiteral()
	case p.take("TRUE"):
		return &ast.BooleanLiteral{Located: p.from(start), Value: true}, nil
	case p.take("FALSE"):
		return &ast.BooleanLiteral{Located: p.from(start)}, nil
	case p.take("NULL"):
		return &ast.NullLiteral{Located: p.from(start)}, nil
	}
	return nil, p.unexpected("a literal: a string in single quotes, a number, TRUE, FALSE or NULL")
}

// number makes the narrowest literal as ksqlDB does: INTEGER, else BIGINT;
// DECIMAL with a point; DOUBLE with an exponent.
func number(kind token.Kind, text string, at ast.Located) (ast.Expr, error) {
	switch kind {
	case token.Decimal:
		if i := len(text) - len(trimSign(text)); text[i] == '.' {
			text = text[:i] + "0" + text[i:]
		}
		return &ast.DecimalLiteral{Located: at, Text: text}, nil
	case token.Float:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, badNumber(at, "Number overflows DOUBLE: "+clip(text), "the largest DOUBLE is about 1.8E308")
		}
		return &ast.DoubleLiteral{Located: at, Value: f}, nil
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, badNumber(at, "Invalid numeric literal: "+clip(text), "BIGINT reaches from -9223372036854775808 to 9223372036854775807; write a point for a DECIMAL")
		}
		if n < math.MinInt32 || n > math.MaxInt32 {
			return &ast.BigintLiteral{Located: at, Value: n}, nil
		}
		return &ast.IntLiteral{Located: at, Value: int32(n)}, nil
	}
}

func trimSign(text string) string {
	if text[0] == '-' {
		return text[1:]
	}
	return text
}

// badNumber is ksqlDB's error for a literal out of range; its column counts one more than others.
func badNumber(at ast.Located, what, hint string) error {
	start := at.At.Start
	return diag.Errorf(diag.Literal, at.At, "Failed to prepare statement: line %d:%d: %s", start.Line, start.Column+1, what).
		WithHint("%s", hint)
}

// integer parses a whole number, maybe negative, that fits int64.
func (p *parser) integer() (int64, ast.Located, error) {
	t := p.peek()
	if kindOf(t) != token.Integer && !(isOp(t, "-") && kindOf(p.peekAt(1)) == token.Integer) {
		return 0, ast.Located{}, p.unexpected("a whole number")
	}
	x, err := p.literal()
	if err != nil {
		return 0, ast.Located{}, err
	}
	switch x := x.(type) {
	case *ast.IntLiteral:
		return int64(x.Value), x.Located, nil
	case *ast.BigintLiteral:
		return x.Value, x.Located, nil
	default: // The others are not concerned.
	}
	return 0, ast.Located{}, p.unexpected("a whole number")
}
