package engine

import (
	"cmp"
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// listFunctions answers SHOW FUNCTIONS.
func (e *Engine) listFunctions(st statement) api.Entity {
	out := &api.FunctionNameList{Base: base(st.Text)}
	for _, f := range e.cfg.Functions.Specs() {
		out.Functions = append(out.Functions, api.SimpleFunctionInfo{Name: f.Name, Type: f.Kind.String(), Category: f.Category})
	}
	slices.SortFunc(out.Functions, func(a, b api.SimpleFunctionInfo) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// describeFunction answers DESCRIBE FUNCTION.
func (e *Engine) describeFunction(st statement, n *ast.DescribeFunction) (api.Entity, error) {
	f, ok := e.cfg.Functions.Lookup(n.Name.Name)
	if !ok {
		err := diag.Errorf(diag.UnknownFunction, n.Name.Span(), "Can't find any functions with the name '%s'", n.Name.Name)
		var names []string
		for _, s := range e.cfg.Functions.Specs() {
			names = append(names, s.Name)
		}
		if near, ok := diag.Suggest(n.Name.Name, names); ok {
			return nil, err.WithHint("Did you mean %s?", near)
		}
		return nil, err.WithHint("SHOW FUNCTIONS lists them all.")
	}
	out := &api.FunctionDescriptionList{Base: base(st.Text), Name: f.Name, Description: f.Description, Author: "ksqlgo", Version: "",
		Path: "internal", Kind: f.Kind.String()}
	for _, o := range f.Scalars {
		out.Functions = append(out.Functions, functionInfo(o.Params, o.Returns, o.Variadic, o.Description))
	}
	for _, o := range f.Aggregates {
		out.Functions = append(out.Functions, functionInfo(o.Params, o.Returns, o.Variadic, o.Description))
	}
	for _, o := range f.Tables {
		out.Functions = append(out.Functions, functionInfo(o.Params, o.Returns, o.Variadic, o.Description))
	}
	return out, nil
}

// functionInfo describes one overload; a result type that depends on the arguments is told as that of the last parameter.
func functionInfo(params []functions.Param, returns *types.Type, variadic bool, description string) api.FunctionInfo {
	info := api.FunctionInfo{Description: description}
	for i, p := range params {
		info.Arguments = append(info.Arguments, api.ArgumentInfo{Name: p.Name, Type: functions.TypeText(p.Type), Description: p.Description,
			IsVariadic: p.Repeated || variadic && i == len(params)-1})
	}
	switch {
	case returns != nil:
		info.ReturnType = functions.TypeText(returns)
	case len(params) > 0:
		info.ReturnType = functions.TypeText(params[0].Type)
	}
	return info
}
