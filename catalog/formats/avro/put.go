package avro

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// put is how one value of ours is written as a type of a schema.
type putStep struct {
	from *types.Type
	to   *node
	// union says that the place of a branch is written first: value, or null, which is -1 if there is none.
	union       bool
	value, null int
	// instead are the bytes of the field's default where there is no null, as Connect writes them; nil if it has none.
	instead []byte
	// general says that to is a union of several types, made of a STRUCT with a field for each.
	general bool
	// items are the elements of an array or the values of a map, key the keys of entries.
	items, key *putStep
	keyFirst   bool
	// parts are the fields of a record in its order, or the branches of a union.
	parts   []putPart
	symbols map[string]int
}

// putPart writes a field of a record from a field of ours, or constant bytes.
type putPart struct {
	step     *putStep
	at       int
	constant []byte
	name     string
}

// compileEncoder makes the step that writes the columns of a side, and says why a schema does not do for them.
func compileEncoder(spec *formats.Spec, n *node) (*putStep, error) {
	if at := chosen(n, spec.Properties[formats.PropertySchemaFullName]); at >= 0 {
		s, err := compileColumns(spec, n.branches[at])
		if err != nil {
			return nil, err
		}
		s.union, s.value, s.null = true, at, n.nullBranch()
		return s, nil
	}
	return compileColumns(spec, n)
}

func compileColumns(spec *formats.Spec, n *node) (*putStep, error) {
	if spec.Unwrapped {
		return compilePut(spec.Columns[0].Type, n)
	}
	all := make([]types.Field, len(spec.Columns))
	for i, c := range spec.Columns {
		all[i] = types.Field(c)
	}
	return compilePut(types.StructOf(all...), n)
}

// compilePut makes the step that writes a type as one of a schema.
func compilePut(t *types.Type, n *node) (*putStep, error) {
	s := &putStep{from: t, to: n, null: -1}
	if n.kind == kindUnion {
		inner, at, ok := n.optional()
		if !ok {
			return s.branches()
		}
		s.union, s.value, s.null, s.to = true, at, n.nullBranch(), inner
	}
	return s, s.choose()
}

// writableKinds are the types of a schema that scalars can be written as: without loss, but for a double as the next float.
var writableKinds = map[types.Kind][]kind{
	types.Boolean: {kindBoolean},
	types.Int:     {kindInt, kindLong, kindDouble},
	types.Bigint:  {kindLong},
	types.Double:  {kindDouble, kindFloat},
	types.String:  {kindString, kindEnum},
	types.Bytes:   {kindBytes, kindFixed},
	types.Decimal: {kindBytes, kindFixed},
	types.Date:    {kindInt}, types.Time: {kindInt}, types.Timestamp: {kindLong},
}

// logicalOf are the logical types that some of ours must have in a schema; all others must have none.
var logicalOf = map[types.Kind]logical{
	types.Decimal: logicalDecimal, types.Date: logicalDate, types.Time: logicalTime, types.Timestamp: logicalTimestamp,
}

func (s *putStep) choose() (err error) {
	t, n := s.from, s.to
	switch t.Kind {
	case types.Array:
		if n.kind == kindArray && !n.items.isEntry {
			s.items, err = compilePut(t.Elem, n.items)
			return inside("ARRAY", err)
		}
	case types.Map:
		if key, value, ok := n.entry(); ok {
			s.keyFirst = n.items.fields[0].name == keyField
			if s.key, err = compilePut(t.Key, key); err != nil {
				return inside("MAP_KEY", err)
			}
			s.items, err = compilePut(t.Elem, value)
			return inside("MAP_VAL", err)
		}
		if n.kind == kindMap && t.Key.Kind == types.String {
			s.items, err = compilePut(t.Elem, n.items)
			return inside("MAP_VAL", err)
		}
	case types.Struct:
		if n.kind == kindRecord {
			return s.fields()
		}
	default:
		if s.isScalar() {
			return nil
		}
	}
	return fmt.Errorf("the schema has the type %s: %s cannot be written as that", n.describe(), t)
}

