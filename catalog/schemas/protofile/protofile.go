// Package protofile compiles the texts of Protobuf schemas with what they import: other schemas, and the files that every
// registry knows.
package protofile

import (
	"embed"
	"encoding/base64"
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
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// known are the files that schemas import without a reference. Those of google/protobuf come with the compiler.
//
//go:embed imports
var known embed.FS

// metaFile defines the options in which Connect keeps what Protobuf has no words for. It uses them without importing the file.
const metaFile, metaPrefix = "confluent/meta.proto", "confluent."

// maxTextBytes bounds the text of a schema.
const maxTextBytes = 1 << 20

// name is that of the schema itself in messages.
const name = "schema.proto"

// Compiled is a schema that was compiled. Immutable; safe for concurrent use.
type Compiled struct {
	// File is the schema. Options that nobody defines are left out of it.
	File protoreflect.FileDescriptor
	// IsWhole says that File has what the text says and no more, comments apart.
	IsWhole bool
}

// Compile reads a schema: a .proto file, or the base64 form of the bytes of its FileDescriptorProto, which some clients send.
// imports are what it refers to, directly or not, by name. It is as lenient as Confluent's registry: options that nobody
// defines are no errors. The error says what is wrong with the schema.
func Compile(s schemas.Schema, imports map[string]schemas.Schema) (c Compiled, err error) {
	if s.Kind != schemas.Protobuf {
		return c, fmt.Errorf("the schema is one of kind %s, not %s", s.Kind, schemas.Protobuf)
	}
	// The text is a user's and the compiler somebody else's: what it does not expect must not end the server.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the schema cannot be compiled: %v", p)
		}
	}()
	x := compilation{imports: imports, done: map[string]linker.File{}, symbols: &linker.Symbols{}}
	file, err := x.file(name, s.Text)
	if err != nil {
		return c, err
	}
	return Compiled{File: file, IsWhole: x.isWhole}, nil
}

// compilation compiles a file and what it imports, one after the other.
type compilation struct {
	imports map[string]schemas.Schema
	done    map[string]linker.File
	symbols *linker.Symbols
	// open are the files that wait for their imports.
	open    []string
	isWhole bool
}

func (c *compilation) file(name, text string) (linker.File, error) {
	if len(text) > maxTextBytes {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxTextBytes)
	}
	parsed, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	p := parsed.FileDescriptorProto()
	changed := dropOptions(p.ProtoReflect())
	if name != metaFile && strings.Contains(text, "("+metaPrefix) && !slices.Contains(p.Dependency, metaFile) {
		p.Dependency = append(p.Dependency, metaFile)
		changed = true
	}
	if len(c.open) == 0 {
		c.isWhole = !changed
	}
	c.open = append(c.open, name)
	deps := make(linker.Files, len(p.Dependency))
	for i, dep := range p.Dependency {
		if deps[i], err = c.imported(dep); err != nil {
			return nil, fmt.Errorf("%s: import %q: %w", name, dep, err)
		}
	}
	c.open = c.open[:len(c.open)-1]
	linked, err := linker.Link(parsed, deps, c.symbols, reporter.NewHandler(nil))
	if err != nil {
		return nil, err
	}
	if _, err := options.InterpretOptionsLenient(linked); err != nil {
		return nil, err
	}
	return linked, nil
}

// parse reads a file as text, or else as the bytes of a descriptor.
func parse(name, text string) (parser.Result, error) {
	handler := reporter.NewHandler(nil)
	tree, err := parser.Parse(name, strings.NewReader(text), handler)
	if err == nil {
		return parser.ResultFromAST(tree, true, handler)
	}
	raw, notBase64 := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if notBase64 != nil || len(raw) == 0 {
		return nil, err
	}
	p := &descriptorpb.FileDescriptorProto{}
	if proto.Unmarshal(raw, p) != nil || len(p.MessageType)+len(p.EnumType)+len(p.Dependency) == 0 {
		return nil, err
	}
	p.Name = &name
	return parser.ResultWithoutAST(p), nil
}

// dropOptions takes away the options that extensions define, but for Connect's, and says whether there were any: nothing here
// depends on them, and the compiler takes none that it does not know.
func dropOptions(m protoreflect.Message) (dropped bool) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil || fd.IsMap():
		case !fd.IsList():
			dropped = dropOptions(v.Message()) || dropped
		case fd.Message().FullName() == "google.protobuf.UninterpretedOption":
			list, kept := v.List(), 0
			for i := range list.Len() {
				o, _ := list.Get(i).Message().Interface().(*descriptorpb.UninterpretedOption)
				if n := o.GetName(); len(n) > 0 && n[0].GetIsExtension() && !strings.HasPrefix(strings.TrimPrefix(n[0].GetNamePart(), "."), metaPrefix) {
					dropped = true
					continue
				}
				list.Set(kept, list.Get(i))
				kept++
			}
			list.Truncate(kept)
		default:
			for i := range v.List().Len() {
				dropped = dropOptions(v.List().Get(i).Message()) || dropped
			}
		}
		return true
	})
	return dropped
}

// imported finds a file by the name in an import: one that the schema refers to, one that all know, one of the compiler's.
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
	standard := protocompile.WithStandardImports(protocompile.ResolverFunc(func(string) (protocompile.SearchResult, error) {
		return protocompile.SearchResult{}, errors.New("the schema has no reference of this name")
	}))
	found, err := standard.FindFileByPath(name)
	if err != nil {
		return nil, err
	}
	f, err := linker.NewFileRecursive(found.Desc)
	if err != nil {
		return nil, err
	}
	return f, c.symbols.Import(f, reporter.NewHandler(nil))
}
