package builtin_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// scope maps names (columns, lambda parameters) to their type and current value.
type scope map[string]*binding

type binding struct {
	t    *types.Type
	slot types.Slot
}

func (s scope) with(name string, b *binding) scope {
	out := scope{name: b}
	for k, v := range s {
		if k != name {
			out[k] = v
		}
	}
	return out
}

type evaluator func() (types.Slot, error)

// compiler types an example's expression and makes its evaluator, as planner and exec do for real ones.
type compiler struct {
	registry *functions.Registry
	env      *functions.Env
}

func testEnv() *functions.Env {
	seed := uint64(1)
	return &functions.Env{
		NowMs:      func() int64 { return 1_700_000_000_000 },
		Random:     func() uint64 { seed = seed*6364136223846793005 + 1442695040888963407; return seed },
		Properties: map[string]string{},
	}
}

func (c *compiler) compile(n *node, s scope) (*types.Type, evaluator, error) {
	switch n.kind {
	case "literal":
		slot := types.Unbox(n.t, n.value)
		return n.t, func() (types.Slot, error) { return slot, nil }, nil
	case "name":
		b, ok := s[n.text]
		if !ok {
			if n.text == "x" || n.text == "y" {
				return nil, nil, fmt.Errorf("unbound %s", n.text)
			}
			unit, ok := intervalUnit(n.text)
			if !ok {
				return nil, nil, fmt.Errorf("unknown name %s", n.text)
			}
			slot := types.IntSlot(unit)
			return types.IntervalUnitType, func() (types.Slot, error) { return slot, nil }, nil
		}
		return b.t, func() (types.Slot, error) { return b.slot, nil }, nil
	case "cast":
		t, eval, err := c.compile(n.args[0], s)
		if err != nil {
			return nil, nil, err
		}
		eval, err = cast(eval, t, n.t)
		return n.t, eval, err
	case "call":
		return c.call(n.text, n.args, s)
	case "infix":
		return c.infix(n, s)
	}
	return c.collection(n, s)
}

func cast(eval evaluator, from, to *types.Type) (evaluator, error) {
	if types.Equal(from, to) {
		return eval, nil
	}
	f, err := types.NewCaster(from, to)
	if err != nil {
		return nil, err
	}
	return func() (types.Slot, error) {
		v, err := eval()
		if err != nil {
			return v, err
		}
		return f(v)
	}, nil
}

func (c *compiler) call(name string, args []*node, s scope) (*types.Type, evaluator, error) {
	spec, ok := c.registry.Lookup(name)
	if !ok {
		return nil, nil, fmt.Errorf("Can't find any functions with the name '%s'", name)
	}
	ts := make([]*types.Type, len(args))
	evals := make([]evaluator, len(args))
	for i, a := range args {
		if a.kind == "lambda" {
			ts[i] = functions.UntypedLambda(len(a.names))
			continue
		}
		var err error
		if ts[i], evals[i], err = c.compile(a, s); err != nil {
			return nil, nil, err
		}
	}
	params, err := spec.LambdaParams(ts)
	if err != nil {
		return nil, nil, err
	}
	bodies := make([]evaluator, len(args))
	holders := make([][]*binding, len(args))
	for i, a := range args {
		if a.kind != "lambda" {
			continue
		}
		inner := s
		for j, name := range a.names {
			b := &binding{t: params[i][j]}
			holders[i] = append(holders[i], b)
			inner = inner.with(name, b)
		}
		body, eval, err := c.compile(a.args[0], inner)
		if err != nil {
			return nil, nil, err
		}
		ts[i], bodies[i] = types.LambdaOf(body, params[i]...), eval
	}
	res, err := spec.ResolveScalar(ts)
	if err != nil {
		return nil, nil, err
	}
	for i := range args {
		if bodies[i] != nil {
			body, err := cast(bodies[i], ts[i].Elem, res.Args[i].Elem)
			if err != nil {
				return nil, nil, err
			}
			evals[i] = lambda(holders[i], body)
		} else if evals[i], err = cast(evals[i], ts[i], res.Args[i]); err != nil {
			return nil, nil, err
		}
	}
	call, err := spec.Scalars[res.Overload].New(c.env, res.Args, res.Result)
	if err != nil {
		return nil, nil, err
	}
	slots := make([]types.Slot, len(args))
	return res.Result, func() (types.Slot, error) {
		for i, e := range evals {
			v, err := e()
			if err != nil {
				return v, err
			}
			slots[i] = v
		}
		return call(slots)
	}, nil
}

func lambda(params []*binding, body evaluator) evaluator {
	f := functions.Lambda(func(args ...types.Slot) (types.Slot, error) {
		if len(args) != len(params) {
			return types.NullSlot, errors.New("lambda called with the wrong number of arguments")
		}
		for i, a := range args {
			params[i].slot = a
		}
		return body()
	})
	return func() (types.Slot, error) { return types.RefSlot(f), nil }
}

