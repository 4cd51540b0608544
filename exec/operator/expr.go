package operator

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/eval"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// compiler makes evaluators; errors in them are ksqlDB's of persistent and push queries.
func (c *Context) compiler() *eval.Compiler {
	return &eval.Compiler{Functions: c.Functions, Env: c.Env, Mode: eval.Compiled}
}

// projection computes columns of one row from another; failing ones are null and reported.
type projection struct {
	eval   *eval.Projection
	places []types.Loc
	report func(column int, err error)
}

// projection compiles expressions over rows of type in; they become the columns of out from place at on.
func (c *Context) projection(
	step string, exprs []expr.Expr, in *physical.RowType, out *types.Layout, at int,
) (projection, error) {
	places := out.Locs[at : at+len(exprs)]
	e, err := c.compiler().Projection(exprs, types.NewLayout(in.Columns), places)
	names := out.Columns[at : at+len(exprs)]
	return projection{
		eval: e, places: places,
		report: func(column int, err error) { c.columnFailed(step, names[column].Name, err) },
	}, err
}

// run computes the columns and reports failures.
func (p *projection) run(src, dst *types.Row) { p.eval.Run(src, dst, p.report) }

// quietly computes the columns of an old row, whose failures were reported when it was new.
func (p *projection) quietly(src, dst *types.Row) { p.eval.Run(src, dst, nil) }

// setNull makes the columns null.
func (p *projection) setNull(dst *types.Row) { setNull(dst, p.places) }
