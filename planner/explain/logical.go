// Package explain draws plans as text, trees, JSON and Mermaid; EXPLAIN and all golden tests print through it.
package explain

import (
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
)

// Logical prints a logical plan as a tree, the root first; columns show as name#id.
func Logical(n logical.Node) string {
	var b strings.Builder
	logicalNode(&b, n, 0)
	return b.String()
}

func logicalNode(b *strings.Builder, n logical.Node, depth int) {
	line := func(format string, args ...any) {
		b.WriteString(strings.Repeat("  ", depth))
		fmt.Fprintf(b, format, args...)
		b.WriteByte('\n')
	}
	id := logicalPrinter
	switch n := n.(type) {
	case *logical.Scan:
		keep := ""
		if n.KeepRows {
			keep = ", keeps rows"
		}
		line("SCAN %s %s as %s%s", n.Source.Kind, n.Source.Name, n.Alias, keep)
	case *logical.Filter:
		word := "FILTER"
		if n.Having {
			word = "HAVING"
		}
		line("%s %s", word, id.Expr(n.Cond))
	case *logical.Project:
		line("PROJECT key (%s) value (%s)", items(n.Items[:n.KeyCount]), items(n.Items[n.KeyCount:]))
	case *logical.Rekey:
		line("REKEY (%s)", items(n.Keys))
	case *logical.FlatMap:
		calls := make([]string, len(n.Calls))
		for i, c := range n.Calls {
			calls[i] = fmt.Sprintf("#%d %s(%s)", c.ID, c.Name, id.list(c.Args, ", "))
		}
		line("FLAT MAP (%s)", strings.Join(calls, ", "))
	case *logical.Join:
		line("%s JOIN on %s = %s key %s#%d%s%s", n.Kind, id.Expr(n.L.On), id.Expr(n.R.On), types.QuoteName(n.KeyColumn.Name), n.KeyColumn.ID,
			within(n.Within), repartitions(n))
	case *logical.ForeignKeyJoin:
		words := ""
		if n.R.Repartition {
			words = ", repartition right as " + formatText(n.R.KeyFormat)
		}
		if n.KeepRows {
			words += ", keeps rows"
		}
		line("%s JOIN on foreign key %s = %s%s", n.Kind, id.Expr(n.L.On), id.Expr(n.R.On), words)
	case *logical.Aggregate:
		calls := make([]string, len(n.Calls))
		for i, c := range n.Calls {
			args := make([]string, len(c.Args))
			for k, a := range c.Args {
				args[k] = id.Expr(a)
			}
			calls[i] = fmt.Sprintf("#%d %s(%s)", c.ID, c.Name, strings.Join(args, ", "))
		}
		move := ""
		if n.Repartition {
			move = ", repartition as " + formatText(n.KeyFormat)
		}
		line("AGGREGATE by (%s) calls (%s)%s%s", items(n.Group), strings.Join(calls, ", "), windowText(n.Window), move)
	case *logical.Suppress:
		line("SUPPRESS until the window closes")
	}
	for _, c := range n.Children() {
		logicalNode(b, c, depth+1)
	}
}

func items(list []logical.Item) string {
	out := make([]string, len(list))
	for i, it := range list {
		text := logicalPrinter.Expr(it.Expr)
		out[i] = fmt.Sprintf("%s#%d", types.QuoteName(it.Name), it.ID)
		if c, ok := it.Expr.(*expr.Column); !ok || c.Index != it.ID {
			out[i] += " := " + text
		}
	}
	return strings.Join(out, ", ")
}

func within(w *logical.Within) string {
	if w == nil {
		return ""
	}
	return fmt.Sprintf(", within (%s, %s) grace %s", duration(w.BeforeMs), duration(w.AfterMs), duration(w.GraceMs))
}

func repartitions(n *logical.Join) string {
	var sides []string
	if n.L.Repartition {
		sides = append(sides, "left")
	}
	if n.R.Repartition {
		sides = append(sides, "right")
	}
	if len(sides) == 0 {
		return ""
	}
	return ", repartition " + strings.Join(sides, " and ") + " as " + formatText(n.KeyFormat)
}

func formatText(f catalog.Format) string { return f.Name }

func duration(ms int64) string {
	switch {
	case ms == 0:
		return "0"
	case ms%86_400_000 == 0:
		return fmt.Sprintf("%dd", ms/86_400_000)
	case ms%3_600_000 == 0:
		return fmt.Sprintf("%dh", ms/3_600_000)
	case ms%60_000 == 0:
		return fmt.Sprintf("%dm", ms/60_000)
	case ms%1000 == 0:
		return fmt.Sprintf("%ds", ms/1000)
	}
	return fmt.Sprintf("%dms", ms)
}

func windowText(w *types.WindowSpec) string {
	if w == nil {
		return ""
	}
	text := ", " + strings.ToLower(w.Type.String()) + " " + duration(w.SizeMs)
	if w.Type == types.Hopping {
		text += " advance " + duration(w.AdvanceMs)
	}
	return text + " grace " + duration(w.GraceMs) + " retention " + duration(w.RetentionMs)
}
