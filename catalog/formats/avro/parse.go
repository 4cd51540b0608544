package avro

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// Limits of schemas: how deep types nest as they are written, and how big a fixed is.
const (
	maxSchemaDepth = 200
	maxFixed       = 1 << 28
)

// parser reads the types of a schema and of those it refers to. It takes what the registries of others hold rather than only
// what the specification allows: a decimal without a precision, a default of another type, names in any letters.
type parser struct {
	named map[string]*node
}

// parseSchema reads a schema. imports are what it refers to, by name.
func parseSchema(s schemas.Schema, imports map[string]schemas.Schema) (*node, error) {
	if s.Kind != schemas.Avro && s.Kind != "" {
		return nil, fmt.Errorf("the schema is no Avro schema but of the kind %s", s.Kind)
	}
	p := &parser{named: map[string]*node{}}
	if err := p.references(s, imports, map[string]bool{}); err != nil {
		return nil, err
	}
	return p.text(s.Text)
}

// references reads the types that a schema refers to, those first that others need.
func (p *parser) references(s schemas.Schema, imports map[string]schemas.Schema, done map[string]bool) error {
	for _, r := range s.References {
		if done[r.Name] {
			continue
		}
		done[r.Name] = true
		imported, ok := imports[r.Name]
		if !ok {
			return fmt.Errorf("the reference %s of the schema was not found", r.Name)
		}
		if err := p.references(imported, imports, done); err != nil {
			return err
		}
		if _, err := p.text(imported.Text); err != nil {
			return fmt.Errorf("the reference %s of the schema: %w", r.Name, err)
		}
	}
	return nil
}

func (p *parser) text(text string) (*node, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("the schema is no JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the end of the schema")
	}
	n, err := p.node(v, "", 0)
	if err != nil {
		return nil, err
	}
	measure(n, map[*node]bool{})
	return n, nil
}

// node reads a type. Names without a namespace belong to that of the type around it.
func (p *parser) node(v any, namespace string, depth int) (*node, error) {
	if depth > maxSchemaDepth {
		return nil, fmt.Errorf("the schema nests deeper than %d", maxSchemaDepth)
	}
	switch v := v.(type) {
	case string:
		return p.reference(v, namespace)
	case []any:
		return p.union(v, namespace, depth)
	case map[string]any:
		return p.object(v, namespace, depth)
	}
	return nil, fmt.Errorf("a type of the schema is %v: it must be a name, an object or a list", v)
}

// reference finds a type by its name.
func (p *parser) reference(name, namespace string) (*node, error) {
	for k := range kindArray {
		if name == kindNames[k] {
			return &node{kind: k}, nil
		}
	}
	if n := p.named[fullName(name, namespace)]; n != nil {
		return n, nil
	}
	if n := p.named[name]; n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("the schema does not say what %q is", name)
}

func fullName(name, namespace string) string {
	if namespace == "" || strings.Contains(name, ".") {
		return name
	}
	return namespace + "." + name
}

func (p *parser) union(list []any, namespace string, depth int) (*node, error) {
	n := &node{kind: kindUnion}
	type identity struct {
		kind kind
		name string
	}
	seen := map[identity]bool{}
	for _, v := range list {
		b, err := p.node(v, namespace, depth+1)
		if err != nil {
			return nil, err
		}
		id := identity{b.kind, b.name}
		switch {
		case b.kind == kindUnion:
			return nil, errors.New("a union of the schema holds another union")
		case seen[id]:
			return nil, fmt.Errorf("a union of the schema holds %s twice", b.branchName())
		}
		seen[id] = true
		n.branches = append(n.branches, b)
	}
	return n, nil
}

func (p *parser) object(m map[string]any, namespace string, depth int) (*node, error) {
	name, ok := m["type"].(string)
	if !ok {
		if m["type"] == nil {
			return nil, errors.New("a type of the schema has no \"type\"")
		}
		return p.node(m["type"], namespace, depth+1)
	}
	switch name {
	case "record", "error":
		return p.record(m, namespace, depth)
	case "enum":
		return p.enum(m, namespace)
	case "fixed":
		return p.fixed(m, namespace)
	case "array", "map":
		n, key := &node{kind: kindArray}, "items"
		if name == "map" {
			n.kind, key = kindMap, "values"
		}
		if m[key] == nil {
			return nil, fmt.Errorf("a type %s of the schema has no %q", name, key)
		}
		var err error
		n.items, err = p.node(m[key], namespace, depth+1)
		return n, err
	}
	n, err := p.reference(name, namespace)
	if err != nil || n.kind >= kindArray {
		return n, err
	}
	n.annotate(m)
	return n, nil
}

