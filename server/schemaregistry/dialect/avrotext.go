package dialect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// avroText writes an Avro schema as Java's library prints it: attributes in its order, without blanks, namespaces only where
// they differ from the one around, primitive types by their bare names.
func avroText(text string, w avroWriter) (string, error) {
	v, err := parseJSON(text)
	if err != nil {
		// A bare name is no JSON, but a schema for everybody who writes one.
		if name := strings.TrimSpace(text); slices.Contains(avroPrimitives, name) {
			return `"` + name + `"`, nil
		}
		return "", err
	}
	out, err := w.schema(v, "")
	if err != nil {
		return "", err
	}
	return writeJSON(out), nil
}

var avroPrimitives = []string{"null", "boolean", "int", "long", "float", "double", "bytes", "string"}

// avroWriter says how schemas are written.
type avroWriter struct {
	// sorted orders the attributes that Avro does not know by their names.
	sorted bool
	// nullLast moves null to the end of the unions of fields without default, where it is nothing that a value could begin as.
	nullLast bool
}

// schema rewrites a schema that stands in a namespace.
func (w avroWriter) schema(v any, space string) (any, error) {
	switch v := v.(type) {
	case string:
		return relativeName(v, space), nil
	case []any:
		out := make([]any, len(v))
		for i, branch := range v {
			var err error
			if out[i], err = w.schema(branch, space); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *object:
		return w.object(v, space)
	}
	return nil, fmt.Errorf("%s is no schema", writeJSON(v))
}

func (w avroWriter) object(o *object, space string) (any, error) {
	t, ok := o.get("type")
	if !ok {
		return nil, errors.New(`no type in ` + writeJSON(o))
	}
	kind, ok := t.(string)
	if !ok {
		return w.schema(t, space)
	}
	out := &object{members: []member{{"type", kind}}}
	var err error
	switch kind {
	case "record", "error", "enum", "fixed":
		return w.named(o, out, space)
	case "array":
		err = w.child(o, out, "items", space)
		w.attributes(o, out, reservedByAvro...)
	case "map":
		err = w.child(o, out, "values", space)
		w.attributes(o, out, reservedByAvro...)
	default:
		if !slices.Contains(avroPrimitives, kind) {
			return relativeName(kind, space), nil
		}
		if w.attributes(o, out, reservedByAvro...); len(out.members) == 1 {
			return kind, nil
		}
	}
	return out, err
}

// reservedByAvro are the attributes that mean something for some kind of schema. Java passes over them where they mean nothing, such
// as the name of an array.
var reservedByAvro = []string{"type", "name", "namespace", "doc", "fields", "items", "values", "size", "symbols", "aliases"}

// named rewrites a record, enum or fixed.
func (w avroWriter) named(o, out *object, space string) (any, error) {
	name := o.text("name")
	own := space
	if n, ok := o.get("namespace"); ok && n != nil {
		own = o.text("namespace")
	}
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		own, name = name[:i], name[i+1:]
	}
	out.set("name", name)
	if own != space {
		out.set("namespace", own)
	}
	copyMembers(o, out, "doc")
	if fields, ok := o.get("fields"); ok {
		list, ok := fields.([]any)
		if !ok {
			return nil, errors.New("the fields of " + name + " are no list")
		}
		rewritten := make([]any, len(list))
		for i, f := range list {
			field, ok := f.(*object)
			if !ok {
				return nil, errors.New("a field of " + name + " is no object")
			}
			var err error
			if rewritten[i], err = w.field(field, own); err != nil {
				return nil, err
			}
		}
		out.set("fields", rewritten)
	}
	copyMembers(o, out, "size", "symbols", "default")
	w.attributes(o, out, "type", "name", "namespace", "doc", "fields", "size", "symbols", "default", "aliases")
	copyMembers(o, out, "aliases")
	return out, nil
}

func (w avroWriter) field(o *object, space string) (any, error) {
	out := &object{}
	copyMembers(o, out, "name")
	if err := w.child(o, out, "type", space); err != nil {
		return nil, err
	}
	if _, hasDefault := o.get("default"); w.nullLast && !hasDefault {
		if union := listOf(out.members[len(out.members)-1].value); len(union) > 1 && union[0] == "null" {
			out.set("type", append(slices.Clone(union[1:]), union[0]))
		}
	}
	copyMembers(o, out, "doc", "default")
	if order := o.text("order"); order != "" && order != "ascending" {
		out.set("order", order)
	}
	if list, _ := o.get("aliases"); list != nil {
		if l, ok := list.([]any); !ok || len(l) > 0 {
			out.set("aliases", list)
		}
	}
	w.attributes(o, out, "name", "type", "doc", "default", "order", "aliases")
	return out, nil
}

// child rewrites the schema in a member.
func (w avroWriter) child(o, out *object, name, space string) error {
	v, ok := o.get(name)
	if !ok {
		return errors.New("no " + name + " in " + writeJSON(o))
	}
	s, err := w.schema(v, space)
	if err == nil {
		out.set(name, s)
	}
	return err
}

// attributes copies the members that are none of those named.
func (w avroWriter) attributes(o, out *object, but ...string) {
	var rest []member
	for _, m := range o.members {
		if !slices.Contains(but, m.name) {
			rest = append(rest, m)
		}
	}
	if w.sorted {
		slices.SortFunc(rest, func(a, b member) int { return strings.Compare(a.name, b.name) })
	}
	out.members = append(out.members, rest...)
}

// copyMembers copies members that there are and that are not null, unless null means something.
func copyMembers(o, out *object, names ...string) {
	for _, name := range names {
		if v, ok := o.get(name); ok && (v != nil || name == "default") {
			out.set(name, v)
		}
	}
}

// relativeName is a name as it is written in a namespace.
func relativeName(name, space string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || name[:i] != space || slices.Contains(avroPrimitives, name[i+1:]) {
		return name
	}
	return name[i+1:]
}
