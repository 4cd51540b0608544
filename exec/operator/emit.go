package operator

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Emit hands rows to the subscriber of a push query. Null values of streams say nothing; a table's delete becomes a
// tombstone row that keeps the key columns.
type Emit struct {
	ctx    *Context
	layout *types.Layout
	row    *types.Row
	moves  moves
	keys   moves
	// start and end are where a tombstone of a windowed table keeps the bounds of its window, which are no key columns.
	start, end types.Loc
	table      bool
}

// NewEmit builds the operator.
func NewEmit(ctx *Context, n *physical.Emit) *Emit {
	in := types.NewLayout(n.In.Out().Columns)
	out := types.NewLayout(ctx.Output.Columns)
	e := &Emit{ctx: ctx, layout: out, row: out.NewRow(), table: ctx.Output.IsTable}
	for to, from := range n.Index {
		e.moves.add(in.Locs[from], out.Locs[to])
	}
	for _, to := range ctx.Output.KeyPositions {
		switch ctx.Output.Columns[to].Name {
		case types.WindowStart:
			e.start = out.Locs[to]
		case types.WindowEnd:
			e.end = out.Locs[to]
		default:
			e.keys.add(in.Locs[n.Index[to]], out.Locs[to])
		}
	}
	return e
}

// Process implements [Operator].
func (e *Emit) Process(r *record.Record) error {
	if r.Tombstone && !e.table {
		e.ctx.mark(fateFiltered)
		return nil
	}
	e.row.Reset()
	if r.Tombstone {
		e.keys.run(r.Row, e.row)
		if e.start.Class != types.ClassNone {
			e.row.SetInt64(e.start, r.Window.Start)
		}
		if e.end.Class != types.ClassNone {
			e.row.SetInt64(e.end, r.Window.End)
		}
	} else {
		e.moves.run(r.Row, e.row)
	}
	e.ctx.mark(fateEmitted)
	e.ctx.acc.Outputs++
	e.ctx.row = Row{
		Row: e.row, Layout: e.layout, Tombstone: r.Tombstone, Time: r.Time, Partition: r.Partition, Offset: r.Offset,
	}
	return e.ctx.Effects.Row(&e.ctx.row)
}
