package physical

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// maxNodes bounds how deep a tree of operators may be.
const maxNodes = 1000

// decodeNode reads a node. A step of a materialisation has no inputs.
func decodeNode(d *nodeDoc, depth int, step bool) (Node, error) {
	if d == nil {
		return nil, errors.New("a node is missing")
	}
	if depth > maxNodes {
		return nil, errors.New("the plan is too deep")
	}
	in := make([]Node, len(d.In))
	for i, c := range d.In {
		n, err := decodeNode(c, depth+1, false)
		if err != nil {
			return nil, err
		}
		switch n.(type) {
		case *Sink, *Repartition, *ForeignKeyAnswer, *Emit:
			return nil, fmt.Errorf("a %s stands inside a stage", c.Type)
		default: // The others are not concerned.
		}
		in[i] = n
	}
	want := 1
	switch d.Type {
	case "source":
		want = 0
	case "streamTableJoin", "streamStreamJoin", "tableTableJoin", "foreignKeyJoin", "foreignKeyAnswer":
		want = 2
	}
	if step {
		if d.Type != "filter" && d.Type != "project" {
			return nil, fmt.Errorf("a %s cannot be a step", d.Type)
		}
		want = 0
	}
	if len(in) != want {
		return nil, fmt.Errorf("%s %s has %d inputs, not %d", d.Type, d.Name, len(in), want)
	}
	return d.decode(in)
}

// decode makes the node; in has as many nodes as the type wants, or none for a step.
func (d *nodeDoc) decode(in []Node) (Node, error) {
	first := func(i int) Node {
		if i < len(in) {
			return in[i]
		}
		return nil
	}
	row := RowType{}
	if d.Row != nil {
		row = *d.Row
	}
	if row.Key < 0 || row.Key > len(row.Columns) {
		return nil, fmt.Errorf("%s %s: the key is longer than the row", d.Type, d.Name)
	}
	switch d.Type {
	case "source":
		if len(d.Columns) != len(row.Columns) {
			return nil, fmt.Errorf("source %s: %d origins for %d columns", d.Name, len(d.Columns), len(row.Columns))
		}
		return &Source{Name: d.Name, Input: d.Input, Columns: d.Columns, Store: d.Store, Type: row}, nil
	case "filter":
		cond, err := expr.Unmarshal(d.Cond)
		if err != nil {
			return nil, err
		}
		if cond == nil {
			return nil, fmt.Errorf("filter %s has no condition", d.Name)
		}
		return &Filter{Name: d.Name, In: first(0), Cond: cond, Having: d.Having}, nil
	case "project":
		exprs, err := decodeExprs(d.Exprs)
		if err != nil {
			return nil, err
		}
		if len(exprs) != len(row.Columns) {
			return nil, fmt.Errorf("project %s: %d expressions for %d columns", d.Name, len(exprs), len(row.Columns))
		}
		return &Project{Name: d.Name, In: first(0), Exprs: exprs, Type: row, Rekey: d.Rekey}, nil
	case "flatMap":
		return d.flatMap(in[0], row)
	case "aggregate":
		return d.aggregate(in[0], row)
	case "suppress":
		if d.Window == nil {
			return nil, fmt.Errorf("suppress %s has no window", d.Name)
		}
		return &Suppress{Name: d.Name, In: in[0], Window: *d.Window, Store: d.Store}, nil
	case "streamTableJoin":
		return &StreamTableJoin{Name: d.Name, Kind: d.Join, L: in[0], R: in[1], Store: d.Store, Type: row}, nil
	case "streamStreamJoin":
		return &StreamStreamJoin{
			Name: d.Name, Kind: d.Join, L: in[0], R: in[1], BeforeMs: d.BeforeMs, AfterMs: d.AfterMs, GraceMs: d.GraceMs, GraceGiven: d.GraceGiven,
			LeftStore: d.Store, RightStore: d.RightStore, OuterStore: d.OuterStore, Type: row,
		}, nil
	case "tableTableJoin":
		return &TableTableJoin{Name: d.Name, Kind: d.Join, L: in[0], R: in[1], LeftStore: d.Store, RightStore: d.RightStore, Type: row}, nil
	case "foreignKeyJoin":
		return d.foreignKeyJoin(in, row)
	case "foreignKeyAnswer":
		return d.foreignKeyAnswer(in)
	case "materialize":
		return &Materialize{Name: d.Name, In: in[0], Store: d.Store}, nil
	case "repartition":
		return d.repartition(in[0])
	case "sink":
		return d.sink(in[0])
	case "emit":
		return &Emit{Name: d.Name, In: in[0], Index: d.ValueIndex}, inRow(in[0], d.ValueIndex)
	}
	return nil, fmt.Errorf("a node of unknown type %q", d.Type)
}

