package planner

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/format"
)

// statementText prints a statement as SQL.
func statementText(st ast.Statement) string { return format.Statement(st) + ";" }

// fillWith gives a WITH clause that holds what the server decided, sorted by name as ksqlDB stores it.
func fillWith(props []ast.Property, src *catalog.Source, topic TopicPlan) []ast.Property {
	var out []ast.Property
	for _, p := range props {
		p.Name = strings.ToUpper(p.Name)
		if p.Name != withFormat {
			out = append(out, p)
		}
	}
	set := func(name string, value ast.Expr) {
		if !slices.ContainsFunc(out, func(p ast.Property) bool { return p.Name == name }) {
			out = append(out, ast.Property{Name: name, Value: value})
		}
	}
	number := func(v int64) ast.Expr {
		if int64(int32(v)) == v {
			return &ast.IntLiteral{Value: int32(v)}
		}
		return &ast.BigintLiteral{Value: v}
	}
	text := func(v string) ast.Expr { return &ast.StringLiteral{Value: v} }
	set("CLEANUP_POLICY", text(cleanupPolicy(src.Kind, src.Window != types.NoWindow)))
	set(withTopic, text(src.Topic))
	set(withKeyFormat, text(src.KeyFormat.Name))
	set(withValueFormat, text(src.ValueFormat.Name))
	set(withPartitions, number(int64(topic.Partitions)))
	if topic.Replicas > 0 {
		set(withReplicas, number(int64(topic.Replicas)))
	}
	if ms, err := strconv.ParseInt(topic.Config["retention.ms"], 10, 64); err == nil {
		set(withRetention, number(ms))
	}
	slices.SortFunc(out, func(a, b ast.Property) int { return strings.Compare(a.Name, b.Name) })
	return out
}
