package grammar_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/format"
)

// within is the bound on any answer, right or wrong. The aim is 100 ms; the
// rest is for slow machines and the race detector.
const within = 2 * time.Second

func TestHostileTextGetsAClearErrorInTime(t *testing.T) {
	r := strings.Repeat
	tests := []struct {
		name, text string
		code       diag.Code // "" if it has to parse
	}{
		{"1 MB statement", "SELECT " + r("a, ", 400_000) + "b FROM s;", diag.Limit},
		{"1 MB string", "SELECT '" + r("x", 1<<20) + "' FROM s;", diag.Limit},
		{"almost 1 MB", "SELECT " + r("aaaaaaa, ", 110_000) + "b FROM s;", ""},
		{"parentheses", "SELECT " + r("(", 10_000) + "1" + r(")", 10_000) + " FROM s;", diag.Limit},
		{"parentheses, unclosed", "SELECT " + r("(", 500_000), diag.Limit},
		{"parentheses up to the limit", "SELECT " + r("(", 198) + "1" + r(")", 198) + " FROM s;", ""},
		{"CASE", "SELECT " + r("CASE WHEN a THEN ", 10_000) + "1" + r(" END", 10_000) + " FROM s;", diag.Limit},
		{"CASE operands", "SELECT " + r("CASE ", 10_000) + "1 FROM s;", diag.Limit},
		{"nested subscripts", "SELECT " + r("a[", 10_000) + "1" + r("]", 10_000) + " FROM s;", diag.Limit},
		{"chained subscripts", "SELECT a" + r("[1]", 10_000) + " FROM s;", diag.Limit},
		{"chained fields", "SELECT a" + r("->b", 10_000) + " FROM s;", diag.Limit},
		{"lambdas", "SELECT F(" + r("x => ", 10_000) + "1) FROM s;", diag.Syntax},
		{"lambdas in calls", "SELECT " + r("F(x => ", 10_000) + "1" + r(")", 10_000) + " FROM s;", diag.Limit},
		{"NOT", "SELECT * FROM s WHERE " + r("NOT ", 100_000) + "a;", diag.Limit},
		{"minus", "SELECT " + r("- ", 100_000) + "a FROM s;", diag.Limit},
		{"time zones", "SELECT a" + r(" AT TIME ZONE 'x'", 10_000) + " FROM s;", diag.Limit},
		{"types", "CREATE STREAM s (a " + r("ARRAY<", 10_000) + "INT" + r(">", 10_000) + ");", diag.Limit},
		{"types behind", "CREATE STREAM s (a INT" + r(" ARRAY", 10_000) + ");", diag.Limit},
		{"structs", "CREATE STREAM s (a " + r("STRUCT<a ", 10_000) + "INT" + r(">", 10_000) + ");", diag.Limit},
		{"EXPLAIN", r("EXPLAIN ", 100_000) + "q;", diag.Limit},
		{"joins", "SELECT * FROM a" + r(" JOIN b ON a.x = b.x", 10_000) + ";", diag.Limit},
		{"10,000 ANDs", "SELECT * FROM s WHERE a = 1" + r(" AND a = 1", 10_000) + ";", ""},
		{"100,000 ANDs", "SELECT * FROM s WHERE a" + r(" AND a", 100_000) + ";", diag.Limit},
		{"sums", "SELECT a" + r("+a", 100_000) + " FROM s;", diag.Limit},
		{"many words", "SELECT a" + r("+a", 400_000) + " FROM s;", diag.Limit},
		{"10,000 ORs and ANDs", "SELECT * FROM s WHERE a" + r(" OR a AND a", 10_000) + ";", ""},
		{"100,000 elements of IN", "SELECT * FROM s WHERE a IN (1" + r(", 1", 100_000) + ");", ""},
		{"10,000 columns", "CREATE STREAM s (a0 INT" + r(", a INT", 10_000) + ");", ""},
		{"10,000 properties", "CREATE STREAM s (a INT) WITH (a=1" + r(", a=1", 10_000) + ");", ""},
		{"10,000 grouping expressions", "SELECT a FROM s GROUP BY a" + r(", a", 10_000) + ";", ""},
		{"many lambda parameters", "SELECT F((" + r("a, ", 100_000) + "b) => 1) FROM s;", ""},
		{"not quite lambda parameters", "SELECT F" + r("((a, a)", 100) + " FROM s;", diag.Syntax},
		{"unterminated string", "SELECT '" + r("x", 1<<19), diag.Syntax},
		{"unterminated name", "SELECT `" + r("x", 1<<19), diag.Syntax},
		{"unterminated comment", "SELECT /*" + r("*", 1<<19), diag.Syntax},
		{"quotes", "SELECT " + r("''", 1<<18), diag.Syntax},
		{"only a comment", "--" + r("x", 1<<21), ""},
		{"semicolons", r(";", 1<<20), diag.Syntax},
		{"NUL", "SELECT \x00 FROM s;", diag.Syntax},
		{"lone surrogate", "SELECT \xed\xa0\x80 FROM s;", diag.Syntax},
		{"right to left mark", "SELECT a\u200f FROM s;", diag.Syntax},
		{"line separator", "SELECT\u2028a FROM s;", diag.Syntax},
		{"homoglyph", "SELECT а FROM s;", diag.Syntax},
		{"homoglyph in quotes", "SELECT `а` FROM s;", ""},
		{"name of 300 characters", "CREATE STREAM " + r("a", 300) + " (x INT);", ""},
		{"name of 1 MB", "CREATE STREAM " + r("a", 1<<19) + " ?;", diag.Syntax},
		{"large integer", "SELECT 99999999999999999999 FROM s;", diag.Literal},
		{"integer of 400,000 digits", "SELECT " + r("9", 400_000) + " FROM s;", diag.Literal},
		{"large double", "SELECT 1e999 FROM s;", diag.Literal},
		{"small double", "SELECT 1e-999 FROM s;", ""},
		{"negative zero", "SELECT -0.0, -0, -0e0 FROM s;", ""},
		{"decimal", "CREATE STREAM s (a DECIMAL(38, 38));", ""},
		{"large decimal", "CREATE STREAM s (a DECIMAL(99999999999, 1));", diag.Literal},
		{"pattern", "SELECT * FROM s WHERE a LIKE '" + r("%", 10_000) + "';", ""},
		{"grace", "SELECT * FROM s WINDOW TUMBLING (SIZE 1 DAY, GRACE PERIOD 9223372036854775807 DAYS);", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			stmts, err := grammar.Parse(tt.text, grammar.Options{})
			shown := diag.Render(err, tt.text)
			took := time.Since(start)
			if took > within {
				t.Errorf("took %v", took)
			}
			e, _ := diag.As(err)
			switch {
			case tt.code == "" && err != nil:
				t.Fatalf("does not parse: %s", shown)
			case tt.code != "" && (e == nil || e.Code != tt.code):
				t.Fatalf("got %v, want code %s", err, tt.code)
			case err != nil && (e.Hint == "" || !e.Span.IsValid()):
				t.Errorf("no place or no hint: %s", shown)
			case len(shown) > 1000:
				t.Errorf("the error is %d bytes long", len(shown))
			}
			for _, s := range stmts {
				printed := format.Statement(s.Statement)
				if len(printed) > grammar.MaxStatementBytes {
					continue
				}
				again, err := grammar.ParseOne(printed, grammar.Options{})
				if e, ok := diag.As(err); ok && e.Code == diag.Limit { // chains print with parentheses
					continue
				}
				if err != nil || !ast.Equal(s.Statement, again.Statement) {
					t.Errorf("the print parses to another tree: %v", err)
				}
			}
		})
	}
}

