package apply

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/format"
)

// includes says whether every property of want is among have with the same value. FORMAT stands for both of the formats
// that the server writes in its place.
func includes(have, want []ast.Property) bool {
	values := map[string]string{}
	for _, p := range have {
		values[strings.ToUpper(p.Name)] = value(p)
	}
	for _, p := range want {
		name := strings.ToUpper(p.Name)
		v, ok := values[name]
		if !ok && name == "FORMAT" {
			v, ok = values["VALUE_FORMAT"]
		}
		if !ok || !strings.EqualFold(v, value(p)) {
			return false
		}
	}
	return true
}

// value is a property's value as text, without the quotes that make no difference.
func value(p ast.Property) string {
	return strings.Trim(format.Expr(p.Value), "'")
}

func quoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func formatted(s ast.Statement) string { return strings.TrimSuffix(format.Statement(s), ";") + ";" }
