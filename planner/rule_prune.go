package planner

import (
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// prunedColumns is the column pruning rule at its end: of a source only the key and the columns that somebody above reads
// are decoded. What is read is carried down while the plan is built, see builder.build.
func prunedColumns(n *logical.Scan, need columnSet) []logical.ScanColumn {
	var out []logical.ScanColumn
	for _, c := range n.Out {
		if c.Origin == physical.FromKey {
			out = append(out, c)
		}
	}
	for _, c := range n.Out {
		if c.Origin != physical.FromKey && need[c.ID] {
			out = append(out, c)
		}
	}
	return out
}
