package planner

import (
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
)

// groupBy applies PARTITION BY and GROUP BY, HAVING included.
func (a *analyzer) groupBy(items []item) error {
	if a.sel.PartitionBy != nil && !a.partitionsByKey() {
		keys := make([]logical.Item, len(a.partitionKeys))
		for i, k := range a.partitionKeys {
			for _, it := range items {
				if k.name == "" && ast.Equal(it.ast, k.ast) {
					k.name = it.name
				}
			}
			keys[i] = logical.Item{Column: logical.Column{ID: k.id, Name: k.name, Type: k.expr.Type()}, Expr: k.expr}
		}
		a.node = &logical.Rekey{Step: "PartitionBy", In: a.node, Keys: keys}
		a.same = nil
	}
	aggregates := a.aggregateCalls(items)
	if a.sel.GroupBy == nil {
		switch {
		case len(aggregates) == 0 && a.sel.Window != nil:
			return diag.Errorf(diag.InvalidQuery, a.sel.Window.Span(), "WINDOW clause requires a GROUP BY clause.")
		case len(aggregates) == 0 && a.sel.Having == nil:
			return nil
		case len(aggregates) == 0:
			return diag.Errorf(diag.InvalidQuery, a.sel.Having.Span(), "HAVING requires a GROUP BY clause.")
		case a.target.persistent:
			if err := a.ungrouped(items); err != nil {
				return err
			}
			texts := make([]string, len(aggregates))
			for i, c := range aggregates {
				texts[i] = callText(c)
			}
			return diag.Errorf(diag.InvalidQuery, aggregates[0].Span(), "CREATE TABLE AS SELECT statement does not support aggregate function [%s] without a GROUP BY clause.",
				strings.Join(texts, ", "))
		}
		one := &ast.IntLiteral{Located: ast.At(aggregates[0].Span()), Value: 1}
		return a.buildAggregate([]ast.Expr{one}, items, true)
	}
	if len(aggregates) == 0 {
		return diag.Errorf(diag.InvalidQuery, a.sel.GroupBy.Span(), "GROUP BY requires aggregate functions in either the SELECT or HAVING clause.")
	}
	return a.buildAggregate(a.sel.GroupBy.Exprs, items, false)
}

