package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// InsertValues plans INSERT INTO … VALUES: it computes the values and converts them to the columns' types.
func InsertValues(env *Env, st *ast.InsertValues) (*InsertPlan, error) {
	src, err := env.insertTarget(st)
	if err != nil {
		return nil, err
	}
	fail := func(at ast.Node, format string, args ...any) error {
		return diag.Errorf(diag.InvalidQuery, at.Span(), "Failed to insert values into '%s'. %s", src.Name, fmt.Sprintf(format, args...))
	}
	columns := src.Schema.Columns()
	names := make([]string, 0, len(st.Values))
	for _, c := range st.Columns {
		if _, header := src.Schema.Header(c.Name); header {
			return nil, fail(c, "Cannot insert into HEADER columns: %s", c.Name)
		}
		known := c.Name == types.RowTime || slices.ContainsFunc(columns, func(o types.Column) bool { return o.Name == c.Name })
		switch {
		case c.Name == types.RowPartition || c.Name == types.RowOffset:
			return nil, fail(c, "Inserting into column %s is not allowed.", types.QuoteName(c.Name))
		case !known:
			return nil, withColumnHint(fail(c, "Column name %s does not exist.", types.QuoteName(c.Name)), c.Name, columns)
		case slices.Contains(names, c.Name):
			return nil, fail(c, "Duplicate column name: %s", types.QuoteName(c.Name))
		}
		names = append(names, c.Name)
	}
	if len(st.Columns) == 0 {
		if len(src.Schema.Headers) > 0 {
			return nil, withHeaderHint(fail(st, "Cannot insert into HEADER columns: %s", headerNames(src)), src)
		}
		for _, c := range columns {
			names = append(names, c.Name)
		}
	}
	if len(st.Columns) > 0 && len(names) != len(st.Values) {
		return nil, diag.Errorf(diag.InvalidQuery, st.Span(), "Failed to prepare statement: Expected number columns and values to match: %d, %d", len(names), len(st.Values))
	}
	if len(names) != len(st.Values) {
		return nil, fail(st, "Expected a value for each column. Expected Columns: %v. Got %v", names, valueTexts(st.Values))
	}
	plan := &InsertPlan{
		Source: src, KeyFormat: formatSpec(src.KeyFormat), ValueFormat: formatSpec(src.ValueFormat), NullValue: true,
		Key: nulls(len(src.Schema.Key)), Value: nulls(len(src.Schema.Value)),
	}
	for i, name := range names {
		t, slot := types.BigintType, (*types.Slot)(nil)
		if name != types.RowTime {
			at, isKey, _ := src.Schema.Find(name)
			if isKey {
				t, slot = src.Schema.Key[at].Type, &plan.Key[at]
			} else {
				t, slot = src.Schema.Value[at].Type, &plan.Value[at]
			}
		}
		v, unknown, err := env.insertValue(st.Values[i], name, t)
		if d, ok := diag.As(err); ok && d.Code == diag.UnknownSource {
			return nil, prepareError(err)
		}
		if err != nil {
			return nil, fail(st.Values[i], "%s", err)
		}
		if len(unknown) > 0 {
			plan.Warnings = append(plan.Warnings, fmt.Sprintf("%s has no field %s: what was given for it is not in the record.",
				types.QuoteName(name), strings.Join(unknown, ", ")))
		}
		if slot == nil {
			if v.Null || v.I < 0 {
				return nil, fail(st.Values[i], "ROWTIME must be a timestamp of 0 or more.")
			}
			plan.Timestamp = &v.I
			continue
		}
		*slot = v
	}
	if src.Kind == catalog.Table {
		for i, c := range src.Schema.Key {
			if plan.Key[i].Null {
				return nil, fail(st, "Value for primary key column(s) %s is required for tables", types.QuoteName(c.Name))
			}
		}
	}
	plan.NullValue = !slices.ContainsFunc(plan.Value, func(s types.Slot) bool { return !s.Null })
	return plan, nil
}

func headerNames(src *catalog.Source) string {
	names := make([]string, len(src.Schema.Headers))
	for i, c := range src.Schema.Headers {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// withHeaderHint says how to insert into a source with columns that show headers.
func withHeaderHint(err error, src *catalog.Source) error {
	d, ok := diag.As(err)
	if !ok {
		return err
	}
	var names []string
	for _, c := range src.Schema.Columns() {
		names = append(names, c.Name)
	}
	return d.WithHint("Name the other columns: INSERT INTO %s (%s) VALUES (…).", src.Name, strings.Join(names, ", "))
}

func nulls(n int) []types.Slot {
	out := make([]types.Slot, n)
	for i := range out {
		out[i].Null = true
	}
	return out
}

func valueTexts(values []ast.Expr) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = exprText(v)
	}
	return out
}

func withColumnHint(err error, name string, columns []types.Column) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	if d, ok := diag.As(err); ok {
		if s, ok := diag.Suggest(name, names); ok {
			return d.WithHint("Did you mean %s?", types.QuoteName(s))
		}
	}
	return err
}

