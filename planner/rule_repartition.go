package planner

import (
	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
)

// chooseRepartition decides which sides of a join must be sent through a repartition topic, and in which format keys are
// written there. A side stays where it is when it is keyed by its side of the condition in the format of the other side.
// Tables stay unless the formats differ (ksqlDB's rule), since a stream can follow the table.
func (a *analyzer) chooseRepartition(j *ast.Join, node *logical.Join, l, r *joined) error {
	column := []types.Column{{Name: node.KeyColumn.Name, Type: node.KeyColumn.Type}}
	moveL, moveR := l.keyIndex(node.L.On) < 0, r.keyIndex(node.R.On) < 0
	switch {
	case moveL && !moveR:
		node.KeyFormat = r.side.KeyFormat
	case !moveL && moveR:
		node.KeyFormat = l.side.KeyFormat
	case moveL && moveR:
		node.KeyFormat = a.env.keyFormatFor(l.side.KeyFormat, column)
		if l.side.KeyFormat.Name == noneFormat && r.side.KeyFormat.Name != noneFormat {
			node.KeyFormat = a.env.keyFormatFor(r.side.KeyFormat, column)
		}
	default:
		node.KeyFormat = l.side.KeyFormat
		if !sameKeyFormat(l.side.KeyFormat, r.side.KeyFormat) || l.window != r.window {
			if _, keeps := a.env.schemaFormat(r.side.KeyFormat.Name); !keeps && !l.side.Node.Table() && r.side.Node.Table() {
				moveL = true
				node.KeyFormat = r.side.KeyFormat
			} else {
				moveR = true
			}
		}
	}
	// The bytes of a key whose schema is in the registry depend on who wrote it: only what a join has written already is
	// known to be alike.
	_, keepsL := a.env.schemaFormat(l.side.KeyFormat.Name)
	_, keepsR := a.env.schemaFormat(r.side.KeyFormat.Name)
	moveL, moveR = moveL || keepsL && !l.join, moveR || keepsR && !r.join
	if windowed := l.window != types.NoWindow && l.window == r.window; windowed && keepsL && keepsR && l.side.Partitions == 1 && r.side.Partitions == 1 &&
		l.keyIndex(node.L.On) >= 0 && r.keyIndex(node.R.On) >= 0 {
		// In one partition all keys meet, whatever their bytes.
		moveL, moveR = false, false
	}
	if (moveL || moveR) && (l.window != types.NoWindow || r.window != types.NoWindow) {
		return diag.Errorf(diag.NotSupported, j.Span(), "Implicit repartitioning of windowed sources is not supported. See https://github.com/confluentinc/ksql/issues/4385.")
	}
	node.L.Repartition, node.R.Repartition = moveL, moveR
	return nil
}

// sameKeyFormat says whether equal keys have equal bytes in both formats.
func sameKeyFormat(a, b catalog.Format) bool {
	if a.Name != b.Name || a.Unwrapped != b.Unwrapped || len(a.Properties) != len(b.Properties) {
		return false
	}
	for k, v := range a.Properties {
		if b.Properties[k] != v {
			return false
		}
	}
	return true
}

// groupRepartition decides whether the rows of a group meet in one partition already: a stream grouped by exactly its
// key, in order. Tables are always repartitioned: old and new row may belong to different groups.
func groupRepartition(in logical.Node, same []int, group []expr.Expr) bool {
	key := in.Key()
	if in.Table() || in.Windowed() != types.NoWindow || len(key) != len(group) || rekeyed(in) {
		return true
	}
	for i, g := range group {
		c, ok := g.(*expr.Column)
		if !ok {
			return true
		}
		matches := c.Index == key[i]
		if len(key) == 1 {
			for _, s := range same {
				matches = matches || s == c.Index
			}
		}
		if !matches {
			return true
		}
	}
	return false
}

// rekeyed says whether a PARTITION BY changed the key and the rows have not moved since.
func rekeyed(n logical.Node) bool {
	switch n := n.(type) {
	case *logical.Rekey:
		return true
	case *logical.Filter:
		return rekeyed(n.In)
	default: // The others are not concerned.
	}
	return false
}
