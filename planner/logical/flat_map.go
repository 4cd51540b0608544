package logical

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// TableCall is a table function of a FlatMap with the column that takes its values.
type TableCall struct {
	Column
	Name     string
	Overload int
	Args     []expr.Expr
}

// FlatMap makes several rows of one by table functions. Its rows offer the columns of the input and one for each call.
type FlatMap struct {
	Step  string
	In    Node
	Calls []TableCall
}

// Columns are those of the input and the calls.
func (n *FlatMap) Columns() []Column {
	out := append([]Column(nil), n.In.Columns()...)
	for _, c := range n.Calls {
		out = append(out, c.Column)
	}
	return out
}

// Key is that of the input.
func (n *FlatMap) Key() []int { return n.In.Key() }

// Children returns the input.
func (n *FlatMap) Children() []Node { return []Node{n.In} }

// Table is false: table functions run over streams only.
func (n *FlatMap) Table() bool { return false }

// Windowed is that of the input.
func (n *FlatMap) Windowed() types.WindowType { return n.In.Windowed() }

func (*FlatMap) node() {}
