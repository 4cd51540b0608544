package planner

import (
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// seePull ends the errors about what pull queries cannot do.
const seePull = " See https://cnfl.io/queries for more info.\nAdd EMIT CHANGES if you intended to issue a push query."

// PullQuery plans a SELECT without EMIT: over the state of a persistent query, or over a stream from its beginning to its
// present end.
func PullQuery(env *Env, sel *ast.Select) (*PullPlan, error) {
	if !env.flag("ksql.pull.queries.enable", true) {
		return nil, diag.Errorf(diag.NotSupported, sel.Span(), "Pull queries are disabled."+seePull)
	}
	if err := env.pullClauses(sel); err != nil {
		return nil, err
	}
	from := sel.From.(*ast.Source)
	src, err := env.findSource(from.Name)
	if err != nil {
		return nil, err
	}
	if src.Kind == catalog.Stream {
		if !env.flag("ksql.query.pull.stream.enabled", true) {
			return nil, diag.Errorf(diag.NotSupported, from.Span(), "Pull queries on streams are disabled. To create a push query on the stream, add EMIT CHANGES to the end. "+
				"To enable pull queries on streams, set the ksql.query.pull.stream.enabled config to 'true'.")
		}
		plan, _, err := env.transientPlan(sel, target{pull: true})
		if err != nil {
			return nil, err
		}
		return &PullPlan{Stream: plan}, nil
	}
	p, err := env.pullTable(sel, from, src)
	if err != nil {
		return nil, err
	}
	return &PullPlan{Table: p}, nil
}

// pullClauses refuses what pull queries do not have.
func (env *Env) pullClauses(sel *ast.Select) error {
	refuse := func(at ast.Node, clause string) error {
		return diag.Errorf(diag.NotSupported, at.Span(), "Pull queries don't support %s clauses.%s", clause, seePull).
			WithHint("Add EMIT CHANGES if you intended to issue a push query.")
	}
	if _, ok := sel.From.(*ast.Source); !ok {
		return refuse(sel.From, "JOIN")
	}
	switch {
	case sel.Window != nil:
		return refuse(sel.Window, "WINDOW")
	case sel.GroupBy != nil:
		return refuse(sel.GroupBy, "GROUP BY")
	case sel.PartitionBy != nil:
		return refuse(sel.PartitionBy, "PARTITION BY")
	case sel.Having != nil:
		return refuse(sel.Having, "HAVING")
	case sel.Limit != nil && !env.flag("ksql.query.pull.limit.clause.enabled", true):
		return diag.Errorf(diag.NotSupported, sel.Limit.Span(), "LIMIT clause in pull queries is currently disabled. "+
			"You can enable them by setting ksql.query.pull.limit.clause.enabled=true."+seePull)
	case sel.Limit != nil && sel.Limit.Count < 0:
		return diag.Errorf(diag.InvalidValue, sel.Limit.Span(), "Pull queries don't support negative integers in the LIMIT clause."+seePull)
	}
	for _, it := range sel.Items {
		var e ast.Expr
		switch it := it.(type) {
		case *ast.SelectExpr:
			e = it.Expr
		case *ast.SelectStructAll:
			e = it.Base
		case *ast.SelectAll:
			continue
		}
		if err := pullColumns(e, "SELECT"); err != nil {
			return err
		}
		for _, kind := range []functions.Kind{functions.AggregateKind, functions.TableKind} {
			if call := env.findCall(e, kind); call != nil {
				word := "aggregate"
				if kind == functions.TableKind {
					word = "table"
				}
				return diag.Errorf(diag.NotSupported, call.Span(), "Pull queries don't support %s functions: %s.%s", word, call.Name.Name, seePull)
			}
		}
	}
	return pullColumns(sel.Where, "WHERE")
}

// pullColumns refuses the pseudo columns that only records have.
func pullColumns(e ast.Expr, clause string) (err error) {
	ast.Inspect(e, func(x ast.Expr) bool {
		if ref, ok := x.(*ast.ColumnRef); ok && err == nil && (ref.Name.Name == types.RowPartition || ref.Name.Name == types.RowOffset) {
			err = diag.Errorf(diag.NotSupported, ref.Span(), "Pull queries don't support the following columns in %s clauses: `%s`", clause, ref.Name.Name)
		}
		return true
	})
	return err
}

// findCall finds the first call of a function of a kind; nil when there is none.
func (env *Env) findCall(e ast.Expr, kind functions.Kind) (found *ast.Call) {
	ast.Inspect(e, func(x ast.Expr) bool {
		if found == nil && env.isKind(x, kind) {
			found = x.(*ast.Call)
		}
		return found == nil
	})
	return found
}

// pullTable plans a pull query over the state of a table.
func (env *Env) pullTable(sel *ast.Select, from *ast.Source, src *catalog.Source) (*physical.Pull, error) {
	a := env.pullAnalyzer(sel, from, src)
	items, err := a.expand()
	if err != nil {
		return nil, err
	}
	bound, err := a.bindItems(items)
	if err != nil {
		return nil, err
	}
	if err := uniqueNames(items, bound); err != nil {
		return nil, err
	}
	p := &physical.Pull{Source: src.Name, Limit: -1}
	if sel.Limit != nil {
		p.Limit = sel.Limit.Count
	}
	keys := len(src.Schema.Key)
	bounds := len(tableColumns(src))
	for i, x := range bound {
		p.Exprs = append(p.Exprs, x)
		p.Columns = append(p.Columns, types.Column{Name: items[i].name, Type: x.Type()})
		if c, ok := x.(*expr.Column); ok && (c.Index < keys || src.Window != types.NoWindow && (c.Index == bounds || c.Index == bounds+1)) {
			p.KeyPositions = append(p.KeyPositions, i)
		}
	}
	w := &pullWhere{env: env, a: a, src: src}
	if p.Lookups, p.Where, err = w.plan(sel.Where); err != nil {
		return nil, err
	}
	plan, ok := (*physical.Plan)(nil), false
	if src.CreatedBy != "" && env.Plans != nil {
		plan, ok = env.Plans(src.CreatedBy)
	}
	if !ok || plan.Materialization == nil {
		err := diag.Errorf(diag.NotSupported, from.Span(), "The `%s` table isn't queryable. To derive a queryable table, you can do 'CREATE TABLE QUERYABLE_%s AS SELECT * FROM %s'.%s",
			src.Name, src.Name, src.Name, seePull)
		if src.ReadOnly {
			return nil, err.WithHint("It has no query that keeps its rows: DROP TABLE %s and create it again to have one.", src.Name)
		}
		return nil, err
	}
	p.QueryID, p.Materialization = src.CreatedBy, plan.Materialization
	return p, nil
}

// pullAnalyzer binds against the rows of a table as they are stored: the columns' IDs are their places.
func (env *Env) pullAnalyzer(sel *ast.Select, from *ast.Source, src *catalog.Source) *analyzer {
	alias := from.NameOrAlias().Name
	scan := &logical.Scan{Source: src, Alias: alias}
	a := &analyzer{
		env: env, sel: sel, scope: &scope{sources: []string{alias}}, clashing: map[string]bool{}, node: scan,
		sources: []*boundSource{{source: src, alias: alias, scan: scan}},
	}
	scan.Out = tableColumns(src)
	add := func(name string, origin physical.Origin) {
		scan.Out = append(scan.Out, logical.ScanColumn{Column: logical.Column{ID: len(scan.Out), Name: name, Type: types.BigintType}, Origin: origin})
	}
	if src.Window != types.NoWindow {
		add(types.WindowStart, physical.FromWindowStart)
		add(types.WindowEnd, physical.FromWindowEnd)
	}
	add(types.RowTime, physical.FromRowTime)
	for _, c := range scan.Out {
		a.scope.columns = append(a.scope.columns, column{
			id: c.ID, source: alias, name: c.Name, label: c.Name, typ: c.Type, key: c.Origin == physical.FromKey, pseudo: c.Origin.Pseudo(),
		})
	}
	a.nextID = len(scan.Out)
	return a
}

// keyNames lists the key columns of a source.
func keyNames(src *catalog.Source) []string {
	out := make([]string, len(src.Schema.Key))
	for i, c := range src.Schema.Key {
		out[i] = c.Name
	}
	return out
}

// keyColumn finds the key column that a syntax node names; -1 when it names none.
func keyColumn(src *catalog.Source, e ast.Expr) int {
	ref, ok := e.(*ast.ColumnRef)
	if !ok {
		return -1
	}
	return slices.Index(keyNames(src), ref.Name.Name)
}
