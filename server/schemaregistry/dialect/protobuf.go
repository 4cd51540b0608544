package dialect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jhump/protoreflect/v2/protoprint"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/schemas/protofile"
)

// protobufSchema is a compiled .proto file.
type protobufSchema struct {
	file    protoreflect.FileDescriptor
	isWhole bool
}

func parseProtobuf(s schemas.Schema, imports map[string]schemas.Schema, o Options) (string, language, error) {
	compiled, err := protofile.Compile(s, imports)
	if err != nil {
		return "", nil, err
	}
	p := &protobufSchema{compiled.File, compiled.IsWhole}
	text, ok := p.print(s.Text, imports, o)
	if !ok {
		// It says what the printer does not know: it stays as it is.
		text = strings.TrimSpace(s.Text) + "\n"
	}
	return text, p, nil
}

// print writes the file in one way, without comments. It is no answer unless the text means the same.
func (p *protobufSchema) print(original string, imports map[string]schemas.Schema, o Options) (string, bool) {
	if !p.isWhole {
		return "", false
	}
	printer := &protoprint.Printer{Compact: true, Indent: "  ", OmitComments: protoprint.CommentsAll, SortElements: o.Normalize}
	text, err := printer.PrintProtoToString(p.file)
	if err != nil || text == original {
		return text, err == nil
	}
	again, err := protofile.Compile(schemas.Schema{Kind: schemas.Protobuf, Text: text}, imports)
	if err != nil || !again.IsWhole {
		return "", false
	}
	if o.Normalize {
		// The order is another one, so that only the messages can be compared.
		there, back := &protobufSchema{file: again.File}, &protobufSchema{file: p.file}
		return text, len(there.reads(back)) == 0 && len(back.reads(there)) == 0
	}
	return text, proto.Equal(descriptorOf(p.file), descriptorOf(again.File))
}

// descriptorOf is a file as data.
func descriptorOf(f protoreflect.FileDescriptor) *descriptorpb.FileDescriptorProto {
	d := protodesc.ToFileDescriptorProto(f)
	d.SourceCodeInfo = nil
	return d
}

// serialized is the descriptor in bytes.
func (p *protobufSchema) serialized() ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(descriptorOf(p.file))
}

// reads implements language, by the rules of Confluent's registry: what may change is what leaves the bytes readable, and
// messages are not removed.
func (p *protobufSchema) reads(written language) []string {
	w, ok := written.(*protobufSchema)
	if !ok {
		return []string{"Incompatible because of different schema type"}
	}
	c := &protobufComparison{seen: map[[2]protoreflect.FullName]bool{}}
	if p.file.Package() != w.file.Package() {
		c.say("#", "the package is %q and was %q", p.file.Package(), w.file.Package())
	}
	c.messages(w.file.Messages(), p.file.Messages(), "#")
	return c.problems
}

type protobufComparison struct {
	problems []string
	// seen are the pairs of messages that were compared, or are being.
	seen map[[2]protoreflect.FullName]bool
}

func (c *protobufComparison) say(path, format string, args ...any) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, path+": "+fmt.Sprintf(format, args...))
	}
}

// messages compares messages of the same place, by name.
func (c *protobufComparison) messages(was, is protoreflect.MessageDescriptors, path string) {
	for i := range was.Len() {
		m := was.Get(i)
		if m.IsMapEntry() {
			continue
		}
		at := path + "/" + string(m.Name())
		now := is.ByName(m.Name())
		if now == nil {
			c.say(at, "the message was removed")
			continue
		}
		c.message(m, now, at)
	}
}

func (c *protobufComparison) message(was, is protoreflect.MessageDescriptor, path string) {
	pair := [2]protoreflect.FullName{was.FullName(), is.FullName()}
	if c.seen[pair] {
		return
	}
	c.seen[pair] = true
	c.oneofs(was, is, path)
	for _, n := range numbersOf(was, is) {
		before, after := was.Fields().ByNumber(n), is.Fields().ByNumber(n)
		at := fmt.Sprintf("%s/%d", path, n)
		switch {
		case after == nil:
			c.removed(before, is, at)
		case before == nil:
			if after.Cardinality() == protoreflect.Required {
				c.say(at, "the required field %s was added", after.Name())
			}
		default:
			c.field(before, after, at)
		}
	}
	c.messages(was.Messages(), is.Messages(), path)
}

// numbersOf are the numbers of the fields of two messages, ordered.
func numbersOf(messages ...protoreflect.MessageDescriptor) []protoreflect.FieldNumber {
	numbers := map[protoreflect.FieldNumber]bool{}
	for _, m := range messages {
		for i := range m.Fields().Len() {
			numbers[m.Fields().Get(i).Number()] = true
		}
	}
	return slices.Sorted(maps.Keys(numbers))
}

