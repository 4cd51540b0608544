package planner

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
)

func itoa(i int) string { return strconv.Itoa(i) }

func equalExprs(a, b []expr.Expr) bool { return slices.EqualFunc(a, b, equalExpr) }

func equalExpr(a, b expr.Expr) bool { return reflect.DeepEqual(a, b) }

// project binds the projection and decides which of its columns are the key.
func (a *analyzer) project(items []item) (*analysis, error) {
	bound, err := a.bindItems(items)
	if err != nil {
		return nil, err
	}
	if a.flatMap != nil {
		a.flatMap.In = a.node
		a.node = a.flatMap
	}
	if err := a.checkUndo(); err != nil {
		return nil, err
	}
	if err := uniqueNames(items, bound); err != nil {
		return nil, err
	}
	out := &analysis{items: make([]outItem, len(items)), leftmost: a.sources[0].source, table: a.node.Table(), windowed: a.node.Windowed()}
	for i, it := range items {
		out.items[i] = outItem{Column: logical.Column{ID: a.id(), Name: it.name, Type: bound[i].Type()}, key: -1, at: it.at, ast: it.ast}
	}
	step := "Project"
	if a.aggregate != nil {
		step = "Aggregate.Project"
	}
	out.node = &logical.Project{Step: step, In: a.node}
	if a.target.check != nil {
		if err := a.target.check(out.items); err != nil {
			return nil, err
		}
	}
	var missing []int
	for k, id := range a.node.Key() {
		at, err := a.keyItem(id, items, bound)
		if err != nil {
			return nil, err
		}
		c := a.columnOf(id)
		key := logical.Item{Column: logical.Column{ID: a.id(), Name: c.Name, Type: c.Type}, Expr: &expr.Column{Index: id, Name: c.Name, T: c.Type}}
		if at >= 0 {
			key.Column = out.items[at].Column
			out.items[at].key = k
		} else if a.target.persistent {
			missing = append(missing, k)
		}
		out.node.Items = append(out.node.Items, key)
	}
	if len(missing) > 0 {
		return nil, a.missingKey(missing)
	}
	out.node.KeyCount = len(out.node.Items)
	values := 0
	for i, it := range out.items {
		if it.key < 0 {
			values++
			out.node.Items = append(out.node.Items, logical.Item{Column: it.Column, Expr: bound[i]})
		}
	}
	if values == 0 && a.target.persistent {
		return nil, diag.Errorf(diag.InvalidQuery, a.sel.Span(), "The projection contains no value columns.").
			WithHint("AS_VALUE(key) copies a key column to the value.")
	}
	out.windowBounds = map[int]bool{}
	for i, x := range bound {
		if c, ok := x.(*expr.Column); ok && out.windowed != types.NoWindow && a.isWindowBound(c.Index) {
			out.windowBounds[out.items[i].ID] = true
		}
	}
	for _, k := range a.groupKeys {
		out.group = append(out.group, k.ast)
	}
	for _, s := range a.sources {
		out.sources = append(out.sources, s.source.Name)
	}
	if a.aggregate != nil {
		out.window = a.aggregate.Window
		if out.window != nil && out.window.Type != types.Session {
			out.windowSizeMs = out.window.SizeMs
		}
	} else if out.windowed != types.NoWindow {
		out.windowSizeMs = out.leftmost.WindowSizeMs
	}
	return out, nil
}

// bindItems types the projection.
func (a *analyzer) bindItems(items []item) ([]expr.Expr, error) {
	bound := make([]expr.Expr, len(items))
	var ungrouped []string
	var at diag.Span
	for i, it := range items {
		b, bad := a.binder("SELECT"), false
		b.table = a.tableFunction
		switch {
		case a.aggregate != nil:
			b = a.groupBinder("SELECT", &bad)
		case a.sel.PartitionBy != nil:
			b.replace = func(e ast.Expr) (expr.Expr, error) {
				for _, k := range a.partitionKeys {
					if ast.Equal(e, k.ast) {
						return &expr.Column{Index: k.id, Name: k.name, T: k.expr.Type()}, nil
					}
				}
				return nil, nil
			}
		}
		if it.bound != nil && a.aggregate == nil {
			bound[i] = it.bound
			continue
		}
		x, err := b.bind(it.ast)
		if err != nil {
			return nil, err
		}
		if x.Type().Kind == types.Null {
			return nil, untypedNull(it.ast)
		}
		if k := x.Type().Kind; k == types.IntervalUnit || k == types.LambdaKind {
			return nil, diag.Errorf(diag.Type, it.ast.Span(), "Unsupported expression: %s", exprText(it.ast))
		}
		if bad {
			ungrouped = append(ungrouped, exprTextWith(it.ast, a.scope.text))
			at = at.Join(it.ast.Span())
		}
		bound[i] = x
	}
	if len(ungrouped) > 0 {
		return nil, notGrouped(at, ungrouped)
	}
	return bound, nil
}

