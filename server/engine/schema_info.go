package engine

import (
	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// schemaInfo describes a type as answers do.
func schemaInfo(t *types.Type) api.SchemaInfo {
	s := api.SchemaInfo{Type: t.Kind.String()}
	switch t.Kind {
	case types.Array, types.Map:
		member := schemaInfo(t.Elem)
		s.MemberSchema = &member
	case types.Struct:
		for _, f := range t.Fields {
			s.Fields = append(s.Fields, api.FieldInfo{Name: f.Name, Schema: schemaInfo(f.Type)})
		}
	case types.Decimal:
		s.Parameters = map[string]any{"precision": t.Precision, "scale": t.Scale}
	}
	return s
}

// fieldInfos lists the columns of a source, keys first.
func fieldInfos(s *types.Schema) []api.FieldInfo {
	var out []api.FieldInfo
	for _, c := range s.Key {
		out = append(out, api.FieldInfo{Name: c.Name, Schema: schemaInfo(c.Type), Type: api.FieldKey})
	}
	for _, c := range s.Value {
		out = append(out, api.FieldInfo{Name: c.Name, Schema: schemaInfo(c.Type)})
	}
	for _, c := range s.Headers {
		out = append(out, api.FieldInfo{Name: c.Name, Schema: schemaInfo(c.Type), Type: api.FieldHeader, HeaderKey: c.Key})
	}
	return out
}

// windowType is the window of a source, nil for none.
func windowType(w types.WindowType) *string {
	if w == types.NoWindow {
		return nil
	}
	s := w.String()
	return &s
}

// sourceInfo is a line of SHOW STREAMS or SHOW TABLES.
func sourceInfo(s *catalog.Source) api.SourceInfo {
	return api.SourceInfo{Type: s.Kind.String(), Name: s.Name, Topic: s.Topic, KeyFormat: s.KeyFormat.Name,
		ValueFormat: s.ValueFormat.Name, IsWindowed: s.Window != types.NoWindow}
}
