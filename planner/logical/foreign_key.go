package logical

import (
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// ForeignKeyJoin joins each row of a table with the row of another table whose key a column or expression of it names. The
// result is a table with the key of the left one.
type ForeignKeyJoin struct {
	// Prefix of the names of its steps, as in [Join].
	Prefix string
	// Kind is Inner or Left.
	Kind physical.JoinKind
	// L.On is the foreign key, R.On the key of the right table. R.Repartition is set when equal keys may have other bytes in
	// the right table's topic than in the subscriptions'.
	L, R JoinSide
	// KeepRows is set by a rule: the old results are needed downstream, so they are materialised.
	KeepRows bool
}

// Columns are those of both sides.
func (n *ForeignKeyJoin) Columns() []Column {
	return slices.Concat(n.L.Node.Columns(), n.R.Node.Columns())
}

// Key is that of the left side.
func (n *ForeignKeyJoin) Key() []int { return n.L.Node.Key() }

// Children returns both sides.
func (n *ForeignKeyJoin) Children() []Node { return []Node{n.L.Node, n.R.Node} }

// Table is true.
func (n *ForeignKeyJoin) Table() bool { return true }

// Windowed is none: windowed tables are refused.
func (n *ForeignKeyJoin) Windowed() types.WindowType { return types.NoWindow }

func (*ForeignKeyJoin) node() {}
