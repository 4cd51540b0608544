package planner

import (
	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// checkTableFunctions refuses table functions of the projection where they cannot be: beside aggregations, in each other,
// in CASE (whose branches are lazy, while a table function decides how many rows there are), and over tables.
func (a *analyzer) checkTableFunctions(items []item) error {
	found := false
	for _, it := range items {
		call, ok := a.findCall(it.ast, functions.TableKind)
		if !ok {
			continue
		}
		found = true
		if a.sel.GroupBy != nil || len(a.aggregateCalls(items)) > 0 {
			return diag.Errorf(diag.NotSupported, call.Span(), "Table functions cannot be used with aggregations.").
				WithHint("CREATE STREAM … AS SELECT the rows of %s first, then aggregate that stream.", call.Name.Name)
		}
		if err := a.checkTableFunction(it.ast); err != nil {
			return err
		}
	}
	if found && a.sources[0].source.Kind == catalog.Table {
		return diag.Errorf(diag.NotSupported, a.sel.Span(), "Table source is not supported with table functions")
	}
	return nil
}

// checkTableFunction looks for table functions in each other and in CASE.
func (a *analyzer) checkTableFunction(e ast.Expr) (err error) {
	ast.Inspect(e, func(x ast.Expr) bool {
		if err != nil {
			return false
		}
		if c, ok := x.(*ast.Case); ok {
			if call, found := a.findCall(c, functions.TableKind); found {
				err = diag.Errorf(diag.NotSupported, call.Span(), "Table functions cannot be used in CASE: %s", exprTextWith(c, a.scope.text))
			}
			return err == nil
		}
		if !a.env.isKind(x, functions.TableKind) {
			return true
		}
		outer := x.(*ast.Call)
		for _, arg := range outer.Args {
			if inner, found := a.findCall(arg, functions.TableKind); found {
				err = diag.Errorf(diag.NotSupported, inner.Span(), "Table functions cannot be nested: %s(%s())", outer.Name.Name, inner.Name.Name).
					WithHint("CREATE STREAM … AS SELECT the rows of %s first.", inner.Name.Name)
				return false
			}
		}
		return true
	})
	return err
}

// tableFunction binds a table function of the projection: its value in an output row is a column of the FlatMap.
func (a *analyzer) tableFunction(b *binder, e *ast.Call, spec *functions.Spec) (expr.Expr, error) {
	call, err := b.tableCall(e, spec)
	if err != nil {
		return nil, err
	}
	if a.flatMap == nil {
		a.flatMap = &logical.FlatMap{Step: "FlatMap"}
	}
	if a.env.deterministic(call.Args...) {
		for _, o := range a.flatMap.Calls {
			if o.Name == call.Name && o.Overload == call.Overload && equalExprs(o.Args, call.Args) {
				return &expr.Column{Index: o.ID, Name: o.Column.Name, T: o.Type}, nil
			}
		}
	}
	call.ID, call.Column.Name = a.id(), "KSQL_SYNTH_"+itoa(len(a.flatMap.Calls))
	a.flatMap.Calls = append(a.flatMap.Calls, *call)
	return &expr.Column{Index: call.ID, Name: call.Column.Name, T: call.Type}, nil
}

// tableCall resolves a table function and binds its arguments, over the rows below the FlatMap.
func (b *binder) tableCall(e *ast.Call, spec *functions.Spec) (*logical.TableCall, error) {
	if len(b.lambdas) > 0 {
		return nil, diag.Errorf(diag.NotSupported, e.Span(), "Table functions cannot be used in lambda functions: %s", b.text(e))
	}
	args, err := b.bindAll(e.Args)
	if err != nil {
		return nil, err
	}
	argTypes := make([]*types.Type, len(args))
	for i, x := range args {
		argTypes[i] = x.Type()
	}
	r, err := spec.ResolveTable(argTypes)
	if err != nil {
		return nil, b.callError(e, err)
	}
	for i := range args {
		if args[i], err = b.argument(e.Args[i], args[i], r.Args[i]); err != nil {
			return nil, err
		}
	}
	if r.Result.Kind == types.Null {
		return nil, untypedNull(e)
	}
	return &logical.TableCall{Column: logical.Column{Type: r.Result}, Name: spec.Name, Overload: r.Overload, Args: args}, nil
}

// flatMap runs the table functions over the input. All of them run, wanted or not: the longest result decides how many
// rows there are.
func (b *builder) flatMap(n *logical.FlatMap, need columnSet) (*fragment, error) {
	below := need.clone()
	for _, c := range n.Calls {
		delete(below, c.ID)
	}
	for _, c := range n.Calls {
		below.addExpr(c.Args...)
	}
	f, err := b.build(n.In, below)
	if err != nil {
		return nil, err
	}
	out := &physical.FlatMap{Name: n.Step, In: f.node, Type: *f.node.Out()}
	out.Type.Columns = append([]types.Column(nil), out.Type.Columns...)
	ids := append([]int(nil), f.ids...)
	for _, c := range n.Calls {
		out.Calls = append(out.Calls, physical.TableCall{Name: c.Name, Overload: c.Overload, Args: f.bindAll(c.Args), T: c.Type})
		out.Type.Columns = append(out.Type.Columns, types.Column{Name: c.Column.Name, Type: c.Type})
		ids = append(ids, c.ID)
	}
	f.node, f.ids = out, ids
	return f, nil
}
