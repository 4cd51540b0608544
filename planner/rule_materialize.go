package planner

import "github.com/ksqlgo/ksqlgo/planner/logical"

// keepOldRows is the rule that chooses which table sources are materialised: those below an operator that must know the
// row a change replaces. A filter needs it so as not to delete what was never there, an aggregation to undo; joins keep
// the rows of both sides themselves. A foreign-key join has the left rows only where its results are made, so these are
// materialised instead.
func keepOldRows(n logical.Node) { keepRows(n, false) }

func keepRows(n logical.Node, wanted bool) {
	switch n := n.(type) {
	case *logical.Scan:
		n.KeepRows = wanted && n.Table()
	case *logical.Filter:
		keepRows(n.In, n.Table())
	case *logical.Project:
		keepRows(n.In, wanted)
	case *logical.Aggregate:
		keepRows(n.In, n.In.Table())
	case *logical.Suppress:
		keepRows(n.In, false)
	case *logical.FlatMap:
		keepRows(n.In, false)
	case *logical.Rekey:
		keepRows(n.In, false)
	case *logical.ForeignKeyJoin:
		n.KeepRows = wanted
		keepRows(n.L.Node, false)
		keepRows(n.R.Node, false)
	case *logical.Join:
		keepRows(n.L.Node, false)
		keepRows(n.R.Node, false)
	}
}
