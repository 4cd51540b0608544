package dialect

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// atMost wants a bound from above to have been as low already, atLeast one from below to have been as high.
func (k conjunction) atMost(b *object, path, name string) []string {
	limit, ok := b.number(name)
	if ok && !k.any(func(o *object) bool { was, ok := o.number(name); return ok && was <= limit }) {
		return []string{fmt.Sprintf("%s/%s: it was added or decreased", path, name)}
	}
	return nil
}

func (k conjunction) atLeast(b *object, path, name string) []string {
	limit, ok := b.number(name)
	if ok && limit > 0 && !k.any(func(o *object) bool { was, ok := o.number(name); return ok && was >= limit }) {
		return []string{fmt.Sprintf("%s/%s: it was added or increased", path, name)}
	}
	return nil
}

// bound is the least or greatest number allowed.
type bound struct {
	value     float64
	exclusive bool
}

// boundsOf reads minimum or maximum with its exclusive form, which was a bool before the sixth draft.
func boundsOf(o *object, inclusive, exclusive string) []bound {
	var out []bound
	strict := false
	if v, ok := o.get(exclusive); ok {
		strict, _ = v.(bool)
	}
	if n, ok := o.number(inclusive); ok {
		out = append(out, bound{n, strict})
	}
	if n, ok := o.number(exclusive); ok {
		out = append(out, bound{n, true})
	}
	return out
}

func compareNumbers(a conjunction, b *object, path string) []string {
	var problems []string
	for _, side := range []struct {
		inclusive, exclusive string
		sign                 float64
	}{{"minimum", "exclusiveMinimum", 1}, {"maximum", "exclusiveMaximum", -1}} {
		for _, wanted := range boundsOf(b, side.inclusive, side.exclusive) {
			holds := a.any(func(o *object) bool {
				return slices.ContainsFunc(boundsOf(o, side.inclusive, side.exclusive), func(was bound) bool {
					w, n := was.value*side.sign, wanted.value*side.sign
					return w > n || w == n && (was.exclusive || !wanted.exclusive)
				})
			})
			if !holds {
				problems = append(problems, fmt.Sprintf("%s/%s: it was added or narrowed", path, side.inclusive))
			}
		}
	}
	step, ok := b.number("multipleOf")
	if ok && !(step == 1 && a.types&typeFraction == 0) && !a.any(func(o *object) bool {
		was, ok := o.number("multipleOf")
		return ok && step != 0 && math.Mod(was, step) == 0
	}) {
		problems = append(problems, path+"/multipleOf: it was added or changed")
	}
	return problems
}

func compareStrings(a conjunction, b *object, path string) []string {
	problems := append(a.atMost(b, path, "maxLength"), a.atLeast(b, path, "minLength")...)
	if pattern, ok := b.get("pattern"); ok {
		if !a.any(func(o *object) bool { was, ok := o.get("pattern"); return ok && was == pattern }) {
			problems = append(problems, path+"/pattern: it was added or changed")
		}
	}
	return problems
}

// itemsOf takes the schemas of an array's items apart: of the first ones, and of those behind; nil when there is none.
func itemsOf(o *object) (first []any, rest any) {
	items, hasItems := o.get("items")
	if prefix, ok := o.get("prefixItems"); ok {
		first = listOf(prefix)
		if hasItems {
			rest = items
		}
		return first, rest
	}
	if list, ok := items.([]any); ok {
		first = list
		rest, _ = o.get("additionalItems")
		return first, rest
	}
	if hasItems {
		rest = items
	}
	return nil, rest
}

// items is what the i-th item of an array must fulfil; -1 stands for those behind all first ones.
func (c *jsonComparison) items(a conjunction, i int) conjunction {
	var nodes []jsonNode
	for _, p := range a.parts {
		first, rest := itemsOf(p.o)
		switch {
		case i >= 0 && i < len(first):
			nodes = append(nodes, jsonNode{first[i], p.doc})
		case rest != nil:
			nodes = append(nodes, jsonNode{rest, p.doc})
		}
	}
	return c.conjunction(nodes...)
}

func (c *jsonComparison) compareArrays(a conjunction, b *object, doc *jsonDocument, path string) []string {
	problems := append(a.atMost(b, path, "maxItems"), a.atLeast(b, path, "minItems")...)
	if unique, _ := b.get("uniqueItems"); unique == true {
		if !a.any(func(o *object) bool { was, _ := o.get("uniqueItems"); return was == true }) {
			problems = append(problems, path+"/uniqueItems: it was added")
		}
	}
	first, rest := itemsOf(b)
	known := len(first)
	for _, p := range a.parts {
		before, _ := itemsOf(p.o)
		known = max(known, len(before))
	}
	for i := range known {
		s := rest
		if i < len(first) {
			s = first[i]
		}
		if s != nil {
			problems = append(problems, c.within(c.items(a, i), jsonNode{s, doc}, fmt.Sprint(path, "/items/", i))...)
		}
	}
	if rest != nil {
		problems = append(problems, c.within(c.items(a, -1), jsonNode{rest, doc}, path+"/items")...)
	}
	return problems
}

// membersOf are the schemas of a keyword whose value is an object.
func membersOf(o *object, name string) []member {
	v, _ := o.get(name)
	if m, ok := v.(*object); ok {
		return m.members
	}
	return nil
}

// property is what a property of a name must fulfil.
func (c *jsonComparison) property(a conjunction, name string) conjunction {
	var nodes []jsonNode
	for _, p := range a.parts {
		for _, s := range propertySchemas(p.o, name, false) {
			nodes = append(nodes, jsonNode{s, p.doc})
		}
	}
	return c.conjunction(nodes...)
}

