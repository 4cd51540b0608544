package planner

import (
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// mergeRekey is the rule that turns a projection over a PARTITION BY into one projection, when each value is computed
// from columns that PARTITION BY passes on unchanged and each key is the new key as it stands.
func mergeRekey(p *physical.Project) *physical.Project {
	in, ok := p.In.(*physical.Project)
	if !ok || !in.Rekey || p.Type.Key != in.Type.Key {
		return p
	}
	merged := &physical.Project{Name: p.Name, In: in.In, Rekey: true, Type: p.Type, Exprs: make([]expr.Expr, len(p.Exprs))}
	for i, e := range p.Exprs {
		if i < p.Type.Key {
			c, ok := e.(*expr.Column)
			if !ok || c.Index != i {
				return p
			}
			merged.Exprs[i] = in.Exprs[i]
			continue
		}
		plain := true
		merged.Exprs[i] = rewriteExpr(e, func(x expr.Expr) expr.Expr {
			c, ok := x.(*expr.Column)
			if !ok {
				return x
			}
			below, ok := in.Exprs[c.Index].(*expr.Column)
			if !ok {
				plain = false
				return x
			}
			return &expr.Column{Index: below.Index, Name: c.Name, T: c.T}
		})
		if !plain {
			return p
		}
	}
	return merged
}
