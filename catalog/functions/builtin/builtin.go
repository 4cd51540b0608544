// Package builtin lists the families of built-in functions.
package builtin

import (
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/functions/aggregate"
	"github.com/ksqlgo/ksqlgo/catalog/functions/binarynum"
	"github.com/ksqlgo/ksqlgo/catalog/functions/collection"
	"github.com/ksqlgo/ksqlgo/catalog/functions/conditional"
	"github.com/ksqlgo/ksqlgo/catalog/functions/datetime"
	"github.com/ksqlgo/ksqlgo/catalog/functions/json"
	"github.com/ksqlgo/ksqlgo/catalog/functions/lambda"
	"github.com/ksqlgo/ksqlgo/catalog/functions/numeric"
	"github.com/ksqlgo/ksqlgo/catalog/functions/regex"
	"github.com/ksqlgo/ksqlgo/catalog/functions/table"
	"github.com/ksqlgo/ksqlgo/catalog/functions/text"
	"github.com/ksqlgo/ksqlgo/catalog/functions/url"
)

// Specs lists all built-in functions, family by family.
func Specs() []*functions.Spec {
	families := [][]*functions.Spec{
		aggregate.Specs(),
		binarynum.Specs(),
		collection.Specs(),
		conditional.Specs(),
		datetime.Specs(),
		json.Specs(),
		lambda.Specs(),
		numeric.Specs(),
		regex.Specs(),
		table.Specs(),
		text.Specs(),
		url.Specs(),
	}
	var out []*functions.Spec
	for _, f := range families {
		out = append(out, f...)
	}
	return out
}

// Registry makes a registry of all built-in functions.
func Registry() *functions.Registry { return functions.NewRegistry(Specs()) }