// propertySchemas are the schemas of an object that a property of a name must fulfil. Where a pattern is not understood, so that
// it is not known whether it has the name, strict gives what is asked for in either case, else what surely is.
func propertySchemas(o *object, name string, strict bool) []any {
	var out []any
	covered := false
	for _, m := range membersOf(o, "properties") {
		if m.name == name {
			out, covered = append(out, m.value), true
		}
	}
	for _, m := range membersOf(o, "patternProperties") {
		yes, known := matches(m.name, name)
		if yes || !known && strict {
			out = append(out, m.value)
		}
		covered = covered || yes || !known && !strict
	}
	if more, ok := o.get("additionalProperties"); ok && !covered {
		out = append(out, more)
	}
	return out
}

// additional is what properties must fulfil that no part names.
func (c *jsonComparison) additional(a conjunction) conjunction {
	var nodes []jsonNode
	for _, p := range a.parts {
		if more, ok := p.o.get("additionalProperties"); ok {
			nodes = append(nodes, jsonNode{more, p.doc})
		}
	}
	return c.conjunction(nodes...)
}

func (c *jsonComparison) compareObjects(a conjunction, b *object, doc *jsonDocument, path string) []string {
	problems := append(a.atMost(b, path, "maxProperties"), a.atLeast(b, path, "minProperties")...)
	problems = append(problems, compareRequired(a, b, path)...)
	names := map[string]bool{}
	for _, m := range membersOf(b, "properties") {
		names[m.name] = true
	}
	for _, p := range a.parts {
		for _, m := range membersOf(p.o, "properties") {
			names[m.name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		for _, s := range propertySchemas(b, name, true) {
			problems = append(problems, c.within(c.property(a, name), jsonNode{s, doc}, path+"/properties/"+name)...)
		}
	}
	problems = append(problems, c.comparePatterns(a, b, doc, path)...)
	return append(problems, compareDependencies(a, b, path)...)
}

// comparePatterns compares what is asked of properties without a name: of those of a pattern, and of all others.
func (c *jsonComparison) comparePatterns(a conjunction, b *object, doc *jsonDocument, path string) []string {
	var problems []string
	// before are the schemas of patterns, by pattern.
	before := map[string][]jsonNode{}
	for _, p := range a.parts {
		for _, m := range membersOf(p.o, "patternProperties") {
			before[m.name] = append(before[m.name], jsonNode{m.value, p.doc})
		}
	}
	more, hasMore := b.get("additionalProperties")
	after := map[string]bool{}
	for _, m := range membersOf(b, "patternProperties") {
		after[m.name] = true
		at, wanted := path+"/patternProperties/"+m.name, jsonNode{m.value, doc}
		if nodes := before[m.name]; nodes != nil {
			problems = append(problems, c.within(c.conjunction(nodes...), wanted, at)...)
			continue
		}
		// Names may have this pattern and one of before, or this one alone.
		for _, pattern := range slices.Sorted(maps.Keys(before)) {
			problems = append(problems, c.within(c.conjunction(before[pattern]...), wanted, at)...)
		}
		problems = append(problems, c.within(c.additional(a), wanted, at)...)
	}
	if !hasMore {
		return problems
	}
	for _, pattern := range slices.Sorted(maps.Keys(before)) {
		if !after[pattern] {
			problems = append(problems, c.within(c.conjunction(before[pattern]...), jsonNode{more, doc}, path+"/patternProperties/"+pattern)...)
		}
	}
	return append(problems, c.within(c.additional(a), jsonNode{more, doc}, path+"/additionalProperties")...)
}

// requires says whether an object requires a property.
func requires(o *object, name string) bool {
	v, _ := o.get("required")
	return slices.Contains(listOf(v), any(name))
}

func compareRequired(a conjunction, b *object, path string) []string {
	var problems []string
	v, _ := b.get("required")
	for _, e := range listOf(v) {
		name, _ := e.(string)
		if a.any(func(o *object) bool { return requires(o, name) }) {
			continue
		}
		hasDefault := false
		for _, m := range membersOf(b, "properties") {
			if s, ok := m.value.(*object); ok && m.name == name {
				_, hasDefault = s.get("default")
			}
		}
		if !hasDefault {
			problems = append(problems, fmt.Sprintf("%s/required: %s was added and has no default", path, name))
		}
	}
	return problems
}

// compareDependencies wants properties that others depend on to have been asked for already.
func compareDependencies(a conjunction, b *object, path string) []string {
	var problems []string
	keywords := []string{"dependencies", "dependentRequired"}
	for _, keyword := range keywords {
		for _, m := range membersOf(b, keyword) {
			holds := a.any(func(o *object) bool {
				return slices.ContainsFunc(keywords, func(k string) bool {
					return slices.ContainsFunc(membersOf(o, k), func(was member) bool { return was.name == m.name && asksFor(was.value, m.value) })
				})
			})
			if !holds {
				problems = append(problems, fmt.Sprintf("%s/%s/%s: it was added or extended", path, keyword, m.name))
			}
		}
	}
	return problems
}

// asksFor says whether one dependency has all of another.
func asksFor(was, wanted any) bool {
	names, ok := wanted.([]any)
	if !ok {
		return writeSorted(was) == writeSorted(wanted)
	}
	return !slices.ContainsFunc(names, func(n any) bool {
		return !slices.ContainsFunc(listOf(was), func(w any) bool { return writeSorted(w) == writeSorted(n) })
	})
}
