package protobuf

import (
	"embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/options"
	"github.com/bufbuild/protocompile/parser"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// known are the files that schemas import without a reference to them: registries know them. Those of google/protobuf come with
// the compiler.
//
//go:embed imports
var known embed.FS

// metaFile defines the options in which Connect keeps what protobuf has no words for. Connect uses them without importing it.
const metaFile = "confluent/meta.proto"

// metaOption is the one of a field; number metaNumber.
const (
	metaOption = "confluent.field_meta"
	metaNumber = 1088
)

// maxSchemaBytes bounds the text of a schema.
const maxSchemaBytes = 1 << 20

// compile reads the text of a schema. It is as lenient as registries are: options that nobody defines and fields whose names
// differ only in what JSON leaves out are no errors.
func compile(s schemas.Schema, imports map[string]schemas.Schema) (file protoreflect.FileDescriptor, err error) {
	if s.Kind != schemas.Protobuf {
		return nil, fmt.Errorf("the schema is one of kind %s, not %s", s.Kind, schemas.Protobuf)
	}
	// The text is a user's and the compiler somebody else's: what it does not expect must not end the server.
	defer func() {
		if p := recover(); p != nil {
			file, err = nil, fmt.Errorf("the schema cannot be compiled: %v", p)
		}
	}()
	c := compilation{imports: imports, done: map[string]linker.File{}, symbols: &linker.Symbols{}}
	return c.file(schemaFile, s.Text)
}

// schemaFile is the name of the schema itself in messages.
const schemaFile = "schema.proto"

// compilation compiles a file and what it imports, one after the other.
type compilation struct {
	imports map[string]schemas.Schema
	done    map[string]linker.File
	symbols *linker.Symbols
	// open are the files that wait for their imports.
	open []string
}

func (c *compilation) file(name, text string) (linker.File, error) {
	if len(text) > maxSchemaBytes {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxSchemaBytes)
	}
	handler := reporter.NewHandler(nil)
	tree, err := parser.Parse(name, strings.NewReader(text), handler)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.ResultFromAST(tree, true, handler)
	if err != nil {
		return nil, err
	}
	proto := parsed.FileDescriptorProto()
	dropOptions(proto.ProtoReflect())
	if name != metaFile && strings.Contains(text, metaOption) && !slices.Contains(proto.Dependency, metaFile) {
		proto.Dependency = append(proto.Dependency, metaFile)
	}
	c.open = append(c.open, name)
	deps := make(linker.Files, len(proto.Dependency))
	for i, dep := range proto.Dependency {
		if deps[i], err = c.imported(dep); err != nil {
			return nil, fmt.Errorf("%s: import %q: %w", name, dep, err)
		}
	}
	c.open = c.open[:len(c.open)-1]
	linked, err := linker.Link(parsed, deps, c.symbols, handler)
	if err != nil {
		return nil, err
	}
	if _, err := options.InterpretOptionsLenient(linked); err != nil {
		return nil, err
	}
	return linked, nil
}

// dropOptions takes away the options that extensions define, but for Connect's: nothing here depends on them, and registries
// take schemas whose options nobody defines.
func dropOptions(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil || fd.IsMap():
		case !fd.IsList():
			dropOptions(v.Message())
		case fd.Message().FullName() == "google.protobuf.UninterpretedOption":
			list, kept := v.List(), 0
			for i := range list.Len() {
				o, _ := list.Get(i).Message().Interface().(*descriptorpb.UninterpretedOption)
				if n := o.GetName(); len(n) > 0 && n[0].GetIsExtension() && strings.TrimPrefix(n[0].GetNamePart(), ".") != metaOption {
					continue
				}
				list.Set(kept, list.Get(i))
				kept++
			}
			list.Truncate(kept)
		default:
			for i := range v.List().Len() {
				dropOptions(v.List().Get(i).Message())
			}
		}
		return true
	})
}

// imported finds a file by the name in an import: one that the schema refers to, one of ours, one of the compiler's.
func (c *compilation) imported(name string) (linker.File, error) {
	if f, ok := c.done[name]; ok {
		return f, nil
	}
	if slices.Contains(c.open, name) {
		return nil, errors.New("the files import each other in a circle")
	}
	f, err := c.load(name)
	if err == nil {
		c.done[name] = f
	}
	return f, err
}

func (c *compilation) load(name string) (linker.File, error) {
	if s, ok := c.imports[name]; ok {
		return c.file(name, s.Text)
	}
	if text, err := known.ReadFile(path.Join("imports", name)); err == nil {
		return c.file(name, string(text))
	}
	std := protocompile.WithStandardImports(protocompile.ResolverFunc(func(string) (protocompile.SearchResult, error) {
		return protocompile.SearchResult{}, errors.New("the schema has no reference of this name")
	}))
	found, err := std.FindFileByPath(name)
	if err != nil {
		return nil, err
	}
	f, err := linker.NewFileRecursive(found.Desc)
	if err != nil {
		return nil, err
	}
	return f, c.symbols.Import(f, reporter.NewHandler(nil))
}

// messageOf finds the message that a schema is about: the one of a name, or the first.
func messageOf(file protoreflect.FileDescriptor, fullName string) (protoreflect.MessageDescriptor, error) {
	list := file.Messages()
	if fullName == "" {
		if list.Len() == 0 {
			return nil, errors.New("the schema has no message")
		}
		return list.Get(0), nil
	}
	if m := findMessage(list, protoreflect.FullName(fullName)); m != nil {
		return m, nil
	}
	names := make([]string, list.Len())
	for i := range names {
		names[i] = string(list.Get(i).FullName())
	}
	return nil, fmt.Errorf("the schema has no message %s; it has %s", fullName, strings.Join(names, ", "))
}

func findMessage(list protoreflect.MessageDescriptors, name protoreflect.FullName) protoreflect.MessageDescriptor {
	for i := range list.Len() {
		m := list.Get(i)
		if m.FullName() == name {
			return m
		}
		if strings.HasPrefix(string(name), string(m.FullName())+".") {
			return findMessage(m.Messages(), name)
		}
	}
	return nil
}
