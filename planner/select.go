package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// item is one column of the projection: an expression with the name it gets.
type item struct {
	ast  ast.Expr
	name string
	at   diag.Span
	// bound is set for columns that * brought in.
	bound expr.Expr
}

// expand turns the projection into named expressions: stars become columns, what has no alias gets a name.
func (a *analyzer) expand() ([]item, error) {
	var out []item
	used := a.usedNames()
	fields := map[string]bool{}
	next := 0
	generated := func() string {
		for {
			name := fmt.Sprintf("KSQL_COL_%d", next)
			next++
			if !used[name] {
				return name
			}
		}
	}
	for _, it := range a.sel.Items {
		switch it := it.(type) {
		case *ast.SelectAll:
			cols, err := a.star(it, generated)
			if err != nil {
				return nil, err
			}
			out = append(out, cols...)
		case *ast.SelectStructAll:
			cols, err := a.structStar(it)
			if err != nil {
				return nil, err
			}
			out = append(out, cols...)
		case *ast.SelectExpr:
			e, err := a.qualify(it.Expr, "SELECT")
			if err != nil {
				return nil, err
			}
			x := item{ast: e, at: it.Span()}
			switch {
			case it.Alias != nil:
				x.name = it.Alias.Name
				if err := a.checkAlias(it); err != nil {
					return nil, err
				}
			default:
				if x.name, err = a.unaliased(it, fields, generated); err != nil {
					return nil, err
				}
			}
			out = append(out, x)
		}
	}
	return out, nil
}

// checkAlias refuses reserved names.
func (a *analyzer) checkAlias(it *ast.SelectExpr) error {
	name := it.Alias.Name
	if !types.IsPseudoColumn(name) {
		return nil
	}
	if ref, ok := it.Expr.(*ast.ColumnRef); ok && ref.Name.Name == name {
		if a.target.persistent {
			return reservedInSelect(name, it.Alias.Span())
		}
		return nil
	}
	return diag.Errorf(diag.InvalidQuery, it.Alias.Span(), "`%s` is a reserved column name. You cannot use it as an alias for a column.", name)
}

func reservedInSelect(name string, at diag.Span) error {
	return diag.Errorf(diag.InvalidQuery, at, "Reserved column name in select: `%s`. Please remove or alias the column.", name)
}

// unaliased names an item without an alias.
func (a *analyzer) unaliased(it *ast.SelectExpr, fields map[string]bool, generated func() string) (string, error) {
	if ref, ok := it.Expr.(*ast.ColumnRef); ok {
		name := ref.Name.Name
		if types.IsPseudoColumn(name) && a.target.persistent && (ref.Source == nil || !a.clashing[name]) {
			if _, err := a.scope.resolve(ref, "SELECT"); err == nil || a.sel.GroupBy != nil {
				return "", reservedInSelect(name, it.Span())
			}
		}
		if a.clashing[name] && ref.Source != nil {
			return joinedName(ref.Source.Name, name), nil
		}
		return name, nil
	}
	if name, ok := fieldName(it.Expr); ok {
		unique := name
		for i := 1; fields[unique] || a.hasColumn(unique); i++ {
			unique = fmt.Sprintf("%s_%d", name, i)
		}
		fields[unique] = true
		return unique, nil
	}
	return generated(), nil
}

// hasColumn says whether a source has a column of that name which the projection could clash with.
func (a *analyzer) hasColumn(name string) bool { return a.usedNames()[name] }

// star expands * or source.*
func (a *analyzer) star(it *ast.SelectAll, generated func() string) ([]item, error) {
	if it.Source != nil && !slices.Contains(a.scope.sources, it.Source.Name) {
		_, err := a.scope.resolve(&ast.ColumnRef{Located: it.Located, Source: it.Source, Name: ast.NewIdent("*")}, "SELECT")
		return nil, err
	}
	var out []item
	add := func(c *column, name string) {
		source := ast.NewIdent(c.source)
		ref := &ast.ColumnRef{Located: it.Located, Source: &source, Name: ast.NewIdent(c.name)}
		if c.source == "" {
			ref.Source = nil
		}
		out = append(out, item{ast: ref, name: name, at: it.Span(), bound: &expr.Column{Index: c.id, Name: c.label, T: c.typ}})
	}
	rekeyed := a.sel.PartitionBy != nil && len(a.partitionKeys) > 0 && !a.partitionsByKey()
	if rekeyed && it.Source == nil {
		for _, k := range a.partitionKeys {
			name := k.name
			if name == "" {
				name = generated()
			}
			out = append(out, item{ast: k.ast, name: name, at: it.Span(), bound: &expr.Column{Index: k.id, Name: name, T: k.expr.Type()}})
		}
	}
	if !rekeyed && a.synthetic != "" && it.Source == nil {
		add(a.scope.byID(a.node.Key()[0]), a.synthetic)
	}
	for _, s := range a.sources {
		if it.Source != nil && it.Source.Name != s.alias {
			continue
		}
		for _, c := range a.starColumns(s, rekeyed && a.scope.joined && it.Source == nil) {
			if rekeyed && it.Source == nil && a.isPartitionKey(c.id) {
				continue
			}
			name := c.name
			if a.scope.joined {
				name = joinedName(c.source, c.name)
			}
			add(c, name)
		}
	}
	return out, nil
}

