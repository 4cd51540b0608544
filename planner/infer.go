package planner

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// Columns whose schema is no record, and keys as a whole, get ksqlDB's names.
const (
	inferredKeyName   = "ROWKEY"
	inferredValueName = "ROWVAL"
)

// registry is the schema registry, or one that says that there is none.
func (env *Env) registry() schemas.Registry {
	if env.Schemas == nil {
		return schemas.None{}
	}
	return env.Schemas
}

// schemaFormat is the format of a name if it keeps schemas in the registry.
func (env *Env) schemaFormat(name string) (formats.SchemaFormat, bool) {
	f, ok := env.Formats.Lookup(name)
	if !ok {
		return nil, false
	}
	s, ok := f.(formats.SchemaFormat)
	return s, ok
}

// inferColumns fills in the columns that a statement leaves to the schema registry: those of a side that has none and whose
// format keeps schemas, from the newest schema of the topic, or from the one of KEY_SCHEMA_ID or VALUE_SCHEMA_ID. As in ksqlDB
// names are upper case then, unless the number was given. It also returns the schemas that the columns were read from, by whether
// they are the key's.
func (env *Env) inferColumns(st *ast.CreateSource, w *with) (*ast.CreateSource, map[bool]schemas.Registered, error) {
	topic, _ := w.text(withTopic)
	var key, value []ast.Column
	from := map[bool]schemas.Registered{}
	stated := map[bool]bool{}
	for _, c := range st.Columns {
		isKey := c.Constraint == ast.KeyConstraint || c.Constraint == ast.PrimaryConstraint
		stated[isKey] = stated[isKey] || isKey || c.Constraint == ast.NoConstraint
	}
	for _, isKey := range []bool{true, false} {
		columns, schema, err := env.inferSide(st, w, topic, isKey, stated[isKey])
		if err != nil {
			return nil, nil, err
		}
		if columns != nil {
			from[isKey] = schema
		}
		if isKey {
			key = columns
		} else {
			value = columns
		}
	}
	if key == nil && value == nil {
		return st, nil, nil
	}
	filled := *st
	filled.Columns = append(append(key[:len(key):len(key)], st.Columns...), value...)
	return &filled, from, nil
}

// writeInferred lets records that are written into a source have the schema that its columns were read from, where they can.
func (env *Env) writeInferred(src *catalog.Source, from map[bool]schemas.Registered) {
	for isKey, r := range from {
		format, columns := &src.ValueFormat, src.Schema.Value
		if isKey {
			format, columns = &src.KeyFormat, src.Schema.Key
		}
		f, keeps := env.schemaFormat(format.Name)
		if _, given := format.Properties[formats.PropertySchemaID]; given || !keeps || r.ID == 0 {
			// A schema that a statement before this one is yet to register has no number.
			continue
		}
		imports, err := schemas.Imports(env.registry(), r.Schema)
		if err != nil || f.CheckWritable(side{key: isKey, topic: src.Topic, columns: columns}.spec(*format), r.Schema, imports) != nil {
			continue
		}
		props := map[string]string{formats.PropertySchemaID: strconv.Itoa(r.ID)}
		maps.Copy(props, format.Properties)
		format.Properties = props
	}
}

// inferSide reads the columns of one side; nil when they are stated or there is nothing to read them from.
func (env *Env) inferSide(st *ast.CreateSource, w *with, topic string, isKey, stated bool) ([]ast.Column, schemas.Registered, error) {
	var none schemas.Registered
	name, at, err := env.declaredFormat(st, w, isKey)
	if err != nil {
		return nil, none, err
	}
	prefix := "VALUE"
	if isKey {
		prefix = "KEY"
	}
	id, hasID, err := w.number(prefix + "_SCHEMA_ID")
	if err != nil {
		return nil, none, err
	}
	f, keeps := env.schemaFormat(name)
	switch {
	case hasID && !keeps:
		return nil, none, schemaIDWithoutSchemas(at, prefix, name)
	case hasID && stated:
		p, _ := w.get(prefix + "_SCHEMA_ID")
		return nil, none, diag.Errorf(diag.InvalidSource, p.Span(), "Table elements and %s_SCHEMA_ID cannot both exist for create statement.", prefix).
			WithHint("Leave the columns out: they are those of the schema.")
	case stated || !keeps:
		return nil, none, nil
	}
	r, err := env.sideSchema(at, topic, isKey, id, hasID)
	if err != nil {
		return nil, none, err
	}
	fullName, _ := w.text(prefix + "_SCHEMA_FULL_NAME")
	unwrapped, err := env.unwrappedByFormat(w, f, isKey)
	if err != nil {
		return nil, none, err
	}
	columns, err := env.schemaColumns(f, r.Schema, unwrapped, strings.TrimSpace(fullName), isKey)
	if err != nil {
		return nil, none, cannotInfer(at, err, r.Schema, topic, isKey)
	}
	if !hasID {
		for i := range columns {
			columns[i] = types.Column(upperField(types.Field(columns[i])))
		}
	}
	defined, err := definitions(st, columns, isKey)
	return defined, r, err
}

// unwrappedByFormat says whether the whole schema of a side is one column: a key unless its format always wraps, a value when the
// statement says so.
func (env *Env) unwrappedByFormat(w *with, f formats.Format, isKey bool) (bool, error) {
	if isKey {
		return f.Wrapping() == formats.WrapOptional, nil
	}
	s := side{}
	if err := env.wrapping(w, &s); err != nil {
		return false, err
	}
	return s.wrapGiven && !s.wrap && f.Wrapping() == formats.WrapOptional, nil
}

