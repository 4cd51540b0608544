// Package builtin lists the families of built-in functions.
package builtin

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/functions/aggregate"
)

// Specs lists all built-in functions, family by family.
func Specs() []*functions.Spec {
	families := [][]*functions.Spec{
		aggregate.Specs(),
	}
	var out []*functions.Spec
	for _, f := range families {
		out = append(out, f...)
	}
	return out
}

// Registry makes a registry of all built-in functions.
func Registry() *functions.Registry { return functions.NewRegistry(Specs()) }