// isScalar says whether a scalar can be written, and makes the step know the symbols of an enum.
func (s *putStep) isScalar() bool {
	t, n := s.from, s.to
	if n.logical != logicalOf[t.Kind] {
		return false
	}
	for _, k := range writableKinds[t.Kind] {
		if n.kind != k {
			continue
		}
		if k == kindEnum {
			s.symbols = make(map[string]int, len(n.symbols))
			for i, symbol := range n.symbols {
				s.symbols[symbol] = i
			}
		}
		return n.logical != logicalDecimal || t.Scale <= n.scale && t.Precision-t.Scale <= n.precision-n.scale
	}
	return false
}

// describe is a type in messages.
func (n *node) describe() string {
	text := kindNames[n.kind]
	if n.name != "" {
		text += " " + n.name
	}
	switch n.logical {
	case logicalDecimal:
		text += fmt.Sprintf(" (decimal %d,%d)", n.precision, n.scale)
	case logicalDate:
		text += " (date)"
	case logicalTime:
		text += " (time-millis)"
	case logicalTimestamp:
		text += " (timestamp-millis)"
	}
	return text
}

// fields makes the steps of a record's fields: those that we have no column for are their default or null.
func (s *putStep) fields() error {
	t, n := s.from, s.to
	at := match(n.fields, fieldNames(t))
	found := make([]bool, len(t.Fields))
	for i, f := range n.fields {
		p := putPart{at: at[i], name: f.name}
		var err error
		if p.at >= 0 {
			found[p.at] = true
			if p.step, err = compilePut(t.Fields[p.at].Type, f.typ); err != nil {
				return inField(f.name, err)
			}
			if f.hasDefault && f.typ.nullBranch() < 0 {
				// A default that cannot be written does no harm while it is not needed.
				p.step.instead, _ = f.absent()
			}
		} else if p.constant, err = f.absent(); err != nil {
			return err
		}
		s.parts = append(s.parts, p)
	}
	for i, ok := range found {
		if !ok {
			return errors.New("Schema from Schema Registry misses field with name: " + t.Fields[i].Name)
		}
	}
	return nil
}

// absent are the bytes of a field that we have no column for.
func (f *field) absent() ([]byte, error) {
	if f.hasDefault {
		b, err := appendDefault(nil, f.typ, f.def)
		if err != nil {
			err = inField(f.name, err)
		}
		return b, err
	}
	if at := f.typ.nullBranch(); f.typ.kind == kindUnion && at >= 0 {
		return appendLong(nil, int64(at)), nil
	}
	return nil, fmt.Errorf("Missing default value for required Avro field: [%s]. This field appears in Avro schema in Schema Registry", f.name)
}

// branches makes the steps of a union of several types out of the fields of a STRUCT.
func (s *putStep) branches() (*putStep, error) {
	t, n := s.from, s.to
	s.null = n.nullBranch()
	if t.Kind != types.Struct {
		// Any branch that fits will do; the one that is null as well.
		for i, b := range n.branches {
			if inner, err := compilePut(t, b); b.kind != kindNull && err == nil {
				inner.union, inner.value, inner.null = true, i, s.null
				return inner, nil
			}
		}
		return nil, fmt.Errorf("the schema has a union there, of which no type fits a %s", t)
	}
	s.general = true
	var names []field
	for _, b := range n.branches {
		names = append(names, field{name: b.branchName()})
	}
	found := make([]bool, len(t.Fields))
	for i, k := range match(names, fieldNames(t)) {
		p := putPart{at: k, name: names[i].name}
		if k >= 0 {
			found[k] = true
			var err error
			if p.step, err = compilePut(t.Fields[k].Type, n.branches[i]); err != nil {
				return nil, inField(p.name, err)
			}
		}
		s.parts = append(s.parts, p)
	}
	for i, ok := range found {
		if !ok {
			return nil, fmt.Errorf("the schema has a union there, without a type called %s", t.Fields[i].Name)
		}
	}
	return s, nil
}

// inside says that an error is about what is in an array or map.
func inside(name string, err error) error {
	if err == nil {
		return nil
	}
	var p *pathError
	if errors.As(err, &p) {
		return &pathError{name + "->" + p.path, p.cause}
	}
	return &pathError{name, err}
}
