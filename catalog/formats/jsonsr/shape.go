package jsonsr

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// shape is what a schema says of a value.
type shape struct {
	// typ is the type of a column of it.
	typ *types.Type
	// nullable says that null is a value.
	nullable bool
	// isAny says that every value fits; it is read as text.
	isAny bool
	// isText says of a DECIMAL that it is text: its digits without the point, two's complement, in base64.
	isText bool
	// isList says of a MAP that it is a list of entries.
	isList bool
	// fields are those of a STRUCT or the alternatives of a union.
	fields []property
	// elem is of the elements of an ARRAY or the values of a MAP.
	elem *shape
}

// property is a field of an object.
type property struct {
	name     string
	shape    *shape
	required bool
}

// shapeOf reads a schema.
func shapeOf(s schemas.Schema, imports map[string]schemas.Schema) (*shape, error) {
	if s.Kind != schemas.JSON {
		return nil, fmt.Errorf("the schema is one of kind %s, not %s", s.Kind, schemas.JSON)
	}
	d, err := parse(s.Text)
	if err != nil {
		return nil, err
	}
	r := reader{resolver: resolver{imports: imports}}
	return r.shape(d)
}

// reader makes shapes of schemas.
type reader struct {
	resolver resolver
	// open are the documents whose shape is being made, depth how deep one is within the other, count how many there are in all.
	open  []string
	depth int
	count int
}

// Limits of a schema.
const (
	maxDepth  = 100
	maxShapes = 20_000
)

func (r *reader) shape(d *document) (*shape, error) {
	r.depth++
	r.count++
	defer func() { r.depth-- }()
	if r.depth > maxDepth || r.count > maxShapes {
		return nil, fmt.Errorf("the schema is nested deeper than %d or has more than %d parts", maxDepth, maxShapes)
	}
	switch {
	case d.always != nil && !*d.always:
		return nil, errors.New("Unsupported schema type: no value fits it")
	case d.always != nil:
		return anything(), nil
	case d.has("$ref"):
		return r.reference(d.text("$ref"), d)
	case d.has("allOf"):
		return r.allOf(d)
	}
	if s, err := r.basic(d); s != nil || err != nil {
		return s, err
	}
	return anything(), nil
}

// anything is the shape of what a schema says nothing of. Whatever stands there is text.
func anything() *shape { return &shape{typ: types.StringType, nullable: true, isAny: true} }

func (r *reader) reference(ref string, d *document) (*shape, error) {
	to, err := r.resolver.find(d, ref)
	if err != nil {
		return nil, err
	}
	// Documents are read anew for each reference: what they are is told by where the reference leads.
	key := fmt.Sprintf("%p %s", to.root, ref)
	if slices.Contains(r.open, key) {
		return nil, fmt.Errorf("the schema contains itself by the reference %q: ksqlDB has no types that contain themselves", ref)
	}
	r.open = append(r.open, key)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	return r.shape(to)
}

// basic is the shape by what the document says itself: its types, alternatives, values. nil if it says nothing.
func (r *reader) basic(d *document) (*shape, error) {
	names := d.typeNames()
	if len(names) == 0 {
		switch {
		case d.has("properties") || d.has("additionalProperties") && isObject(d.members["additionalProperties"]):
			names = []string{"object"}
		case d.has("items"):
			names = []string{"array"}
		}
	}
	// Fields come before alternatives, alternatives before anything else.
	isStruct := slices.Contains(names, "object") && d.has("properties")
	for _, of := range []string{"oneOf", "anyOf"} {
		if d.has(of) && !isStruct {
			list, err := d.list(of)
			if err != nil {
				return nil, err
			}
			return r.alternatives(list)
		}
	}
	switch {
	case len(names) == 1:
		return r.ofType(d, names[0])
	case len(names) > 1:
		list := make([]*document, len(names))
		for i, name := range names {
			members := make(map[string]json.RawMessage, len(d.members))
			for k, v := range d.members {
				members[k] = v
			}
			members["type"] = json.RawMessage(strconv.Quote(name))
			list[i] = &document{root: d.root, members: members}
		}
		return r.alternatives(list)
	case d.has("enum"), d.has("const"):
		return &shape{typ: types.StringType}, nil
	}
	return nil, nil
}

