package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// kindNoun is the kind as messages have it: stream, table.
func kindNoun(k catalog.Kind) string { return strings.ToLower(k.String()) }

func kindOf(k ast.SourceKind) catalog.Kind {
	if k == ast.Table {
		return catalog.Table
	}
	return catalog.Stream
}

// CreateSource plans CREATE STREAM and CREATE TABLE over a topic.
func CreateSource(env *Env, st *ast.CreateSource) (*SourcePlan, error) {
	kind := kindOf(st.Kind)
	name := st.Name.Name
	if err := checkSourceName(st.Name); err != nil {
		return nil, err
	}
	if st.ReadOnly && !env.flag("ksql.source.table.materialization.enabled", true) {
		return nil, diag.Errorf(diag.NotSupported, st.Span(), "Cannot execute command because source table materialization is disabled.").
			WithHint("The property is ksql.source.table.materialization.enabled. Without SOURCE the %s can be declared.", kindNoun(kind))
	}
	if st.ReadOnly && st.OrReplace {
		return nil, replaceReadOnly(st.Name, kind)
	}
	old, exists, err := env.checkNew(st.Name, kind, st.OrReplace, st.IfNotExists)
	if err != nil || exists {
		return &SourcePlan{Exists: exists}, err
	}
	if old != nil && old.CreatedBy != "" {
		return nil, taken(st.Name, kind, old).WithHint("It is the result of %s: CREATE OR REPLACE … AS SELECT can change it.", old.CreatedBy)
	}
	w, err := parseWith(st.With, createProperties)
	if err != nil {
		return nil, err
	}
	topic, ok := w.text(withTopic)
	if !ok {
		return nil, diag.Errorf(diag.InvalidSource, st.Span(), "Missing required property \"KAFKA_TOPIC\" which has no default value.").
			WithHint("Name the topic: WITH (KAFKA_TOPIC='…', VALUE_FORMAT='JSON').")
	}
	st, inferred, err := env.inferColumns(st, w)
	if err != nil {
		return nil, err
	}
	src := &catalog.Source{Name: name, Kind: kind, Topic: topic, ReadOnly: st.ReadOnly}
	if src.Window, src.WindowSizeMs, err = w.window(); err != nil {
		return nil, err
	}
	if src.Schema, err = env.columns(st.Columns, kind); err != nil {
		return nil, err
	}
	if err := env.sourceFormats(st, w, src); err != nil {
		return nil, err
	}
	env.writeInferred(src, inferred)
	if len(st.Columns) == 0 || len(src.Schema.Value) == 0 && kind == catalog.Stream && len(src.Schema.Key) == 0 {
		return nil, diag.Errorf(diag.InvalidSource, st.Span(), "The statement does not define any columns.")
	}
	if kind == catalog.Table && len(src.Schema.Key) == 0 {
		return nil, diag.Errorf(diag.InvalidSource, st.Span(), "Tables require a PRIMARY KEY. Please define the PRIMARY KEY.")
	}
	if src.Window != types.NoWindow && len(src.Schema.Key) == 0 {
		return nil, diag.Errorf(diag.InvalidSource, st.Span(), "Windowed sources require a key column.")
	}
	if src.TimestampColumn, src.TimestampFormat, err = w.timestamp(src.Schema.Columns()); err != nil {
		return nil, err
	}
	plan := &SourcePlan{Source: src}
	if plan.Topic, err = env.sourceTopic(st, w, src); err != nil {
		return nil, err
	}
	src.Partitions, src.Replicas = plan.Topic.Partitions, plan.Topic.Replicas
	if old != nil {
		if err := checkUpgrade(st.Span(), old, src); err != nil {
			return nil, err
		}
	}
	if plan.Schemas, err = env.schemaPlans(src, true); err != nil {
		return nil, err
	}
	filled := *st
	filled.With = fillWith(st.With, src, plan.Topic)
	src.SQL = statementText(&filled)
	if st.ReadOnly && kind == catalog.Table {
		plan.Query = env.keepRows(plan)
	}
	return plan, nil
}

func checkSourceName(name ast.Ident) error {
	for _, r := range name.Name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-') {
			return diag.Errorf(diag.InvalidSource, name.Span(), "Illegal argument at %s. Source names may only contain alphanumeric values, '_' or '-'. Got: '%s'", name.Span().Start, name.Name)
		}
	}
	return nil
}

// checkNew refuses a name that is taken; exists is true where IF NOT EXISTS makes that no error. With OR REPLACE old is the source
// that is to be replaced, nil when there is none.
func (env *Env) checkNew(name ast.Ident, kind catalog.Kind, orReplace, ifNotExists bool) (old *catalog.Source, exists bool, err error) {
	old, ok := env.Catalog.Source(name.Name)
	switch {
	case !ok:
		return nil, false, nil
	case ifNotExists && !orReplace:
		return nil, true, nil
	case orReplace && old.ReadOnly:
		return nil, false, replaceReadOnly(name, kind)
	case orReplace && old.Kind == kind:
		if env.property("ksql.create.or.replace.enabled") == "false" {
			return nil, false, diag.Errorf(diag.InvalidSource, name.Span(), "Cannot add %s '%s': CREATE OR REPLACE is switched off.", kindNoun(kind), name.Name).
				WithHint("The property is ksql.create.or.replace.enabled.")
		}
		return old, false, nil
	}
	return nil, false, taken(name, kind, old).WithHint("Choose another name, DROP %s %s first, or say IF NOT EXISTS.", old.Kind, name.Name)
}

