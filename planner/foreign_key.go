package planner

import (
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// isForeignKey says whether a join is one of two tables on a foreign key: the right side is the key of its table and the
// left side is not that of its own.
func isForeignKey(l, r *joined, onL, onR onSide) bool {
	return l.side.Node.Table() && r.side.Node.Table() && isKey(r, onR) && !isKey(l, onL)
}

// checkForeignKey refuses foreign-key joins that cannot be. got is the condition as messages show it.
func checkForeignKey(j *ast.Join, kind physical.JoinKind, l, r *joined, got string) error {
	switch {
	case l.join:
		return diag.Errorf(diag.NotSupported, j.On.Span(), "Invalid join condition: foreign-key table-table joins are not supported as part of n-way joins. Got %s.", got).
			WithHint("Only the first join of a query may be one on a foreign key; make a table of it first.")
	case kind == physical.Right:
		return diag.Errorf(diag.NotSupported, j.Span(), "RIGHT OUTER JOIN on a foreign key is not supported")
	case kind == physical.Full:
		return diag.Errorf(diag.NotSupported, j.Span(), "FULL OUTER JOIN on a foreign key is not supported")
	case l.window != types.NoWindow || r.window != types.NoWindow:
		return diag.Errorf(diag.NotSupported, j.Span(), "Foreign-key table-table joins are not supported on windowed tables.")
	}
	return nil
}

// foreignKeyJoin makes the join of two tables on a foreign key. Its result is keyed as the left side is.
func (a *analyzer) foreignKeyJoin(kind physical.JoinKind, depth int, l, r *joined) *joined {
	node := &logical.ForeignKeyJoin{Prefix: strings.Repeat("L_", depth), Kind: kind, L: l.side, R: r.side}
	_, node.R.Repartition = a.env.schemaFormat(r.side.KeyFormat.Name)
	a.synthetic = ""
	out := &joined{aliases: append(slices.Clone(l.aliases), r.aliases...), join: true, keys: l.keys}
	out.side = logical.JoinSide{
		Node: node, Name: l.side.Name, Partitions: l.side.Partitions, KeyFormat: l.side.KeyFormat, ValueFormat: l.side.ValueFormat,
	}
	return out
}

// foreignKeyWord is the keyWord of a query whose key is that of the left table of a foreign-key join.
const foreignKeyWord = "foreign-key join"

// missingLeftKey is the error for columns of the left table's key that are not projected after a foreign-key join.
func (a *analyzer) missingLeftKey(missing []int) error {
	left := a.sources[0]
	var names, texts []string
	for _, i := range missing {
		c := left.source.Schema.Key[i].Name
		names = append(names, types.QuoteName(c))
		texts = append(texts, left.alias+"."+c)
	}
	column := "column"
	if len(missing) > 1 {
		column = "columns"
	}
	return diag.Errorf(diag.InvalidQuery, a.sel.Span(), "Primary key %s missing in projection. For foreign-key table-table joins, the projection must include "+
		"all primary key columns from the left input table (%s). Missing %s: %s.", column, types.QuoteName(left.alias), column, strings.Join(names, ", ")).
		WithHint("Add the key to the SELECT: SELECT %s, ….", strings.Join(texts, ", "))
}
