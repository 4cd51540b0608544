package engine

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/exec/eval"
	"github.com/ksqlgo/ksqlgo/planner"
)

// constants evaluates expressions without columns for the planner.
func (e *Engine) constants(properties map[string]string) planner.Constants {
	return &eval.Compiler{Functions: e.cfg.Functions, Env: &functions.Env{
		NowMs: func() int64 { return e.cfg.Now().UnixMilli() }, Random: e.cfg.Random, Properties: properties,
	}}
}
