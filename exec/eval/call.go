package eval

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// overload finds the overload that a call is bound to.
func (u *unit) overload(x *expr.Call) (*functions.Scalar, error) {
	if u.Functions == nil {
		return nil, fmt.Errorf("Can't find any functions with the name '%s'", x.Name)
	}
	spec, ok := u.Functions.Lookup(x.Name)
	switch {
	case !ok:
		return nil, fmt.Errorf("Can't find any functions with the name '%s'", x.Name)
	case x.Overload < 0 || x.Overload >= len(spec.Scalars):
		return nil, fmt.Errorf("eval: the function %s has no scalar overload %d", x.Name, x.Overload)
	}
	return &spec.Scalars[x.Overload], nil
}

// call compiles a function call: one instance of the overload, and one slice of arguments that every run fills.
func (u *unit) call(x *expr.Call) (slotFn, error) {
	o, err := u.overload(x)
	if err != nil {
		return nil, err
	}
	args := make([]slotFn, len(x.Args))
	argTypes := make([]*types.Type, len(x.Args))
	for i, a := range x.Args {
		if args[i], err = u.argument(a); err != nil {
			return nil, err
		}
		argTypes[i] = a.Type()
	}
	env := u.Env
	if env == nil {
		env = &functions.Env{}
	}
	run, err := o.New(env, argTypes, x.T)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.Name, err)
	}
	m, name := u.m, x.Name
	values := make([]types.Slot, len(args))
	return func(row *types.Row) types.Slot {
		for i, f := range args {
			values[i] = f(row)
		}
		if m.err != nil {
			return types.NullSlot
		}
		m.row = row
		s, err := run(values)
		if err != nil {
			m.fail(fmt.Errorf("%s: %w", name, err))
			return types.NullSlot
		}
		return s
	}, nil
}

// argument compiles an argument; one that is itself a call or a struct dereference is guarded.
func (u *unit) argument(a expr.Expr) (slotFn, error) {
	f, err := u.slot(a)
	if err != nil {
		return nil, err
	}
	switch x := a.(type) {
	case *expr.Call:
		return u.guardSlot(x.Name, f), nil
	case *expr.FieldAccess:
		return u.guardSlot(x.Name, f), nil
	default:
		return f, nil
	}
}

// lambda compiles a lambda argument: a slot that holds the same [functions.Lambda] for every row.
func (u *unit) lambda(x *expr.Lambda) (slotFn, error) {
	params := make([]*types.Slot, len(x.Params))
	for i, p := range x.Params {
		if _, taken := u.vars[p.ID]; taken {
			return nil, fmt.Errorf("eval: the lambda parameter %d (%s) exists twice", p.ID, p.Name)
		}
		params[i] = &types.Slot{Null: true}
		u.vars[p.ID] = params[i]
	}
	body, err := u.slot(x.Body)
	for _, p := range x.Params {
		delete(u.vars, p.ID)
	}
	if err != nil {
		return nil, err
	}
	m := u.m
	isBytes := x.Body.Type().Class() == types.ClassBytes
	s := types.RefSlot(functions.Lambda(func(args ...types.Slot) (types.Slot, error) {
		if len(args) != len(params) {
			return types.NullSlot, fmt.Errorf("a lambda of %d parameters was called with %d arguments", len(params), len(args))
		}
		for i, a := range args {
			*params[i] = a
		}
		s := body(m.row)
		if err := m.take(); err != nil {
			return types.NullSlot, err
		}
		if isBytes && !s.Null {
			// The body's scratch is overwritten when the lambda runs again, while the function still holds this result.
			s.B = append(make([]byte, 0, len(s.B)), s.B...)
		}
		return s, nil
	}))
	return func(*types.Row) types.Slot { return s }, nil
}

func (u *unit) lambdaVar(x *expr.LambdaVar) (slotFn, error) {
	cell := u.vars[x.ID]
	if cell == nil {
		return nil, fmt.Errorf("eval: the lambda parameter %d (%s) is not in scope", x.ID, x.Name)
	}
	return func(*types.Row) types.Slot { return *cell }, nil
}
