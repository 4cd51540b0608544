package protobuf

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// SchemaFormat is the PROTOBUF format: messages of schemas in a registry. Safe for concurrent use.
type SchemaFormat struct {
	registry schemas.Registry
	files    *files
}

var _ formats.SchemaFormat = SchemaFormat{}

// NewSchema makes the format over a registry.
func NewSchema(r schemas.Registry) SchemaFormat {
	return SchemaFormat{registry: r, files: &files{registry: r, byID: map[int]compiled{}}}
}

const schemaFormatName = "PROTOBUF"

// Name is PROTOBUF.
func (SchemaFormat) Name() string { return schemaFormatName }

// Wrapping is always: a message has fields.
func (SchemaFormat) Wrapping() formats.Wrapping { return formats.WrapAlways }

// Kind is PROTOBUF.
func (SchemaFormat) Kind() schemas.Kind { return schemas.Protobuf }

// Properties are the number of the schema, the name of the message, and how null is told from defaults.
func (SchemaFormat) Properties() []string {
	return []string{formats.PropertySchemaID, formats.PropertySchemaFullName, nullableProperty}
}

// Check refuses what a message cannot carry.
func (f SchemaFormat) Check(spec *formats.Spec) error {
	if err := formats.CheckProperties(f, spec); err != nil {
		return err
	}
	if _, err := representationOf(spec); err != nil {
		return err
	}
	if _, _, err := spec.SchemaID(); err != nil {
		return err
	}
	for _, part := range strings.Split(spec.Properties[formats.PropertySchemaFullName], ".") {
		if name := spec.Properties[formats.PropertySchemaFullName]; name != "" && !isIdentifier(part) {
			return fmt.Errorf("%s is %q, which is no name of a message", formats.PropertySchemaFullName, name)
		}
	}
	for _, c := range spec.Columns {
		if reason := unsupported(c.Type, false); reason != "" {
			return formats.Unsupported(schemaFormatName, spec, fmt.Sprintf("column %s: %s", types.QuoteName(c.Name), reason))
		}
	}
	if reason := unnamable(spec.Columns); reason != "" {
		return formats.Unsupported(schemaFormatName, spec, reason)
	}
	return nil
}

// unnamable says what in columns has no place in the text of a schema, "" if nothing.
func unnamable(list []types.Column) string {
	for _, c := range list {
		if !isIdentifier(c.Name) {
			return fmt.Sprintf("%q is no name of a field: only letters of ASCII, digits and underscores can be in one, and no digit first", c.Name)
		}
		if reason := unnamableIn(c.Type); reason != "" {
			return reason
		}
	}
	return ""
}

func unnamableIn(t *types.Type) string {
	switch t.Kind {
	case types.Array:
		return unnamableIn(t.Elem)
	case types.Map:
		if t.Key.Kind != types.String {
			return "PROTOBUF format only supports MAP types with STRING keys. See https://github.com/confluentinc/ksql/issues/6177."
		}
		return unnamableIn(t.Elem)
	case types.Struct:
		fields := make([]types.Column, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = types.Column(f)
		}
		return unnamable(fields)
	}
	return ""
}

