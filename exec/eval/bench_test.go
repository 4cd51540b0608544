package eval

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// The row of the comparison with other engines: an event of eight columns.
var eventLayout = types.NewLayout([]types.Column{
	{Name: "EVENT_TIME", Type: types.BigintType}, {Name: "USER_ID", Type: types.StringType},
	{Name: "STORE_ID", Type: types.IntType}, {Name: "ITEM", Type: types.StringType},
	{Name: "QUANTITY", Type: types.IntType}, {Name: "PRICE", Type: types.DoubleType},
	{Name: "ACTION", Type: types.StringType}, {Name: "SESSION", Type: types.StringType},
})

func eventColumn(i int) *expr.Column {
	c := eventLayout.Columns[i]
	return &expr.Column{Index: i, Name: c.Name, T: c.Type}
}

func eventRow() *types.Row {
	row := eventLayout.NewRow()
	for i, v := range []any{int64(1700000000123), "user_12345", int32(517), "item_4711", int32(3), 123.45, "view", "f00f"} {
		row.SetBoxed(eventLayout.Locs[i], eventLayout.Columns[i].Type, v)
	}
	return row
}

func benchProjection(b *testing.B, exprs ...expr.Expr) {
	columns := make([]types.Column, len(exprs))
	for i, e := range exprs {
		columns[i] = types.Column{Name: "C", Type: e.Type()}
	}
	out := types.NewLayout(columns)
	p, err := (&Compiler{}).Projection(exprs, eventLayout, out.Locs)
	if err != nil {
		b.Fatal(err)
	}
	src, dst := eventRow(), out.NewRow()
	b.ReportAllocs()
	for b.Loop() {
		p.Run(src, dst, nil)
	}
}

// BenchmarkFiveFieldMap is the projection of the comparison's map query: two columns as they are, three computed.
func BenchmarkFiveFieldMap(b *testing.B) {
	quantity := &expr.Cast{X: eventColumn(4), T: types.DoubleType, Implicit: true}
	benchProjection(b, eventColumn(1), eventColumn(3),
		&expr.Arith{Op: expr.Multiply, L: eventColumn(5), R: quantity, T: types.DoubleType},
		&expr.Arith{Op: expr.Add, L: eventColumn(2), R: &expr.Literal{Value: int32(1), T: types.IntType}, T: types.IntType},
		&expr.Arith{Op: expr.Divide, L: eventColumn(0), R: &expr.Literal{Value: int64(60000), T: types.BigintType}, T: types.BigintType})
}

func BenchmarkOneMultiplication(b *testing.B) {
	benchProjection(b, &expr.Arith{Op: expr.Multiply, L: eventColumn(4), R: eventColumn(2), T: types.IntType})
}

func BenchmarkJoinText(b *testing.B) {
	benchProjection(b, &expr.Arith{Op: expr.Add, L: eventColumn(1), R: eventColumn(3), T: types.StringType})
}

func benchPredicate(b *testing.B, e expr.Expr) {
	p, err := (&Compiler{}).Predicate(e, eventLayout)
	if err != nil {
		b.Fatal(err)
	}
	row := eventRow()
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := p.Test(row, nil); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	benchPredicate(b, &expr.And{Xs: []expr.Expr{
		&expr.Compare{Op: expr.Equal, L: eventColumn(6), R: &expr.Literal{Value: "view", T: types.StringType}},
		&expr.Compare{Op: expr.Greater, L: eventColumn(5), R: &expr.Literal{Value: 100.0, T: types.DoubleType}},
		&expr.Compare{Op: expr.Less, L: eventColumn(4), R: &expr.Literal{Value: int32(5), T: types.IntType}},
	}})
}

func BenchmarkInThousand(b *testing.B) {
	list := make([]expr.Expr, 1000)
	for i := range list {
		list[i] = &expr.Literal{Value: int32(i), T: types.IntType}
	}
	benchPredicate(b, &expr.In{X: eventColumn(2), List: list})
}
