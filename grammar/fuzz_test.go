package grammar_test

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/format"
)

// Whatever parses prints as text that parses to the same tree; layout keeps
// the trees and is stable; errors point into the text and are short.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"CREATE STREAM s (a INT KEY, b ARRAY<STRUCT<c DECIMAL(4,2)>>) WITH (KAFKA_TOPIC='t', PARTITIONS=-1);",
		"CREATE TABLE t AS SELECT a->b[1], COUNT(*) n FROM s x JOIN y WITHIN (1 DAY, 2 HOURS) ON x.a = y.b WINDOW TUMBLING (SIZE 1 DAY) WHERE NOT a IN (1, 2.5e3) GROUP BY (a, b) HAVING c EMIT FINAL;",
		"SELECT F(x => - -x, (a, b) => a || b, SECONDS), CASE a WHEN 1 THEN 'x''y' ELSE NULL END, *, s.*, a->* FROM s LIMIT 1;",
		"INSERT INTO s (a) VALUES (ARRAY[1], MAP('a' := -1), STRUCT(a := DATE 'x' AT TIME ZONE 'y'));",
		"SELECT -- c\n a /* d */, b FROM s -- e\n; --@test: x\nSHOW TOPICS;",
		"PRINT Topic FROM BEGINNING INTERVAL 3; EXPLAIN EXPLAIN q; ALTER STREAM s ADD COLUMN COLUMN INT; DEFINE x = '${y}';",
		"ASSERT NOT EXISTS SCHEMA SUBJECT `A-b` ID 3 TIMEOUT 1 SECOND; ASSERT NULL VALUES s KEY (1);",
		"SELECT ((((a + b) * c", "SELECT 'x", "SELECT ${x} FROM \xff;", "CREATE", ";;",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stmts, err := grammar.Parse(text, everything)
		if err != nil {
			e, ok := diag.As(err)
			if !ok || !e.Span.IsValid() || e.Span.Start.Offset > len(text) || e.Hint == "" {
				t.Fatalf("bad error: %#v", err)
			}
			if shown := diag.Render(err, text); len(shown) > 2000 {
				t.Fatalf("%d bytes of error", len(shown))
			}
			return
		}
		for _, s := range stmts {
			printed := format.Statement(s.Statement)
			again, err := grammar.ParseOne(printed, everything)
			if e, ok := diag.As(err); ok && e.Code == diag.Limit {
				continue // the print has more parentheses
			}
			if err != nil {
				t.Fatalf("%q does not parse: %v", printed, err)
			}
			if !ast.Equal(s.Statement, again.Statement) {
				t.Fatalf("%q is another tree than %q", printed, s.Text)
			}
		}
		once, err := format.Format(text)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := grammar.Parse(once, everything); err != nil || len(again) != len(stmts) {
			t.Fatalf("%q became %q: %v", text, once, err)
		} else {
			for i := range again {
				if !ast.Equal(stmts[i].Statement, again[i].Statement) {
					t.Fatalf("%q became %q", text, once)
				}
			}
		}
		if twice, err := format.Format(once); err != nil || twice != once {
			t.Fatalf("%q, then %q, then %q: %v", text, once, twice, err)
		}
	})
}
