package dialect

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// reads implements language. A schema reads what another one wrote if every value that is valid for the other is valid for it.
// The answer errs to the safe side: schemas that are equivalent, but written in ways that are not compared here, do not read
// each other. Two rules are Confluent's rather than logic: a property may become required if it has a default, and one of the
// schemas of oneOf has to fit, whether or not others do as well.
func (s *jsonSchema) reads(written language) []string {
	w, ok := written.(*jsonSchema)
	if !ok {
		return []string{"Incompatible because of different schema type"}
	}
	c := &jsonComparison{open: map[string]int{}, fits: map[string]bool{}, failed: map[string][]string{}, relied: math.MaxInt}
	problems := c.within(c.conjunction(jsonNode{w.doc.root, w.doc}), jsonNode{s.doc.root, s.doc}, "#")
	slices.Sort(problems)
	return slices.Compact(problems)
}

const (
	// maxComparisons bounds the work of one comparison: alternatives within alternatives multiply.
	maxComparisons = 50_000
	// maxProblems bounds what is said about one.
	maxProblems = 20
)

// jsonComparison is one comparison of two documents.
type jsonComparison struct {
	// open are the pairs that are being compared, with how deep they lie: where they are met again, they fit if all else does.
	open map[string]int
	// fits are pairs that fit whatever is open, failed those that do not fit.
	fits   map[string]bool
	failed map[string][]string
	// relied is the least deep of the open pairs that were met again.
	relied int
	count  int
}

// conjunction is what the values of one place must fulfil: all of the parts, and one of the types.
type conjunction struct {
	parts []part
	types int
	// never says that no value fulfils it.
	never bool
}

// part is a schema object; split says which of its alternatives have been taken apart.
type part struct {
	o            *object
	doc          *jsonDocument
	anyOf, oneOf bool
}

// conjunction puts together what nodes ask for, with what they refer to and their allOf.
func (c *jsonComparison) conjunction(nodes ...jsonNode) conjunction {
	k := conjunction{types: typeAny}
	seen := map[*object]bool{}
	for len(nodes) > 0 {
		n := nodes[0]
		nodes = nodes[1:]
		if yes, ok := n.value.(bool); ok {
			k.never = k.never || !yes
			continue
		}
		o, ok := n.value.(*object)
		if !ok || seen[o] {
			continue
		}
		seen[o] = true
		k.add(part{o: o, doc: n.doc})
		if ref := o.text("$ref"); ref != "" {
			if target, err := n.doc.resolve(ref); err == nil {
				nodes = append(nodes, target)
			}
		}
		if all, ok := o.get("allOf"); ok {
			for _, v := range listOf(all) {
				nodes = append(nodes, jsonNode{v, n.doc})
			}
		}
	}
	return k
}

// add makes a part's types those of the conjunction.
func (k *conjunction) add(p part) {
	k.parts = append(k.parts, p)
	if t, ok := p.o.get("type"); ok {
		if mask, ok := typeMask(t); ok {
			k.types &= mask
		}
	}
	if values, ok := enumOf(p.o); ok {
		mask := 0
		for _, v := range values {
			mask |= typeOf(v)
		}
		k.types &= mask
	}
	k.never = k.never || k.types == 0
}

// and is the conjunction with another one.
func (k conjunction) and(o conjunction) conjunction {
	k.parts = append(slices.Clone(k.parts), o.parts...)
	k.types &= o.types
	k.never = k.never || o.never || k.types == 0
	return k
}

// of is the conjunction for values of some types only.
func (k conjunction) of(types int) conjunction {
	k.types &= types
	k.never = k.never || k.types == 0
	return k
}

// key names a pair of a conjunction and a schema.
func (k conjunction) key(n jsonNode) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%p %d %v", n.value, k.types, k.never)
	for _, p := range k.parts {
		fmt.Fprintf(&b, " %p%v%v", p.o, p.anyOf, p.oneOf)
	}
	return b.String()
}

