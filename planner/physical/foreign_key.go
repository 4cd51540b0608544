package physical

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// A foreign-key join runs in two stages that write to each other. The stage of the left table ([ForeignKeyJoin]) keeps the
// left rows and sends a subscription for each to the partition of the right row it points to. The stage of the right table
// ([ForeignKeyAnswer]) keeps the right rows and the subscriptions, and sends an answer to the left row's partition whenever
// a subscription or a right row changes. The left stage puts answers and left rows together.

// RowFormat is the name of the format of records between the stages of a foreign-key join: keys and values as the row codec
// of the stores writes them. No source can be declared with it.
const RowFormat = "ROW"

// ForeignKeyJoin joins the rows of the left table with the answers of a [ForeignKeyAnswer]. Its rows have the key of the left
// table; the columns are those of the left row, then those of the right row.
type ForeignKeyJoin struct {
	Name string
	// Kind is Inner or Left.
	Kind JoinKind
	// L is the left table, Answers the source of the answers' topic.
	L       Node
	Answers *Source
	// On is the foreign key, over the rows of L.
	On expr.Expr
	// Store keeps the left rows, each with its foreign key and its version, in this order behind the columns of L.
	Store string
	// Topic takes the subscriptions: the foreign key in the key format of the right table, so that it has as many
	// partitions as that and a subscription lies where the right row does, and the columns of [SubscriptionColumns].
	Topic                    string
	KeyColumns, ValueColumns []types.Column
	KeyFormat                FormatSpec
	// Partitions of Topic.
	Partitions int
	Type       RowType
}

// ForeignKeyAnswer ends the stage of the right table of a foreign-key join: it writes answers to subscriptions.
type ForeignKeyAnswer struct {
	Name string
	// R is the right table, Subscriptions the source of the subscriptions' topic.
	R             Node
	Subscriptions *Source
	// Store keeps the right rows; SubscriptionStore the subscriptions, by foreign key and key of the left row.
	Store, SubscriptionStore string
	// Topic takes the answers: the key of the left row and the columns of [AnswerColumns], both in [RowFormat]. It has as
	// many partitions as the left table, and a record goes to the left row's.
	Topic                    string
	KeyColumns, ValueColumns []types.Column
	// Partitions of Topic.
	Partitions int
}

// SubscriptionColumns are the value columns of a subscription: what to do, where the left row is, which version of it
// subscribes, and its key.
func SubscriptionColumns(leftKey []types.Column) []types.Column {
	return append([]types.Column{
		{Name: "INSTRUCTION", Type: types.IntType}, {Name: "PARTITION", Type: types.IntType}, {Name: "VERSION", Type: types.BigintType},
	}, leftKey...)
}

// SubscriptionStateColumns are the value columns of the store of subscriptions.
func SubscriptionStateColumns() []types.Column {
	return []types.Column{{Name: "PARTITION", Type: types.IntType}, {Name: "VERSION", Type: types.BigintType}}
}

// AnswerColumns are the value columns of an answer: the version of the left row that it is for, whether there is a right row,
// and that row.
func AnswerColumns(right []types.Column) []types.Column {
	return append([]types.Column{{Name: "VERSION", Type: types.BigintType}, {Name: "FOUND", Type: types.BooleanType}}, right...)
}

// ForeignKeyStateColumns are the value columns of the store of left rows: those of the row behind its key, the foreign key,
// and the version.
func ForeignKeyStateColumns(left RowType, on *types.Type) []types.Column {
	out := append([]types.Column{}, left.Columns[left.Key:]...)
	return append(out, types.Column{Name: "FOREIGN KEY", Type: on}, types.Column{Name: "VERSION", Type: types.BigintType})
}

// Out describes the rows.
func (n *ForeignKeyJoin) Out() *RowType { return &n.Type }

// Children returns the left table and the answers.
func (n *ForeignKeyJoin) Children() []Node { return []Node{n.L, n.Answers} }

// Out describes the rows of the right table.
func (n *ForeignKeyAnswer) Out() *RowType { return n.R.Out() }

// Children returns the right table and the subscriptions.
func (n *ForeignKeyAnswer) Children() []Node { return []Node{n.R, n.Subscriptions} }

func (*ForeignKeyJoin) node()   {}
func (*ForeignKeyAnswer) node() {}

// Written is an internal topic that a stage writes and another one of the query reads.
type Written struct {
	Topic      string
	Partitions int
}

