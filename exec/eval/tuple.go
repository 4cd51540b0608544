package eval

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// Tuple computes several values as slots: the arguments of aggregate and table functions, the columns of a key.
type Tuple struct {
	m      *machine
	fs     []slotFn
	column int
	report func(column int, err error)
}

// Tuple compiles expressions over rows of layout in.
func (c *Compiler) Tuple(exprs []expr.Expr, in *types.Layout) (*Tuple, error) {
	u := c.unit(in)
	t := &Tuple{m: u.m, fs: make([]slotFn, len(exprs))}
	u.m.report = func(err error) {
		if t.report != nil {
			t.report(t.column, err)
		}
	}
	for i, e := range exprs {
		f, err := u.slot(e)
		if err != nil {
			return nil, err
		}
		t.fs[i] = f
	}
	return t, nil
}

// Len is the number of values.
func (t *Tuple) Len() int { return len(t.fs) }

// Try computes the values into dst as [Tuple.Run] does, up to the first whose expression fails, and returns that error.
// guarded receives the errors of guarded places, with the value's index; it may be nil.
func (t *Tuple) Try(row *types.Row, dst []types.Slot, guarded func(column int, err error)) error {
	t.report = guarded
	for i, f := range t.fs {
		t.column = i
		dst[i] = f(row)
		if err := t.m.take(); err != nil {
			return err
		}
	}
	return nil
}

// Run computes the values into dst, which has at least Len slots. complete tells that none is null, for callers that drop
// rows with null keys. A value whose expression fails is null and reported with its index; report may be nil. Byte
// strings share the lifetime of the row and of the tuple's next run.
func (t *Tuple) Run(row *types.Row, dst []types.Slot, report func(column int, err error)) (complete bool) {
	t.report = report
	complete = true
	for i, f := range t.fs {
		t.column = i
		dst[i] = f(row)
		if err := t.m.take(); err != nil {
			dst[i] = types.NullSlot
			if report != nil {
				report(i, err)
			}
		}
		complete = complete && !dst[i].Null
	}
	return complete
}