// within says why values of a are not all valid for b.
func (c *jsonComparison) within(a conjunction, b jsonNode, path string) []string {
	if c.count++; c.count > maxComparisons {
		return []string{"the schemas are too large to be compared"}
	}
	o, ok := b.value.(*object)
	if !ok {
		if yes, _ := b.value.(bool); yes || a.never {
			return nil
		}
		return []string{path + ": no values are taken here"}
	}
	if a.never {
		return nil
	}
	key := a.key(b)
	if depth, ok := c.open[key]; ok {
		c.relied = min(c.relied, depth)
		return nil
	}
	if c.fits[key] {
		return nil
	}
	if problems, ok := c.failed[key]; ok {
		return problems
	}
	depth, relied := len(c.open), c.relied
	c.open[key], c.relied = depth, math.MaxInt
	problems := c.compare(a, o, b.doc, path)
	delete(c.open, key)
	switch {
	case len(problems) > 0:
		problems = problems[:min(len(problems), maxProblems)]
		c.failed[key] = problems
	case c.relied >= depth:
		c.fits[key] = true
	}
	if c.relied >= depth {
		c.relied = math.MaxInt
	}
	c.relied = min(c.relied, relied)
	return problems
}

func (c *jsonComparison) compare(a conjunction, b *object, doc *jsonDocument, path string) []string {
	if isSplit, problems := c.split(a, b, doc, path); isSplit {
		return problems
	}
	var problems []string
	if ref := b.text("$ref"); ref != "" {
		target, err := doc.resolve(ref)
		if err != nil {
			return []string{path + ": " + err.Error()}
		}
		problems = append(problems, c.within(a, target, path)...)
	}
	if all, ok := b.get("allOf"); ok {
		for _, v := range listOf(all) {
			problems = append(problems, c.within(a, jsonNode{v, doc}, path)...)
		}
	}
	for _, name := range []string{"anyOf", "oneOf"} {
		if some, ok := b.get(name); ok {
			problems = append(problems, c.alternatives(a, listOf(some), doc, path+"/"+name)...)
		}
	}
	if a.both(b, "connect.type", "bytes") {
		// The text of decimals became a number in a version of Connect: readers take both.
		return problems
	}
	problems = append(problems, compareTypes(a, b, path)...)
	problems = append(problems, compareEnum(a, b, path)...)
	if a.types&(typeInteger|typeFraction) != 0 {
		problems = append(problems, compareNumbers(a, b, path)...)
	}
	if a.types&typeString != 0 {
		problems = append(problems, compareStrings(a, b, path)...)
	}
	if a.types&typeArray != 0 {
		problems = append(problems, c.compareArrays(a, b, doc, path)...)
	}
	if a.types&typeObject != 0 {
		problems = append(problems, c.compareObjects(a, b, doc, path)...)
	}
	problems = append(problems, c.compareNot(a, b, doc, path)...)
	return append(problems, compareOthers(a, b, path)...)
}

// split takes the alternatives of a apart: each has to fit by itself.
func (c *jsonComparison) split(a conjunction, b *object, doc *jsonDocument, path string) (bool, []string) {
	for i, p := range a.parts {
		for _, name := range []string{"anyOf", "oneOf"} {
			some, ok := p.o.get(name)
			done := name == "anyOf" && p.anyOf || name == "oneOf" && p.oneOf
			if !ok || done {
				continue
			}
			rest := a
			rest.parts = slices.Clone(a.parts)
			rest.parts[i].anyOf = p.anyOf || name == "anyOf"
			rest.parts[i].oneOf = p.oneOf || name == "oneOf"
			var problems []string
			for j, v := range listOf(some) {
				alternative := rest.and(c.conjunction(jsonNode{v, p.doc}))
				problems = append(problems, c.within(alternative, jsonNode{b, doc}, fmt.Sprintf("%s/%s/%d", path, name, j))...)
			}
			return true, problems
		}
	}
	return false, nil
}

// alternatives looks for the schema of a list that fits, for each type of a by itself.
func (c *jsonComparison) alternatives(a conjunction, some []any, doc *jsonDocument, path string) []string {
	var problems []string
	fits := func(a conjunction) ([]string, bool) {
		var why []string
		for i, v := range some {
			p := c.within(a, jsonNode{v, doc}, fmt.Sprint(path, "/", i))
			if len(p) == 0 {
				return nil, true
			}
			if len(why) == 0 || len(p) < len(why) {
				why = p
			}
		}
		return why, false
	}
	if _, ok := fits(a); ok {
		return nil
	}
	// A number is one type to those who write schemas.
	for _, types := range []int{typeNull, typeBoolean, typeObject, typeArray, typeString, typeInteger | typeFraction} {
		if a.types&types == 0 {
			continue
		}
		if why, ok := fits(a.of(types)); !ok {
			problems = append(problems, fmt.Sprintf("%s: none of the schemas takes every %s: %s", path, typeNames(a.types&types), strings.Join(why, "; ")))
		}
	}
	return problems
}