// infix knows just enough arithmetic and comparison for lambda bodies, on INT, BIGINT and DOUBLE.
func (c *compiler) infix(n *node, s scope) (*types.Type, evaluator, error) {
	lt, l, err := c.compile(n.args[0], s)
	if err != nil {
		return nil, nil, err
	}
	rt, r, err := c.compile(n.args[1], s)
	if err != nil {
		return nil, nil, err
	}
	if n.text == "||" {
		return c.call("CONCAT", n.args, s)
	}
	t := lt
	if functions.CanCastImplicitly(lt, rt) {
		t = rt
	}
	if l, err = cast(l, lt, t); err != nil {
		return nil, nil, err
	}
	if r, err = cast(r, rt, t); err != nil {
		return nil, nil, err
	}
	result := t
	if n.text != "+" && n.text != "-" && n.text != "*" {
		result = types.BooleanType
	}
	compare := types.SlotComparer(t)
	return result, func() (types.Slot, error) {
		a, err := l()
		if err != nil {
			return a, err
		}
		b, err := r()
		if err != nil {
			return b, err
		}
		if a.Null || b.Null {
			return types.Slot{Null: result != types.BooleanType}, nil
		}
		switch n.text {
		case "+", "-", "*":
			return arithmetic(n.text, t, a, b), nil
		case ">":
			return types.BoolSlot(compare(a, b) > 0), nil
		case "<":
			return types.BoolSlot(compare(a, b) < 0), nil
		case ">=":
			return types.BoolSlot(compare(a, b) >= 0), nil
		case "<=":
			return types.BoolSlot(compare(a, b) <= 0), nil
		}
		return types.BoolSlot(compare(a, b) == 0), nil
	}, nil
}

func arithmetic(op string, t *types.Type, a, b types.Slot) types.Slot {
	if t.Kind == types.Double {
		x, y := a.Double(), b.Double()
		return types.DoubleSlot(map[string]float64{"+": x + y, "-": x - y, "*": x * y}[op])
	}
	return types.IntSlot(map[string]int64{"+": a.I + b.I, "-": a.I - b.I, "*": a.I * b.I}[op])
}

// collection compiles ARRAY[], MAP() and STRUCT(); items widen to the first type that holds them all.
func (c *compiler) collection(n *node, s scope) (*types.Type, evaluator, error) {
	ts := make([]*types.Type, len(n.args))
	evals := make([]evaluator, len(n.args))
	for i, a := range n.args {
		var err error
		if ts[i], evals[i], err = c.compile(a, s); err != nil {
			return nil, nil, err
		}
	}
	var t *types.Type
	switch n.kind {
	case "array":
		t = types.ArrayOf(common(ts))
		for i := range ts {
			var err error
			if evals[i], err = cast(evals[i], ts[i], t.Elem); err != nil {
				return nil, nil, err
			}
			ts[i] = t.Elem
		}
	case "map":
		var values []*types.Type
		for i := 1; i < len(ts); i += 2 {
			values = append(values, ts[i])
		}
		t = types.MapOf(types.StringType, common(values))
	case "struct":
		t = &types.Type{Kind: types.Struct}
		for i, name := range n.names {
			t.Fields = append(t.Fields, types.Field{Name: name, Type: ts[i]})
		}
	default:
		return nil, nil, fmt.Errorf("unexpected %s", n.kind)
	}
	return t, func() (types.Slot, error) {
		items := make([]any, len(evals))
		for i, e := range evals {
			v, err := e()
			if err != nil {
				return v, err
			}
			items[i] = v.Boxed(ts[i])
		}
		switch n.kind {
		case "array":
			return types.RefSlot(items), nil
		case "struct":
			return types.RefSlot(types.StructValue(items)), nil
		}
		m := &types.MapValue{}
		for i := 0; i < len(items); i += 2 {
			m.Put(items[i], items[i+1])
		}
		return types.RefSlot(m), nil
	}, nil
}

func common(ts []*types.Type) *types.Type {
	var t *types.Type
	for _, x := range ts {
		switch {
		case x.Kind == types.Null:
		case t == nil || functions.CanCastImplicitly(t, x):
			t = x
		}
	}
	if t == nil {
		return types.NullType
	}
	return t
}

// json prints a value as TO_JSON_STRING does.
func (c *compiler) json(t *types.Type, v types.Slot) (string, error) {
	spec, ok := c.registry.Lookup("TO_JSON_STRING")
	if !ok {
		return "", errors.New("no TO_JSON_STRING")
	}
	call, err := spec.Scalars[0].New(c.env, []*types.Type{t}, types.StringType)
	if err != nil {
		return "", err
	}
	s, err := call([]types.Slot{v})
	return string(s.B), err
}

// intervalUnit reads a unit keyword of DATEADD and its kin as its length in milliseconds, the value of such an argument.
func intervalUnit(word string) (ms int64, ok bool) {
	units := map[string]int64{"MILLISECOND": 1, "SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
	ms, ok = units[strings.TrimSuffix(word, "S")]
	return ms, ok
}