func isIdentifier(s string) bool {
	for i, c := range s {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// Schema is the schema of the columns: see [formats.SchemaFormat].
func (f SchemaFormat) Schema(spec *formats.Spec) (schemas.Schema, error) {
	if err := f.Check(spec); err != nil {
		return schemas.Schema{}, err
	}
	nullable, err := representationOf(spec)
	if err != nil {
		return schemas.Schema{}, err
	}
	text := schemaText(fieldsOf(spec), spec.Properties[formats.PropertySchemaFullName], nullable)
	return schemas.Schema{Kind: schemas.Protobuf, Text: text}, nil
}

func fieldsOf(spec *formats.Spec) []types.Field {
	fields := make([]types.Field, len(spec.Columns))
	for i, c := range spec.Columns {
		fields[i] = types.Field(c)
	}
	return fields
}

// Columns reads the columns out of a schema: see [formats.SchemaFormat].
func (SchemaFormat) Columns(s schemas.Schema, imports map[string]schemas.Schema, unwrapped bool, fullName string) ([]types.Column, error) {
	file, err := compile(s, imports)
	if err != nil {
		return nil, err
	}
	d, err := messageOf(file, fullName)
	if err != nil {
		return nil, err
	}
	var r reader
	fields, err := r.structOf(d)
	if err != nil {
		return nil, err
	}
	if unwrapped {
		return []types.Column{{Type: types.StructOf(fields...)}}, nil
	}
	if len(fields) == 0 {
		return nil, errors.New("Schema does not include any columns with types that ksqlDB supports.\nschema: message " + string(d.FullName()))
	}
	columns := make([]types.Column, len(fields))
	for i, f := range fields {
		columns[i] = types.Column(f)
	}
	return columns, nil
}

// CheckWritable says why rows cannot be written with a schema: see [formats.SchemaFormat].
func (SchemaFormat) CheckWritable(spec *formats.Spec, s schemas.Schema, imports map[string]schemas.Schema) error {
	file, err := compile(s, imports)
	if err != nil {
		return err
	}
	d, err := messageOf(file, spec.Properties[formats.PropertySchemaFullName])
	if err != nil {
		return err
	}
	b := binder{writing: true}
	_, err = b.message(fieldsOf(spec), d, "")
	return err
}

// NewDecoder makes a decoder.
func (f SchemaFormat) NewDecoder(spec *formats.Spec) (formats.Decoder, error) {
	if err := errors.Join(formats.CheckSpec(spec), f.Check(spec)); err != nil {
		return nil, err
	}
	return &schemaDecoder{spec: spec, fields: fieldsOf(spec), files: f.files, known: map[messageKey]*schemaPlan{}}, nil
}

// NewEncoder makes an encoder.
func (f SchemaFormat) NewEncoder(spec *formats.Spec) (formats.Encoder, error) {
	if err := errors.Join(formats.CheckSpec(spec), f.Check(spec)); err != nil {
		return nil, err
	}
	return &schemaEncoder{format: f, spec: spec}, nil
}

// schemaDecoder reads records of whatever message of whatever schema.
type schemaDecoder struct {
	spec   *formats.Spec
	fields []types.Field
	files  *files
	// last is the message of the record before, by the number of its schema and its indexes.
	last        *schemaPlan
	lastID      int
	lastIndexes string
	known       map[messageKey]*schemaPlan
}

type messageKey struct {
	id      int
	indexes string
}

// schemaPlan is how a message is read, or why it cannot be.
type schemaPlan struct {
	decoder *decoder
	err     error
}

// maxPlans bounds how many messages a decoder keeps plans of.
const maxPlans = 64

// Decode reads a record; see [formats.Decoder].
func (d *schemaDecoder) Decode(data []byte, row *types.Row) error {
	id, rest, err := schemas.SplitHeader(data)
	if err != nil {
		return err
	}
	indexes, rest, err := splitIndexes(rest)
	if err != nil {
		return err
	}
	if d.last == nil || id != d.lastID || string(indexes) != d.lastIndexes {
		plan, err := d.plan(id, indexes)
		if err != nil {
			return err
		}
		d.last, d.lastID, d.lastIndexes = plan, id, string(indexes)
	}
	if d.last.err != nil {
		return d.last.err
	}
	return d.last.decoder.Decode(rest, row)
}

func (d *schemaDecoder) plan(id int, indexes []byte) (*schemaPlan, error) {
	key := messageKey{id, string(indexes)}
	if p, ok := d.known[key]; ok {
		return p, nil
	}
	file, lasting, err := d.files.file(id)
	if err != nil && !lasting {
		return nil, err
	}
	p := &schemaPlan{err: err}
	if err == nil {
		p.decoder, p.err = d.bind(file, indexes)
	}
	if len(d.known) >= maxPlans {
		clear(d.known)
	}
	d.known[key] = p
	return p, nil
}

func (d *schemaDecoder) bind(file protoreflect.FileDescriptor, indexes []byte) (*decoder, error) {
	md, err := indexed(file, indexes)
	if err != nil {
		return nil, err
	}
	var b binder
	m, err := b.message(d.fields, md, "")
	if err != nil {
		return nil, err
	}
	return newDecoder(d.spec, m), nil
}

// schemaEncoder writes records of one message. What it is is found out with the first record.
type schemaEncoder struct {
	format SchemaFormat
	spec   *formats.Spec
	// head is what each record begins with.
	head []byte
	encoder
}

// Append writes a record; see [formats.Encoder].
func (e *schemaEncoder) Append(dst []byte, row *types.Row) ([]byte, bool, error) {
	if e.head == nil {
		if err := e.prepare(); err != nil {
			return dst, false, err
		}
	}
	at := len(dst)
	dst, isNull, err := e.encoder.Append(append(dst, e.head...), row)
	if isNull || err != nil {
		return dst[:at], isNull, err
	}
	return dst, false, nil
}

func (e *schemaEncoder) prepare() error {
	id, _, _, err := formats.WrittenSchema(e.format.registry, e.format, e.spec)
	if err != nil {
		return err
	}
	return formats.Unwritable(e.spec, e.bind(id))
}

// bind finds how the columns are written by the schema of a number.
func (e *schemaEncoder) bind(id int) error {
	file, _, err := e.format.files.file(id)
	if err != nil {
		return err
	}
	name := e.spec.Properties[formats.PropertySchemaFullName]
	if _, given := e.spec.Properties[formats.PropertySchemaID]; !given {
		name = "" // The schema of the columns has one message.
	}
	d, err := messageOf(file, name)
	if err != nil {
		return err
	}
	b := binder{writing: true}
	m, err := b.message(fieldsOf(e.spec), d, "")
	if err != nil {
		return err
	}
	e.encoder = encoder{spec: e.spec, message: m}
	e.head = appendIndexes(schemas.AppendHeader(nil, id), d)
	return nil
}

// files are the schemas of a registry, compiled. Safe for concurrent use.
type files struct {
	registry schemas.Registry
	mu       sync.Mutex
	byID     map[int]compiled
}

type compiled struct {
	file protoreflect.FileDescriptor
	err  error
}

// maxFiles bounds how many are kept.
const maxFiles = 500

// file is a schema by its number. A lasting error is one of the schema: asking again gives the same.
func (f *files) file(id int) (file protoreflect.FileDescriptor, lasting bool, err error) {
	f.mu.Lock()
	c, ok := f.byID[id]
	f.mu.Unlock()
	if ok {
		return c.file, true, c.err
	}
	s, err := f.registry.ByID(id)
	if err != nil {
		return nil, false, err
	}
	imports, err := schemas.Imports(f.registry, s)
	if err != nil {
		return nil, false, err
	}
	if c.file, c.err = compile(s, imports); c.err != nil {
		c.err = fmt.Errorf("schema %d: %w", id, c.err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.byID) >= maxFiles {
		clear(f.byID)
	}
	f.byID[id] = c
	return c.file, true, c.err
}
