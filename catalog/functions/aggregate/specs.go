// Package aggregate holds the aggregate functions.
package aggregate

import (
	"errors"
	"strconv"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

const category = "AGGREGATE"

// Specs lists the aggregate functions.
func Specs() []*functions.Spec {
	return []*functions.Spec{
		attr(), avg(), collectList(), collectSet(), correlation(), count(), countDistinct(), earliestByOffset(),
		histogram(), latestByOffset(), maximum(), minimum(), stddevSamp(), stddevSample(), sum(), sumList(), topK(),
		topKDistinct(),
	}
}

// streamOnly is embedded by aggregators that cannot take a row out again.
type streamOnly struct{}

var errNoUndo = errors.New("the aggregate cannot undo a row: it runs on streams only")

// Undo always fails: the overload is not Undoable.
func (streamOnly) Undo(state, args []types.Slot) error { return errNoUndo }

// fixedState declares state slots of the given types.
func fixedState(ts ...*types.Type) func([]*types.Type) ([]*types.Type, error) {
	return func([]*types.Type) ([]*types.Type, error) { return ts, nil }
}

// instance declares an aggregator that depends on nothing.
func instance(a functions.Aggregator) func(*functions.Env, []*types.Type, []any) (functions.Aggregator, error) {
	return func(*functions.Env, []*types.Type, []any) (functions.Aggregator, error) { return a, nil }
}

// example is a call over the rows' literals and its result.
func example(sql, want string, rows ...string) functions.Example {
	return functions.Example{SQL: sql, Want: want, Rows: rows}
}

// limitProperty reads a limit such as ksql.functions.collect_list.limit; absent or negative means none (-1).
func limitProperty(env *functions.Env, name string) (int, error) {
	if env == nil || env.Properties[name] == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(env.Properties[name])
	if err != nil {
		return 0, errors.New("property " + name + " must be a whole number")
	}
	return max(n, -1), nil
}

// list reads an ARRAY slot; null is empty.
func list(s types.Slot) []any {
	if s.Null {
		return nil
	}
	items, _ := s.R.([]any)
	return items
}

// emptyList is the ARRAY without elements.
func emptyList() types.Slot { return types.RefSlot([]any{}) }
