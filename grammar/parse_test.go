package grammar_test

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/format"
)

// The files in testdata/parse hold commands:
//
//	parse [test]    statements; prints them in canonical form, or the error with its caret
//	expr            an expression; prints it with all parentheses
//	type            a type
func TestParse(t *testing.T) {
	datadriven.Walk(t, "testdata/parse", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "parse":
				opts := grammar.Options{}
				if d.HasArg("test") {
					opts = everything
				}
				stmts, err := grammar.Parse(d.Input, opts)
				out := ""
				for _, s := range stmts {
					out += format.Statement(s.Statement) + "\n"
				}
				if err != nil {
					return out + diag.Render(err, d.Input)
				}
				roundTrip(t, d.Input, opts)
				return out
			case "expr":
				e, err := grammar.ParseExpr(d.Input)
				if err != nil {
					return diag.Render(err, d.Input)
				}
				return format.Expr(e) + "\n"
			case "type":
				typ, err := grammar.ParseType(d.Input)
				if err != nil {
					return diag.Render(err, d.Input)
				}
				return format.Type(typ) + "\n"
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}
