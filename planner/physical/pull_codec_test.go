package physical_test

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// pullPlan reads two keys and a range of the table that plan makes.
func pullPlan(p *physical.Plan) *physical.Pull {
	name := func(s string) *expr.Literal { return &expr.Literal{Value: s, T: types.StringType} }
	from := int64(1000)
	return &physical.Pull{
		QueryID: p.QueryID, Source: "OUT", Materialization: p.Materialization,
		Lookups: []physical.Lookup{
			{Key: []*expr.Literal{name("a")}, StartMin: &from},
			{From: name("b"), To: name("c"), FromInclusive: true},
			{},
		},
		Where:   &expr.Compare{Op: expr.Greater, L: &expr.Column{Index: 1, Name: "N", T: types.BigintType}, R: &expr.Literal{Value: int64(1), T: types.BigintType}},
		Exprs:   []expr.Expr{&expr.Column{Index: 0, Name: "NAME", T: types.StringType}},
		Columns: []types.Column{{Name: "NAME", Type: types.StringType}}, KeyPositions: []int{0}, Limit: 7,
	}
}

func TestPullCodec(t *testing.T) {
	p := plan()
	data, err := physical.EncodePull(pullPlan(p))
	if err != nil {
		t.Fatal(err)
	}
	got, err := physical.DecodePull(data, p)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := physical.EncodePull(got); err != nil || string(again) != string(data) {
		t.Errorf("the plan changed on its way: %v\n%s\n%s", err, data, again)
	}
	if got.Materialization != p.Materialization || got.Limit != 7 || len(got.Lookups) != 3 || got.Lookups[2].Key != nil || got.Lookups[1].To == nil {
		t.Errorf("read as %+v", got)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"version":1,"queryId"`, `"version":2,"queryId"`, "version 2 is unknown"},
		{`"CTAS_OUT_3"`, `"CTAS_OUT_4"`, "it reads CTAS_OUT_4"},
		{`"keyPositions":[0]`, `"keyPositions":[1]`, "no column 1"},
		{`"exprs":[`, `"exprs":[null,`, "2 expressions for 1 columns"},
		{`"lookups":[`, `"lookups":[{"key":["x"]},`, "expression"},
		{`"lookups":[`, `"lookups":[{"key":[1,2]},`, "a key of 2 columns"},
	} {
		if !strings.Contains(string(data), c.old) {
			t.Fatalf("%s is not in %s", c.old, data)
		}
		if _, err := physical.DecodePull([]byte(strings.Replace(string(data), c.old, c.new, 1)), p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.new, err, c.want)
		}
	}
	p.Materialization = nil
	if _, err := physical.DecodePull(data, p); err == nil {
		t.Error("a query without table was taken")
	}
}

func FuzzDecodePull(f *testing.F) {
	p := plan()
	data, err := physical.EncodePull(pullPlan(p))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := physical.DecodePull(data, p)
		if err != nil {
			return
		}
		if _, err := physical.EncodePull(got); err != nil {
			t.Errorf("a plan that was read cannot be written: %v", err)
		}
	})
}
