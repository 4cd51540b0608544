package planner

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// function finds a function by name.
func (env *Env) function(name ast.Ident) (*functions.Spec, error) {
	if spec, ok := env.Functions.Lookup(strings.ToUpper(name.Name)); ok {
		return spec, nil
	}
	err := diag.Errorf(diag.UnknownFunction, name.Span(), "Can't find any functions with the name '%s'", name.Name)
	names := make([]string, 0, len(env.Functions.Specs()))
	for _, s := range env.Functions.Specs() {
		names = append(names, s.Name)
	}
	if suggestion, ok := diag.Suggest(strings.ToUpper(name.Name), names); ok {
		return nil, err.WithHint("Did you mean %s? SHOW FUNCTIONS lists all functions.", suggestion)
	}
	return nil, err.WithHint("SHOW FUNCTIONS lists all functions.")
}

// isKind says whether e is a call of a function of that kind.
func (env *Env) isKind(e ast.Expr, kind functions.Kind) bool {
	call, ok := e.(*ast.Call)
	if !ok {
		return false
	}
	spec, ok := env.Functions.Lookup(strings.ToUpper(call.Name.Name))
	return ok && spec.Kind == kind
}

func (b *binder) call(e *ast.Call) (expr.Expr, error) {
	spec, err := b.env.function(e.Name)
	if err != nil {
		return nil, err
	}
	if spec.Kind != functions.ScalarKind {
		if spec.Kind == functions.TableKind && b.table != nil {
			return b.table(b, e, spec)
		}
		if _, err := b.bindAll(e.Args); err != nil {
			return nil, err
		}
		if spec.Kind == functions.TableKind {
			return nil, diag.Errorf(diag.InvalidQuery, e.Span(), "%s does not support table functions: %s is a table function.", b.clause, spec.Name).
				WithHint("Table functions stand in the SELECT of a query on a stream: CREATE STREAM … AS SELECT %s(…) … FROM ….", spec.Name)
		}
		return nil, diag.Errorf(diag.InvalidQuery, e.Span(), "%s does not support aggregate functions: %s is an aggregate function.", b.clause, spec.Name)
	}
	if e.Star {
		if _, err := spec.ResolveScalar(nil); err != nil {
			return nil, b.callError(e, err)
		}
		return nil, diag.Errorf(diag.UnknownFunction, e.Span(), "Function '%s' does not accept *.", e.Name.Name)
	}
	args := make([]expr.Expr, len(e.Args))
	argTypes := make([]*types.Type, len(e.Args))
	for i, a := range e.Args {
		if l, ok := a.(*ast.Lambda); ok {
			argTypes[i] = functions.UntypedLambda(len(l.Params))
			continue
		}
		x, err := b.bind(a)
		if err != nil {
			return nil, err
		}
		args[i], argTypes[i] = x, x.Type()
	}
	params, err := spec.LambdaParams(argTypes)
	if err != nil {
		return nil, b.callError(e, err)
	}
	for i, a := range e.Args {
		if l, ok := a.(*ast.Lambda); ok {
			x, err := b.lambda(l, params[i])
			if err != nil {
				return nil, err
			}
			args[i], argTypes[i] = x, x.T
		}
	}
	r, err := spec.ResolveScalar(argTypes)
	if err != nil {
		return nil, b.callError(e, err)
	}
	for i, a := range args {
		if r.Literal[i] {
			if _, ok := a.(*expr.Literal); !ok {
				return nil, b.notLiteral(e, i)
			}
		}
		if args[i], err = b.argument(e.Args[i], a, r.Args[i]); err != nil {
			return nil, err
		}
	}
	return &expr.Call{Name: spec.Name, Overload: r.Overload, Args: args, T: r.Result}, nil
}

func (b *binder) callError(e *ast.Call, err error) error {
	if _, ok := diag.As(err); ok {
		return err
	}
	text := err.Error()
	if b.clause == "WHERE" || b.clause == "HAVING" {
		text = "Error in " + b.clause + " expression: " + text
	}
	return &diag.Error{Code: diag.UnknownFunction, Span: e.Span(), Message: text, Cause: err}
}

func (b *binder) notLiteral(e *ast.Call, i int) error {
	return diag.Errorf(diag.InvalidQuery, e.Args[i].Span(), "Parameter %d passed to function %s must be a literal constant, but was expression: '%s'",
		i+1, strings.ToUpper(e.Name.Name), b.text(e.Args[i]))
}

// argument converts an argument to the type of its parameter.
func (b *binder) argument(e ast.Expr, x expr.Expr, t *types.Type) (expr.Expr, error) {
	if t == nil || types.Equal(x.Type(), t) {
		return x, nil
	}
	switch x := x.(type) {
	case *expr.Lambda:
		if t.Elem != nil && !types.Equal(x.Body.Type(), t.Elem) {
			body := implicit(x.Body, t.Elem)
			return &expr.Lambda{Params: x.Params, Body: body, T: types.LambdaOf(body.Type(), x.T.Params...)}, nil
		}
		return x, nil
	case *expr.Literal:
		if x.T.Kind == types.String && t.Kind != types.String {
			if v, ok := parseText(x.Value.(string), t); ok {
				return &expr.Literal{Value: v, T: t}, nil
			}
			return implicit(x, t), nil
		}
		return b.convertLiteral(e, x, t)
	default: // The others are not concerned.
	}
	return implicit(x, t), nil
}

// lambda binds a lambda whose parameters have the given types.
func (b *binder) lambda(e *ast.Lambda, params []*types.Type) (*expr.Lambda, error) {
	if len(params) != len(e.Params) {
		return nil, diag.Errorf(diag.Type, e.Span(), "A lambda with %d parameters is not accepted here: %s", len(e.Params), exprText(e))
	}
	out := &expr.Lambda{Params: make([]expr.LambdaParam, len(params))}
	before := len(b.lambdas)
	defer func() { b.lambdas = b.lambdas[:before] }()
	for i, name := range e.Params {
		for _, c := range b.scope.columns {
			if c.name == name.Name && !c.pseudo {
				return nil, diag.Errorf(diag.Duplicate, name.Span(), "Lambda function argument can't be a column name: %s", name.Name)
			}
		}
		for _, p := range out.Params[:i] {
			if p.Name == name.Name {
				return nil, diag.Errorf(diag.Duplicate, name.Span(), "Lambda arguments have duplicates: %s", name.Name)
			}
		}
		b.nextLambda++
		out.Params[i] = expr.LambdaParam{ID: b.nextLambda, Name: name.Name, T: params[i]}
		b.lambdas = append(b.lambdas, out.Params[i])
	}
	body, err := b.bind(e.Body)
	if err != nil {
		return nil, err
	}
	out.Body = body
	out.T = types.LambdaOf(body.Type(), params...)
	return out, nil
}