// Writes lists the internal topics that operators of the stage write, the root's first.
func (s *Stage) Writes() []Written {
	var out []Written
	walk(s.Root, func(n Node) {
		switch n := n.(type) {
		case *Repartition:
			out = append(out, Written{n.Topic, n.Partitions})
		case *ForeignKeyAnswer:
			out = append(out, Written{n.Topic, n.Partitions})
		case *ForeignKeyJoin:
			out = append(out, Written{n.Topic, n.Partitions})
		default: // The others write no internal topic.
		}
	})
	return out
}

// ForeignKeyJoin is the foreign-key join that the stage runs for its left table; nil if there is none. A stage has no more
// than one, since only the first join of a query may be one.
func (s *Stage) ForeignKeyJoin() *ForeignKeyJoin {
	var found *ForeignKeyJoin
	walk(s.Root, func(n Node) {
		if j, ok := n.(*ForeignKeyJoin); ok {
			found = j
		}
	})
	return found
}

func (d *nodeDoc) foreignKeyJoin(in []Node, row RowType) (Node, error) {
	answers, ok := in[1].(*Source)
	if !ok || d.KeyFormat == nil {
		return nil, fmt.Errorf("%s %s has no source of answers, or no key format", d.Type, d.Name)
	}
	on, err := expr.Unmarshal(d.Cond)
	if err != nil {
		return nil, err
	}
	left := in[0].Out()
	switch {
	case on == nil:
		return nil, fmt.Errorf("%s %s has no foreign key", d.Type, d.Name)
	case d.Join != Inner && d.Join != Left:
		return nil, fmt.Errorf("%s %s: it cannot be %s", d.Type, d.Name, d.Join)
	case len(d.KeyColumns) != 1 || len(d.ValueColumns) != len(SubscriptionColumns(nil))+left.Key:
		return nil, fmt.Errorf("%s %s: its subscriptions lack columns", d.Type, d.Name)
	case row.Key != left.Key || len(row.Columns) < len(left.Columns):
		return nil, fmt.Errorf("%s %s: its rows do not have the columns of the left table", d.Type, d.Name)
	}
	return &ForeignKeyJoin{
		Name: d.Name, Kind: d.Join, L: in[0], Answers: answers, On: on, Store: d.Store, Topic: d.Topic, KeyColumns: d.KeyColumns,
		ValueColumns: d.ValueColumns, KeyFormat: *d.KeyFormat, Partitions: d.Partitions, Type: row,
	}, nil
}

func (d *nodeDoc) foreignKeyAnswer(in []Node) (Node, error) {
	subscriptions, ok := in[1].(*Source)
	right := in[0].Out()
	switch {
	case !ok:
		return nil, fmt.Errorf("%s %s has no source of subscriptions", d.Type, d.Name)
	case right.Key != 1 || len(right.Columns) < 1:
		return nil, fmt.Errorf("%s %s: the right table is not keyed by one column", d.Type, d.Name)
	case len(d.KeyColumns) == 0 || len(d.ValueColumns) != len(AnswerColumns(right.Columns)):
		return nil, fmt.Errorf("%s %s: its answers lack columns", d.Type, d.Name)
	}
	return &ForeignKeyAnswer{
		Name: d.Name, R: in[0], Subscriptions: subscriptions, Store: d.Store, SubscriptionStore: d.RightStore, Topic: d.Topic,
		KeyColumns: d.KeyColumns, ValueColumns: d.ValueColumns, Partitions: d.Partitions,
	}, nil
}

// checkForeignKeys checks that the inputs between the stages of a foreign-key join carry what its operators expect.
func checkForeignKeys(s *Stage) (err error) {
	internal := func(src *Source, key, value int) {
		in := s.Inputs[src.Input]
		if err == nil && (!in.Repartition || len(in.Key) != key || len(in.Value) != value) {
			err = errors.New("an input between the stages of a foreign-key join does not have its columns")
		}
	}
	walk(s.Root, func(n Node) {
		switch n := n.(type) {
		case *ForeignKeyJoin:
			left := n.L.Out()
			internal(n.Answers, left.Key, len(AnswerColumns(nil))+len(n.Type.Columns)-len(left.Columns))
		case *ForeignKeyAnswer:
			internal(n.Subscriptions, 1, len(SubscriptionColumns(nil))+len(n.KeyColumns))
		default: // The others read no such input.
		}
	})
	return err
}