func TestParserIsBuiltFast(t *testing.T) {
	start := time.Now()
	if _, err := grammar.ParseOne("SHOW STREAMS;", grammar.Options{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > within/4 {
		t.Errorf("took %v", took)
	}
}

func BenchmarkParse(b *testing.B) {
	texts := map[string]string{
		"insert": "INSERT INTO orders (id, name, amount) VALUES (17, 'name of it', 12.5);",
		"pull":   "SELECT * FROM inventory WHERE store = 'north' AND item = 42;",
		"join": `CREATE STREAM enriched WITH (kafka_topic='enriched', partitions=4) AS
			SELECT o.id AS id, o.amount * 1.19 AS gross, c.name, CASE WHEN o.amount > 100 THEN 'large' ELSE 'small' END AS size_of
			FROM orders o LEFT JOIN customers c ON o.customer = c.id WHERE o.amount IS NOT NULL AND c.region IN ('a', 'b') EMIT CHANGES;`,
		"in-10000": "SELECT * FROM s WHERE a IN (0" + strings.Repeat(", 12345", 10_000) + ");",
	}
	for name, text := range texts {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := grammar.Parse(text, grammar.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleParse() {
	stmts, _ := grammar.Parse("select a from s emit changes; show streams;", grammar.Options{})
	for _, s := range stmts {
		fmt.Printf("%T %s %s\n", s.Statement, s.Span.Start, s.Text)
	}
	// Output:
	// *ast.Query 1:1 select a from s emit changes;
	// *ast.ListSources 1:31 show streams;
}
