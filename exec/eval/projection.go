package eval

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// Projection computes columns of one row from another row. Byte strings in the target point into the source row or into
// scratch of the projection and hold until its next run: whoever needs the results of two rows at a time (the old and
// the new one) makes two projections.
type Projection struct {
	m      *machine
	copies []copyStep
	ints   []step[int64]
	texts  []step[[]byte]
	refs   []step[any]
	// column is the index of the expression in hand, for guarded errors.
	column int
	report func(column int, err error)
}

// copyStep is a column that is passed on as it is.
type copyStep struct{ from, to types.Loc }

type step[T any] struct {
	f      fn[T]
	to     types.Loc
	column int
}

// Projection compiles expressions over rows of layout in; the i-th is stored at places[i] of the target row (places
// of class ClassNone are not wanted and not computed).
func (c *Compiler) Projection(exprs []expr.Expr, in *types.Layout, places []types.Loc) (*Projection, error) {
	if len(exprs) != len(places) {
		return nil, fmt.Errorf("eval: %d expressions for %d columns", len(exprs), len(places))
	}
	u := c.unit(in)
	p := &Projection{m: u.m}
	u.m.report = p.guarded
	for i, e := range exprs {
		if err := p.add(u, i, e, places[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Projection) add(u *unit, column int, e expr.Expr, to types.Loc) error {
	if to.Class == types.ClassNone {
		return nil
	}
	if to.Class != e.Type().Class() {
		return fmt.Errorf("eval: expression %d is %s, which its column cannot hold", column, e.Type())
	}
	if c, ok := e.(*expr.Column); ok {
		from, err := u.place(c)
		p.copies = append(p.copies, copyStep{from, to})
		return err
	}
	switch to.Class {
	case types.ClassInt64:
		f, err := u.int64(e)
		p.ints = append(p.ints, step[int64]{f, to, column})
		return err
	case types.ClassBytes:
		f, err := u.bytes(e)
		p.texts = append(p.texts, step[[]byte]{f, to, column})
		return err
	default:
		f, err := u.ref(e)
		p.refs = append(p.refs, step[any]{f, to, column})
		return err
	}
}

func (p *Projection) guarded(err error) {
	if p.report != nil {
		p.report(p.column, err)
	}
}

// IsCopy reports whether the projection only passes columns on: it computes nothing and cannot fail.
func (p *Projection) IsCopy() bool { return len(p.ints)+len(p.texts)+len(p.refs) == 0 }

// Run computes all columns. src and dst are different rows. For each error report is called with the index of the
// expression: its column is null then, or, where the error was in a guarded place, only what that place computes. report
// may be nil.
func (p *Projection) Run(src, dst *types.Row, report func(column int, err error)) {
	for i := range p.copies {
		c := &p.copies[i]
		switch {
		case src.IsNull(c.from):
			dst.SetNull(c.to)
		case c.to.Class == types.ClassInt64:
			dst.SetInt64(c.to, src.I[c.from.Slot])
		case c.to.Class == types.ClassBytes:
			dst.SetBytes(c.to, src.B[c.from.Slot])
		default:
			dst.SetRef(c.to, src.R[c.from.Slot])
		}
	}
	p.report = report
	for i := range p.ints {
		s := &p.ints[i]
		p.column = s.column
		if v, null := s.f(src); null || p.m.err != nil {
			p.null(dst, s.to)
		} else {
			dst.SetInt64(s.to, v)
		}
	}
	for i := range p.texts {
		s := &p.texts[i]
		p.column = s.column
		if v, null := s.f(src); null || p.m.err != nil {
			p.null(dst, s.to)
		} else {
			dst.SetBytes(s.to, v)
		}
	}
	for i := range p.refs {
		s := &p.refs[i]
		p.column = s.column
		if v, null := s.f(src); null || p.m.err != nil {
			p.null(dst, s.to)
		} else {
			dst.SetRef(s.to, v)
		}
	}
}

// null stores the null of the column in hand and reports its error, if that is the cause.
func (p *Projection) null(dst *types.Row, to types.Loc) {
	dst.SetNull(to)
	if err := p.m.take(); err != nil && p.report != nil {
		p.report(p.column, err)
	}
}
