package operator

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// gather holds the rows that an aggregate has read and not yet folded into its state: a few are folded in one go, since
// most of what an aggregate costs is waiting for the memory of the states, and they are waited for together. It serves
// aggregates whose results leave at Flush and whose states are changed in place.
type gather struct {
	*aggregateCore
	rows *state.Upserts
	// args are the arguments of each row, for all calls in a row; bytes holds their byte strings.
	args  []types.Slot
	width int
	bytes []byte
	at    [state.UpsertGroup]place
	add   func(i int, value []byte, found bool) error
}

// place is where a record error comes from.
type place struct {
	acc    *Accounting
	topic  string
	offset int64
}

// canGather says whether states are changed in place and all arguments can be copied cheaply.
func (f *fold) canGather() bool {
	if !f.fixed {
		return false
	}
	for i := range f.calls {
		for _, t := range f.calls[i].argTypes {
			if t.Class() == types.ClassRef {
				return false
			}
		}
	}
	return true
}

func newGather(a *aggregateCore, rows *state.Upserts) *gather {
	g := &gather{aggregateCore: a, rows: rows}
	for i := range g.fold.calls {
		g.width += g.fold.calls[i].args.Len()
	}
	g.args = make([]types.Slot, g.width*state.UpsertGroup)
	g.add = g.addRow
	return g
}

// put takes a row whose key was added to g.rows.
func (g *gather) put(row *types.Row) error {
	i := g.rows.Len() - 1
	c := g.ctx
	g.at[i] = place{c.acc, c.topic, c.offset}
	args := g.args[i*g.width : (i+1)*g.width]
	for k := range g.fold.calls {
		call := &g.fold.calls[k]
		call.args.Run(row, args, call.report)
		n := call.args.Len()
		for k := range args[:n] {
			if b := args[k].B; b != nil {
				from := len(g.bytes)
				g.bytes = append(g.bytes, b...)
				args[k].B = g.bytes[from:len(g.bytes):len(g.bytes)]
			}
		}
		args = args[n:]
	}
	if g.rows.Full() {
		return g.run()
	}
	return nil
}

// run folds in what was gathered.
func (g *gather) run() error {
	if g.rows.Len() == 0 {
		return nil
	}
	c := g.ctx
	here := place{c.acc, c.topic, c.offset}
	err := g.rows.Run(g.fold.size, g.add)
	c.acc, c.topic, c.offset = here.acc, here.topic, here.offset
	g.bytes = g.bytes[:0]
	return err
}

// drop forgets the rows that were not folded in yet.
func (g *gather) drop() {
	g.rows.Drop()
	g.bytes = g.bytes[:0]
}

func (g *gather) addRow(i int, value []byte, found bool) error {
	f := g.fold
	if found {
		if err := f.loadFixed(value); err != nil {
			return g.broken(err)
		}
	} else {
		f.init()
	}
	args := g.args[i*g.width : (i+1)*g.width]
	for k := range f.calls {
		call := &f.calls[k]
		if err := call.agg.Add(f.state[call.at:call.at+call.n], args[:call.args.Len()]); err != nil {
			c, at := g.ctx, &g.at[i]
			c.acc, c.topic, c.offset = at.acc, at.topic, at.offset
			c.columnFailed(g.name, call.column.Name, err)
		}
		args = args[call.args.Len():]
	}
	f.storeFixed(value)
	return nil
}
