package jsonsr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// document is a JSON schema, or one within another.
type document struct {
	// root is the document as a whole, for references.
	root *document
	// members are those of the object; always is set when the schema is a boolean instead.
	members map[string]json.RawMessage
	always  *bool
}

// maxSchemaBytes bounds the text of a schema.
const maxSchemaBytes = 1 << 20

func parse(text string) (*document, error) {
	if len(text) > maxSchemaBytes {
		return nil, fmt.Errorf("the schema is longer than %d bytes", maxSchemaBytes)
	}
	d := &document{}
	d.root = d
	return d, d.read(json.RawMessage(text))
}

func (d *document) read(raw json.RawMessage) error {
	var always bool
	if json.Unmarshal(raw, &always) == nil {
		d.always = &always
		return nil
	}
	if err := json.Unmarshal(raw, &d.members); err != nil {
		return fmt.Errorf("no JSON schema: %w", err)
	}
	return nil
}

// within reads a schema that is part of this one.
func (d *document) within(raw json.RawMessage) (*document, error) {
	inner := &document{root: d.root}
	return inner, inner.read(raw)
}

// text is a member that is a text, "" when it is none.
func (d *document) text(name string) string {
	var s string
	_ = json.Unmarshal(d.members[name], &s) // Anything else is as good as nothing.
	return s
}

// number is a member that is a whole number.
func (d *document) number(name string) (int, bool) {
	var n *int
	if json.Unmarshal(d.members[name], &n) != nil || n == nil {
		return 0, false
	}
	return *n, true
}

// has says whether a member is there.
func (d *document) has(name string) bool { return d.members[name] != nil }

// list is a member that is a list of schemas.
func (d *document) list(name string) ([]*document, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(d.members[name], &raw); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	out := make([]*document, len(raw))
	var err error
	for i := range raw {
		if out[i], err = d.within(raw[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// typeNames are the names in `type`, which is a text or a list.
func (d *document) typeNames() []string {
	if one := d.text("type"); one != "" {
		return []string{one}
	}
	var names []string
	_ = json.Unmarshal(d.members["type"], &names)
	return names
}

// memberNames are the names of an object's members in the order of the text.
func memberNames(raw json.RawMessage) ([]string, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("properties: no object")
	}
	var names []string
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if !seen[name] {
			names = append(names, name)
		}
		seen[name] = true
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	return names, nil
}

// resolver finds what references name.
type resolver struct {
	imports map[string]schemas.Schema
	parsed  map[string]*document
}

// find follows a reference from a document: a JSON pointer or an anchor in the document itself or one that it refers to.
func (r *resolver) find(from *document, ref string) (*document, error) {
	name, fragment, _ := strings.Cut(ref, "#")
	root := from.root
	if name != "" && name != root.text("$id") {
		var err error
		if root, err = r.document(name); err != nil {
			return nil, err
		}
	}
	switch {
	case fragment == "":
		return root, nil
	case fragment[0] != '/':
		return anchored(root, fragment)
	}
	at := root
	for _, step := range strings.Split(fragment[1:], "/") {
		next, err := at.step(unescape(step))
		if err != nil {
			return nil, fmt.Errorf("the reference %q leads nowhere: %w", ref, err)
		}
		at = next
	}
	return at, nil
}

// unescape is a step of a JSON pointer in a URL.
func unescape(step string) string {
	step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
	var out []byte
	for i := 0; i < len(step); i++ {
		if step[i] == '%' && i+2 < len(step) {
			var b byte
			if _, err := fmt.Sscanf(step[i+1:i+3], "%02x", &b); err == nil {
				out, i = append(out, b), i+2
				continue
			}
		}
		out = append(out, step[i])
	}
	return string(out)
}

// step goes to a member of an object or an item of a list.
func (d *document) step(name string) (*document, error) {
	if raw, ok := d.members[name]; ok {
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) == nil && items != nil {
			// A list is seen as an object whose members are its places.
			inner := &document{root: d.root, members: map[string]json.RawMessage{}}
			for i, item := range items {
				inner.members[fmt.Sprint(i)] = item
			}
			return inner, nil
		}
		return d.within(raw)
	}
	return nil, fmt.Errorf("there is no %q", name)
}

// anchored finds the definition that names itself.
func anchored(root *document, anchor string) (*document, error) {
	for _, group := range []string{"definitions", "$defs"} {
		var all map[string]json.RawMessage
		if json.Unmarshal(root.members[group], &all) != nil {
			continue
		}
		for _, raw := range all {
			d, err := root.within(raw)
			if err == nil && (d.text("$anchor") == anchor || d.text("$id") == "#"+anchor) {
				return d, nil
			}
		}
	}
	return nil, fmt.Errorf("nothing in the schema is called #%s", anchor)
}

// document is one that the schema refers to, by its name or the end of its address.
func (r *resolver) document(name string) (*document, error) {
	if d, ok := r.parsed[name]; ok {
		return d, nil
	}
	s, ok := r.imports[name]
	for known := range r.imports {
		if !ok && (strings.HasSuffix(known, "/"+name) || strings.HasSuffix(name, "/"+known)) {
			s, ok = r.imports[known], true
		}
	}
	if !ok {
		return nil, fmt.Errorf("the schema has no reference of the name %q", name)
	}
	d, err := parse(s.Text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if r.parsed == nil {
		r.parsed = map[string]*document{}
	}
	r.parsed[name] = d
	return d, nil
}
