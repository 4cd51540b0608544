package planner

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// joinKey is an expression that equals the key of a relation.
type joinKey struct {
	expr expr.Expr
	// column is its ID when it is a plain column.
	column int
	text   string
	// nullable: an outer join may have made it null where the key is not.
	nullable bool
}

// keyIndex finds the key that e equals; -1 when it is none.
func (j *joined) keyIndex(e expr.Expr) int {
	return slices.IndexFunc(j.keys, func(k joinKey) bool { return !k.nullable && reflect.DeepEqual(k.expr, e) })
}

// joinKey decides which column is the key of a join's result. As in ksqlDB any plain column of the conditions may give it
// its name, unless the join is FULL OUTER or has expressions only.
func (a *analyzer) joinKey(node *logical.Join, out, l, r *joined, onL, onR onSide) {
	node.KeyColumn = logical.Column{ID: a.id(), Type: onL.expr.Type()}
	leftKeys, rightKeys := sideKeys(l, onL), sideKeys(r, onR)
	switch node.Kind {
	case physical.Inner:
		out.keys = append(leftKeys, rightKeys...)
	case physical.Left:
		out.keys = append(leftKeys, nullable(rightKeys)...)
	case physical.Right:
		out.keys = append(nullable(leftKeys), rightKeys...)
	}
	for _, k := range out.keys {
		if k.column != 0 {
			node.Same = append(node.Same, k.column)
		}
	}
	a.synthetic = ""
	if len(node.Same) == 0 {
		a.synthetic = a.syntheticName()
		node.KeyColumn.Name = a.synthetic
		return
	}
	c := a.scope.byID(node.Same[0])
	node.KeyColumn.Name = joinedName(c.source, c.name)
}

// sideKeys lists what equals the join key on one side: its side of the condition, and what that side was keyed by already.
func sideKeys(j *joined, on onSide) []joinKey {
	if i := j.keyIndex(on.expr); i >= 0 {
		return slices.Clone(j.keys)
	}
	return []joinKey{{expr: on.expr, column: on.column, text: on.text}}
}

// nullable marks the keys of the side that may be missing.
func nullable(keys []joinKey) []joinKey {
	for i := range keys {
		keys[i].nullable = true
	}
	return keys
}

// syntheticName is ROWKEY, or ROWKEY_n where a source has a column of that name.
func (a *analyzer) syntheticName() string {
	used := a.usedNames()
	name := "ROWKEY"
	for i := 1; used[name]; i++ {
		name = fmt.Sprintf("ROWKEY_%d", i)
	}
	return name
}

// defaultKeyFormat is the format of a key that no source gives one.
func (env *Env) defaultKeyFormat() string {
	if name := strings.ToUpper(env.property("ksql.persistence.default.format.key")); name != "" {
		return name
	}
	return "KAFKA"
}

// inheritedKeyFormat is the key format that queries over a source inherit.
func inheritedKeyFormat(src *catalog.Source) catalog.Format {
	if src.InheritedKeyFormat != nil {
		return *src.InheritedKeyFormat
	}
	return src.KeyFormat
}

// keyFormatFor is the format of an internal key: f if it can carry the columns, else JSON.
func (env *Env) keyFormatFor(f catalog.Format, columns []types.Column) catalog.Format {
	name, props := f.Name, f.Properties
	if name == noneFormat || name == "" {
		name, props = env.defaultKeyFormat(), nil
	}
	out, err := env.sideFormat(side{key: true, columns: columns}, name, props)
	if err == nil {
		return out
	}
	if out, err = env.sideFormat(side{key: true, columns: columns}, "JSON", nil); err == nil {
		return out
	}
	return catalog.Format{Name: name, Properties: props}
}