// isWindowBound says whether a column is a bound of the window in the key of the result.
func (a *analyzer) isWindowBound(id int) bool {
	if a.aggregate != nil {
		return id == a.aggregate.Start.ID || id == a.aggregate.End.ID
	}
	c := a.scope.byID(id)
	return c != nil && c.source == a.sources[0].alias && (c.name == types.WindowStart || c.name == types.WindowEnd)
}

// columnOf finds a column of the current node.
func (a *analyzer) columnOf(id int) logical.Column {
	for _, c := range a.node.Columns() {
		if c.ID == id {
			return c
		}
	}
	return logical.Column{ID: id}
}

// keyItem finds the item that is the key column id; -1 when none is. Of several columns that equal the key of a join the
// first one that is projected counts.
func (a *analyzer) keyItem(id int, items []item, bound []expr.Expr) (int, error) {
	candidates := []int{id}
	if len(a.node.Key()) == 1 {
		candidates = append(candidates, a.same...)
	}
	for _, c := range candidates {
		var at []int
		for i, x := range bound {
			if col, ok := x.(*expr.Column); ok && col.Index == c {
				at = append(at, i)
			}
		}
		if len(at) == 0 {
			continue
		}
		if len(at) > 1 && a.target.persistent {
			return 0, a.keyTwice(c, at, items)
		}
		return at[0], nil
	}
	return -1, nil
}

func (a *analyzer) keyTwice(id int, at []int, items []item) error {
	names := make([]string, len(at))
	for i, k := range at {
		names[i] = items[k].name
	}
	span := items[at[1]].at
	if a.aggregate != nil {
		for i := range names {
			names[i] = types.QuoteName(names[i])
		}
		return diag.Errorf(diag.InvalidQuery, span, "The projection contains a key column more than once: %s.", andList(names)).
			WithHint("AS_VALUE(key) copies a key column to the value.")
	}
	name := a.columnOf(id).Name
	slices.Sort(names)
	return diag.Errorf(diag.InvalidQuery, span, "The projection contains a key column (%s) more than once, aliased as: %s.\n"+
		"Each key column must only be in the projection once. If you intended to copy the key into the value, then consider using the AS_VALUE function to indicate which key reference should be copied.",
		types.QuoteName(name), andList(names)).WithHint("AS_VALUE(key) copies a key column to the value.")
}

// missingKey is the error for keys that are not projected. As in ksqlDB only grouping expressions are named one by one.
func (a *analyzer) missingKey(missing []int) error {
	if a.keyWord == foreignKeyWord {
		return a.missingLeftKey(missing)
	}
	if a.keyWord == "grouping expression" {
		var texts []string
		for _, i := range missing {
			texts = append(texts, a.keyTexts[i])
		}
		a.keyTexts = texts
	}
	word, texts, example := a.keyWord, andList(a.keyTexts), strings.Join(a.keyTexts, ", ")
	if word == "join expression" {
		texts, example = orList(a.keyTexts), ""
		if len(a.keyTexts) > 0 {
			example = a.keyTexts[0]
		}
	}
	if a.synthetic != "" && word == "join expression" {
		texts, example = a.synthetic, a.synthetic
	}
	if len(a.keyTexts) > 1 {
		word += "s"
	}
	text := "Key missing from projection (ie, SELECT). See https://cnfl.io/2LV7ouS.\n" +
		"The query used to build `" + a.target.sink + "` must include the " + word + " " + texts + " in its projection (eg, SELECT " + example + "...)."
	if a.synthetic != "" && a.keyWord == "join expression" {
		text += "\n" + a.synthetic + " was added as a synthetic key column because the join criteria did not match any source column. " +
			"This expression must be included in the projection and may be aliased."
	}
	return diag.Errorf(diag.InvalidQuery, a.sel.Span(), "%s", text).WithHint("Add the key to the SELECT: SELECT %s, ….", example)
}

// uniqueNames refuses two columns of one name.
func uniqueNames(items []item, bound []expr.Expr) error {
	seen := map[string]bool{}
	for i, it := range items {
		if seen[it.name] {
			return diag.Errorf(diag.Duplicate, it.at, "Duplicate value columns found in schema: %s %s", types.QuoteName(it.name), bound[i].Type()).
				WithHint("Give one of the columns another name: … AS %s_2.", it.name)
		}
		seen[it.name] = true
	}
	return nil
}
