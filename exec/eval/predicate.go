package eval

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// Predicate is a compiled condition.
type Predicate struct {
	m    *machine
	cond condFn
}

// Predicate compiles a BOOLEAN expression over rows of layout in.
func (c *Compiler) Predicate(e expr.Expr, in *types.Layout) (*Predicate, error) {
	if t := e.Type(); t.Kind != types.Boolean {
		return nil, fmt.Errorf("eval: the condition is %s, not BOOLEAN", t)
	}
	u := c.unit(in)
	cond, err := u.condition(e)
	if err != nil {
		return nil, err
	}
	return &Predicate{u.m, cond}, nil
}

// Test evaluates the condition. Null counts as false. With an error it is false too: the row does not pass. report
// receives the errors of guarded places, which did not fail the condition; it may be nil.
func (p *Predicate) Test(row *types.Row, report func(error)) (ok bool, err error) {
	p.m.report = report
	ok = p.cond(row)
	if p.m.err != nil {
		return false, p.m.take()
	}
	return ok, nil
}