// insertTarget finds the source and refuses those that cannot be written.
func (env *Env) insertTarget(st *ast.InsertValues) (*catalog.Source, error) {
	at := st.Target.Span()
	if !env.flag("ksql.insert.into.values.enabled", true) {
		return nil, diag.Errorf(diag.NotSupported, at, "The server has disabled INSERT INTO ... VALUES functionality. To enable it, restart your ksqlDB server with 'ksql.insert.into.values.enabled'=true")
	}
	src, ok := env.Catalog.Source(st.Target.Name)
	if !ok {
		return nil, withSourceHint(env, diag.Errorf(diag.UnknownSource, at, "Cannot insert values into an unknown stream/table: %s", types.QuoteName(st.Target.Name)), st.Target)
	}
	switch {
	case src.ReadOnly && src.Kind == catalog.Table:
		return nil, diag.Errorf(diag.InvalidQuery, at, "Cannot insert values into read-only table: %s", src.Name)
	case src.ReadOnly:
		return nil, diag.Errorf(diag.InvalidQuery, at, "Cannot insert values into read-only stream: %s", src.Name)
	case src.Window != types.NoWindow:
		return nil, diag.Errorf(diag.InvalidQuery, at, "Failed to insert values into '%s'. Cannot insert values into windowed stream or table", src.Name)
	case isReadOnlyTopic(src.Topic):
		return nil, diag.Errorf(diag.InvalidQuery, at, "Failed to insert values into '%s'. Cannot insert values into read-only topic: %s", src.Name, src.Topic)
	}
	return src, nil
}

// insertValue computes one value as type t. Only what loses nothing is converted: numbers widen, text becomes times and
// bytes.
// unknown are the fields of a STRUCT that the column does not have: as in ksqlDB they are left out.
func (env *Env) insertValue(e ast.Expr, name string, t *types.Type) (value types.Slot, unknown []string, err error) {
	b := &binder{env: env, scope: &scope{}, clause: "INSERT VALUES"}
	x, err := b.bind(e)
	if err != nil {
		return types.Slot{}, nil, err
	}
	if x.Type().Kind == types.Null {
		return types.Slot{Null: true}, nil, nil
	}
	v, err := env.evaluate(x)
	if err != nil {
		return types.Slot{}, nil, err
	}
	boxed, ok := coerceValue(v.Boxed(x.Type()), x.Type(), t)
	if !ok {
		return types.Slot{}, nil, fmt.Errorf("Expected type %s for field %s but got %s(%s)", t, types.QuoteName(name), x.Type(), exprText(e))
	}
	return types.Unbox(t, boxed), unknownFields(nil, "", x.Type(), t), nil
}

// unknownFields lists the fields of STRUCTs in one type that another does not have, by their paths.
func unknownFields(list []string, path string, from, to *types.Type) []string {
	if from.Kind != to.Kind {
		return list
	}
	switch to.Kind {
	case types.Array, types.Map:
		return unknownFields(list, path, from.Elem, to.Elem)
	case types.Struct:
		for _, f := range from.Fields {
			at := to.FieldIndex(f.Name)
			if at < 0 {
				list = append(list, path+types.QuoteName(f.Name))
				continue
			}
			list = unknownFields(list, path+types.QuoteName(f.Name)+"->", f.Type, to.Fields[at].Type)
		}
	}
	return list
}

// evaluate computes a constant.
func (env *Env) evaluate(x expr.Expr) (types.Slot, error) {
	if l, ok := x.(*expr.Literal); ok {
		return types.Unbox(l.T, l.Value), nil
	}
	if env.Constants == nil {
		return types.Slot{}, fmt.Errorf("expressions cannot be evaluated here")
	}
	return env.Constants.Evaluate(x)
}

// coerceValue converts a boxed value for INSERT VALUES, collections element by element.
func coerceValue(v any, from, to *types.Type) (any, bool) {
	if v == nil {
		return nil, true
	}
	if types.Equal(from, to) {
		return v, true
	}
	switch {
	case from.IsNumeric() && to.IsNumeric():
		return coerceNumber(v, from, to)
	case from.Kind == types.String && (to.IsTime() || to.Kind == types.Bytes):
		return parseText(v.(string), to)
	case from.Kind != to.Kind:
		return nil, false
	case to.Kind == types.Array:
		list := v.([]any)
		out := make([]any, len(list))
		for i, x := range list {
			c, ok := coerceValue(x, from.Elem, to.Elem)
			if !ok {
				return nil, false
			}
			out[i] = c
		}
		return out, true
	case to.Kind == types.Map:
		m := v.(*types.MapValue)
		out := &types.MapValue{}
		for i := range m.Keys {
			key, ok := coerceValue(m.Keys[i], from.Key, to.Key)
			value, ok2 := coerceValue(m.Values[i], from.Elem, to.Elem)
			if !ok || !ok2 {
				return nil, false
			}
			out.Put(key, value)
		}
		return out, true
	case to.Kind == types.Struct:
		fields := v.(types.StructValue)
		out := make(types.StructValue, len(to.Fields))
		for i, f := range to.Fields {
			at := from.FieldIndex(f.Name)
			if at < 0 {
				continue
			}
			c, ok := coerceValue(fields[at], from.Fields[at].Type, f.Type)
			if !ok {
				return nil, false
			}
			out[i] = c
		}
		return out, true
	}
	return nil, false
}

// coerceNumber widens a number; a DECIMAL must fit without losing a digit.
func coerceNumber(v any, from, to *types.Type) (any, bool) {
	if to.Kind == types.Decimal {
		var d *apd.Decimal
		switch v := v.(type) {
		case int32:
			d = apd.New(int64(v), 0)
		case int64:
			d = apd.New(v, 0)
		case *apd.Decimal:
			d = v
		default:
			return nil, false
		}
		out := new(apd.Decimal)
		if err := types.SetScale(out, d, to.Scale, apd.RoundDown, true); err != nil || types.FitDecimal(out, to) != nil {
			return nil, false
		}
		return out, true
	}
	if numericRank(from) > numericRank(to) {
		return nil, false
	}
	switch v := v.(type) {
	case int32:
		if to.Kind == types.Bigint {
			return int64(v), true
		}
		return float64(v), true
	case int64:
		return float64(v), true
	case *apd.Decimal:
		return types.DecimalToDouble(v), true
	}
	return nil, false
}
