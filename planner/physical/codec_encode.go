package physical

import (
	"encoding/json"
	"fmt"

	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// node writes a node and what is below it.
func (e *encoder) node(n Node) *nodeDoc {
	if n == nil {
		return nil
	}
	var d *nodeDoc
	switch n := n.(type) {
	case *Source:
		d = &nodeDoc{Type: "source", Name: n.Name, Row: &n.Type, Input: n.Input, Columns: n.Columns, Store: n.Store}
	case *Filter:
		d = &nodeDoc{Type: "filter", Name: n.Name, Cond: e.expr(n.Cond), Having: n.Having}
	case *Project:
		d = &nodeDoc{Type: "project", Name: n.Name, Row: &n.Type, Exprs: e.exprs(n.Exprs), Rekey: n.Rekey}
	case *FlatMap:
		d = &nodeDoc{Type: "flatMap", Name: n.Name, Row: &n.Type, Calls: e.tableCalls(n.Calls)}
	case *Aggregate:
		d = &nodeDoc{Type: "aggregate", Name: n.Name, Row: &n.Type, Exprs: e.exprs(n.GroupBy), Window: n.Window, Store: n.Store, Table: n.Table}
		for _, c := range n.Calls {
			d.Calls = append(d.Calls, e.call(c))
		}
	case *Suppress:
		w := n.Window
		d = &nodeDoc{Type: "suppress", Name: n.Name, Window: &w, Store: n.Store}
	case *StreamTableJoin:
		d = &nodeDoc{Type: "streamTableJoin", Name: n.Name, Row: &n.Type, Join: n.Kind, Store: n.Store}
	case *StreamStreamJoin:
		d = &nodeDoc{
			Type: "streamStreamJoin", Name: n.Name, Row: &n.Type, Join: n.Kind, Store: n.LeftStore, RightStore: n.RightStore, OuterStore: n.OuterStore,
			BeforeMs: n.BeforeMs, AfterMs: n.AfterMs, GraceMs: n.GraceMs, GraceGiven: n.GraceGiven,
		}
	case *TableTableJoin:
		d = &nodeDoc{Type: "tableTableJoin", Name: n.Name, Row: &n.Type, Join: n.Kind, Store: n.LeftStore, RightStore: n.RightStore}
	case *ForeignKeyJoin:
		d = &nodeDoc{
			Type: "foreignKeyJoin", Name: n.Name, Row: &n.Type, Join: n.Kind, Cond: e.expr(n.On), Store: n.Store, Topic: n.Topic,
			KeyColumns: n.KeyColumns, ValueColumns: n.ValueColumns, KeyFormat: &n.KeyFormat, Partitions: n.Partitions,
		}
	case *ForeignKeyAnswer:
		d = &nodeDoc{
			Type: "foreignKeyAnswer", Name: n.Name, Store: n.Store, RightStore: n.SubscriptionStore, Topic: n.Topic,
			KeyColumns: n.KeyColumns, ValueColumns: n.ValueColumns, Partitions: n.Partitions,
		}
	case *Materialize:
		d = &nodeDoc{Type: "materialize", Name: n.Name, Store: n.Store}
	case *Repartition:
		d = &nodeDoc{
			Type: "repartition", Name: n.Name, Exprs: e.exprs(n.Key), DropNullKey: n.DropNullKey, ValueIndex: n.Value, Topic: n.Topic,
			KeyColumns: n.KeyColumns, ValueColumns: n.ValueColumns, KeyFormat: &n.KeyFormat, ValueFormat: &n.ValueFormat,
			Partitions: n.Partitions, Changes: n.Changes,
		}
	case *Sink:
		d = &nodeDoc{
			Type: "sink", Name: n.Name, Topic: n.Topic, KeyColumns: n.Key, ValueColumns: n.Value, KeyIndex: n.KeyIndex, ValueIndex: n.ValueIndex,
			KeyFormat: &n.KeyFormat, ValueFormat: &n.ValueFormat, Table: n.Table, SinkWindow: n.Window, Timestamp: n.Timestamp, ForwardKey: n.ForwardKey,
		}
	case *Emit:
		d = &nodeDoc{Type: "emit", Name: n.Name, ValueIndex: n.Index}
	default:
		if e.err == nil {
			e.err = fmt.Errorf("%T cannot be written", n)
		}
		return nil
	}
	for _, c := range n.Children() {
		if c != nil {
			d.In = append(d.In, e.node(c))
		}
	}
	return d
}

func (e *encoder) call(c AggCall) callDoc {
	d := callDoc{Name: c.Name, Overload: c.Overload, Args: e.exprs(c.Args), Type: c.T}
	for _, l := range c.Literals {
		var x expr.Expr
		if l != nil {
			x = l
		}
		d.Literals = append(d.Literals, e.expr(x))
	}
	return d
}

// decodeExprs reads expressions; none may be missing.
func decodeExprs(list []json.RawMessage) ([]expr.Expr, error) {
	var out []expr.Expr
	for _, data := range list {
		x, err := expr.Unmarshal(data)
		if err != nil {
			return nil, err
		}
		if x == nil {
			return nil, fmt.Errorf("an expression is missing")
		}
		out = append(out, x)
	}
	return out, nil
}
