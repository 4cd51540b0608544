package functions

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Resolution is the overload a call means.
type Resolution struct {
	// Overload indexes Spec.Scalars, Aggregates or Tables.
	Overload int
	// Args are the argument types after coercion: where one differs from the argument's own, the planner puts a cast. For a
	// lambda it is the lambda type whose Elem is the result that the body must have after a cast. A bare NULL gets the
	// parameter's type, or the NULL type where nothing determines it.
	Args []*types.Type
	// Literal marks the arguments that must be literal constants.
	Literal []bool
	// Result is the type of the call's value (of one output row for a table function).
	Result *types.Type
}

// ResolveScalar finds the overload for the argument types: an exact match first, then one through implicit casts. A bare
// NULL has the type types.NullType and fits every parameter. A lambda argument is types.LambdaOf(body, params...): see
// [Spec.LambdaParams] for the step before. The errors are ksqlDB's texts.
func (s *Spec) ResolveScalar(args []*types.Type) (Resolution, error) {
	list := make([]overload, len(s.Scalars))
	for i, o := range s.Scalars {
		list[i] = overload{params: o.Params, returns: o.Returns, resultType: o.ResultType}
	}
	return s.resolve(list, args, true)
}

// ResolveAggregate finds the overload for the argument types, which must match exactly: aggregates know no implicit casts.
func (s *Spec) ResolveAggregate(args []*types.Type) (Resolution, error) {
	list := make([]overload, len(s.Aggregates))
	for i, o := range s.Aggregates {
		list[i] = overload{params: o.Params, returns: o.Returns, resultType: o.ResultType}
	}
	return s.resolve(list, args, false)
}

// ResolveTable finds the overload of a table function as [Spec.ResolveScalar] does.
func (s *Spec) ResolveTable(args []*types.Type) (Resolution, error) {
	list := make([]overload, len(s.Tables))
	for i, o := range s.Tables {
		list[i] = overload{params: o.Params, returns: o.Returns, resultType: o.ResultType}
	}
	return s.resolve(list, args, true)
}

// LambdaParams gives the types of the parameters of each lambda argument (nil for other arguments), so that the lambdas'
// bodies can be typed before [Spec.ResolveScalar]. Lambda arguments are given as [UntypedLambda]. It works on calls
// without lambdas too, and then says nothing.
func (s *Spec) LambdaParams(args []*types.Type) ([][]*types.Type, error) {
	out := make([][]*types.Type, len(args))
	lambdas := false
	for _, a := range args {
		lambdas = lambdas || a.Kind == types.LambdaKind
	}
	if !lambdas {
		return out, nil
	}
	list := make([]overload, len(s.Scalars))
	for i, o := range s.Scalars {
		list[i] = overload{params: o.Params}
	}
	best, binds, err := s.choose(list, args, true)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		if a.Kind != types.LambdaKind {
			continue
		}
		param := list[best].params[paramAt(list[best].params, len(args), i)]
		out[i] = binds.substitute(param.Type).Params
		for _, t := range out[i] {
			if t.Kind == types.Null {
				return nil, errors.New("Can't infer the types of the lambda's parameters from NULL. Please explicitly cast it to a required type")
			}
		}
	}
	return out, nil
}

// UntypedLambda stands for a lambda of n parameters whose body has not been typed yet.
func UntypedLambda(n int) *types.Type {
	return types.LambdaOf(nil, make([]*types.Type, n)...)
}

// overload is what resolution needs to know of one.
type overload struct {
	params     []Param
	returns    *types.Type
	resultType func([]*types.Type) (*types.Type, error)
}

func (s *Spec) resolve(list []overload, args []*types.Type, casts bool) (Resolution, error) {
	best, binds, err := s.choose(list, args, casts)
	if err != nil {
		return Resolution{}, err
	}
	o := list[best]
	r := Resolution{Overload: best, Args: make([]*types.Type, len(args)), Literal: make([]bool, len(args))}
	widest := widestDecimal(args)
	for i, a := range args {
		p := o.params[paramAt(o.params, len(args), i)]
		r.Literal[i] = p.Literal
		r.Args[i] = coerce(binds, p.Type, a, widest)
	}
	if r.Result, err = o.result(binds, r.Args); err != nil {
		return Resolution{}, err
	}
	return r, nil
}