// ungrouped refuses plain columns beside aggregates where nothing is grouped.
func (a *analyzer) ungrouped(items []item) error {
	var texts []string
	var at diag.Span
	for _, it := range items {
		plain := false
		ast.Inspect(it.ast, func(x ast.Expr) bool {
			if _, ok := x.(*ast.ColumnRef); ok {
				plain = true
			}
			return !a.env.isKind(x, functions.AggregateKind)
		})
		if plain {
			texts = append(texts, exprTextWith(it.ast, a.scope.text))
			at = at.Join(it.ast.Span())
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return notGrouped(at, texts)
}

func notGrouped(at diag.Span, texts []string) error {
	return diag.Errorf(diag.InvalidQuery, at, "Non-aggregate SELECT expression(s) not part of GROUP BY: %s\n"+
		"Either add the column(s) to the GROUP BY or remove them from the SELECT.", strings.Join(texts, ", "))
}

// aggregateCalls lists the aggregate calls of projection and HAVING.
func (a *analyzer) aggregateCalls(items []item) []*ast.Call {
	var out []*ast.Call
	collect := func(e ast.Expr) {
		ast.Inspect(e, func(x ast.Expr) bool {
			if a.env.isKind(x, functions.AggregateKind) {
				out = append(out, x.(*ast.Call))
				return false
			}
			return true
		})
	}
	for _, it := range items {
		collect(it.ast)
	}
	collect(a.sel.Having)
	return out
}

func (a *analyzer) buildAggregate(exprs []ast.Expr, items []item, implicitGroup bool) error {
	agg := &logical.Aggregate{In: a.node, Partitions: a.sources[0].source.Partitions}
	a.keyWord, a.keyTexts = "grouping expression", nil
	var bound []expr.Expr
	for _, e := range exprs {
		k, err := a.groupKey(e, items)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(a.groupKeys, func(o keyExpr) bool { return o.id == k.id || ast.Equal(o.ast, k.ast) }) {
			return diag.Errorf(diag.Duplicate, e.Span(), "Duplicate expression in GROUP BY: %s", a.groupText(k.ast))
		}
		a.groupKeys = append(a.groupKeys, k)
		a.keyTexts = append(a.keyTexts, a.groupText(k.ast))
		bound = append(bound, k.expr)
		agg.Group = append(agg.Group, logical.Item{Column: logical.Column{ID: k.id, Name: k.name, Type: k.expr.Type()}, Expr: k.expr})
	}
	if a.sel.Window != nil {
		if a.node.Table() {
			return diag.Errorf(diag.NotSupported, a.sel.Window.Span(), "WINDOW clause is not supported on tables: windows group the rows of a STREAM.")
		}
		spec, err := windowSpec(a.sel.Window, a.sel.Emit)
		if err != nil {
			return err
		}
		agg.Window = spec
		agg.Start = logical.Column{ID: a.id(), Name: types.WindowStart, Type: types.BigintType}
		agg.End = logical.Column{ID: a.id(), Name: types.WindowEnd, Type: types.BigintType}
	}
	agg.Repartition = implicitGroup || groupRepartition(a.node, a.same, bound)
	a.aggregate = agg
	columns := make([]types.Column, len(agg.Group))
	for i, g := range agg.Group {
		columns[i] = types.Column{Name: g.Name, Type: g.Type}
		if err := checkMapKeys(side{key: true, columns: columns[i : i+1], at: exprs[i].Span()}); err != nil {
			return err
		}
	}
	left := a.sources[0].source
	agg.KeyFormat, agg.ValueFormat = a.env.keyFormatFor(inheritedKeyFormat(left), columns), left.ValueFormat
	a.node = agg
	a.same = nil
	if a.sel.Emit == ast.EmitFinal {
		a.node = &logical.Suppress{In: a.node, Window: *agg.Window}
	}
	return a.having()
}

// groupText is a grouping expression as messages show it.
func (a *analyzer) groupText(e ast.Expr) string {
	if a.scope.joined {
		return exprText(e)
	}
	return exprTextWith(e, a.scope.text)
}

// groupKey binds one grouping expression.
func (a *analyzer) groupKey(e ast.Expr, items []item) (keyExpr, error) {
	if call, ok := a.findCall(e, functions.AggregateKind); ok {
		return keyExpr{}, diag.Errorf(diag.InvalidQuery, call.Span(), "GROUP BY does not support aggregate functions: %s is an aggregate function.", call.Name.Name)
	}
	q, err := a.qualify(e, "GROUP BY")
	if err != nil {
		return keyExpr{}, err
	}
	b := a.binder("GROUP BY")
	b.unknown = a.windowBoundsError
	x, err := b.bind(q)
	if err != nil {
		return keyExpr{}, err
	}
	if x.Type().Kind == types.Null {
		return keyExpr{}, untypedNull(e)
	}
	k := keyExpr{ast: q, expr: x}
	if c, ok := x.(*expr.Column); ok {
		k.id, k.name = c.Index, c.Name
	} else {
		k.id = a.id()
		if name, ok := fieldName(e); ok {
			k.name = name
		}
	}
	for _, it := range items {
		if ast.Equal(it.ast, q) {
			k.name = it.name
			break
		}
	}
	if k.name == "" {
		k.name = "KSQL_COL_0"
	}
	return k, nil
}

// windowBoundsError words the use of WINDOWSTART and WINDOWEND where a windowed aggregation does not offer them.
func (a *analyzer) windowBoundsError(ref *ast.ColumnRef) error {
	if a.sel.Window == nil || ref.Name.Name != types.WindowStart && ref.Name.Name != types.WindowEnd {
		return nil
	}
	return diag.Errorf(diag.InvalidQuery, ref.Span(), "Window bounds column %s can only be used in the SELECT clause of windowed aggregations and can not be passed to aggregate functions.\n"+
		"See https://github.com/confluentinc/ksql/issues/4397", ref.Name.Name)
}

// groupBinder binds expressions over the result of the aggregation. ungrouped is set when a column is neither grouped nor
// aggregated.
func (a *analyzer) groupBinder(clause string, ungrouped *bool) *binder {
	b := a.binder(clause)
	b.replace = func(e ast.Expr) (expr.Expr, error) {
		for _, k := range a.groupKeys {
			if ast.Equal(e, k.ast) {
				return &expr.Column{Index: k.id, Name: k.name, T: k.expr.Type()}, nil
			}
		}
		if a.env.isKind(e, functions.AggregateKind) {
			return a.aggregateCall(e.(*ast.Call), clause)
		}
		ref, ok := e.(*ast.ColumnRef)
		if !ok {
			return nil, nil
		}
		if a.aggregate.Window != nil && !a.scope.joined && (ref.Source == nil || ref.Source.Name == a.sources[0].alias) {
			switch ref.Name.Name {
			case types.WindowStart:
				return &expr.Column{Index: a.aggregate.Start.ID, Name: types.WindowStart, T: types.BigintType}, nil
			case types.WindowEnd:
				return &expr.Column{Index: a.aggregate.End.ID, Name: types.WindowEnd, T: types.BigintType}, nil
			}
		}
		if ref.Source != nil {
			*ungrouped = true
		}
		return nil, nil
	}
	return b
}

// aggregateCall binds one aggregate call; equal calls share one column.
func (a *analyzer) aggregateCall(e *ast.Call, clause string) (expr.Expr, error) {
	spec, err := a.env.function(e.Name)
	if err != nil {
		return nil, err
	}
	for _, arg := range e.Args {
		if _, nested := a.findCall(arg, functions.AggregateKind); nested {
			return nil, diag.Errorf(diag.InvalidQuery, e.Span(), "Aggregate functions can not be nested: %s", exprTextWith(e, a.scope.text))
		}
	}
	b := a.binder(clause)
	b.unknown = a.windowBoundsError
	args, err := b.bindAll(e.Args)
	if err != nil {
		return nil, err
	}
	argTypes := make([]*types.Type, len(args))
	for i, x := range args {
		argTypes[i] = x.Type()
	}
	r, err := spec.ResolveAggregate(argTypes)
	if err != nil {
		return nil, b.callError(e, err)
	}
	call := logical.Call{Name: spec.Name, Overload: r.Overload, Args: args, Literals: make([]*expr.Literal, len(args))}
	for i := range args {
		if args[i], err = b.argument(e.Args[i], args[i], r.Args[i]); err != nil {
			return nil, err
		}
		if r.Literal[i] {
			l, ok := args[i].(*expr.Literal)
			if !ok {
				return nil, b.notLiteral(e, i)
			}
			call.Literals[i] = l
		}
	}
	for _, o := range a.aggregate.Calls {
		if o.Name == call.Name && o.Overload == call.Overload && equalExprs(o.Args, call.Args) {
			return &expr.Column{Index: o.ID, Name: o.Column.Name, T: o.Type}, nil
		}
	}
	call.Column = logical.Column{ID: a.id(), Name: "KSQL_AGG_VARIABLE_" + itoa(len(a.aggregate.Calls)), Type: r.Result}
	a.aggregate.Calls = append(a.aggregate.Calls, call)
	return &expr.Column{Index: call.ID, Name: call.Column.Name, T: r.Result}, nil
}

// checkUndo refuses aggregates over a table that cannot take a row out again.
func (a *analyzer) checkUndo() error {
	if a.aggregate == nil || !a.aggregate.In.Table() {
		return nil
	}
	var names []string
	for _, c := range a.aggregate.Calls {
		spec, ok := a.env.Functions.Lookup(c.Name)
		if ok && !spec.Aggregates[c.Overload].Undoable && !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	noun := "function "
	if len(names) > 1 {
		noun = "functions "
	}
	return diag.Errorf(diag.NotSupported, a.sel.Span(), "The aggregation %s%s cannot be applied to a table source, only to a stream source.", noun, andList(names))
}

// having applies the HAVING clause.
func (a *analyzer) having() error {
	if a.sel.Having == nil {
		return nil
	}
	e, err := a.qualify(a.sel.Having, "HAVING")
	if err != nil {
		return err
	}
	ungrouped := false
	cond, err := a.groupBinder("HAVING", &ungrouped).predicate(e)
	if err != nil {
		return err
	}
	if ungrouped {
		return diag.Errorf(diag.InvalidQuery, e.Span(), "Non-aggregate HAVING expression not part of GROUP BY: %s", exprTextWith(e, a.scope.text)).
			WithHint("Either add the column(s) to the GROUP BY or remove them from the HAVING.")
	}
	a.node = &logical.Filter{Step: "Aggregate.HavingFilter", In: a.node, Cond: cond, Having: true}
	return nil
}

// windowSpec resolves a WINDOW clause and fills in ksqlDB's defaults. Without GRACE PERIOD, final results come at the end
// of the window.
func windowSpec(w *ast.Window, emit ast.EmitMode) (*types.WindowSpec, error) {
	size, err := length(w.Size, 1)
	if err != nil {
		return nil, err
	}
	spec := &types.WindowSpec{SizeMs: size}
	switch w.Kind {
	case ast.Tumbling:
		spec.Type, spec.AdvanceMs = types.Tumbling, size
	case ast.Hopping:
		spec.Type = types.Hopping
		if spec.AdvanceMs, err = length(*w.Advance, 1); err != nil {
			return nil, err
		}
		if spec.AdvanceMs > size {
			return nil, diag.Errorf(diag.InvalidValue, w.Advance.Span(), "Window advance interval should be less than window duration (found %d)", spec.AdvanceMs)
		}
	case ast.Session:
		spec.Type = types.Session
	}
	if emit != ast.EmitFinal {
		spec.GraceMs = max(0, defaultGraceMs-size)
	}
	if w.Grace != nil {
		if spec.GraceMs, err = length(*w.Grace, 0); err != nil {
			return nil, err
		}
	}
	spec.RetentionMs = size + spec.GraceMs
	if w.Retention != nil {
		ms, err := length(*w.Retention, 1)
		if err != nil {
			return nil, err
		}
		if ms < spec.RetentionMs {
			return nil, diag.Errorf(diag.InvalidValue, w.Retention.Span(), "The retention period of the window store must be no smaller than its window size plus the grace period. "+
				"Got size=[%d], grace=[%d], retention=[%d]", size, spec.GraceMs, ms).WithHint("Say GRACE PERIOD: its default is 24 hours less the size of the window.")
		}
		spec.RetentionMs = ms
	}
	return spec, nil
}