func isObject(raw json.RawMessage) bool {
	var m map[string]json.RawMessage
	return json.Unmarshal(raw, &m) == nil && m != nil
}

// alternatives is the shape of one of several: of one and null, it is that one; of more, a union.
func (r *reader) alternatives(list []*document) (*shape, error) {
	nullable := false
	var others []*document
	for _, d := range list {
		if names := d.typeNames(); len(names) == 1 && names[0] == "null" {
			nullable = true
			continue
		}
		others = append(others, d)
	}
	if len(others) == 0 {
		return nil, errors.New("Unsupported schema type: null is its only value")
	}
	if len(others) == 1 {
		s, err := r.shape(others[0])
		if err != nil {
			return nil, err
		}
		s.nullable = s.nullable || nullable
		return s, nil
	}
	out := &shape{nullable: nullable}
	fields := make([]types.Field, len(others))
	for i, d := range others {
		s, err := r.shape(d)
		if err != nil {
			return nil, err
		}
		s.nullable = true
		name := unionField + strconv.Itoa(i)
		out.fields = append(out.fields, property{name: name, shape: s})
		fields[i] = types.Field{Name: name, Type: s.typ}
	}
	out.typ = types.StructOf(fields...)
	return out, nil
}

func (r *reader) ofType(d *document, name string) (*shape, error) {
	title, connect := d.text("title"), d.text("connect.type")
	isDecimal := title == titleDecimal && connect == "bytes"
	switch name {
	case "boolean":
		return &shape{typ: types.BooleanType}, nil
	case "integer", "number":
		switch {
		case isDecimal:
			t, err := decimalOf(d)
			return &shape{typ: t}, err
		case connect == "int32" && title == titleDate:
			return &shape{typ: types.DateType}, nil
		case connect == "int32" && title == titleTime:
			return &shape{typ: types.TimeType}, nil
		case connect == "int64" && title == titleTimestamp:
			return &shape{typ: types.TimestampType}, nil
		}
		switch connect {
		case "int8", "int16", "int32":
			return &shape{typ: types.IntType}, nil
		case "int64":
			return &shape{typ: types.BigintType}, nil
		case "float32", "float64":
			return &shape{typ: types.DoubleType}, nil
		case "":
			if name == "integer" {
				return &shape{typ: types.BigintType}, nil
			}
			return &shape{typ: types.DoubleType}, nil
		}
		return nil, fmt.Errorf("Unsupported type %s", connect)
	case "string":
		switch {
		case isDecimal:
			t, err := decimalOf(d)
			return &shape{typ: t, isText: true}, err
		case connect == "bytes":
			return &shape{typ: types.BytesType}, nil
		}
		return &shape{typ: types.StringType}, nil
	case "array":
		return r.array(d)
	case "object":
		return r.object(d)
	case "null":
		return nil, errors.New("Unsupported schema type: null is its only value")
	}
	return nil, fmt.Errorf("Unsupported type %s", name)
}

// decimalOf is the type of a DECIMAL by Connect's parameters.
func decimalOf(d *document) (*types.Type, error) {
	var params map[string]string
	if err := json.Unmarshal(d.members["connect.parameters"], &params); err != nil || params["scale"] == "" {
		return nil, errors.New("Invalid Decimal schema: scale parameter not found.")
	}
	scale, err := strconv.Atoi(params["scale"])
	precision := 64
	if p := params["connect.decimal.precision"]; err == nil && p != "" {
		precision, err = strconv.Atoi(p)
	}
	if err != nil || precision < 1 || scale < 0 || scale > precision {
		return nil, fmt.Errorf("Invalid scale or precision parameter found in Decimal schema: %v", params)
	}
	return types.DecimalOf(precision, scale), nil
}

