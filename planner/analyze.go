package planner

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// target is what a SELECT is for.
type target struct {
	// persistent: the rows go into a stream or table; otherwise to a client.
	persistent bool
	// pull: over a stream, once.
	pull bool
	sink string
	kind catalog.Kind
	// check looks at the result's columns before it is decided which of them are the key; may be nil.
	check func([]outItem) error
}

// analyzer binds one SELECT.
type analyzer struct {
	env    *Env
	sel    *ast.Select
	target target
	nextID int

	sources []*boundSource
	// scope holds the columns of all sources; after PARTITION BY its keys are the new ones.
	scope *scope
	// clashing names stand in more than one source of a join.
	clashing map[string]bool
	node     logical.Node
	// same lists the columns that equal the key of node, besides the key itself.
	same []int
	// keyWord and keyTexts word the error for a key that is not projected.
	keyWord  string
	keyTexts []string
	// synthetic is the scope name of the join's synthetic key, "" when there is none.
	synthetic string
	joinError error

	partitionKeys []keyExpr
	groupKeys     []keyExpr
	aggregate     *logical.Aggregate
	// flatMap gathers the table functions of the projection; nil when there are none.
	flatMap *logical.FlatMap
}

// keyExpr is a grouping or partitioning expression.
type keyExpr struct {
	ast  ast.Expr
	expr expr.Expr
	id   int
	name string
}

// boundSource is one source of the FROM clause.
type boundSource struct {
	source *catalog.Source
	alias  string
	at     diag.Span
	scan   *logical.Scan
}

// analysis is a bound SELECT.
type analysis struct {
	node  *logical.Project
	items []outItem
	// group are the grouping expressions, for messages.
	group []ast.Expr
	// sources by name, leftmost first.
	sources  []string
	leftmost *catalog.Source
	table    bool
	window   *types.WindowSpec
	windowed types.WindowType
	// windowBounds are the items that are bounds of the result's window: they are a part of its key.
	windowBounds map[int]bool
	// windowSizeMs of the result's key, 0 for sessions.
	windowSizeMs int64
}

// outItem is a column of the result.
type outItem struct {
	logical.Column
	// key is its place in the key, -1 for a value column.
	key int
	at  diag.Span
	ast ast.Expr
}

func (a *analyzer) id() int { a.nextID++; return a.nextID }

// analyze binds sel.
func (env *Env) analyze(sel *ast.Select, t target) (*analysis, error) {
	a := &analyzer{env: env, sel: sel, target: t, scope: &scope{}, clashing: map[string]bool{}}
	if err := a.from(); err != nil {
		return nil, err
	}
	if err := a.clauses(); err != nil {
		return nil, err
	}
	if err := a.knownFunctions(); err != nil {
		return nil, err
	}
	if err := a.where(); err != nil {
		return nil, err
	}
	if err := a.partitionBy(); err != nil {
		return nil, err
	}
	items, err := a.expand()
	if err != nil {
		return nil, err
	}
	if err := a.checkTableFunctions(items); err != nil {
		return nil, err
	}
	if err := a.groupBy(items); err != nil {
		return nil, err
	}
	return a.project(items)
}

// clauses refuses clauses that do not go together.
func (a *analyzer) clauses() error {
	sel := a.sel
	switch {
	case a.target.persistent && sel.Limit != nil:
		return diag.Errorf(diag.InvalidQuery, sel.Limit.Span(), "CREATE %s AS SELECT statements don't support LIMIT clause.", a.target.kind)
	case sel.Limit != nil && sel.Limit.Count < 0:
		return diag.Errorf(diag.InvalidValue, sel.Limit.Span(), "LIMIT must be at least 0.")
	case sel.Emit == ast.EmitFinal && sel.Window == nil:
		return diag.Errorf(diag.InvalidQuery, sel.Span(), "EMIT FINAL is only supported for windowed aggregations.")
	case sel.Emit == ast.EmitFinal && !a.env.flag("ksql.suppress.enabled", true):
		return diag.Errorf(diag.NotSupported, sel.Span(), "Suppression is currently disabled. You can enable it by setting ksql.suppress.enabled to true")
	}
	if sel.GroupBy != nil {
		if err := a.refuseKafkaValues("GROUP BY", sel.GroupBy.Span()); err != nil {
			return err
		}
	}
	return nil
}

