package physical_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// exploded is EXPLODE over a stream of one array column.
func exploded() *physical.Plan {
	list := types.Column{Name: "LIST", Type: types.ArrayOf(types.IntType)}
	item := types.Column{Name: "KSQL_SYNTH_0", Type: types.IntType}
	source := &physical.Source{Name: "KsqlTopic.Source", Columns: []physical.SourceColumn{{Origin: physical.FromValue}}, Type: physical.RowType{Columns: []types.Column{list}}}
	flatMap := &physical.FlatMap{
		Name: "FlatMap", In: source,
		Calls: []physical.TableCall{{Name: "EXPLODE", Overload: 1, Args: []expr.Expr{&expr.Column{Name: "LIST", T: list.Type}}, T: item.Type}},
		Type:  physical.RowType{Columns: []types.Column{list, item}},
	}
	json := physical.FormatSpec{Name: "JSON"}
	return &physical.Plan{
		Version: physical.Version, Sources: []string{"IN"},
		Stages: []*physical.Stage{{
			Partitions: 1, Root: &physical.Emit{Name: "Emit", In: flatMap, Index: []int{1}},
			Inputs: []*physical.Input{{Topic: "in", Value: []types.Column{list}, KeyFormat: physical.FormatSpec{Name: "NONE"}, ValueFormat: json}},
		}},
		Output: &physical.Output{Columns: []types.Column{item}},
	}
}

func TestFlatMapCodec(t *testing.T) {
	want := exploded()
	data, err := physical.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := physical.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	emit := func(p *physical.Plan) physical.Node { return p.Stages[0].Root.(*physical.Emit).In }
	if !reflect.DeepEqual(emit(got), emit(want)) {
		t.Errorf("the node changed on its way: %s", data)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"calls":[`, `"noCalls":[`, "its row is not that of its input"},
		{`"args":[`, `"args":[null,`, "missing"},
		{`"type":{"kind":"INTEGER"}}]}],"valueIndex"`, `"type":{"kind":"STRING"}}]}],"valueIndex"`, "does not fit its column"},
	} {
		if !strings.Contains(string(data), c.old) {
			t.Errorf("%s is not in %s", c.old, data)
		}
		if _, err := physical.Decode([]byte(strings.Replace(string(data), c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.new, err, c.want)
		}
	}
}