// oneofOf is the oneof that a field was written in, nil for others.
func oneofOf(f protoreflect.FieldDescriptor) protoreflect.OneofDescriptor {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return o
	}
	return nil
}

// removed looks at a field that is gone: it may be, unless it was required or one of a oneof that is still there in part.
func (c *protobufComparison) removed(was protoreflect.FieldDescriptor, is protoreflect.MessageDescriptor, path string) {
	if was.Cardinality() == protoreflect.Required {
		c.say(path, "the required field %s was removed", was.Name())
	}
	o := oneofOf(was)
	if o == nil {
		return
	}
	if is.Oneofs().ByName(o.Name()) != nil {
		c.say(path, "the field %s was removed from the oneof %s", was.Name(), o.Name())
		return
	}
	for i := range o.Fields().Len() {
		if is.Fields().ByNumber(o.Fields().Get(i).Number()) != nil {
			c.say(path, "the field %s was removed from the oneof %s", was.Name(), o.Name())
			return
		}
	}
}

// oneofs looks for fields that exclude each other now and did not before.
func (c *protobufComparison) oneofs(was, is protoreflect.MessageDescriptor, path string) {
	for i := range is.Oneofs().Len() {
		o := is.Oneofs().Get(i)
		// from are where the fields come from: each a oneof, or a field by itself. New fields come from nowhere.
		from := map[string]bool{}
		for j := range o.Fields().Len() {
			before := was.Fields().ByNumber(o.Fields().Get(j).Number())
			if before == nil {
				continue
			}
			if group := oneofOf(before); group != nil {
				from["oneof "+string(group.Name())] = true
			} else {
				from[string(before.Name())] = true
			}
		}
		if len(from) > 1 {
			c.say(path+"/"+string(o.Name()), "fields that could be set together exclude each other: %s", strings.Join(slices.Sorted(maps.Keys(from)), ", "))
		}
	}
}

func (c *protobufComparison) field(was, is protoreflect.FieldDescriptor, path string) {
	if was.IsMap() != is.IsMap() {
		c.say(path, "the field %s is a map on one side only", is.Name())
		return
	}
	if was.IsMap() {
		c.value(was.MapKey(), is.MapKey(), path)
		c.value(was.MapValue(), is.MapValue(), path)
		return
	}
	c.value(was, is, path)
	// Texts and messages may be repeated later on, or no longer; numbers are packed when they are.
	if was.Cardinality() != is.Cardinality() && scalarOf(was) == scalarOf(is) && scalarOf(is) != scalarText && scalarOf(is) != scalarNone {
		c.say(path, "the label of the number %s changed", is.Name())
	}
}

// value compares the types of two fields.
func (c *protobufComparison) value(was, is protoreflect.FieldDescriptor, path string) {
	if was.Message() == nil || is.Message() == nil {
		if scalarOf(was) != scalarOf(is) {
			c.say(path, "the type of %s changed from %s to %s", is.Name(), was.Kind(), is.Kind())
		}
		return
	}
	before, after := localName(was.Message()), localName(is.Message())
	if before != after || was.Kind() != is.Kind() {
		c.say(path, "the type of %s changed from %s to %s", is.Name(), before, after)
		return
	}
	if was.Message().ParentFile().Path() == is.Message().ParentFile().Path() && was.Message().ParentFile() != was.ParentFile() {
		if proto.Equal(descriptorOf(was.Message().ParentFile()), descriptorOf(is.Message().ParentFile())) {
			return
		}
	}
	c.message(was.Message(), is.Message(), path)
}

// localName is the name of a message without its package.
func localName(m protoreflect.MessageDescriptor) string {
	return strings.TrimPrefix(strings.TrimPrefix(string(m.FullName()), string(m.ParentFile().Package())), ".")
}

// scalar is a group of types that are read from the same bytes.
type scalar int

const (
	scalarNone scalar = iota
	scalarNumber
	scalarSigned
	scalarText
	scalarFixed32
	scalarFixed64
	scalarFloat
	scalarDouble
)

func scalarOf(f protoreflect.FieldDescriptor) scalar {
	switch f.Kind() {
	case protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.BoolKind, protoreflect.EnumKind:
		return scalarNumber
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return scalarSigned
	case protoreflect.StringKind, protoreflect.BytesKind:
		return scalarText
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return scalarFixed32
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return scalarFixed64
	case protoreflect.FloatKind:
		return scalarFloat
	case protoreflect.DoubleKind:
		return scalarDouble
	}
	return scalarNone
}
