package eval

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// items compiles the parts of ARRAY[], MAP() and STRUCT(), each guarded, as boxed values: these outlive the row.
func (u *unit) items(what string, es []expr.Expr) ([]func(*types.Row) any, error) {
	fs := make([]func(*types.Row) any, len(es))
	for i, e := range es {
		f, err := u.slot(e)
		if err != nil {
			return nil, err
		}
		f, t := u.guardSlot(what, f), e.Type()
		fs[i] = func(row *types.Row) any { s := f(row); return s.Boxed(t) }
	}
	return fs, nil
}

func (u *unit) makeArray(x *expr.MakeArray) (refFn, error) {
	items, err := u.items("ARRAY item", x.Items)
	return func(row *types.Row) (any, bool) {
		out := make([]any, len(items))
		for i, f := range items {
			out[i] = f(row)
		}
		return out, false
	}, err
}

// makeMap compiles MAP(k := v, …); of keys that are equal the later wins.
func (u *unit) makeMap(x *expr.MakeMap) (refFn, error) {
	keys, err := u.items("MAP key", x.Keys)
	if err != nil {
		return nil, err
	}
	values, err := u.items("MAP value", x.Values)
	return func(row *types.Row) (any, bool) {
		m := &types.MapValue{Keys: make([]any, 0, len(keys)), Values: make([]any, 0, len(keys))}
		for i, k := range keys {
			m.Put(k(row), values[i](row))
		}
		return m, false
	}, err
}

func (u *unit) makeStruct(x *expr.MakeStruct) (refFn, error) {
	fields, err := u.items("STRUCT field", x.Fields)
	return func(row *types.Row) (any, bool) {
		out := make(types.StructValue, len(fields))
		for i, f := range fields {
			out[i] = f(row)
		}
		return out, false
	}, err
}
