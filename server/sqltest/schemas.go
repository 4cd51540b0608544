package sqltest

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner"
)

// register registers what a statement's topic is to be written with.
func (w *World) register(list []planner.SchemaPlan) error {
	for _, s := range list {
		if _, err := w.schemas.Latest(s.Subject); s.IfAbsent && err == nil {
			continue
		}
		if _, err := w.schemas.Register(s.Subject, s.Schema); err != nil {
			return err
		}
	}
	return nil
}

// registered is a side whose schemas are in the registry: records are written by the newest schema of the topic, whatever the
// source says, and read by the one they name. People write them as JSON.
type registered struct {
	side
	format  formats.SchemaFormat
	schemas schemas.Registry
	json    formats.Format
	topic   string
	isKey   bool
}

// registered is the side of a topic if its format keeps schemas.
func (w *World) registered(src *catalog.Source, topic string, isKey bool) (*registered, bool) {
	if src == nil {
		return nil, false
	}
	s := sideOf(src, isKey)
	f, ok := w.cfg.Formats.Lookup(s.format.Name)
	if !ok {
		return nil, false
	}
	keeps, ok := f.(formats.SchemaFormat)
	if !ok {
		return nil, false
	}
	text, _ := w.cfg.Formats.Lookup("JSON")
	return &registered{side: s, format: keeps, schemas: w.schemas, json: text, topic: topic, isKey: isKey}, true
}

// columns are those of a schema. Names are those of the schema.
func (r *registered) columns(s schemas.Schema) ([]types.Column, error) {
	imports, err := schemas.Imports(r.schemas, s)
	if err != nil {
		return nil, err
	}
	columns, err := r.format.Columns(s, imports, r.side.format.Unwrapped, r.side.format.Properties[formats.PropertySchemaFullName])
	if err == nil && r.side.format.Unwrapped && len(columns) == 1 {
		columns[0].Name = "ROWVAL"
	}
	return columns, err
}

// bytes writes what a JSON text stands for.
func (r *registered) bytes(raw json.RawMessage) ([]byte, error) {
	if isNull(raw) {
		return nil, nil
	}
	columns, props := r.side.columns, r.side.format.Properties
	latest, err := r.schemas.Latest(schemas.Subject(r.topic, r.isKey))
	switch {
	case err == nil:
		if columns, err = r.columns(latest.Schema); err != nil {
			return nil, err
		}
		props = maps.Clone(props)
		if props == nil {
			props = map[string]string{}
		}
		props[formats.PropertySchemaID] = strconv.Itoa(latest.ID)
	case !schemas.IsNotFound(err):
		return nil, err
	}
	v, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	shape := side{format: r.side.format, columns: columns}.shape()
	if raw, err = json.Marshal(spelled(v, shape)); err != nil {
		return nil, err
	}
	enc, err := r.format.NewEncoder(r.spec(columns, props))
	if err != nil {
		return nil, err
	}
	dec, err := r.json.NewDecoder(r.spec(columns, nil))
	if err != nil {
		return nil, err
	}
	return recode(dec, enc, columns, raw)
}

// text reads what a record holds, as JSON shows it.
func (r *registered) text(b []byte) (json.RawMessage, error) {
	if b == nil {
		return nil, nil
	}
	id, _, err := schemas.SplitHeader(b)
	if err != nil {
		return nil, err
	}
	s, err := r.schemas.ByID(id)
	if err != nil {
		return nil, err
	}
	columns, err := r.columns(s)
	if err != nil {
		return nil, err
	}
	dec, err := r.format.NewDecoder(r.spec(columns, r.side.format.Properties))
	if err != nil {
		return nil, err
	}
	enc, err := r.json.NewEncoder(r.spec(columns, nil))
	if err != nil {
		return nil, err
	}
	return recode(dec, enc, columns, b)
}

func (r *registered) spec(columns []types.Column, props map[string]string) *formats.Spec {
	return &formats.Spec{
		Topic: r.topic, IsKey: r.isKey, Columns: columns, Locs: types.NewLayout(columns).Locs, Unwrapped: r.side.format.Unwrapped, Properties: props,
	}
}

// shape is the type of the whole side; names are the source's, and the schema's are alike but for case.
func (r *registered) shape() *types.Type { return r.side.shape() }

// recode reads bytes and writes them anew; nil when they are null.
func recode(dec formats.Decoder, enc formats.Encoder, columns []types.Column, b []byte) ([]byte, error) {
	row := types.NewLayout(columns).NewRow()
	if err := dec.Decode(b, row); err != nil {
		return nil, err
	}
	out, isNull, err := enc.Append([]byte{}, row)
	if err != nil || isNull {
		return nil, err
	}
	return out, nil
}

// spelled gives the fields of a JSON value the names that the type has for them: test files do not care for case.
func spelled(v any, t *types.Type) any {
	if t == nil {
		return v
	}
	switch x := v.(type) {
	case []any:
		if t.Kind != types.Array {
			return v
		}
		out := make([]any, len(x))
		for i := range x {
			out[i] = spelled(x[i], t.Elem)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for name, item := range x {
			switch t.Kind {
			case types.Map:
				out[name] = spelled(item, t.Elem)
			case types.Struct:
				field, ft := fieldNamed(t, name)
				out[field] = spelled(item, ft)
			default:
				out[name] = item
			}
		}
		return out
	}
	return v
}

// fieldNamed finds a field by its name, exactly or else without regard to case.
func fieldNamed(t *types.Type, name string) (string, *types.Type) {
	for _, f := range t.Fields {
		if f.Name == name {
			return f.Name, f.Type
		}
	}
	for _, f := range t.Fields {
		if strings.EqualFold(f.Name, name) {
			return f.Name, f.Type
		}
	}
	return name, nil
}