// both says whether a member has the same value on both sides.
func (k conjunction) both(b *object, name, value string) bool {
	return b.text(name) == value && slices.ContainsFunc(k.parts, func(p part) bool { return p.o.text(name) == value })
}

// any says whether a part fulfils something.
func (k conjunction) any(f func(*object) bool) bool {
	return slices.ContainsFunc(k.parts, func(p part) bool { return f(p.o) })
}

func compareTypes(a conjunction, b *object, path string) []string {
	t, ok := b.get("type")
	if !ok {
		return nil
	}
	if mask, _ := typeMask(t); a.types&^mask != 0 {
		return []string{fmt.Sprintf("%s: values of type %s are not taken", path, typeNames(a.types&^mask))}
	}
	return nil
}

func typeNames(mask int) string {
	var names []string
	if number := typeBits["number"]; mask&number == number {
		mask, names = mask&^number, append(names, "number")
	}
	for _, name := range []string{"null", "boolean", "object", "array", "string", "integer"} {
		if mask&typeBits[name] == typeBits[name] {
			names = append(names, name)
		}
	}
	if mask&typeFraction != 0 {
		names = append(names, "number")
	}
	return strings.Join(names, ", ")
}

// enumOf are the values that a schema enumerates.
func enumOf(o *object) ([]any, bool) {
	if v, ok := o.get("const"); ok {
		return []any{v}, true
	}
	v, ok := o.get("enum")
	if !ok {
		return nil, false
	}
	list, ok := v.([]any)
	return list, ok
}

func compareEnum(a conjunction, b *object, path string) []string {
	allowed, ok := enumOf(b)
	if !ok {
		return nil
	}
	has := func(v any) bool {
		return slices.ContainsFunc(allowed, func(w any) bool { return writeSorted(v) == writeSorted(w) })
	}
	enumerated := false
	for _, p := range a.parts {
		values, ok := enumOf(p.o)
		enumerated = enumerated || ok
		// One enumeration that fits is enough.
		if ok && !slices.ContainsFunc(values, func(v any) bool { return typeOf(v)&a.types != 0 && !has(v) }) {
			return nil
		}
	}
	if a.types&^(typeNull|typeBoolean) == 0 && (a.types&typeNull == 0 || has(nil)) && (a.types&typeBoolean == 0 || has(true) && has(false)) {
		return nil
	}
	if enumerated {
		return []string{path + "/enum: values were removed"}
	}
	return []string{path + "/enum: an enumeration was added"}
}

// compareNot wants what must not be to be part of what must not have been.
func (c *jsonComparison) compareNot(a conjunction, b *object, doc *jsonDocument, path string) []string {
	not, ok := b.get("not")
	if !ok {
		return nil
	}
	for _, p := range a.parts {
		before, ok := p.o.get("not")
		if ok && len(c.within(c.conjunction(jsonNode{not, doc}), jsonNode{before, p.doc}, path+"/not")) == 0 {
			return nil
		}
	}
	return []string{path + "/not: more is excluded"}
}

// compareOthers wants keywords whose meaning is not looked at to be the same.
func compareOthers(a conjunction, b *object, path string) []string {
	var problems []string
	for _, name := range []string{"if", "then", "else", "contains", "minContains", "maxContains", "propertyNames", "unevaluatedProperties",
		"unevaluatedItems", "dependentSchemas", "$dynamicRef", "$recursiveRef"} {
		v, ok := b.get(name)
		if !ok {
			continue
		}
		if yes, isBool := v.(bool); isBool && yes {
			continue
		}
		text := writeSorted(v)
		if !a.any(func(o *object) bool { w, ok := o.get(name); return ok && writeSorted(w) == text }) {
			problems = append(problems, fmt.Sprintf("%s/%s: it was added or changed", path, name))
		}
	}
	return problems
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}

// number is the value of a member that is a number.
func (o *object) number(name string) (float64, bool) {
	v, _ := o.get(name)
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}