func (r *reader) array(d *document) (*shape, error) {
	if !d.has("items") {
		return nil, errors.New("Array schema did not specify the items type")
	}
	items, err := d.within(d.members["items"])
	if err != nil {
		return nil, err
	}
	elem, err := r.shape(items)
	if err != nil {
		return nil, err
	}
	if d.text("connect.type") == "map" && elem.typ.Kind == types.Struct {
		key, value := elem.field("key"), elem.field("value")
		if key != nil && value != nil {
			return &shape{typ: types.MapOf(types.StringType, value.typ), isList: true, elem: value}, nil
		}
	}
	return &shape{typ: types.ArrayOf(elem.typ), elem: elem}, nil
}

func (s *shape) field(name string) *shape {
	for _, p := range s.fields {
		if p.name == name {
			return p.shape
		}
	}
	return nil
}

// object is a MAP if Connect says so or if there is nothing but a schema for all members; else a STRUCT.
func (r *reader) object(d *document) (*shape, error) {
	values := d.members["additionalProperties"]
	if d.text("connect.type") == "map" || !d.has("properties") && isObject(values) {
		inner := &document{root: d.root}
		if values != nil {
			var err error
			if inner, err = d.within(values); err != nil {
				return nil, err
			}
		}
		elem, err := r.shape(inner)
		if err != nil {
			return nil, err
		}
		return &shape{typ: types.MapOf(types.StringType, elem.typ), elem: elem}, nil
	}
	properties, err := r.properties(d)
	if err != nil {
		return nil, err
	}
	return structOf(properties), nil
}

func structOf(properties []property) *shape {
	fields := make([]types.Field, len(properties))
	for i, p := range properties {
		fields[i] = types.Field{Name: p.name, Type: p.shape.typ}
	}
	return &shape{typ: types.StructOf(fields...), fields: properties}
}

// properties reads those of an object in Connect's order: by index, or else as its HashMap has them.
func (r *reader) properties(d *document) ([]property, error) {
	if !d.has("properties") {
		return nil, nil
	}
	names, err := memberNames(d.members["properties"])
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(d.members["properties"], &all); err != nil {
		return nil, err
	}
	var required []string
	_ = json.Unmarshal(d.members["required"], &required)
	hashOrder(names)
	out := make([]property, 0, len(names))
	indexes := map[string]int{}
	for i, name := range names {
		inner, err := d.within(all[name])
		if err != nil {
			return nil, err
		}
		s, err := r.shape(inner)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		indexes[name] = i
		if index, ok := inner.number("connect.index"); ok {
			indexes[name] = index
		}
		out = append(out, property{name: name, shape: s, required: slices.Contains(required, name)})
	}
	slices.SortStableFunc(out, func(a, b property) int { return indexes[a.name] - indexes[b.name] })
	return out, nil
}

// allOf is the shape of what fits several schemas: an object has the properties of all of them; else alternatives decide, then
// a reference, then the first that says something.
func (r *reader) allOf(d *document) (*shape, error) {
	parts, err := d.list("allOf")
	if err != nil {
		return nil, err
	}
	own := &document{root: d.root, members: map[string]json.RawMessage{}}
	for name, raw := range d.members {
		if name != "allOf" {
			own.members[name] = raw
		}
	}
	parts = append([]*document{own}, parts...)
	var shapes []*shape
	var merged []property
	for _, part := range parts {
		if part == own && len(own.typeNames()) == 0 && !own.has("properties") && !own.has("oneOf") && !own.has("anyOf") {
			continue
		}
		s, err := r.shape(part)
		if err != nil {
			return nil, err
		}
		if s.typ.Kind == types.Struct && !isUnion(s.typ) {
			for _, p := range s.fields {
				if i := slices.IndexFunc(merged, func(m property) bool { return m.name == p.name }); i >= 0 {
					merged[i] = p
				} else {
					merged = append(merged, p)
				}
			}
		}
		shapes = append(shapes, s)
	}
	if len(merged) > 0 {
		return structOf(merged), nil
	}
	for _, s := range shapes {
		if s.typ.Kind == types.Struct && isUnion(s.typ) {
			return s, nil
		}
	}
	if len(shapes) == 0 {
		return anything(), nil
	}
	return shapes[0], nil
}
