package expr

import (
	"fmt"
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// shape says how many children a kind of node has and whether it carries a type.
type shape struct {
	least, most int
	typed       bool
}

const many = 1 << 30

var shapes = map[string]shape{
	"column": {0, 0, true}, "literal": {0, 0, true}, "arith": {2, 2, true}, "negate": {1, 1, false},
	"compare": {2, 2, false}, "and": {1, many, false}, "or": {1, many, false}, "not": {1, 1, false},
	"isnull": {1, 1, false}, "between": {3, 3, false}, "in": {1, many, false}, "like": {2, 2, false},
	"case": {2, many, true}, "cast": {1, 1, true}, "subscript": {2, 2, true}, "field": {1, 1, true},
	"call": {0, many, true}, "lambda": {1, 1, true}, "var": {0, 0, true}, "array": {0, many, true},
	"map": {0, many, true}, "struct": {0, many, true},
}

// decode makes the tree of a node.
func decode(n *node, depth int) (Expr, error) {
	if n == nil {
		return nil, fmt.Errorf("an operand is missing")
	}
	s, known := shapes[n.Kind]
	switch {
	case !known:
		return nil, fmt.Errorf("%q is no kind of expression", n.Kind)
	case depth > maxDepth:
		return nil, fmt.Errorf("it is nested deeper than %d", maxDepth)
	case len(n.Args) < s.least || len(n.Args) > s.most:
		return nil, fmt.Errorf("%s with %d operands", n.Kind, len(n.Args))
	case s.typed && n.Type == nil:
		return nil, fmt.Errorf("%s without a type", n.Kind)
	}
	args := make([]Expr, len(n.Args))
	for i, a := range n.Args {
		e, err := decode(a, depth+1)
		if err != nil {
			return nil, err
		}
		args[i] = e
	}
	return build(n, args)
}

// build makes the expression of a node whose shape has been checked.
func build(n *node, args []Expr) (Expr, error) {
	switch n.Kind {
	case "column":
		if n.Index < 0 {
			return nil, fmt.Errorf("column %d", n.Index)
		}
		return &Column{Index: n.Index, Name: n.Name, T: n.Type}, nil
	case "literal":
		v, err := decodeValue(n.Type, n.Value, 0)
		return &Literal{Value: v, T: n.Type}, err
	case "arith":
		switch op := ArithOp(n.Op); op {
		case Add, Subtract, Multiply, Divide, Modulo:
			return &Arith{Op: op, L: args[0], R: args[1], T: n.Type}, nil
		}
		return nil, fmt.Errorf("%q is no arithmetic operator", n.Op)
	case "negate":
		return &Negate{X: args[0]}, nil
	case "compare":
		switch op := CompareOp(n.Op); op {
		case Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, DistinctFrom, NotDistinctFrom:
			return &Compare{Op: op, L: args[0], R: args[1]}, nil
		}
		return nil, fmt.Errorf("%q is no comparison", n.Op)
	case "and":
		return &And{Xs: args}, nil
	case "or":
		return &Or{Xs: args}, nil
	case "not":
		return &Not{X: args[0]}, nil
	case "isnull":
		return &IsNull{X: args[0], Negated: n.Negated}, nil
	case "between":
		return &Between{X: args[0], Lo: args[1], Hi: args[2], Negated: n.Negated}, nil
	case "in":
		return &In{X: args[0], List: args[1:], Negated: n.Negated}, nil
	case "like":
		if n.Index < 0 || n.Index > utf8.MaxRune {
			return nil, fmt.Errorf("%d is no escape character", n.Index)
		}
		return &Like{X: args[0], Pattern: args[1], Escape: rune(n.Index), Negated: n.Negated}, nil
	case "case":
		return buildCase(n, args), nil
	case "cast":
		return &Cast{X: args[0], T: n.Type, Implicit: n.Implicit}, nil
	case "subscript":
		return &Subscript{X: args[0], Index: args[1], T: n.Type}, nil
	case "field":
		if t := args[0].Type(); t.Kind != types.Struct || n.Index < 0 || n.Index >= len(t.Fields) {
			return nil, fmt.Errorf("%s has no field %d", t, n.Index)
		}
		return &FieldAccess{X: args[0], Index: n.Index, Name: n.Name, T: n.Type}, nil
	case "call":
		return &Call{Name: n.Name, Overload: n.Index, Args: args, T: n.Type}, nil
	case "lambda":
		l := &Lambda{Body: args[0], T: n.Type}
		for _, p := range n.Params {
			if p.Type == nil {
				return nil, fmt.Errorf("the parameter %s without a type", p.Name)
			}
			l.Params = append(l.Params, LambdaParam{p.ID, p.Name, p.Type})
		}
		return l, nil
	case "var":
		return &LambdaVar{ID: n.Index, Name: n.Name, T: n.Type}, nil
	}
	return buildCollection(n, args)
}

func buildCase(n *node, args []Expr) *Case {
	c := &Case{T: n.Type}
	for len(args) >= 2 {
		c.Whens = append(c.Whens, When{args[0], args[1]})
		args = args[2:]
	}
	if len(args) == 1 {
		c.Else = args[0]
	}
	return c
}

func buildCollection(n *node, args []Expr) (Expr, error) {
	switch {
	case n.Kind == "array" && n.Type.Kind == types.Array:
		return &MakeArray{Items: args, T: n.Type}, nil
	case n.Kind == "map" && n.Type.Kind == types.Map && len(args)%2 == 0:
		m := &MakeMap{T: n.Type}
		for i := 0; i < len(args); i += 2 {
			m.Keys, m.Values = append(m.Keys, args[i]), append(m.Values, args[i+1])
		}
		return m, nil
	case n.Kind == "struct" && n.Type.Kind == types.Struct && len(args) == len(n.Type.Fields):
		return &MakeStruct{Fields: args, T: n.Type}, nil
	}
	return nil, fmt.Errorf("%s of %d parts as a %s", n.Kind, len(args), n.Type)
}
