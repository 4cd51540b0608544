package protobuf

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// binder finds columns in a message of a schema.
type binder struct {
	// writing: the columns must be there, and the values fit for being written.
	writing bool
}

// message finds the fields of a list in a message: by their names as they stand, or else the ones whose names are theirs in upper
// case. Those that are not there are null when read.
func (b *binder) message(list []types.Field, d protoreflect.MessageDescriptor, at string) (*message, error) {
	m := &message{fields: make([]field, len(list))}
	used := map[protoreflect.FullName]bool{}
	for i, f := range list {
		fd, od := lookUp(d, f.Name, b.writing)
		var err error
		switch {
		case fd != nil:
			used[fd.FullName()] = true
			m.fields[i], err = b.field(f.Type, fd, at+"->"+f.Name)
			m.put(m.fields[i].number, place{field: int32(i + 1)})
		case od != nil:
			used[od.FullName()] = true
			m.fields[i], err = b.oneof(m, i, f.Type, od, at+"->"+f.Name)
		case b.writing:
			err = fmt.Errorf("Schema from Schema Registry misses field with name: %s", f.Name)
		default:
			m.fields[i] = field{typ: f.Type}
		}
		if err != nil {
			return nil, err
		}
		if m.fields[i].number > 0 {
			m.order = append(m.order, i)
		}
	}
	if b.writing {
		for i := range d.Fields().Len() {
			if fd := d.Fields().Get(i); fd.Cardinality() == protoreflect.Required && !used[fd.FullName()] {
				return nil, fmt.Errorf("Missing default value for required Protobuf field: [%s]. "+
					"This field appears in Protobuf schema in Schema Registry", fd.Name())
			}
		}
	}
	slices.SortStableFunc(m.order, func(x, y int) int { return int(m.fields[x].number - m.fields[y].number) })
	return m, nil
}

// lookUp finds a field or a oneof of a message by the name of a column. Connect has a oneof as a STRUCT of its members, named
// after it and its place among the oneofs.
func lookUp(d protoreflect.MessageDescriptor, name string, exactly bool) (protoreflect.FieldDescriptor, protoreflect.OneofDescriptor) {
	fits := []func(string) bool{func(s string) bool { return s == name }, func(s string) bool { return strings.ToUpper(s) == name }}
	if exactly {
		fits = fits[:1]
	}
	for _, fit := range fits {
		for i := range d.Fields().Len() {
			fd := d.Fields().Get(i)
			if realOneof(fd) == nil && fit(string(fd.Name())) {
				return fd, nil
			}
		}
		for i := range d.Oneofs().Len() {
			od := d.Oneofs().Get(i)
			if !od.IsSynthetic() && fit(oneofName(od)) {
				return nil, od
			}
		}
	}
	return nil, nil
}

// realOneof is the oneof that a field is a member of, not counting the one behind `optional`.
func realOneof(fd protoreflect.FieldDescriptor) protoreflect.OneofDescriptor {
	if od := fd.ContainingOneof(); od != nil && !od.IsSynthetic() {
		return od
	}
	return nil
}

func oneofName(od protoreflect.OneofDescriptor) string {
	return fmt.Sprintf("%s_%d", od.Name(), od.Index())
}

// oneof binds a STRUCT to the members of a oneof, which are fields of m.
func (b *binder) oneof(m *message, index int, t *types.Type, od protoreflect.OneofDescriptor, at string) (field, error) {
	f := field{typ: t}
	if t.Kind != types.Struct {
		return f, mismatch("struct", t, at)
	}
	f.members = make([]field, len(t.Fields))
	members := od.Fields()
	for i := range members.Len() {
		m.put(members.Get(i).Number(), place{int32(index + 1), otherMember})
	}
	for i, part := range t.Fields {
		var found protoreflect.FieldDescriptor
		for _, name := range []func(string) string{func(s string) string { return s }, strings.ToUpper} {
			for k := range members.Len() {
				if found == nil && name(string(members.Get(k).Name())) == part.Name {
					found = members.Get(k)
				}
			}
		}
		if found == nil {
			if b.writing {
				return f, fmt.Errorf("Schema from Schema Registry misses field with name: %s", part.Name)
			}
			f.members[i] = field{typ: part.Type}
			continue
		}
		member, err := b.field(part.Type, found, at+"->"+part.Name)
		if err != nil {
			return f, err
		}
		member.isOptional = true
		f.members[i] = member
		f.number = max(f.number, member.number)
		m.put(member.number, place{int32(index + 1), int32(i + 1)})
	}
	return f, nil
}

