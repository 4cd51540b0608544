package operator

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Project computes new columns. A column whose expression fails is null and reported. A null value stays one: only the
// key's expressions are computed. With Rekey (PARTITION BY) the key's bytes as read are no longer the key's.
type Project struct {
	ctx        *Context
	name       string
	key, value projection
	row, old   *types.Row
	rekey      bool
	next       Operator
}

// NewProject builds the operator; keepOld says that old rows are wanted downstream.
func NewProject(ctx *Context, n *physical.Project, keepOld bool, next Operator) (*Project, error) {
	out := types.NewLayout(n.Type.Columns)
	p := &Project{ctx: ctx, name: n.Name, row: out.NewRow(), rekey: n.Rekey, next: next}
	if keepOld {
		p.old = out.NewRow()
	}
	k := n.Type.Key
	var err error
	if p.key, err = ctx.projection(n.Exprs[:k], n.In.Out(), out, 0); err != nil {
		return nil, err
	}
	if p.value, err = ctx.projection(n.Exprs[k:], n.In.Out(), out, k); err != nil {
		return nil, err
	}
	return p, nil
}

// Process implements [Operator].
func (p *Project) Process(r *record.Record) error {
	p.key.run(p.ctx, p.name, r.Row, p.row)
	if r.Tombstone {
		p.value.setNull(p.row)
	} else {
		p.value.run(p.ctx, p.name, r.Row, p.row)
	}
	if r.Old != nil && p.old != nil {
		p.key.quietly(r.Old, p.old)
		p.value.quietly(r.Old, p.old)
		r.Old = p.old
	} else {
		r.Old = nil
	}
	r.Row = p.row
	if p.rekey {
		r.RawKey = nil
	}
	return p.next.Process(r)
}
