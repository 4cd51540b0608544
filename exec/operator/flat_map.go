package operator

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/eval"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// FlatMap runs table functions: an event becomes as many as the longest result has rows, all with its key, time and other
// columns. A function that fails, or one of whose arguments does, gives no rows and is reported. Null values are dropped,
// as in ksqlDB.
type FlatMap struct {
	ctx   *Context
	name  string
	calls []tableCall
	// base copies the input's columns to the output row.
	base moves
	row  *types.Row
	next Operator
}

// tableCall is one table function.
type tableCall struct {
	name string
	args *eval.Tuple
	// values are the arguments in hand, rows the result.
	values, rows []types.Slot
	apply        func(dst, args []types.Slot) ([]types.Slot, error)
	err          error
	guarded      func(arg int, err error)
	out          types.Loc
}

// keptRows is how many rows' space a call keeps for the next record.
const keptRows = 1 << 12

// NewFlatMap builds the operator.
func NewFlatMap(ctx *Context, n *physical.FlatMap, next Operator) (*FlatMap, error) {
	in, out := types.NewLayout(n.In.Out().Columns), types.NewLayout(n.Type.Columns)
	if len(out.Columns) != len(in.Columns)+len(n.Calls) {
		return nil, fmt.Errorf("%s: %d columns are not those of the input and of %d calls", n.Name, len(out.Columns), len(n.Calls))
	}
	f := &FlatMap{ctx: ctx, name: n.Name, row: out.NewRow(), next: next}
	f.base.addRange(in, 0, out, 0, len(in.Columns))
	for i := range n.Calls {
		c, err := f.call(&n.Calls[i], in)
		if err != nil {
			return nil, err
		}
		c.out = out.Locs[len(in.Columns)+i]
		f.calls = append(f.calls, c)
	}
	return f, nil
}

// call makes the instance of a table function.
func (f *FlatMap) call(n *physical.TableCall, in *types.Layout) (tableCall, error) {
	c := tableCall{name: n.Name, values: make([]types.Slot, len(n.Args))}
	spec, ok := f.ctx.Functions.Lookup(n.Name)
	if !ok || spec.Kind != functions.TableKind || n.Overload < 0 || n.Overload >= len(spec.Tables) {
		return c, fmt.Errorf("table function %s (overload %d) is not known", n.Name, n.Overload)
	}
	argTypes := make([]*types.Type, len(n.Args))
	for i, a := range n.Args {
		argTypes[i] = a.Type()
	}
	var err error
	if c.args, err = f.ctx.compiler().Tuple(n.Args, in); err != nil {
		return c, err
	}
	if c.apply, err = spec.Tables[n.Overload].New(f.ctx.Env, argTypes, n.T); err != nil {
		return c, fmt.Errorf("%s: %w", n.Name, err)
	}
	c.guarded = func(_ int, err error) { f.failed(n.Name, err, false) }
	return c, nil
}

func (f *FlatMap) failed(function string, err error, skipped bool) {
	f.ctx.fail(f.name, ProcessingError, false, skipped, "table function "+function+": "+err.Error())
}

// run applies the function to a row.
func (c *tableCall) run(row *types.Row) {
	if cap(c.rows) > keptRows {
		c.rows = nil
	}
	c.rows = c.rows[:0]
	if c.err = c.args.Try(row, c.values, c.guarded); c.err != nil {
		return
	}
	if c.rows, c.err = c.apply(c.rows, c.values); c.err != nil {
		c.rows = c.rows[:0]
	}
}

// Process implements [Operator].
func (f *FlatMap) Process(r *record.Record) error {
	if r.Tombstone {
		f.ctx.mark(fateFiltered)
		return nil
	}
	n := 0
	for i := range f.calls {
		c := &f.calls[i]
		c.run(r.Row)
		n = max(n, len(c.rows))
	}
	for i := range f.calls {
		if c := &f.calls[i]; c.err != nil {
			f.failed(c.name, c.err, n == 0)
		}
	}
	if n == 0 {
		f.ctx.mark(fateFiltered)
		return nil
	}
	f.base.run(r.Row, f.row)
	in := *r
	for i := range n {
		for k := range f.calls {
			if c := &f.calls[k]; i < len(c.rows) {
				f.row.SetSlot(c.out, c.rows[i])
			} else {
				f.row.SetNull(c.out)
			}
		}
		// Operators above change the record they are handed.
		*r = in
		r.Row, r.Old = f.row, nil
		if err := f.next.Process(r); err != nil {
			return err
		}
	}
	return nil
}
