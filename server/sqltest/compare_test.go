package sqltest

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func TestCompare(t *testing.T) {
	structType := types.StructOf(types.Field{Name: "A", Type: types.DecimalOf(4, 2)}, types.Field{Name: "B", Type: types.DoubleType})
	for _, c := range []struct {
		want, got string
		t         *types.Type
		same      bool
	}{
		{`null`, `null`, types.IntType, true},
		{`null`, `1`, types.IntType, false},
		{`1`, `1.0`, types.DoubleType, true},
		{`1.0000001`, `1`, types.DoubleType, true},
		{`1.00001`, `1`, types.DoubleType, false},
		{`1.10`, `1.1`, types.DecimalOf(4, 2), false},
		{`"1.10"`, `1.10`, types.DecimalOf(4, 2), true},
		{`9007199254740993`, `9007199254740992`, types.BigintType, false},
		{`"a"`, `"a"`, types.StringType, true},
		{`1`, `"1"`, types.StringType, false},
		{`{"a":1.10,"B":2}`, `{"A":1.10,"B":2.0}`, structType, true},
		{`{"A":1.10}`, `{"A":1.10,"B":2.0}`, structType, false},
		{`[1,null]`, `[1,null]`, types.ArrayOf(types.IntType), true},
		{`[1]`, `[1,2]`, types.ArrayOf(types.IntType), false},
		{`{"x":1}`, `{"x":2}`, types.MapOf(types.StringType, types.IntType), false},
		{`"x"`, `"x"`, nil, true},
	} {
		want, err := Parse([]byte(c.want))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse([]byte(c.got))
		if err != nil {
			t.Fatal(err)
		}
		if err := Compare(want, got, c.t); (err == nil) != c.same {
			t.Errorf("%s and %s: %v", c.want, c.got, err)
		}
	}
}
