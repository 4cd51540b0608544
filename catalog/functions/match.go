package functions

import "github.com/ksqlgo/ksqlgo/catalog/types"

// bindings are the type variables a call has bound so far.
type bindings map[string]*types.Type

// matcher decides whether the arguments of a call fit one overload.
type matcher struct {
	binds bindings
	// casts allows implicit casts of top-level arguments.
	casts bool
}

// paramAt gives the parameter that argument i of n belongs to, or -1 when the count does not fit.
func paramAt(params []Param, n, i int) int {
	rep := -1
	for j := range params {
		if params[j].Repeated {
			rep = j
		}
	}
	if rep < 0 {
		if n != len(params) {
			return -1
		}
		return i
	}
	extra := n - (len(params) - 1)
	switch {
	case extra < 0:
		return -1
	case i < rep:
		return i
	case i < rep+extra:
		return rep
	}
	return i - extra + 1
}

// match binds all arguments to the parameters of one overload.
func (m *matcher) match(params []Param, args []*types.Type) bool {
	if len(args) == 0 {
		return len(params) == 0 || len(params) == 1 && params[0].Repeated
	}
	for i, a := range args {
		at := paramAt(params, len(args), i)
		if at < 0 || !m.accept(params[at].Type, a) {
			return false
		}
	}
	return true
}

// accept fits one argument to a parameter's type, with an implicit cast if those are allowed.
func (m *matcher) accept(param, arg *types.Type) bool {
	if arg.Kind == types.Null {
		return param.Kind != types.IntervalUnit
	}
	if param.Kind == types.LambdaKind {
		return m.acceptLambda(param, arg)
	}
	if m.bind(param, arg) {
		return true
	}
	return m.casts && CanCastImplicitly(arg, param)
}

// acceptLambda fits a lambda by its number of parameters and, once its body is typed, by its result.
func (m *matcher) acceptLambda(param, arg *types.Type) bool {
	if arg.Kind != types.LambdaKind || len(arg.Params) != len(param.Params) {
		return false
	}
	if arg.Elem == nil || arg.Elem.Kind == types.Null {
		return true
	}
	if m.bind(param.Elem, arg.Elem) {
		return true
	}
	bound := m.binds.substitute(param.Elem)
	return m.casts && CanCastImplicitly(arg.Elem, bound)
}

// bind fits an argument exactly, binding type variables on their first sight.
func (m *matcher) bind(param, arg *types.Type) bool {
	if param.Kind == types.Generic {
		if param.Name == AnyName {
			return true
		}
		if arg.Kind == types.LambdaKind || arg.Kind == types.IntervalUnit {
			return false
		}
		if old, ok := m.binds[param.Name]; ok {
			return types.Equal(old, arg)
		}
		m.binds[param.Name] = arg
		return true
	}
	if param.Kind != arg.Kind {
		return false
	}
	switch param.Kind {
	case types.Decimal:
		return param.Precision == 0 || types.Equal(param, arg)
	case types.Array:
		return m.bind(param.Elem, arg.Elem)
	case types.Map:
		return m.bind(param.Key, arg.Key) && m.bind(param.Elem, arg.Elem)
	case types.Struct:
		if len(param.Fields) != len(arg.Fields) {
			return false
		}
		for i, f := range param.Fields {
			if f.Name != arg.Fields[i].Name || !m.bind(f.Type, arg.Fields[i].Type) {
				return false
			}
		}
	}
	return true
}

// CanCastImplicitly reports whether an argument may become a parameter of another type unasked: INT, BIGINT, DECIMAL,
// DOUBLE widen in this order; STRING becomes DATE, TIME, TIMESTAMP or BYTES.
func CanCastImplicitly(from, to *types.Type) bool {
	switch from.Kind {
	case types.Int:
		return to.Kind == types.Bigint || to.Kind == types.Decimal || to.Kind == types.Double
	case types.Bigint:
		return to.Kind == types.Decimal || to.Kind == types.Double
	case types.Decimal:
		return to.Kind == types.Double
	case types.String:
		return to.IsTime() || to.Kind == types.Bytes
	}
	return false
}

// substitute replaces the type variables of t; unbound ones become the NULL type.
func (b bindings) substitute(t *types.Type) *types.Type {
	if t == nil || !hasGeneric(t) {
		return t
	}
	if t.Kind == types.Generic {
		if bound, ok := b[t.Name]; ok {
			return bound
		}
		return types.NullType
	}
	out := *t
	out.Key, out.Elem = b.substitute(t.Key), b.substitute(t.Elem)
	out.Fields = append([]types.Field(nil), t.Fields...)
	for i := range out.Fields {
		out.Fields[i].Type = b.substitute(out.Fields[i].Type)
	}
	out.Params = append([]*types.Type(nil), t.Params...)
	for i := range out.Params {
		out.Params[i] = b.substitute(out.Params[i])
	}
	return &out
}

func hasGeneric(t *types.Type) bool {
	if t == nil {
		return false
	}
	if t.Kind == types.Generic || hasGeneric(t.Key) || hasGeneric(t.Elem) {
		return true
	}
	for _, f := range t.Fields {
		if hasGeneric(f.Type) {
			return true
		}
	}
	for _, p := range t.Params {
		if hasGeneric(p) {
			return true
		}
	}
	return false
}
