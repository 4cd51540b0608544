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
func statementText(st ast.Statement) string { return format.Statement(st) }

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

// rewrittenText prints CREATE … AS SELECT as it was understood: names qualified, every column with its name.
func rewrittenText(st *ast.CreateAsSelect, a *analysis) string {
	var b strings.Builder
	b.WriteString("CREATE " + st.Kind.String() + " " + st.Name.Name)
	if len(st.With) > 0 {
		parts := make([]string, len(st.With))
		for i, p := range st.With {
			parts[i] = strings.ToUpper(p.Name) + "=" + exprText(p.Value)
		}
		b.WriteString(" WITH (" + strings.Join(parts, ", ") + ")")
	}
	b.WriteString(" AS SELECT\n")
	for i, it := range a.items {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.WriteString("  " + exprText(it.ast) + " " + it.Name)
	}
	if src, ok := st.Select.From.(*ast.Source); ok {
		b.WriteString("\nFROM " + src.Name.Name + " " + src.NameOrAlias().Name)
	}
	for i, g := range a.group {
		if i == 0 {
			b.WriteString("\nGROUP BY ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(exprText(g))
	}
	b.WriteString("\nEMIT CHANGES")
	return b.String()
}
