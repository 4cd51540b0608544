package grammar

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// window parses what comes behind WINDOW. ksqlDB lets a name come first, which means nothing.
func (p *parser) window() (*ast.Window, error) {
	if kindOf(p.peek()) == token.Ident && isWindowKind(p.peekAt(1)) {
		p.next()
	}
	start := posOf(p.peek())
	w := &ast.Window{}
	switch {
	case p.take("TUMBLING"):
		w.Kind = ast.Tumbling
	case p.take("HOPPING"):
		w.Kind = ast.Hopping
	case p.take("SESSION"):
		w.Kind = ast.Session
	default:
		return nil, p.unexpected("TUMBLING, HOPPING or SESSION")
	}
	if err := p.windowBody(w); err != nil {
		return nil, err
	}
	w.Located = p.from(start)
	return w, nil
}

func isWindowKind(t *lexer.Token) bool {
	return isKeyword(t, "TUMBLING") || isKeyword(t, "HOPPING") || isKeyword(t, "SESSION")
}

// windowBody parses the sizes in parentheses.
func (p *parser) windowBody(w *ast.Window) (err error) {
	if err = p.expectOp("("); err != nil {
		return err
	}
	if w.Kind != ast.Session {
		if err = p.expect("SIZE"); err != nil {
			return err
		}
	}
	if w.Size, err = p.interval(); err != nil {
		return err
	}
	if w.Kind == ast.Hopping {
		if err = p.expectOp(","); err != nil {
			return err
		}
		if err = p.expect("ADVANCE", "BY"); err != nil {
			return err
		}
		if w.Advance, err = p.intervalPointer(); err != nil {
			return err
		}
	}
	for p.takeOp(",") {
		switch {
		case w.Retention == nil && w.Grace == nil && p.take("RETENTION"):
			w.Retention, err = p.intervalPointer()
		case w.Grace == nil && p.take("GRACE"):
			w.Grace, err = p.grace()
		default:
			return p.unexpected("RETENTION or GRACE PERIOD, in this order")
		}
		if err != nil {
			return err
		}
	}
	return p.expectOp(")")
}

// grace parses what comes behind GRACE.
func (p *parser) grace() (*ast.Interval, error) {
	if err := p.expect("PERIOD"); err != nil {
		return nil, err
	}
	return p.intervalPointer()
}

// within parses what comes behind WITHIN: one size, or (before, after).
func (p *parser) within() (*ast.Within, error) {
	start := posOf(p.peek())
	w := &ast.Within{}
	var err error
	if p.takeOp("(") {
		if w.Before, err = p.interval(); err != nil {
			return nil, err
		}
		if err = p.expectOp(","); err != nil {
			return nil, err
		}
		if w.After, err = p.interval(); err != nil {
			return nil, err
		}
		if err = p.expectOp(")"); err != nil {
			return nil, err
		}
	} else {
		if w.Before, err = p.interval(); err != nil {
			return nil, err
		}
		w.After, w.Symmetric = w.Before, true
	}
	if p.take("GRACE") {
		if w.Grace, err = p.grace(); err != nil {
			return nil, err
		}
	}
	w.Located = p.from(start)
	return w, nil
}

// interval parses a number and a unit from MILLISECONDS to DAYS.
func (p *parser) interval() (ast.Interval, error) {
	n, at, err := p.integer()
	if err != nil {
		return ast.Interval{}, err
	}
	t := p.peek()
	unit, ok := ast.TimeUnitOf(keyword(t))
	if _, fixed := unit.Millis(); !ok || !fixed {
		return ast.Interval{}, p.unexpected("a unit: DAYS, HOURS, MINUTES, SECONDS or MILLISECONDS")
	}
	p.next()
	return ast.Interval{Located: p.from(at.At.Start), Value: n, Unit: unit}, nil
}

func (p *parser) intervalPointer() (*ast.Interval, error) {
	i, err := p.interval()
	if err != nil {
		return nil, err
	}
	return &i, nil
}
