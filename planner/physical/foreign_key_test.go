package physical_test

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// foreignKeyPlan is a join of orders with the users they name.
func foreignKeyPlan() *physical.Plan {
	order, user := types.Column{Name: "ORDER_ID", Type: types.BigintType}, types.Column{Name: "USER_ID", Type: types.StringType}
	id, name := types.Column{Name: "ID", Type: types.StringType}, types.Column{Name: "NAME", Type: types.StringType}
	json, row := physical.FormatSpec{Name: "JSON"}, physical.FormatSpec{Name: physical.RowFormat}
	table := func(topic string, key, value types.Column) (*physical.Input, *physical.Source) {
		return &physical.Input{Topic: topic, Table: true, Key: []types.Column{key}, Value: []types.Column{value}, KeyFormat: json, ValueFormat: json},
			&physical.Source{Name: topic, Columns: []physical.SourceColumn{{Origin: physical.FromKey}, {Origin: physical.FromValue}},
				Type: physical.RowType{Columns: []types.Column{key, value}, Key: 1, Table: true}}
	}
	orders, left := table("orders", order, user)
	users, right := table("users", id, name)
	subscriptions := &physical.Input{Topic: "q-subscriptions", Repartition: true, Key: []types.Column{id}, KeyFormat: json,
		Value: physical.SubscriptionColumns([]types.Column{order}), ValueFormat: row}
	answers := &physical.Input{Topic: "q-answers", Repartition: true, Key: []types.Column{order}, KeyFormat: row,
		Value: physical.AnswerColumns([]types.Column{id, name}), ValueFormat: row}
	answer := &physical.ForeignKeyAnswer{Name: "Join.Answer", R: right, Subscriptions: &physical.Source{Name: "Join.Subscriptions", Input: 1},
		Store: "right", SubscriptionStore: "subscriptions", Topic: answers.Topic, KeyColumns: answers.Key, ValueColumns: answers.Value, Partitions: 4}
	join := &physical.ForeignKeyJoin{Name: "Join", Kind: physical.Left, L: left, Answers: &physical.Source{Name: "Join.Answers", Input: 1},
		On: &expr.Column{Index: 1, Name: "USER_ID", T: types.StringType}, Store: "left", Topic: subscriptions.Topic, KeyColumns: subscriptions.Key,
		ValueColumns: subscriptions.Value, KeyFormat: json, Partitions: 2,
		Type: physical.RowType{Columns: []types.Column{order, user, id, name}, Key: 1, Table: true}}
	sink := &physical.Sink{Name: "OUT", In: join, Topic: "OUT", Key: []types.Column{order}, KeyIndex: []int{0}, Value: []types.Column{name}, ValueIndex: []int{3},
		KeyFormat: json, ValueFormat: json, Table: true}
	return &physical.Plan{Version: physical.Version, QueryID: "CTAS_OUT_4", Stages: []*physical.Stage{
		{ID: 0, Partitions: 2, Inputs: []*physical.Input{users, subscriptions}, Root: answer},
		{ID: 1, Partitions: 4, Inputs: []*physical.Input{orders, answers}, Root: sink},
	}}
}

func TestForeignKeyCodec(t *testing.T) {
	got, data := roundTrip(t, foreignKeyPlan())
	for i, want := range [][]physical.Written{{{Topic: "q-answers", Partitions: 4}}, {{Topic: "q-subscriptions", Partitions: 2}}} {
		if w := got.Stages[i].Writes(); len(w) != 1 || w[0] != want[0] {
			t.Errorf("stage %d writes %v, want %v", i, w, want)
		}
	}
	if got.Stages[0].ForeignKeyJoin() != nil || got.Stages[1].ForeignKeyJoin() == nil {
		t.Error("the stage with the left table is not found")
	}
	for _, c := range []struct{ old, new, want string }{
		{`"join":"LEFT"`, `"join":"FULL"`, "it cannot be FULL"},
		{`"type":"foreignKeyAnswer"`, `"type":"tableTableJoin"`, "cannot be a root"},
		{`"name":"INSTRUCTION","type":{"kind":"INTEGER"}},{`, ``, "does not have its columns"},
		{`"repartition":true`, `"repartition":false`, "does not have its columns"},
		{`"cond":`, `"condition":`, "end of JSON"},
	} {
		// The columns of subscriptions stand in the input and in the node.
		damaged := strings.ReplaceAll(string(data), c.old, c.new)
		if damaged == string(data) {
			t.Fatalf("%s is not in %s", c.old, data)
		}
		if _, err := physical.Decode([]byte(damaged)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.new, err, c.want)
		}
	}
}