// taken is the error of a name that another source has.
func taken(name ast.Ident, kind catalog.Kind, old *catalog.Source) *diag.Error {
	return diag.Errorf(diag.Duplicate, name.Span(), "Cannot add %s '%s': A %s with the same name already exists", kindNoun(kind), name.Name,
		kindNoun(old.Kind))
}

func replaceReadOnly(name ast.Ident, kind catalog.Kind) error {
	noun := kindNoun(kind)
	return diag.Errorf(diag.InvalidSource, name.Span(), "Cannot add %s '%s': CREATE OR REPLACE is not supported on source %ss.", noun, name.Name, noun)
}

// columns resolves the columns of a definition.
func (env *Env) columns(defs []ast.Column, kind catalog.Kind) (types.Schema, error) {
	var s types.Schema
	for _, d := range defs {
		t, err := env.typeOf(d.Type)
		if err != nil {
			return s, err
		}
		if types.IsPseudoColumn(d.Name.Name) {
			return s, diag.Errorf(diag.InvalidSource, d.Span(), "'%s' is a reserved column name. You cannot use it as a name for a column.", d.Name.Name)
		}
		_, _, taken := s.Find(d.Name.Name)
		if _, header := s.Header(d.Name.Name); taken || header {
			return s, diag.Errorf(diag.Duplicate, d.Span(), "Duplicate column names: %s", types.QuoteName(d.Name.Name))
		}
		c := types.Column{Name: d.Name.Name, Type: t}
		switch d.Constraint {
		case ast.NoConstraint:
			s.Value = append(s.Value, c)
		case ast.KeyConstraint:
			if kind == catalog.Table {
				return s, keyMismatch(d, "KEY", "PRIMARY KEY", "tables")
			}
			s.Key = append(s.Key, c)
		case ast.PrimaryConstraint:
			if kind == catalog.Stream {
				return s, keyMismatch(d, "PRIMARY KEY", "KEY", "streams")
			}
			s.Key = append(s.Key, c)
		default:
			h, err := env.headerColumn(d, t, s.Headers)
			if err != nil {
				return s, err
			}
			s.Headers = append(s.Headers, h)
		}
	}
	return s, nil
}

func keyMismatch(d ast.Column, got, want, of string) error {
	return diag.Errorf(diag.InvalidSource, d.Span(), "%s", locate(d.Span(),
		fmt.Sprintf("Column %s is a '%s' column: please use '%s' for %s.", types.QuoteName(d.Name.Name), got, want, of)))
}

// headerColumn is a column that shows headers; others are those before it.
func (env *Env) headerColumn(d ast.Column, t *types.Type, others []types.HeaderColumn) (types.HeaderColumn, error) {
	h, want, noun := types.HeaderColumn{Column: types.Column{Name: d.Name.Name, Type: t}}, types.HeadersType, "HEADERS"
	if d.Constraint == ast.HeaderConstraint {
		h.Key, want = &d.HeaderKey, types.BytesType
		noun = h.Constraint()
	}
	switch {
	case !env.flag("ksql.headers.columns.enabled", true):
		return h, diag.Errorf(diag.NotSupported, d.Span(), "Cannot create source with %s columns: they are switched off.", noun).
			WithHint("The property is ksql.headers.columns.enabled.")
	case !types.Equal(t, want):
		return h, diag.Errorf(diag.InvalidSource, d.Span(), "Invalid type for %s column: expected %s, got %s", noun, want, t)
	}
	for _, o := range others {
		switch {
		case o.Key == nil && h.Key == nil:
			return h, diag.Errorf(diag.Duplicate, d.Span(), "Schema already contains a HEADERS column.")
		case o.Key == nil || h.Key == nil:
			return h, diag.Errorf(diag.InvalidSource, d.Span(), "Schema already contains a %s column.", o.Constraint()).
				WithHint("HEADERS shows all headers, and cannot be beside HEADER('…') columns.")
		case *o.Key == *h.Key:
			return h, diag.Errorf(diag.Duplicate, d.Span(), "Schema already contains a %s column.", o.Constraint())
		}
	}
	return h, nil
}

// declaredFormat is the format of a side of a declared source: what WITH says, else the default of the properties.
func (env *Env) declaredFormat(st *ast.CreateSource, w *with, isKey bool) (string, diag.Span, error) {
	prefix, property, with := "VALUE", "ksql.persistence.default.format.value", withValueFormat
	if isKey {
		prefix, property, with = "KEY", "ksql.persistence.default.format.key", withKeyFormat
	}
	name, at := w.formatName(prefix)
	if !at.IsValid() {
		at = st.Span()
	}
	if name == "" {
		name = strings.ToUpper(env.property(property))
	}
	switch {
	case name != "":
	case isKey:
		name = "KAFKA"
	default:
		return "", at, missingFormat(w, with, property)
	}
	_, err := env.format(name, at)
	return name, at, err
}