// annotate reads the logical type of a type that can have one.
func (n *node) annotate(m map[string]any) {
	text, _ := m["logicalType"].(string)
	switch text = strings.ToLower(text); {
	case text == "decimal" && (n.kind == kindBytes || n.kind == kindFixed):
		n.logical = logicalDecimal
		n.scale, _ = integer(m["scale"])
		if n.precision, _ = integer(m["precision"]); m["precision"] == nil {
			n.precision = defaultPrecision
		}
	case text == "date" && n.kind == kindInt:
		n.logical = logicalDate
	case text == "time-millis" && n.kind == kindInt:
		n.logical = logicalTime
	case text == "timestamp-millis" && n.kind == kindLong:
		n.logical = logicalTimestamp
	}
}

// integer is a whole number of a schema.
func integer(v any) (int, bool) {
	number, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := number.Int64()
	return int(i), err == nil && i >= math.MinInt32 && i <= math.MaxInt32
}

// define makes a named type known; namespace is that of what it contains.
func (p *parser) define(n *node, m map[string]any, outer string) (namespace string, err error) {
	name, _ := m["name"].(string)
	if name == "" {
		return "", fmt.Errorf("a type %s of the schema has no name", kindNames[n.kind])
	}
	if s, ok := m["namespace"].(string); ok {
		outer = s
	}
	n.name = fullName(name, outer)
	if p.named[n.name] != nil {
		return "", fmt.Errorf("Can't redefine: %s", n.name)
	}
	p.named[n.name] = n
	return namespaceOf(n.name), nil
}

func (p *parser) record(m map[string]any, namespace string, depth int) (*node, error) {
	n := &node{kind: kindRecord}
	inner, err := p.define(n, m, namespace)
	if err != nil {
		return nil, err
	}
	list, ok := m["fields"].([]any)
	if !ok {
		return nil, fmt.Errorf("the record %s of the schema has no list of fields", n.name)
	}
	n.isEntry = m[entryProperty] == entryName || n.name == connectNamespace+"."+entryName
	seen := map[string]bool{}
	for _, v := range list {
		f, _ := v.(map[string]any)
		name, _ := f["name"].(string)
		switch {
		case name == "":
			return nil, fmt.Errorf("a field of the record %s has no name", n.name)
		case seen[name]:
			return nil, fmt.Errorf("Duplicate field %s in record %s", name, n.name)
		case f["type"] == nil:
			return nil, fmt.Errorf("the field %s of the record %s has no type", name, n.name)
		}
		seen[name] = true
		typ, err := p.node(f["type"], inner, depth+1)
		if err != nil {
			return nil, fmt.Errorf("the field %s of the record %s: %w", name, n.name, err)
		}
		def, hasDefault := f["default"]
		n.fields = append(n.fields, field{name: name, typ: typ, hasDefault: hasDefault, def: def})
	}
	return n, nil
}

func (p *parser) enum(m map[string]any, namespace string) (*node, error) {
	n := &node{kind: kindEnum}
	if _, err := p.define(n, m, namespace); err != nil {
		return nil, err
	}
	list, ok := m["symbols"].([]any)
	if !ok {
		return nil, fmt.Errorf("the enum %s of the schema has no list of symbols", n.name)
	}
	for _, v := range list {
		symbol, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("the enum %s of the schema has the symbol %v", n.name, v)
		}
		n.symbols = append(n.symbols, symbol)
	}
	return n, nil
}

func (p *parser) fixed(m map[string]any, namespace string) (*node, error) {
	n := &node{kind: kindFixed}
	if _, err := p.define(n, m, namespace); err != nil {
		return nil, err
	}
	size, ok := integer(m["size"])
	if !ok || size < 0 || size > maxFixed {
		return nil, fmt.Errorf("the fixed %s of the schema has the size %v", n.name, m["size"])
	}
	n.size = size
	n.annotate(m)
	return n, nil
}

// measure fills in the bytes that values of all types take. What is inside itself counts as nothing there, which is too little
// at most.
func measure(n *node, seen map[*node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	n.least, n.exact = 0, -1
	switch n.kind {
	case kindNull:
		n.exact = 0
	case kindBoolean:
		n.least, n.exact = 1, 1
	case kindFloat:
		n.least, n.exact = 4, 4
	case kindDouble:
		n.least, n.exact = 8, 8
	case kindFixed:
		n.least, n.exact = n.size, n.size
	case kindArray, kindMap:
		measure(n.items, seen)
		n.least = 1
	case kindRecord:
		least, exact := 0, 0
		for _, f := range n.fields {
			measure(f.typ, seen)
			least = min(least+f.typ.least, maxFixed)
			if exact += f.typ.exact; f.typ.exact < 0 || exact > maxFixed {
				exact = math.MinInt32
			}
		}
		n.least, n.exact = least, max(exact, -1)
	case kindUnion:
		least := maxFixed
		for _, b := range n.branches {
			measure(b, seen)
			least = min(least, b.least)
		}
		n.least = 1 + least
	default:
		n.least = 1
	}
}
