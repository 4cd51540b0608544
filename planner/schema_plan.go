package planner

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// SchemaPlan is a schema that must be registered before a statement takes effect.
type SchemaPlan struct {
	Subject string
	Schema  schemas.Schema
	// IfAbsent: only when the subject has no schema yet. What a declared source's topic holds is for its producers to say.
	IfAbsent bool
}

// schemaPlans are the schemas of a source's topic.
func (env *Env) schemaPlans(src *catalog.Source, ifAbsent bool) ([]SchemaPlan, error) {
	var out []SchemaPlan
	for _, s := range []struct {
		isKey   bool
		format  catalog.Format
		columns []types.Column
	}{{true, src.KeyFormat, src.Schema.Key}, {false, src.ValueFormat, src.Schema.Value}} {
		f, ok := env.schemaFormat(s.format.Name)
		if !ok || len(s.columns) == 0 {
			continue
		}
		p := SchemaPlan{Subject: schemas.Subject(src.Topic, s.isKey), IfAbsent: ifAbsent}
		var err error
		if id, ok := s.format.Properties[formats.PropertySchemaID]; ok {
			p.Schema, err = env.schemaOfID(id)
		} else {
			p.Schema, err = f.Schema(side{key: s.isKey, topic: src.Topic, columns: s.columns}.spec(s.format))
		}
		if err != nil {
			return nil, registryError(diag.Span{}, err)
		}
		out = append(out, p)
	}
	return out, nil
}

func (env *Env) schemaOfID(text string) (schemas.Schema, error) {
	id, err := strconv.Atoi(text)
	if err != nil {
		return schemas.Schema{}, fmt.Errorf("the number of a schema is %q", text)
	}
	return env.registry().ByID(id)
}

// checkSinkSchema refuses a sink that is to be written with a schema of the registry in which it does not fit: the columns must be
// the schema's first ones, as in ksqlDB.
func (env *Env) checkSinkSchema(at diag.Span, s side, format catalog.Format) error {
	text, ok := format.Properties[formats.PropertySchemaID]
	if !ok {
		return nil
	}
	f, ok := env.schemaFormat(format.Name)
	if !ok {
		return nil
	}
	schema, err := env.schemaOfID(text)
	if schemas.IsNotFound(err) {
		return diag.Errorf(diag.InvalidValue, at, "Schema for message %ss on topic '%s' does not exist in the Schema Registry.\nSchema Id: %s", sideNoun(s.key), s.topic, text)
	}
	if err != nil {
		return registryError(at, err)
	}
	columns, err := env.schemaColumns(f, schema, format.Unwrapped, format.Properties[formats.PropertySchemaFullName], s.key)
	if err != nil {
		return cannotInfer(at, err, schema, s.topic, s.key)
	}
	var missing []string
	for i, c := range s.columns {
		if i >= len(columns) || !types.Equal(columns[i].Type, c.Type) || columns[i].Name != c.Name && !format.Unwrapped {
			missing = append(missing, types.QuoteName(c.Name)+" "+c.Type.String())
		}
	}
	if len(missing) > 0 {
		have := make([]string, len(columns))
		for i, c := range columns {
			have[i] = types.QuoteName(c.Name) + " " + c.Type.String()
		}
		return diag.Errorf(diag.InvalidSource, at, "The following %s columns are changed, missing or reordered: [%s]. Schema from schema registry is [%s]",
			sideNoun(s.key), strings.Join(missing, ", "), strings.Join(have, ", "))
	}
	imports, err := schemas.Imports(env.registry(), schema)
	if err != nil {
		return registryError(at, err)
	}
	if err := f.CheckWritable(s.spec(format), schema, imports); err != nil {
		return &diag.Error{Code: diag.InvalidSource, Span: at, Message: err.Error(), Cause: err}
	}
	return nil
}