// sourceFormats decides how key and value of a declared source are read.
func (env *Env) sourceFormats(st *ast.CreateSource, w *with, src *catalog.Source) error {
	name, at, err := env.declaredFormat(st, w, true)
	if err != nil {
		return err
	}
	props, err := w.formatProps("KEY")
	if err != nil {
		return err
	}
	if len(src.Schema.Key) == 0 {
		if name != noneFormat {
			src.InheritedKeyFormat = &catalog.Format{Name: name, Properties: props}
		}
		name, props = noneFormat, nil
	}
	props = nameAvroKey(name, props, src.Name)
	if src.KeyFormat, err = env.sideFormat(side{key: true, topic: src.Topic, columns: src.Schema.Key, at: at}, name, props); err != nil {
		return err
	}
	if name, at, err = env.declaredFormat(st, w, false); err != nil {
		return err
	}
	if props, err = w.formatProps("VALUE"); err != nil {
		return err
	}
	s := side{topic: src.Topic, columns: src.Schema.Value, at: at}
	if err := env.wrapping(w, &s); err != nil {
		return err
	}
	src.ValueFormat, err = env.sideFormat(s, name, props)
	return err
}

// timestamp reads TIMESTAMP and TIMESTAMP_FORMAT against the columns they may name.
func (w *with) timestamp(columns []types.Column) (column, format string, err error) {
	text, ok := w.text(withTimestamp)
	format, hasFormat := w.text(withTimestampFormat)
	p, _ := w.get(withTimestamp)
	if !ok {
		if hasFormat {
			return "", "", w.invalid(withTimestampFormat, "TIMESTAMP_FORMAT requires TIMESTAMP")
		}
		return "", "", nil
	}
	name := columnNameOf(text)
	i := slices.IndexFunc(columns, func(c types.Column) bool { return c.Name == name })
	if i < 0 {
		return "", "", diag.Errorf(diag.UnknownColumn, p.Span(), "The TIMESTAMP column set in the WITH clause does not exist in the schema: '%s'", name)
	}
	switch k := columns[i].Type.Kind; {
	case k == types.Bigint && !hasFormat, k == types.Timestamp && !hasFormat, k == types.String && hasFormat:
		return name, format, nil
	case k == types.Bigint || k == types.Timestamp:
		return "", "", diag.Errorf(diag.InvalidValue, p.Span(), "TIMESTAMP_FORMAT is only supported for a STRING timestamp column, but %s is %s", types.QuoteName(name), columns[i].Type)
	}
	return "", "", diag.Errorf(diag.InvalidValue, p.Span(),
		"Timestamp column, %s, should be LONG(INT64), TIMESTAMP, or a String with a timestamp_format specified", types.QuoteName(name))
}

// checkTimestamp is timestamp over the columns of a result.
func (w *with) checkTimestamp(items []outItem) error {
	columns := make([]types.Column, len(items))
	for i, it := range items {
		columns[i] = types.Column{Name: it.Name, Type: it.Type}
	}
	_, _, err := w.timestamp(columns)
	return err
}

// sourceTopic finds the topic of a declared source, or plans to make it.
func (env *Env) sourceTopic(st *ast.CreateSource, w *with, src *catalog.Source) (TopicPlan, error) {
	partitions, replicas, err := w.topicCounts()
	if err != nil {
		return TopicPlan{}, err
	}
	retention, err := w.retention(src.Kind, src.Window != types.NoWindow)
	if err != nil {
		return TopicPlan{}, err
	}
	info, exists, err := env.topic(src.Topic)
	if err != nil {
		return TopicPlan{}, err
	}
	at := w.at
	if p, ok := w.get(withTopic); ok {
		at = p.Span()
	}
	if exists {
		if err := matchTopic(at, src.Topic, info, partitions, replicas); err != nil {
			return TopicPlan{}, err
		}
		return TopicPlan{Name: src.Topic, Partitions: info.Partitions, Replicas: info.Replicas, Exists: true}, nil
	}
	if partitions == 0 {
		noun := strings.ToLower(src.Kind.String())
		example := *st
		example.With = append(slices.Clone(st.With), ast.Property{Name: withPartitions, Value: &ast.IntLiteral{Value: 2}}, ast.Property{Name: withReplicas, Value: &ast.IntLiteral{Value: 1}})
		return TopicPlan{}, diag.Errorf(diag.InvalidSource, at, "Topic '%s' does not exist. If you want to create a new topic for the %s please re-run the statement "+
			"providing the required 'PARTITIONS' configuration in the WITH clause (and optionally 'REPLICAS'). For example: %s", src.Topic, noun, statementText(&example)).
			WithHint("Say WITH (…, PARTITIONS=2) to create it.")
	}
	return TopicPlan{
		Name: src.Topic, Partitions: partitions, Replicas: max(replicas, 1),
		Config: topicConfig(src.Kind, src.Window != types.NoWindow, retention),
	}, nil
}