func schemaIDWithoutSchemas(at diag.Span, prefix, format string) error {
	return diag.Errorf(diag.InvalidValue, at, "%s_FORMAT should support schema inference when %s_SCHEMA_ID is provided. Current format is %s.", prefix, prefix, format).
		WithHint("Formats with schemas are AVRO, JSON_SR and PROTOBUF.")
}

// sideSchema fetches the schema of a number, or else the newest one of a side of a topic.
func (env *Env) sideSchema(at diag.Span, topic string, isKey bool, id int64, hasID bool) (schemas.Registered, error) {
	if hasID {
		s, err := env.registry().ByID(int(id))
		r := schemas.Registered{Schema: s, ID: int(id)}
		if schemas.IsNotFound(err) {
			return r, diag.Errorf(diag.InvalidValue, at, "Schema for message %ss on topic '%s' does not exist in the Schema Registry.\nSchema Id: %d", sideNoun(isKey), topic, id).
				WithHint("GET /schemas/ids/%d of the registry shows a schema by its number.", id)
		}
		return r, registryError(at, err)
	}
	subject := schemas.Subject(topic, isKey)
	r, err := env.registry().Latest(subject)
	if schemas.IsNotFound(err) {
		return r, diag.Errorf(diag.InvalidSource, at, "Schema for message %ss on topic '%s' does not exist in the Schema Registry.\nSubject: %s", sideNoun(isKey), topic, subject).
			WithHint("State the columns, or register a schema for the subject; SHOW TOPICS lists the topics, PRINT '%s' FROM BEGINNING shows what one holds.", topic)
	}
	return r, registryError(at, err)
}

func sideNoun(isKey bool) string {
	if isKey {
		return "key"
	}
	return "value"
}

// registryError tells a statement's author that the registry failed; nil stays nil.
func registryError(at diag.Span, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, schemas.ErrNotConfigured):
		return &diag.Error{Code: diag.NotSupported, Span: at, Message: err.Error(), Cause: err}
	}
	return &diag.Error{Code: diag.InvalidSource, Span: at, Message: "Schema registry fetch failed: " + err.Error(), Cause: err}
}

func cannotInfer(at diag.Span, err error, s schemas.Schema, topic string, isKey bool) error {
	return &diag.Error{
		Code: diag.InvalidSource, Span: at, Cause: err,
		Message: fmt.Sprintf("Unable to verify if the %s schema for topic: %s is compatible with ksqlDB.\nReason: %s\n\n%s", sideNoun(isKey), topic, err, s.Text),
	}
}

// schemaColumns reads columns out of a schema; one that is the whole schema gets ksqlDB's name.
func (env *Env) schemaColumns(f formats.SchemaFormat, s schemas.Schema, unwrapped bool, fullName string, isKey bool) ([]types.Column, error) {
	if s.Kind != f.Kind() {
		return nil, fmt.Errorf("the schema is of type %s, the format %s has schemas of type %s", s.Kind, f.Name(), f.Kind())
	}
	imports, err := schemas.Imports(env.registry(), s)
	if err != nil {
		return nil, err
	}
	columns, err := f.Columns(s, imports, unwrapped, fullName)
	if err != nil {
		return nil, err
	}
	if unwrapped && len(columns) == 1 {
		columns[0].Name = inferredValueName
		if isKey {
			columns[0].Name = inferredKeyName
		}
	}
	return columns, nil
}

// upperField is a field with its name, and those within it, in upper case.
func upperField(f types.Field) types.Field {
	return types.Field{Name: strings.ToUpper(f.Name), Type: upperNames(f.Type)}
}

func upperNames(t *types.Type) *types.Type {
	switch t.Kind {
	case types.Array:
		return types.ArrayOf(upperNames(t.Elem))
	case types.Map:
		return types.MapOf(upperNames(t.Key), upperNames(t.Elem))
	case types.Struct:
		fields := make([]types.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = upperField(f)
		}
		return types.StructOf(fields...)
	}
	return t
}

// definitions are columns as a statement has them. They stand where the statement does.
func definitions(st *ast.CreateSource, columns []types.Column, isKey bool) ([]ast.Column, error) {
	if len(columns) == 0 {
		return nil, nil
	}
	constraint := ""
	if isKey {
		if constraint = " KEY"; st.Kind == ast.Table {
			constraint = " PRIMARY KEY"
		}
	}
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = types.QuoteName(c.Name) + " " + c.Type.String() + constraint
	}
	kind := "STREAM"
	if st.Kind == ast.Table {
		kind = "TABLE"
	}
	parsed, err := grammar.ParseOne("CREATE "+kind+" INFERRED ("+strings.Join(parts, ", ")+") WITH (KAFKA_TOPIC='');", grammar.Options{})
	if err != nil {
		return nil, fmt.Errorf("the schema's columns cannot be written as SQL: %w", err)
	}
	create, ok := parsed.Statement.(*ast.CreateSource)
	if !ok {
		return nil, fmt.Errorf("the schema's columns cannot be written as SQL: %s", strings.Join(parts, ", "))
	}
	for i := range create.Columns {
		create.Columns[i].Located, create.Columns[i].Name.Located = st.Located, st.Located
	}
	return create.Columns, nil
}
