package operator

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Project computes new columns. A column whose expression fails is null and reported. A null value stays one: only the
// key's expressions are computed. With Rekey (PARTITION BY) the key's bytes as read are no longer the key's.
type Project struct {
	key, value projection
	row        *types.Row
	// old takes the old row, which has a projection of its own; nil unless old rows are wanted downstream.
	old     *types.Row
	oldEval projection
	rekey   bool
	next    Operator
}

// NewProject builds the operator; keepOld says that old rows are wanted downstream.
func NewProject(ctx *Context, n *physical.Project, keepOld bool, next Operator) (*Project, error) {
	out := types.NewLayout(n.Type.Columns)
	p := &Project{row: out.NewRow(), rekey: n.Rekey, next: next}
	k := n.Type.Key
	var err error
	if keepOld {
		p.old = out.NewRow()
		if p.oldEval, err = ctx.projection(n.Name, n.Exprs, n.In.Out(), out, 0); err != nil {
			return nil, err
		}
	}
	if p.key, err = ctx.projection(n.Name, n.Exprs[:k], n.In.Out(), out, 0); err != nil {
		return nil, err
	}
	if p.value, err = ctx.projection(n.Name, n.Exprs[k:], n.In.Out(), out, k); err != nil {
		return nil, err
	}
	return p, nil
}

// Process implements [Operator].
func (p *Project) Process(r *record.Record) error {
	p.key.run(r.Row, p.row)
	if r.Tombstone {
		p.value.setNull(p.row)
	} else {
		p.value.run(r.Row, p.row)
	}
	if r.Old != nil && p.old != nil {
		p.oldEval.quietly(r.Old, p.old)
		r.Old = p.old
	} else {
		r.Old = nil
	}
	r.Row = p.row
	if p.rekey {
		r.RawKey, r.NullKey = nil, false
	}
	return p.next.Process(r)
}
