package functions

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Signature prints one overload as DESCRIBE FUNCTION does: SUBSTRING(str VARCHAR, pos INT).
func Signature(name string, params []Param) string {
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = strings.TrimSpace(p.Name + " " + paramText(p))
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

// signatureText prints one overload as the alternatives of a resolution error: substring(VARCHAR str, INT pos).
func signatureText(name string, params []Param) string {
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = strings.TrimSpace(paramText(p) + " " + p.Name)
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

func paramText(p Param) string {
	if p.Repeated {
		return TypeText(p.Type) + "..."
	}
	return TypeText(p.Type)
}

// TypeText prints a parameter's or result's type as ksqlDB's function descriptions do: INT, VARCHAR, ARRAY<T>, DECIMAL,
// LAMBDA (S, T) => S.
func TypeText(t *types.Type) string {
	switch t.Kind {
	case types.Int:
		return "INT"
	case types.String:
		return "VARCHAR"
	case types.Decimal:
		return "DECIMAL"
	case types.Array:
		return "ARRAY<" + TypeText(t.Elem) + ">"
	case types.Map:
		return "MAP<" + TypeText(t.Key) + ", " + TypeText(t.Elem) + ">"
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Name + " " + TypeText(f.Type)
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	case types.LambdaKind:
		parts := make([]string, len(t.Params))
		for i, p := range t.Params {
			parts[i] = TypeText(p)
		}
		return "LAMBDA (" + strings.Join(parts, ", ") + ") => " + TypeText(t.Elem)
	}
	return t.String()
}

// Overloads lists the parameter lists of all overloads, whatever the kind.
func (s *Spec) Overloads() [][]Param {
	var out [][]Param
	for _, o := range s.Scalars {
		out = append(out, o.Params)
	}
	for _, o := range s.Aggregates {
		out = append(out, o.Params)
	}
	for _, o := range s.Tables {
		out = append(out, o.Params)
	}
	return out
}
