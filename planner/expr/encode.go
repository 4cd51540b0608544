package expr

import "fmt"

// encode gives the JSON form of a tree.
func encode(e Expr) (*node, error) {
	switch x := e.(type) {
	case *Column:
		return &node{Kind: "column", Index: x.Index, Name: x.Name, Type: x.T}, nil
	case *Literal:
		v, err := encodeValue(x.T, x.Value)
		return &node{Kind: "literal", Value: v, Type: x.T}, err
	case *Arith:
		return parent(node{Kind: "arith", Op: string(x.Op), Type: x.T}, x.L, x.R)
	case *Negate:
		return parent(node{Kind: "negate"}, x.X)
	case *Compare:
		return parent(node{Kind: "compare", Op: string(x.Op)}, x.L, x.R)
	case *And:
		return parent(node{Kind: "and"}, x.Xs...)
	case *Or:
		return parent(node{Kind: "or"}, x.Xs...)
	case *Not:
		return parent(node{Kind: "not"}, x.X)
	case *IsNull:
		return parent(node{Kind: "isnull", Negated: x.Negated}, x.X)
	case *Between:
		return parent(node{Kind: "between", Negated: x.Negated}, x.X, x.Lo, x.Hi)
	case *In:
		return parent(node{Kind: "in", Negated: x.Negated}, append([]Expr{x.X}, x.List...)...)
	case *Like:
		return parent(node{Kind: "like", Negated: x.Negated, Index: int(x.Escape)}, x.X, x.Pattern)
	case *Case:
		var args []Expr
		for _, w := range x.Whens {
			args = append(args, w.Cond, w.Then)
		}
		if x.Else != nil {
			args = append(args, x.Else)
		}
		return parent(node{Kind: "case", Type: x.T}, args...)
	case *Cast:
		return parent(node{Kind: "cast", Type: x.T, Implicit: x.Implicit}, x.X)
	case *Subscript:
		return parent(node{Kind: "subscript", Type: x.T}, x.X, x.Index)
	case *FieldAccess:
		return parent(node{Kind: "field", Index: x.Index, Name: x.Name, Type: x.T}, x.X)
	case *Call:
		return parent(node{Kind: "call", Name: x.Name, Index: x.Overload, Type: x.T}, x.Args...)
	case *Lambda:
		n := node{Kind: "lambda", Type: x.T}
		for _, p := range x.Params {
			n.Params = append(n.Params, param{p.ID, p.Name, p.T})
		}
		return parent(n, x.Body)
	case *LambdaVar:
		return &node{Kind: "var", Index: x.ID, Name: x.Name, Type: x.T}, nil
	case *MakeArray:
		return parent(node{Kind: "array", Type: x.T}, x.Items...)
	case *MakeMap:
		if len(x.Keys) != len(x.Values) {
			return nil, fmt.Errorf("a MAP of %d keys and %d values", len(x.Keys), len(x.Values))
		}
		var args []Expr
		for i := range x.Keys {
			args = append(args, x.Keys[i], x.Values[i])
		}
		return parent(node{Kind: "map", Type: x.T}, args...)
	case *MakeStruct:
		return parent(node{Kind: "struct", Type: x.T}, x.Fields...)
	}
	return nil, fmt.Errorf("expr: %T cannot be written", e)
}

// parent adds the children to n.
func parent(n node, children ...Expr) (*node, error) {
	n.Args = make([]*node, len(children))
	for i, c := range children {
		a, err := encode(c)
		if err != nil {
			return nil, err
		}
		n.Args[i] = a
	}
	return &n, nil
}
