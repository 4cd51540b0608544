package format_test

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/format"
)

// The files in testdata/format hold one command: format lays out its input,
// and checks that doing so twice changes nothing and that the trees stay equal.
func TestFormat(t *testing.T) {
	datadriven.Walk(t, "testdata/format", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			once, err := format.Format(d.Input)
			if err != nil {
				return diag.Render(err, d.Input)
			}
			if twice, err := format.Format(once); err != nil || twice != once {
				t.Errorf("not stable: %v\n%s\n%s", err, once, twice)
			}
			opts := grammar.Options{OptionalSemicolon: true, TestStatements: true, RunScript: true}
			before, _ := grammar.Parse(d.Input, opts)
			after, _ := grammar.Parse(once, opts)
			if len(before) != len(after) {
				t.Fatalf("%d statements became %d", len(before), len(after))
			}
			for i := range before {
				if !ast.Equal(before[i].Statement, after[i].Statement) {
					t.Errorf("statement %d changed", i)
				}
			}
			return once
		})
	})
}

func TestOptions(t *testing.T) {
	stmt, err := grammar.ParseOne("CREATE STREAM `s` (a INT) WITH (VALUE_FORMAT='JSON', KAFKA_TOPIC='t', PARTITIONS=1);", grammar.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := grammar.ParseExpr("UCASE(`a`) = s.b->`SELECT`")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, got, want string }{
		{"sorted", format.Options{SortProperties: true}.Statement(stmt.Statement), "CREATE STREAM `s` (A INTEGER) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');"},
		{"if needed", format.Expr(e), "(UCASE(`a`) = S.B->`SELECT`)"},
		{"always", format.Options{Quoting: format.QuoteAlways}.Expr(e), "(UCASE(`a`) = `S`.`B`->`SELECT`)"},
		{"never", format.Options{Quoting: format.QuoteNever}.Expr(e), "(UCASE(a) = S.B->SELECT)"},
		{"name", format.Name("A") + format.Name("a") + format.Name("FROM"), "A`a``FROM`"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}