func (d *nodeDoc) aggregate(in Node, row RowType) (Node, error) {
	group, err := decodeExprs(d.Exprs)
	if err != nil {
		return nil, err
	}
	n := &Aggregate{Name: d.Name, In: in, GroupBy: group, Window: d.Window, Store: d.Store, Type: row, Table: d.Table}
	for _, c := range d.Calls {
		call := AggCall{Name: c.Name, Overload: c.Overload, T: c.Type}
		if call.Args, err = decodeExprs(c.Args); err != nil {
			return nil, err
		}
		if len(c.Literals) != len(c.Args) || c.Type == nil {
			return nil, fmt.Errorf("the call of %s is not complete", c.Name)
		}
		for _, data := range c.Literals {
			x, err := expr.Unmarshal(data)
			if err != nil {
				return nil, err
			}
			l, _ := x.(*expr.Literal)
			if x != nil && l == nil {
				return nil, fmt.Errorf("a literal argument of %s is none", c.Name)
			}
			call.Literals = append(call.Literals, l)
		}
		n.Calls = append(n.Calls, call)
	}
	return n, nil
}

func (d *nodeDoc) formats() (key, value FormatSpec, err error) {
	if d.KeyFormat == nil || d.ValueFormat == nil {
		return key, value, fmt.Errorf("%s %s has no formats", d.Type, d.Name)
	}
	return *d.KeyFormat, *d.ValueFormat, nil
}

func (d *nodeDoc) repartition(in Node) (Node, error) {
	key, value, err := d.formats()
	if err != nil {
		return nil, err
	}
	exprs, err := decodeExprs(d.Exprs)
	if err != nil {
		return nil, err
	}
	if len(exprs) != len(d.KeyColumns) || len(d.ValueIndex) != len(d.ValueColumns) {
		return nil, fmt.Errorf("repartition %s: columns and expressions differ in number", d.Name)
	}
	return &Repartition{
		Name: d.Name, In: in, Key: exprs, DropNullKey: d.DropNullKey, Value: d.ValueIndex, Topic: d.Topic, KeyColumns: d.KeyColumns,
		ValueColumns: d.ValueColumns, KeyFormat: key, ValueFormat: value, Partitions: d.Partitions, Changes: d.Changes,
	}, inRow(in, d.ValueIndex)
}

func (d *nodeDoc) sink(in Node) (Node, error) {
	key, value, err := d.formats()
	if err != nil {
		return nil, err
	}
	if len(d.KeyIndex) != len(d.KeyColumns) || len(d.ValueIndex) != len(d.ValueColumns) {
		return nil, fmt.Errorf("sink %s: columns and their places differ in number", d.Name)
	}
	if err := inRow(in, d.KeyIndex); err != nil {
		return nil, err
	}
	return &Sink{
		Name: d.Name, In: in, Topic: d.Topic, Key: d.KeyColumns, Value: d.ValueColumns, KeyIndex: d.KeyIndex, ValueIndex: d.ValueIndex,
		KeyFormat: key, ValueFormat: value, Table: d.Table, Window: d.SinkWindow, Timestamp: d.Timestamp, ForwardKey: d.ForwardKey,
	}, inRow(in, d.ValueIndex)
}

// inRow checks that places lie within the row of a node.
func inRow(in Node, places []int) error {
	for _, i := range places {
		if i < 0 || i >= len(in.Out().Columns) {
			return fmt.Errorf("column %d is not in a row of %d", i, len(in.Out().Columns))
		}
	}
	return nil
}

// checkStage checks what a stage's nodes refer to.
func checkStage(s *Stage) error {
	switch s.Root.(type) {
	case *Sink, *Repartition, *ForeignKeyAnswer, *Emit, *Materialize:
	default:
		return fmt.Errorf("%T cannot be a root", s.Root)
	}
	for i, in := range s.Inputs {
		if in == nil {
			return fmt.Errorf("input %d is missing", i)
		}
	}
	for i, st := range s.Stores {
		if st == nil {
			return fmt.Errorf("store %d is missing", i)
		}
	}
	var err error
	walk(s.Root, func(n Node) {
		src, ok := n.(*Source)
		if !ok || err != nil {
			return
		}
		if src.Input < 0 || src.Input >= len(s.Inputs) {
			err = fmt.Errorf("source %s reads input %d of %d", src.Name, src.Input, len(s.Inputs))
			return
		}
		in := s.Inputs[src.Input]
		for _, c := range src.Columns {
			if c.Index < 0 || c.Origin == FromKey && c.Index >= len(in.Key) || c.Origin == FromValue && c.Index >= len(in.Value) {
				err = fmt.Errorf("source %s reads a column that its topic does not have", src.Name)
			}
		}
	})
	if err != nil {
		return err
	}
	return checkForeignKeys(s)
}
