package dialect

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// jsonSchema is a parsed JSON schema.
type jsonSchema struct{ doc *jsonDocument }

// jsonDocument is the text of a schema with what it can refer to.
type jsonDocument struct {
	root any
	// address is the name by which others refer to the document.
	address string
	// named are the parts of the document that have an $id or $anchor.
	named map[string]any
	// others are the documents it can refer to, by their names.
	others map[string]*jsonDocument
}

// jsonNode is a schema, an object or a bool, within a document.
type jsonNode struct {
	value any
	doc   *jsonDocument
}

func parseJSONSchema(s schemas.Schema, imports map[string]schemas.Schema, o Options) (string, language, error) {
	root, err := parseJSON(s.Text)
	if err != nil {
		return "", nil, err
	}
	others := map[string]*jsonDocument{}
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		v, err := parseJSON(imports[name].Text)
		if err != nil {
			return "", nil, fmt.Errorf("the reference %s: %w", name, err)
		}
		others[name] = newJSONDocument(v, name, others)
	}
	doc := newJSONDocument(root, "", others)
	c := &jsonChecker{seen: map[*object]bool{}}
	if err := c.check(jsonNode{root, doc}, "#"); err != nil {
		return "", nil, err
	}
	text := writeJSON(root)
	if o.Normalize {
		text = writeSorted(root)
	}
	return text, &jsonSchema{doc}, nil
}

func newJSONDocument(root any, address string, others map[string]*jsonDocument) *jsonDocument {
	d := &jsonDocument{root: root, address: address, named: map[string]any{}, others: others}
	d.collect(root)
	return d
}

// collect finds the parts with a name of their own.
func (d *jsonDocument) collect(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			d.collect(e)
		}
	case *object:
		for _, name := range []string{"$id", "id"} {
			if id := v.text(name); id != "" {
				d.named[strings.TrimSuffix(id, "#")] = v
			}
		}
		if anchor := v.text("$anchor"); anchor != "" {
			d.named["#"+anchor] = v
		}
		for _, m := range v.members {
			d.collect(m.value)
		}
	}
}

// resolve finds what a $ref in the document means.
func (d *jsonDocument) resolve(ref string) (jsonNode, error) {
	address, fragment, _ := strings.Cut(ref, "#")
	target := jsonNode{d.root, d}
	switch v, named := d.named[ref]; {
	case named:
		return jsonNode{v, d}, nil
	case address == "" || address == d.address:
	default:
		if other, ok := d.find(address); ok {
			target = jsonNode{other.root, other}
			break
		}
		v, ok := d.named[address]
		if !ok {
			return jsonNode{}, fmt.Errorf("the $ref %q leads to no reference of the schema and nothing within it", ref)
		}
		target.value = v
	}
	if v, ok := target.doc.named["#"+fragment]; ok && fragment != "" {
		return jsonNode{v, target.doc}, nil
	}
	for _, step := range strings.Split(fragment, "/")[min(1, strings.Count(fragment, "/")):] {
		if step == "" && !strings.Contains(fragment, "/") {
			break
		}
		next, ok := stepInto(target.value, step)
		if !ok {
			return jsonNode{}, fmt.Errorf("the $ref %q leads nowhere: there is no %q", ref, step)
		}
		target.value = next
	}
	return target, nil
}

// find is the document that an address means: one of that name, or of the end of it.
func (d *jsonDocument) find(address string) (*jsonDocument, bool) {
	if o, ok := d.others[address]; ok {
		return o, true
	}
	for _, name := range slices.Sorted(maps.Keys(d.others)) {
		if o := d.others[name]; strings.HasSuffix(name, "/"+address) || strings.HasSuffix(address, "/"+name) || o.named[address] == o.root && o.root != nil {
			return o, true
		}
	}
	return nil, false
}

// stepInto follows a step of a JSON pointer.
func stepInto(v any, step string) (any, bool) {
	if unescaped, err := url.PathUnescape(step); err == nil {
		step = unescaped
	}
	step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
	switch v := v.(type) {
	case *object:
		return v.get(step)
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(v) {
			return v[i], true
		}
	}
	return nil, false
}

// jsonChecker looks whether a document is a schema.
type jsonChecker struct{ seen map[*object]bool }

func (c *jsonChecker) check(n jsonNode, path string) error {
	if _, ok := n.value.(bool); ok {
		return nil
	}
	o, ok := n.value.(*object)
	if !ok {
		return fmt.Errorf("%s: a schema is an object, true or false", path)
	}
	if c.seen[o] {
		return nil
	}
	c.seen[o] = true
	for _, m := range o.members {
		if err := c.keyword(m.name, jsonNode{m.value, n.doc}, path+"/"+m.name); err != nil {
			return err
		}
	}
	return nil
}