func (b *binder) field(t *types.Type, fd protoreflect.FieldDescriptor, at string) (field, error) {
	f := field{typ: t, number: fd.Number(), required: fd.Cardinality() == protoreflect.Required}
	var err error
	switch {
	case fd.Cardinality() == protoreflect.Repeated && t.Kind == types.Map && entryFields(fd) != nil:
		f.repeated = true
		f.value = value{typ: t, kind: kindMessage, wire: protowire.BytesType}
		f.value.fields, err = b.message([]types.Field{{Name: "key", Type: t.Key}, {Name: "value", Type: t.Elem}}, fd.Message(), at)
		return f, err
	case fd.Cardinality() == protoreflect.Repeated:
		if t.Kind != types.Array {
			return f, mismatch("array", t, at)
		}
		f.repeated = true
		f.value, err = b.value(t.Elem, fd, at)
		f.value.packed = fd.IsPacked()
		return f, err
	}
	f.value, err = b.value(t, fd, at)
	f.isOptional = fd.HasPresence() && f.value.kind.isScalar() && !f.value.wrapped
	return f, err
}

// entryFields are key and value of a message that is an entry of a MAP; nil when it is none.
func entryFields(fd protoreflect.FieldDescriptor) protoreflect.FieldDescriptors {
	m := fd.Message()
	if m == nil || m.Fields().Len() != 2 || m.Fields().Get(0).Name() != "key" || m.Fields().Get(1).Name() != "value" {
		return nil
	}
	return m.Fields()
}

func (b *binder) value(t *types.Type, fd protoreflect.FieldDescriptor, at string) (value, error) {
	k, wrapped := kindOf(fd)
	v := value{typ: t, kind: k, wire: k.wire(), wrapped: wrapped}
	if ok := k.reads(t); !ok || b.writing && !k.writes(t) {
		return v, mismatch(k.connectName(), t, at)
	}
	var err error
	switch k {
	case kindEnum:
		v.enum = newEnum(fd.Enum())
	case kindMessage, kindGroup:
		v.fields, err = b.message(t.Fields, fd.Message(), at)
	}
	return v, err
}

// mismatch says in ksqlDB's words that a column cannot be read from what the schema has, Connect's names of types included.
func mismatch(have string, t *types.Type, at string) error {
	want := "struct"
	switch t.Kind {
	case types.Array:
		want = "array"
	case types.Map:
		want = "map"
	case types.Struct:
	default:
		want = kindFor(t).connectName()
	}
	if want == have {
		have = "another " + have
	}
	return fmt.Errorf("Cannot deserialize type %s as type %s for path: %s", have, want, at)
}

var errRecursive = errors.New("ksqlDB has no types that contain themselves")

// maxFields bounds how many fields the types of a schema's columns have in all.
const maxFields = 20_000

// reader makes columns of messages.
type reader struct {
	open   []protoreflect.FullName
	fields int
}

// structOf is the fields of a message as Connect has them: oneofs first, then the others as they are written.
func (r *reader) structOf(d protoreflect.MessageDescriptor) ([]types.Field, error) {
	if slices.Contains(r.open, d.FullName()) {
		return nil, fmt.Errorf("message %s contains itself: %w", d.FullName(), errRecursive)
	}
	r.open = append(r.open, d.FullName())
	defer func() { r.open = r.open[:len(r.open)-1] }()
	if r.fields += d.Fields().Len(); r.fields > maxFields {
		return nil, fmt.Errorf("the messages of the schema have more than %d fields", maxFields)
	}
	out := []types.Field{}
	for i := range d.Oneofs().Len() {
		od := d.Oneofs().Get(i)
		if od.IsSynthetic() {
			continue
		}
		members := []types.Field{}
		for k := range od.Fields().Len() {
			f, err := r.field(od.Fields().Get(k))
			if err != nil {
				return nil, err
			}
			members = append(members, f)
		}
		out = append(out, types.Field{Name: oneofName(od), Type: types.StructOf(members...)})
	}
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		if realOneof(fd) != nil {
			continue
		}
		f, err := r.field(fd)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (r *reader) field(fd protoreflect.FieldDescriptor) (types.Field, error) {
	f := types.Field{Name: string(fd.Name())}
	if fd.Cardinality() != protoreflect.Repeated {
		var err error
		f.Type, err = r.typ(fd)
		return f, err
	}
	if entry := entryFields(fd); entry != nil && strings.HasSuffix(string(fd.Message().Name()), "Entry") &&
		entry.Get(0).Cardinality() != protoreflect.Repeated && entry.Get(1).Cardinality() != protoreflect.Repeated {
		// Whatever the key is, ksqlDB has it as text.
		if k, _ := kindOf(entry.Get(0)); k.reads(types.StringType) {
			elem, err := r.typ(entry.Get(1))
			if err != nil {
				return f, err
			}
			f.Type = types.MapOf(types.StringType, elem)
			return f, nil
		}
	}
	elem, err := r.typ(fd)
	if err != nil {
		return f, err
	}
	f.Type = types.ArrayOf(elem)
	return f, nil
}

func (r *reader) typ(fd protoreflect.FieldDescriptor) (*types.Type, error) {
	k, _ := kindOf(fd)
	switch k {
	case kindDecimal:
		return decimalType(fd)
	case kindMessage, kindGroup:
		fields, err := r.structOf(fd.Message())
		if err != nil {
			return nil, err
		}
		return types.StructOf(fields...), nil
	}
	return k.typeOf(), nil
}