// coerce gives the type that an argument has when the function sees it.
func coerce(binds bindings, param, arg, widest *types.Type) *types.Type {
	want := binds.substitute(param)
	switch {
	case arg.Kind == types.Null:
		if want.Kind == types.Decimal && want.Precision == 0 {
			return widest
		}
		return want
	case arg.Kind == types.LambdaKind:
		if want.Elem.Kind == types.Null {
			want = types.LambdaOf(arg.Elem, want.Params...)
		}
		return want
	case want.Kind == arg.Kind || param.Kind == types.Generic:
		return arg
	case want.Kind == types.Decimal && want.Precision == 0:
		d, _ := types.AsDecimal(arg)
		return d
	}
	return want
}

// widestDecimal is the DECIMAL that holds all decimal arguments, for NULLs and results.
func widestDecimal(args []*types.Type) *types.Type {
	var widest *types.Type
	for _, a := range args {
		switch {
		case a.Kind != types.Decimal:
		case widest == nil:
			widest = a
		default:
			widest = types.WidenDecimal(widest, a)
		}
	}
	if widest == nil {
		return types.DecimalOf(1, 0)
	}
	return widest
}

func (o overload) result(binds bindings, args []*types.Type) (*types.Type, error) {
	if o.resultType != nil {
		return o.resultType(args)
	}
	t := binds.substitute(o.returns)
	if t.Kind == types.Decimal && t.Precision == 0 {
		t = widestDecimal(args)
	}
	return t, nil
}

// choose finds the best overload that accepts the arguments.
func (s *Spec) choose(list []overload, args []*types.Type, casts bool) (int, bindings, error) {
	best, binds, err := s.chooseWith(list, args, false)
	if err != nil || best >= 0 {
		return best, binds, err
	}
	if casts {
		best, binds, err = s.chooseWith(list, args, true)
		if err != nil || best >= 0 {
			return best, binds, err
		}
	}
	return 0, nil, s.noOverload(list, args)
}

func (s *Spec) chooseWith(list []overload, args []*types.Type, casts bool) (int, bindings, error) {
	type candidate struct {
		index int
		binds bindings
	}
	var fits []candidate
	for i, o := range list {
		m := &matcher{binds: bindings{}, casts: casts}
		if m.match(o.params, args) {
			fits = append(fits, candidate{i, m.binds})
		}
	}
	if len(fits) == 0 {
		return -1, nil, nil
	}
	sort.SliceStable(fits, func(a, b int) bool {
		return preference(list[fits[a].index], list[fits[b].index]) < 0
	})
	if len(fits) > 1 && preference(list[fits[0].index], list[fits[1].index]) == 0 {
		return -1, nil, fmt.Errorf("Function '%s' cannot be resolved due to ambiguous method parameters %s.", s.spelling(), argsText(args))
	}
	return fits[0].index, fits[0].binds, nil
}

// preference is negative when a is to be taken before b: not variadic before variadic, more parameters before fewer,
// fewer generic parameters before more.
func preference(a, b overload) int {
	if va, vb := hasRepeated(a.params), hasRepeated(b.params); va != vb {
		if vb {
			return -1
		}
		return 1
	}
	if len(a.params) != len(b.params) {
		return len(b.params) - len(a.params)
	}
	return genericCount(a.params) - genericCount(b.params)
}

func genericCount(params []Param) int {
	n := 0
	for _, p := range params {
		if hasGeneric(p.Type) {
			n++
		}
	}
	return n
}

func (s *Spec) spelling() string {
	switch {
	case s.Spelling != "":
		return s.Spelling
	case s.Kind == AggregateKind:
		return s.Name
	}
	return strings.ToLower(s.Name)
}

func (s *Spec) noOverload(list []overload, args []*types.Type) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Function '%s' does not accept parameters %s.\nValid alternatives are:\n", s.spelling(), argsText(args))
	for _, o := range list {
		b.WriteString(signatureText(s.spelling(), o.params) + "\n")
	}
	b.WriteString("For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;")
	return errors.New(b.String())
}

// argsText prints argument types as ksqlDB's errors do: (INTEGER, DECIMAL(4, 2), null, LAMBDA).
func argsText(args []*types.Type) string {
	parts := make([]string, len(args))
	for i, a := range args {
		switch a.Kind {
		case types.Null:
			parts[i] = "null"
		case types.LambdaKind:
			parts[i] = "LAMBDA"
		default:
			parts[i] = a.String()
		}
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