// keyword looks at the value of a keyword; what is none may be anything.
func (c *jsonChecker) keyword(name string, n jsonNode, path string) error {
	switch name {
	case "$ref":
		return c.reference(n, path)
	case "type":
		return c.types(n, path)
	case "enum":
		return c.list(n, path)
	case "properties", "patternProperties", "definitions", "$defs", "dependentSchemas":
		return c.schemaMap(n, path)
	case "additionalProperties", "propertyNames", "unevaluatedProperties", "additionalItems", "contains", "unevaluatedItems", "not", "if", "then", "else":
		return c.check(n, path)
	case "items":
		return c.schemaOrList(n, path)
	case "prefixItems", "allOf", "anyOf", "oneOf":
		return c.schemaList(n, path)
	case "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
		"minContains", "maxContains":
		return c.number(n, path)
	case "exclusiveMinimum", "exclusiveMaximum":
		// Drafts before the sixth had a bool here.
		if _, old := n.value.(bool); old {
			return nil
		}
		return c.number(n, path)
	case "pattern":
		return c.text(n, path)
	case "required":
		return c.names(n, path)
	}
	return nil
}

func (c *jsonChecker) reference(n jsonNode, path string) error {
	ref, ok := n.value.(string)
	if !ok {
		return fmt.Errorf("%s: a $ref is a string", path)
	}
	target, err := n.doc.resolve(ref)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return c.check(target, path)
}

func (c *jsonChecker) types(n jsonNode, path string) error {
	if _, ok := typeMask(n.value); !ok {
		return fmt.Errorf("%s: %s is none of null, boolean, object, array, number, string, integer, nor a list of them", path, writeJSON(n.value))
	}
	return nil
}

func (c *jsonChecker) list(n jsonNode, path string) error {
	if _, ok := n.value.([]any); !ok {
		return fmt.Errorf("%s: want a list", path)
	}
	return nil
}

func (c *jsonChecker) schemaList(n jsonNode, path string) error {
	list, ok := n.value.([]any)
	if !ok || len(list) == 0 {
		return fmt.Errorf("%s: want a list of schemas", path)
	}
	for i, v := range list {
		if err := c.check(jsonNode{v, n.doc}, fmt.Sprint(path, "/", i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *jsonChecker) schemaOrList(n jsonNode, path string) error {
	if list, ok := n.value.([]any); ok && len(list) == 0 {
		return nil
	} else if ok {
		return c.schemaList(n, path)
	}
	return c.check(n, path)
}

func (c *jsonChecker) schemaMap(n jsonNode, path string) error {
	o, ok := n.value.(*object)
	if !ok {
		return fmt.Errorf("%s: want an object of schemas", path)
	}
	for _, m := range o.members {
		if err := c.check(jsonNode{m.value, n.doc}, path+"/"+m.name); err != nil {
			return err
		}
	}
	return nil
}

func (c *jsonChecker) number(n jsonNode, path string) error {
	v, ok := n.value.(json.Number)
	if !ok {
		return fmt.Errorf("%s: want a number", path)
	}
	f, err := v.Float64()
	if err != nil {
		return fmt.Errorf("%s: the number %.50s is too large", path, v)
	}
	if strings.HasSuffix(path, "/multipleOf") && f <= 0 {
		return fmt.Errorf("%s: want a number above 0", path)
	}
	return nil
}

func (c *jsonChecker) text(n jsonNode, path string) error {
	if _, ok := n.value.(string); !ok {
		return fmt.Errorf("%s: want a string", path)
	}
	return nil
}

func (c *jsonChecker) names(n jsonNode, path string) error {
	// Drafts before the fourth had a bool here.
	if _, old := n.value.(bool); old {
		return nil
	}
	list, ok := n.value.([]any)
	for _, v := range list {
		_, isText := v.(string)
		ok = ok && isText
	}
	if !ok {
		return errors.New(path + ": want a list of names")
	}
	return nil
}

// The types of JSON values, as bits.
const (
	typeNull = 1 << iota
	typeBoolean
	typeObject
	typeArray
	typeString
	typeInteger
	// typeFraction are the numbers that are no integers.
	typeFraction
	typeAny = 1<<7 - 1
)

var typeBits = map[string]int{"null": typeNull, "boolean": typeBoolean, "object": typeObject, "array": typeArray, "string": typeString,
	"integer": typeInteger, "number": typeInteger | typeFraction}

// typeMask reads the value of the keyword type.
func typeMask(v any) (mask int, ok bool) {
	if list, many := v.([]any); many {
		for _, e := range list {
			name, _ := e.(string)
			if typeBits[name] == 0 {
				return 0, false
			}
			mask |= typeBits[name]
		}
		return mask, len(list) > 0
	}
	name, _ := v.(string)
	return typeBits[name], typeBits[name] != 0
}

// typeOf is the type of a value.
func typeOf(v any) int {
	switch v := v.(type) {
	case nil:
		return typeNull
	case bool:
		return typeBoolean
	case string:
		return typeString
	case []any:
		return typeArray
	case json.Number:
		if f, err := v.Float64(); err == nil && f == float64(int64(f)) {
			return typeInteger
		}
		return typeFraction
	}
	return typeObject
}

// matches says whether a name has a pattern; known is false for patterns that Go does not have.
func matches(pattern, name string) (yes, known bool) {
	r, err := regexp.Compile(pattern)
	if err != nil {
		return false, false
	}
	return r.MatchString(name), true
}
