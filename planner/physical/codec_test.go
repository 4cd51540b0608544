package physical_test

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// plan is a grouped count with a HAVING, in two stages.
func plan() *physical.Plan {
	name := types.Column{Name: "NAME", Type: types.StringType}
	n := types.Column{Name: "N", Type: types.BigintType}
	json := physical.FormatSpec{Name: "JSON"}
	source := &physical.Source{Name: "KsqlTopic.Source", Columns: []physical.SourceColumn{{Origin: physical.FromValue}}, Type: physical.RowType{Columns: []types.Column{name}}}
	repartition := &physical.Repartition{
		Name: "Aggregate.GroupBy", In: source, Key: []expr.Expr{&expr.Column{Name: "NAME", T: types.StringType}}, DropNullKey: true, Value: []int{0},
		Topic: "q-Aggregate-GroupBy-repartition", KeyColumns: []types.Column{name}, ValueColumns: []types.Column{name}, KeyFormat: json, ValueFormat: json, Partitions: 4,
	}
	again := &physical.Source{Name: "Aggregate.Source", Columns: []physical.SourceColumn{{Origin: physical.FromKey}}, Type: physical.RowType{Columns: []types.Column{name}, Key: 1}}
	aggregate := &physical.Aggregate{
		Name: "Aggregate.Aggregate", In: again, GroupBy: []expr.Expr{&expr.Column{Name: "NAME", T: types.StringType}},
		Calls: []physical.AggCall{{
			Name: "COUNT", Overload: 1, Args: []expr.Expr{&expr.Literal{Value: int32(1), T: types.IntType}},
			Literals: []*expr.Literal{nil}, T: types.BigintType,
		}},
		Window: &types.WindowSpec{Type: types.Tumbling, SizeMs: 1000, AdvanceMs: 1000, GraceMs: 5, RetentionMs: 2000},
		Store:  "Aggregate-Aggregate-Materialize", Type: physical.RowType{Columns: []types.Column{name, n}, Key: 1, Table: true, Window: types.Tumbling},
	}
	cond := &expr.Compare{Op: expr.Greater, L: &expr.Column{Index: 1, Name: "N", T: types.BigintType}, R: &expr.Literal{Value: int64(1), T: types.BigintType}}
	having := &physical.Filter{Name: "Aggregate.HavingFilter", In: aggregate, Cond: cond, Having: true}
	sink := &physical.Sink{
		Name: "OUT", In: having, Topic: "OUT", Key: []types.Column{name}, Value: []types.Column{n}, KeyIndex: []int{0}, ValueIndex: []int{1},
		KeyFormat: json, ValueFormat: json, Table: true, Window: types.Tumbling,
	}
	return &physical.Plan{
		Version: physical.Version, QueryID: "CTAS_OUT_3", SQL: "CREATE TABLE OUT AS SELECT …;", Sources: []string{"IN"},
		Sink: &physical.SinkInfo{Name: "OUT", IsTable: true, Topic: "OUT"},
		Stages: []*physical.Stage{
			{ID: 0, Partitions: 4, Inputs: []*physical.Input{{Topic: "in", Source: "IN", Value: []types.Column{name}, KeyFormat: physical.FormatSpec{Name: "NONE"}, ValueFormat: json}}, Root: repartition},
			{ID: 1, Partitions: 4, Inputs: []*physical.Input{{Topic: repartition.Topic, Repartition: true, Key: []types.Column{name}, Value: []types.Column{name}, KeyFormat: json, ValueFormat: json}},
				Stores: []*physical.Store{{ID: 1, Name: aggregate.Store, Kind: physical.WindowedStore, Key: []types.Column{name}, Value: []types.Column{n}, Window: aggregate.Window}}, Root: sink},
		},
		Materialization: &physical.Materialization{
			Stage: 1, Store: aggregate.Store, Aggregate: aggregate, Steps: []physical.Node{&physical.Filter{Name: having.Name, Cond: cond, Having: true}},
			Columns: []types.Column{name, n}, Key: 1, Window: types.Tumbling, KeyFormat: json, KeyColumns: []types.Column{name}, Partitions: 4,
		},
	}
}

// roundTrip encodes a plan and decodes it, which must not change it; data is what it was encoded to.
func roundTrip(t *testing.T, p *physical.Plan) (got *physical.Plan, data []byte) {
	t.Helper()
	data, err := physical.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	got, err = physical.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := physical.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(data) {
		t.Errorf("the plan changed on its way:\n%s\n%s", data, again)
	}
	return got, data
}

func TestCodec(t *testing.T) {
	got, _ := roundTrip(t, plan())
	root := got.Stages[1].Root.(*physical.Sink).In.(*physical.Filter).In
	if got.Materialization.Aggregate != root {
		t.Error("the materialisation does not point to the aggregate of the stage")
	}
}

func TestDecodeRefuses(t *testing.T) {
	data, err := physical.Encode(plan())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"version":1`, `"version":2`, "version 2 is unknown"},
		{`"type":"aggregate"`, `"type":"sorcery"`, "unknown type"},
		{`"stage":1`, `"stage":7`, "no stage 7"},
		{`"valueIndex":[1]`, `"valueIndex":[9]`, "column 9"},
		{`"sources":["IN"]`, `"sources":[`, "invalid character"},
	} {
		if !strings.Contains(string(data), c.old) {
			t.Fatalf("%s is not in %s", c.old, data)
		}
		if _, err := physical.Decode([]byte(strings.Replace(string(data), c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.new, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	data, err := physical.Encode(plan())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	joined, err := physical.Encode(foreignKeyPlan())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(joined)
	f.Add([]byte(`{"version":1,"stages":[{"root":{"type":"emit","in":[{"type":"source"}]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := physical.Decode(data)
		if err != nil {
			return
		}
		if _, err := physical.Encode(p); err != nil {
			t.Errorf("a plan that was read cannot be written: %v", err)
		}
	})
}