// starColumns lists the columns of a source in the order of *: key, window bounds, values. After PARTITION BY the old key
// comes last, and over joins ksqlDB lists the pseudo columns too.
func (a *analyzer) starColumns(s *boundSource, pseudo bool) []*column {
	var keys, bounds, values, others []*column
	for i := range a.scope.columns {
		c := &a.scope.columns[i]
		switch {
		case c.source != s.alias:
		case c.name == types.WindowStart || c.name == types.WindowEnd:
			bounds = append(bounds, c)
		case c.pseudo:
			others = append(others, c)
		case s.isKey(c.id):
			keys = append(keys, c)
		default:
			values = append(values, c)
		}
	}
	if a.sel.PartitionBy != nil && !a.partitionsByKey() {
		if !pseudo {
			others = nil
		}
		return slices.Concat(values, others, bounds, keys)
	}
	if !a.scope.joined && a.target.persistent {
		bounds = nil
	}
	return slices.Concat(keys, bounds, values)
}

func (s *boundSource) isKey(id int) bool { return slices.Contains(s.scan.Key(), id) }

func (a *analyzer) isPartitionKey(id int) bool {
	return slices.ContainsFunc(a.partitionKeys, func(k keyExpr) bool { return k.id == id })
}

// structStar expands struct->*
func (a *analyzer) structStar(it *ast.SelectStructAll) ([]item, error) {
	base, err := a.qualify(it.Base, "SELECT")
	if err != nil {
		return nil, err
	}
	b := a.binder("SELECT")
	// Only the type is wanted; the fields are bound with the other items.
	b.table = func(b *binder, e *ast.Call, spec *functions.Spec) (expr.Expr, error) {
		call, err := b.tableCall(e, spec)
		if err != nil {
			return nil, err
		}
		return &expr.Column{T: call.Type}, nil
	}
	x, err := b.bind(base)
	if err != nil {
		return nil, err
	}
	t := x.Type()
	if t.Kind != types.Struct {
		return nil, diag.Errorf(diag.Type, it.Span(), "Cannot expand %s: %s is no STRUCT.", exprText(it.Base)+"->*", t)
	}
	out := make([]item, len(t.Fields))
	for i, f := range t.Fields {
		out[i] = item{ast: &ast.Deref{Located: it.Located, Base: base, Field: ast.NewIdent(f.Name)}, name: f.Name, at: it.Span()}
	}
	return out, nil
}

// partitionBy binds PARTITION BY.
func (a *analyzer) partitionBy() error {
	if a.sel.PartitionBy == nil {
		return nil
	}
	if a.node.Table() {
		return diag.Errorf(diag.NotSupported, a.sel.PartitionBy.Span(), "Cannot repartition a TABLE source. If this is a join, joins on tables must always be on the primary key.")
	}
	a.keyWord, a.keyTexts = "partitioning expression", nil
	used := map[string]bool{}
	for _, e := range a.sel.PartitionBy.Exprs {
		if _, null := e.(*ast.NullLiteral); null {
			if len(a.sel.PartitionBy.Exprs) > 1 {
				return diag.Errorf(diag.InvalidQuery, e.Span(), "Cannot PARTITION BY multiple columns including NULL")
			}
			continue
		}
		if call, ok := a.findCall(e, functions.AggregateKind); ok {
			return diag.Errorf(diag.InvalidQuery, call.Span(), "PARTITION BY does not support aggregate functions: %s is an aggregate function.", call.Name.Name)
		}
		q, err := a.qualify(e, "PARTITION BY")
		if err != nil {
			return err
		}
		x, err := a.binder("PARTITION BY").bind(q)
		if err != nil {
			return err
		}
		if x.Type().Kind == types.Null {
			return untypedNull(e)
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
		text := exprText(q)
		if used[text] {
			return diag.Errorf(diag.Duplicate, e.Span(), "Duplicate expression in PARTITION BY: %s", text)
		}
		used[text] = true
		a.keyTexts = append(a.keyTexts, text)
		a.partitionKeys = append(a.partitionKeys, k)
	}
	return nil
}

// partitionsByKey says whether PARTITION BY changes nothing.
func (a *analyzer) partitionsByKey() bool {
	key := a.node.Key()
	if len(key) != len(a.partitionKeys) || len(key) == 0 || a.node.Windowed() != types.NoWindow {
		return false
	}
	for i, k := range a.partitionKeys {
		if k.id != key[i] && !(len(key) == 1 && slices.Contains(a.same, k.id)) {
			return false
		}
	}
	return true
}

// findCall finds the first call of a function of a kind.
func (a *analyzer) findCall(e ast.Expr, kind functions.Kind) (found *ast.Call, ok bool) {
	ast.Inspect(e, func(x ast.Expr) bool {
		if found == nil && a.env.isKind(x, kind) {
			found = x.(*ast.Call)
		}
		return found == nil
	})
	return found, found != nil
}

// callText is a call as messages name it; COUNT(*) counts ROWTIME.
func callText(c *ast.Call) string {
	if c.Star {
		return strings.ToUpper(c.Name.Name) + "(" + types.RowTime + ")"
	}
	return exprText(c)
}
