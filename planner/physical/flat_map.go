package physical

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// TableCall is one table function of a FlatMap.
type TableCall struct {
	Name     string
	Overload int
	// Args over the input row.
	Args []expr.Expr
	// T is the type of the value of one output row.
	T *types.Type
}

// FlatMap runs table functions over a stream: each record becomes as many as the longest result has rows, and none where
// all results are empty. Results are put side by side, the shorter ones padded with null. Output columns: those of the
// input, repeated in each row, then one for each call.
type FlatMap struct {
	Name  string
	In    Node
	Calls []TableCall
	Type  RowType
}

// Out describes the rows.
func (n *FlatMap) Out() *RowType { return &n.Type }

// Children returns the input.
func (n *FlatMap) Children() []Node { return []Node{n.In} }

func (*FlatMap) node() {}

// tableCalls writes the calls of a FlatMap.
func (e *encoder) tableCalls(calls []TableCall) []callDoc {
	out := make([]callDoc, len(calls))
	for i, c := range calls {
		out[i] = callDoc{Name: c.Name, Overload: c.Overload, Args: e.exprs(c.Args), Type: c.T}
	}
	return out
}

// flatMap reads a FlatMap, whose row is that of its input and a column for each call.
func (d *nodeDoc) flatMap(in Node, row RowType) (Node, error) {
	below := in.Out()
	if len(d.Calls) == 0 || len(row.Columns) != len(below.Columns)+len(d.Calls) || row.Key != below.Key {
		return nil, fmt.Errorf("flatMap %s: its row is not that of its input with %d more columns", d.Name, len(d.Calls))
	}
	n := &FlatMap{Name: d.Name, In: in, Type: row}
	for i, c := range d.Calls {
		if c.Type == nil || !types.Equal(c.Type, row.Columns[len(below.Columns)+i].Type) {
			return nil, fmt.Errorf("the call of %s does not fit its column", c.Name)
		}
		args, err := decodeExprs(c.Args)
		if err != nil {
			return nil, err
		}
		n.Calls = append(n.Calls, TableCall{Name: c.Name, Overload: c.Overload, Args: args, T: c.Type})
	}
	return n, nil
}
