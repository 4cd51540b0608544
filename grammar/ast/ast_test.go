package ast_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	. "github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

func column(name string) *ColumnRef { return &ColumnRef{Name: NewIdent(name)} }

// samples has one expression of each type, with distinct columns as children.
func samples() []Expr {
	a, b, c := column("A"), column("B"), column("C")
	source := NewIdent("S")
	return []Expr{
		&ColumnRef{Source: &source, Name: NewIdent("X")}, &IntervalUnit{Unit: Days},
		&IntLiteral{Value: 1}, &BigintLiteral{Value: 1 << 40}, &DecimalLiteral{Text: "1.5"}, &DoubleLiteral{Value: 2},
		&StringLiteral{Value: "x"}, &BooleanLiteral{Value: true}, &NullLiteral{}, &TypedLiteral{Type: NewIdent("DATE"), Value: "x"},
		&Deref{Base: a, Field: NewIdent("F")}, &Subscript{Base: a, Index: b}, &Unary{Op: Minus, X: a}, &Binary{Op: Add, Left: a, Right: b},
		&Comparison{Op: Less, Left: a, Right: b}, &Logical{Op: And, Left: a, Right: b}, &Not{X: a}, &IsNull{X: a},
		&Between{X: a, Low: b, High: c}, &In{X: a, List: []Expr{b, c}}, &Like{X: a, Pattern: b, Escape: &StringLiteral{Value: "!"}},
		&Case{Operand: a, Whens: []When{{Condition: b, Result: c}}, Else: a}, &Case{Whens: []When{{Condition: b, Result: c}}},
		&Cast{X: a, Type: &BasicType{Kind: Integer}}, &Call{Name: NewIdent("F"), Args: []Expr{a, b}}, &Call{Name: NewIdent("F"), Star: true},
		&Lambda{Params: []Ident{NewIdent("X")}, Body: a}, &ArrayExpr{Elems: []Expr{a, b}}, &MapExpr{Entries: []MapEntry{{Key: a, Value: b}}},
		&StructExpr{Fields: []StructField{{Name: NewIdent("F"), Value: a}}}, &AtTimeZone{X: a, Zone: "UTC"},
	}
}

// The samples are complete: every type with the marker method is among them.
func TestSamplesHaveEveryExpression(t *testing.T) {
	have := map[string]bool{}
	for _, e := range samples() {
		have[reflect.TypeOf(e).Elem().Name()] = true
	}
	for _, name := range withMarker(t, "expr") {
		if !have[name] {
			t.Errorf("no sample of %s", name)
		}
	}
}

// withMarker finds the types with a marker method in the sources.
func withMarker(t *testing.T, marker string) []string {
	var names []string
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == marker {
				names = append(names, f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name)
			}
		}
	}
	return names
}

// Children, Inspect and Rewrite see what reflection sees.
func TestWalkersReachEveryChild(t *testing.T) {
	for _, e := range samples() {
		name := reflect.TypeOf(e).Elem().Name()
		var seen int
		Children(e, func(Expr) { seen++ })
		if want := countExprs(reflect.ValueOf(e).Elem()); seen != want {
			t.Errorf("%s: %d children, want %d", name, seen, want)
		}
		same := Rewrite(e, func(x Expr) Expr { return x })
		if same != e {
			t.Errorf("%s: copied without a change", name)
		}
		before := fmt.Sprintf("%#v", reflect.ValueOf(e).Elem())
		renamed := Rewrite(e, func(x Expr) Expr {
			if c, ok := x.(*ColumnRef); ok {
				return column(c.Name.Name + "2")
			}
			return x
		})
		if fmt.Sprintf("%#v", reflect.ValueOf(e).Elem()) != before {
			t.Errorf("%s: Rewrite changed its argument", name)
		}
		Inspect(renamed, func(x Expr) bool {
			if c, ok := x.(*ColumnRef); ok && !strings.HasSuffix(c.Name.Name, "2") {
				t.Errorf("%s: column %s was not reached", name, c.Name)
			}
			return true
		})
		if hasColumn(e) == Equal(e, renamed) {
			t.Errorf("%s: Equal after a change is %v", name, !hasColumn(e))
		}
	}
	if Rewrite(nil, func(x Expr) Expr { return x }) != nil {
		t.Error("nil was rewritten")
	}
	Inspect(nil, func(Expr) bool { t.Error("nil was visited"); return true })
}

