package operator

import (
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/physical"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Materialize keeps the latest row of each key for pull queries, and gives changes their old row where it is wanted.
type Materialize struct {
	ctx   *Context
	table *tableStore
	next  Operator
}

// NewMaterialize builds the operator; keepOld says that old rows are wanted downstream. Without next the rows stay here.
func NewMaterialize(ctx *Context, n *physical.Materialize, keepOld bool, next Operator) (*Materialize, error) {
	out := n.In.Out()
	table, err := ctx.tableStore(n.Store, types.NewLayout(out.Columns), out.Key, len(out.Columns), keepOld)
	return &Materialize{ctx: ctx, table: table, next: next}, err
}

// Process implements [Operator].
func (m *Materialize) Process(r *record.Record) error {
	if err := m.table.apply(r); err != nil {
		return err
	}
	if m.next == nil {
		m.ctx.mark(fateKept)
		return nil
	}
	return m.next.Process(r)
}
