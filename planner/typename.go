package planner

import (
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

func basicType(k ast.BasicKind) *types.Type {
	switch k {
	case ast.Boolean:
		return types.BooleanType
	case ast.Integer:
		return types.IntType
	case ast.Bigint:
		return types.BigintType
	case ast.Double:
		return types.DoubleType
	case ast.String:
		return types.StringType
	case ast.Bytes:
		return types.BytesType
	case ast.Date:
		return types.DateType
	case ast.Time:
		return types.TimeType
	case ast.Timestamp:
		return types.TimestampType
	}
	return &types.Type{}
}

// TypeOf resolves a type as written, custom types included.
func TypeOf(env *Env, t ast.TypeName) (*types.Type, error) { return env.typeOf(t) }

func (env *Env) typeOf(t ast.TypeName) (*types.Type, error) {
	switch t := t.(type) {
	case *ast.BasicType:
		return basicType(t.Kind), nil
	case *ast.DecimalType:
		switch {
		case t.Precision < 1:
			return nil, diag.Errorf(diag.Type, t.Span(), "DECIMAL precision must be >= 1: DECIMAL(%d,%d)", t.Precision, t.Scale)
		case t.Scale < 0:
			return nil, diag.Errorf(diag.Type, t.Span(), "DECIMAL scale must be >= 0: DECIMAL(%d,%d)", t.Precision, t.Scale)
		case t.Precision < t.Scale:
			return nil, diag.Errorf(diag.Type, t.Span(), "DECIMAL precision must be >= scale: DECIMAL(%d,%d)", t.Precision, t.Scale)
		}
		return types.DecimalOf(t.Precision, t.Scale), nil
	case *ast.ArrayType:
		elem, err := env.typeOf(t.Elem)
		if err != nil {
			return nil, err
		}
		return types.ArrayOf(elem), nil
	case *ast.MapType:
		key, err := env.typeOf(t.Key)
		if err != nil {
			return nil, err
		}
		value, err := env.typeOf(t.Value)
		if err != nil {
			return nil, err
		}
		return types.MapOf(key, value), nil
	case *ast.StructType:
		fields := make([]types.Field, len(t.Fields))
		for i, f := range t.Fields {
			ft, err := env.typeOf(f.Type)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(fields[:i], func(o types.Field) bool { return o.Name == f.Name.Name }) {
				return nil, diag.Errorf(diag.Duplicate, f.Span(), "Duplicate field names found in STRUCT: %s", f.Name.Name)
			}
			fields[i] = types.Field{Name: f.Name.Name, Type: ft}
		}
		return types.StructOf(fields...), nil
	case *ast.NamedType:
		if env.Catalog != nil {
			if named, ok := env.Catalog.Type(t.Name.Name); ok {
				return named, nil
			}
		}
		err := diag.Errorf(diag.UnknownType, t.Span(), "Cannot resolve unknown type: %s", t.Name.Name)
		names := []string{"BOOLEAN", "INT", "INTEGER", "BIGINT", "DOUBLE", "DECIMAL", "VARCHAR", "STRING", "BYTES", "DATE", "TIME", "TIMESTAMP"}
		if env.Catalog != nil {
			names = append(names, env.Catalog.TypeNames()...)
		}
		if name, ok := diag.Suggest(t.Name.Name, names); ok {
			return nil, err.WithHint("Did you mean %s?", name)
		}
		return nil, err
	}
	return nil, diag.Errorf(diag.UnknownType, t.Span(), "Cannot resolve unknown type: %s", typeText(t))
}
