package builtin_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

var update = flag.Bool("update", false, "write docs/functions.md anew")

// docs/functions.md is generated from the specs: go test ./catalog/functions/builtin -run Docs -update
func TestDocs(t *testing.T) {
	path := filepath.Join("..", "..", "..", "docs", "functions.md")
	want := renderDocs(builtin.Specs())
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is out of date: run go test ./catalog/functions/builtin -run Docs -update", path)
	}
}

func renderDocs(specs []*functions.Spec) string {
	specs = append([]*functions.Spec(nil), specs...)
	sort.Slice(specs, func(i, j int) bool {
		if specs[i].Category != specs[j].Category {
			return specs[i].Category < specs[j].Category
		}
		return specs[i].Name < specs[j].Name
	})
	var b strings.Builder
	b.WriteString("# Functions\n\nGenerated from the specs in `catalog/functions`; every example runs as a test. Results are printed as `TO_JSON_STRING` prints them.\n")
	category := ""
	for _, s := range specs {
		if s.Category != category {
			category = s.Category
			fmt.Fprintf(&b, "\n## %s\n", category)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", s.Name, s.Description)
		for _, sig := range signatures(s) {
			fmt.Fprintf(&b, "- `%s`\n", sig)
		}
		b.WriteString("\n| Example | Result |\n| --- | --- |\n")
		for _, e := range s.Examples {
			sql := e.SQL
			if s.Kind == functions.AggregateKind {
				sql += " over " + strings.Join(quoteRows(e.Rows), "; ")
			}
			fmt.Fprintf(&b, "| `%s` | `%s` |\n", cell(sql), cell(e.Want))
		}
	}
	return b.String()
}

func signatures(s *functions.Spec) []string {
	var out []string
	add := func(params []functions.Param, returns *types.Type) {
		sig := functions.Signature(s.Name, params)
		if returns != nil {
			sig += " → " + functions.TypeText(returns)
		}
		out = append(out, sig)
	}
	for _, o := range s.Scalars {
		add(o.Params, o.Returns)
	}
	for _, o := range s.Aggregates {
		add(o.Params, o.Returns)
	}
	for _, o := range s.Tables {
		add(o.Params, o.Returns)
	}
	return out
}

func quoteRows(rows []string) []string {
	if len(rows) == 0 {
		return []string{"no rows"}
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = "(" + r + ")"
	}
	return out
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