// knownFunctions refuses names that are no functions before anything else is said about the expressions.
func (a *analyzer) knownFunctions() (err error) {
	for _, e := range a.sel.Exprs() {
		ast.Inspect(e, func(x ast.Expr) bool {
			if call, ok := x.(*ast.Call); ok && err == nil {
				_, err = a.env.function(call.Name)
			}
			return err == nil
		})
	}
	return err
}

// refuseKafkaValues refuses a clause over sources whose values are in the KAFKA format.
func (a *analyzer) refuseKafkaValues(clause string, at diag.Span) error {
	var names []string
	for _, s := range a.sources {
		if s.source.ValueFormat.Name == "KAFKA" {
			names = append(names, s.source.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return diag.Errorf(diag.NotSupported, at, "Source(s) %s are using the 'KAFKA' value format. This format does not yet support %s.\n"+
		"See https://github.com/confluentinc/ksql/issues/4389 for more info.", strings.Join(names, ", "), clause).
		WithHint("Re-import the source using a different value format.")
}

// findSource looks a source up by the name a statement gives.
func (env *Env) findSource(name ast.Ident) (*catalog.Source, error) {
	if src, ok := env.Catalog.Source(name.Name); ok {
		return src, nil
	}
	err := diag.Errorf(diag.UnknownSource, name.Span(), "%s does not exist.", name.Name)
	return nil, withSourceHint(env, err, name)
}

// withSourceHint adds what may have been meant.
func withSourceHint(env *Env, err *diag.Error, name ast.Ident) error {
	var names []string
	for _, s := range env.Catalog.Sources() {
		if s.Name != name.Name && strings.EqualFold(s.Name, name.Name) {
			if s.Name == strings.ToUpper(s.Name) {
				err.Message += "\nDid you mean " + s.Name + "? Hint: try removing double quotes from the source name."
			} else {
				err.Message += "\nDid you mean \"" + s.Name + "\"? Hint: wrap the source name in double quotes to make it case-sensitive."
			}
			return err
		}
		names = append(names, s.Name)
	}
	if s, ok := diag.Suggest(name.Name, names); ok {
		return err.WithHint("Did you mean %s?", s)
	}
	return err.WithHint("SHOW STREAMS and SHOW TABLES list what there is.")
}

// bindSource makes the scan of one source and puts its columns into the scope.
func (a *analyzer) bindSource(s *ast.Source, step string) (*boundSource, error) {
	src, err := a.env.findSource(s.Name)
	if err != nil {
		return nil, err
	}
	if a.target.persistent && src.Kind == catalog.Table && src.Window != types.NoWindow {
		return nil, diag.Errorf(diag.NotSupported, s.Span(), "KSQL does not support persistent queries on windowed tables.")
	}
	b := &boundSource{source: src, alias: s.NameOrAlias().Name, at: s.Span()}
	for _, other := range a.sources {
		if other.source.Name == src.Name {
			if len(a.sources) == 1 {
				return nil, diag.Errorf(diag.NotSupported, s.Span(), "Can not join '%s' to '%s': self joins are not yet supported.", src.Name, src.Name)
			}
			return nil, diag.Errorf(diag.NotSupported, s.Span(), "N-way joins do not support multiple occurrences of the same source. Source: '%s'.", src.Name)
		}
		if other.alias == b.alias {
			return nil, diag.Errorf(diag.Duplicate, s.Span(), "Duplicate source name or alias: '%s'", b.alias)
		}
	}
	b.scan = &logical.Scan{Source: src, Alias: b.alias, Step: step}
	add := func(c types.Column, origin physical.Origin, index int) {
		id, label := a.id(), c.Name
		if a.scope.joined {
			label = joinedName(b.alias, c.Name)
		}
		b.scan.Out = append(b.scan.Out, logical.ScanColumn{Column: logical.Column{ID: id, Name: label, Type: c.Type}, Origin: origin, Index: index})
		a.scope.columns = append(a.scope.columns, column{
			id: id, source: b.alias, name: c.Name, label: label, typ: c.Type, key: origin == physical.FromKey,
			pseudo: origin.Pseudo(),
		})
	}
	for i, c := range src.Schema.Key {
		add(c, physical.FromKey, i)
	}
	for i, c := range src.Schema.Value {
		add(c, physical.FromValue, i)
	}
	for i, c := range src.Schema.Headers {
		add(c.Column, physical.FromHeaders, i)
	}
	add(types.Column{Name: types.RowTime, Type: types.BigintType}, physical.FromRowTime, 0)
	add(types.Column{Name: types.RowPartition, Type: types.IntType}, physical.FromPartition, 0)
	add(types.Column{Name: types.RowOffset, Type: types.BigintType}, physical.FromOffset, 0)
	if src.Window != types.NoWindow {
		add(types.Column{Name: types.WindowStart, Type: types.BigintType}, physical.FromWindowStart, 0)
		add(types.Column{Name: types.WindowEnd, Type: types.BigintType}, physical.FromWindowEnd, 0)
	}
	a.sources = append(a.sources, b)
	a.scope.sources = append(a.scope.sources, b.alias)
	return b, nil
}

// qualify writes the source in front of every column name that can be resolved, so that equal expressions look equal.
func (a *analyzer) qualify(e ast.Expr, clause string) (ast.Expr, error) {
	var failed error
	out := ast.Rewrite(e, func(x ast.Expr) ast.Expr {
		ref, ok := x.(*ast.ColumnRef)
		if !ok || failed != nil {
			return x
		}
		c, err := a.scope.resolve(ref, clause)
		if err != nil {
			if d, ok := diag.As(err); ok && d.Code != diag.UnknownColumn {
				failed = err
			}
			return x
		}
		if c.source == "" || ref.Source != nil {
			return x
		}
		source := ast.NewIdent(c.source)
		q := *ref
		q.Source = &source
		return &q
	})
	return out, failed
}

// binder makes a binder for a clause over the sources.
func (a *analyzer) binder(clause string) *binder {
	return &binder{env: a.env, scope: a.scope, clause: clause}
}

func (a *analyzer) where() error {
	if a.sel.Where == nil {
		return nil
	}
	e, err := a.qualify(a.sel.Where, "WHERE")
	if err != nil {
		return err
	}
	b := a.binder("WHERE")
	b.magic = true
	if a.sel.Window != nil {
		b.unknown = func(ref *ast.ColumnRef) error {
			if ref.Name.Name != types.WindowStart && ref.Name.Name != types.WindowEnd {
				return nil
			}
			return diag.Errorf(diag.InvalidQuery, ref.Span(), "Error in WHERE expression: Unknown column %s.", ref.Name.Name).
				WithHint("Window bounds can only be used in the SELECT clause of windowed aggregations.")
		}
	}
	cond, err := b.predicate(e)
	if err != nil {
		return err
	}
	a.node = &logical.Filter{Step: "WhereFilter", In: a.node, Cond: cond}
	return nil
}

// joinedName is the name of a source's column in the result of a join.
func joinedName(source, name string) string { return source + "_" + name }

// fieldName is the name a struct field gets when it is selected without an alias.
func fieldName(e ast.Expr) (string, bool) {
	d, ok := e.(*ast.Deref)
	if !ok {
		return "", false
	}
	return d.Field.Name, true
}

// usedNames are the column names of the sources, which generated names avoid.
func (a *analyzer) usedNames() map[string]bool {
	used := map[string]bool{}
	for i := range a.scope.columns {
		c := &a.scope.columns[i]
		if !c.pseudo {
			used[c.name] = true
		}
	}
	return used
}