func hasColumn(e Expr) (has bool) {
	Inspect(e, func(x Expr) bool {
		_, is := x.(*ColumnRef)
		has = has || is
		return true
	})
	return has
}

// countExprs counts the non-nil expressions directly in a struct.
func countExprs(v reflect.Value) (n int) {
	exprType := reflect.TypeFor[Expr]()
	for i := range v.NumField() {
		f := v.Field(i)
		switch {
		case f.Type().Implements(exprType):
			if !f.IsNil() {
				n++
			}
		case f.Kind() == reflect.Slice && f.Type().Elem().Implements(exprType):
			n += f.Len()
		case f.Kind() == reflect.Slice && f.Type().Elem().Kind() == reflect.Struct:
			for j := range f.Len() {
				n += countExprs(f.Index(j))
			}
		}
	}
	return n
}

func TestEqualIgnoresPlacesAndQuotes(t *testing.T) {
	place := At(diag.Span{Start: diag.Start(), End: diag.Start().Advance("abc")})
	for i, e := range samples() {
		for j, o := range samples() {
			if Equal(e, o) != (i == j) {
				t.Errorf("Equal(%T, %T) = %v", e, o, i != j)
			}
		}
	}
	if !Equal(&ColumnRef{Located: place, Name: Ident{Located: place, Name: "A", Quoted: true}}, column("A")) {
		t.Error("places or quotes count")
	}
	if Equal(&DecimalLiteral{Text: "1.5"}, &DecimalLiteral{Text: "1.50"}) || Equal(&IntLiteral{Value: 1}, &BigintLiteral{Value: 1}) {
		t.Error("literals of different types are equal")
	}
	if !Equal(nil, nil) || Equal(nil, column("A")) || Equal(column("A"), nil) {
		t.Error("nil")
	}
	if !Equal(&Query{Select: &Select{Emit: EmitFinal}}, &Query{Select: &Select{Emit: EmitFinal}}) || Equal(&Query{Select: &Select{}}, &Query{Select: &Select{Emit: EmitFinal}}) {
		t.Error("statements")
	}
}

func TestDeepTreesDoNotOverflow(t *testing.T) {
	var a, b Expr = column("A"), column("A")
	for range 50_000 {
		a, b = &Binary{Op: Add, Left: a, Right: column("B")}, &Binary{Op: Add, Left: b, Right: column("B")}
	}
	n := 0
	Inspect(a, func(Expr) bool { n++; return true })
	if n != 100_001 || !Equal(a, b) || Rewrite(a, func(x Expr) Expr { return x }) != a {
		t.Error("deep tree")
	}
}

func TestIntervalMillis(t *testing.T) {
	for _, tt := range []struct {
		interval Interval
		ms       int64
		ok       bool
	}{
		{Interval{Value: 5, Unit: Minutes}, 300_000, true},
		{Interval{Value: -1, Unit: Days}, -86_400_000, true},
		{Interval{Value: math.MaxInt64, Unit: Milliseconds}, math.MaxInt64, true},
		{Interval{Value: math.MaxInt64, Unit: Seconds}, 0, false},
		{Interval{Value: math.MinInt64, Unit: Days}, 0, false},
		{Interval{Value: 1, Unit: Months}, 0, false},
	} {
		if ms, ok := tt.interval.Millis(); ms != tt.ms || ok != tt.ok {
			t.Errorf("%v: %d, %v", tt.interval, ms, ok)
		}
	}
	for name, want := range map[string]TimeUnit{"SECOND": Seconds, "SECONDS": Seconds, "DAY": Days, "MILLISECONDS": Milliseconds} {
		if got, ok := TimeUnitOf(name); !ok || got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if _, ok := TimeUnitOf("FORTNIGHT"); ok {
		t.Error("FORTNIGHT")
	}
}
