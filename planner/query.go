package planner

import (
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/explain"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// CreateAsSelect plans CREATE STREAM and CREATE TABLE … AS SELECT.
func CreateAsSelect(env *Env, st *ast.CreateAsSelect) (*QueryPlan, error) {
	kind := kindOf(st.Kind)
	if err := checkSourceName(st.Name); err != nil {
		return nil, err
	}
	old, exists, err := env.checkNew(st.Name, kind, st.OrReplace, st.IfNotExists)
	if err != nil || exists {
		return &QueryPlan{Exists: exists}, err
	}
	var before *physical.Plan
	if old != nil {
		if before, err = env.replaced(st, old); err != nil {
			return nil, err
		}
	}
	w, err := parseWith(st.With, casProperties)
	if err != nil {
		return nil, err
	}
	name := st.Name.Name
	a, err := env.analyze(st.Select, target{persistent: true, sink: name, kind: kind, check: w.checkTimestamp})
	if err != nil {
		return nil, err
	}
	if a.table != (kind == catalog.Table) {
		got := catalog.Stream
		if a.table {
			got = catalog.Table
		}
		return nil, diag.Errorf(diag.InvalidQuery, st.Span(), "Invalid result type. Your SELECT query produces a %s. Please use CREATE %s AS SELECT statement instead.", got, got)
	}
	src := &catalog.Source{Name: name, Kind: kind, Schema: a.schema(), Window: a.windowed, WindowSizeMs: a.windowSizeMs}
	topic, err := env.sinkTopic(w, src, a)
	if err != nil {
		return nil, err
	}
	src.Topic, src.Partitions, src.Replicas = topic.Name, topic.Partitions, topic.Replicas
	if err := env.sinkFormats(st.Span(), w, src, a.leftmost); err != nil {
		return nil, withStatement(err, st, a)
	}
	if src.TimestampColumn, src.TimestampFormat, err = w.timestamp(src.Schema.Columns()); err != nil {
		return nil, err
	}
	prefix := "CSAS"
	if kind == catalog.Table {
		prefix = "CTAS"
	}
	id := persistentQueryID(prefix, strings.ToUpper(name), env.QueryNumber)
	if old != nil {
		id = old.CreatedBy
		if err := checkUpgrade(st.Span(), old, src); err != nil {
			return nil, err
		}
	}
	filled := *st
	filled.With = fillWith(st.With, src, topic)
	src.SQL = statementText(&filled)
	src.CreatedBy, src.Materialized = id, kind == catalog.Table
	plan, text, err := env.persistentPlan(a, src, id, src.SQL)
	if err != nil {
		return nil, err
	}
	if before != nil {
		if err := checkReplacement(st.Span(), before, plan); err != nil {
			return nil, err
		}
	}
	registered, err := env.schemaPlans(src, false)
	if err != nil {
		return nil, err
	}
	return &QueryPlan{
		Plan: plan, Source: src, Topic: topic, Schemas: registered, Logical: text, Replaces: before != nil,
		Query: &catalog.Query{ID: id, Kind: catalog.CreateAsQuery, SQL: src.SQL, Sink: name, Sources: a.sources},
	}, nil
}

// withStatement puts the statement, as it was understood, under an error of a format, as ksqlDB does.
func withStatement(err error, st *ast.CreateAsSelect, a *analysis) error {
	d, ok := diag.As(err)
	if !ok || d.Code != diag.InvalidSource || d.Cause == nil {
		return err
	}
	c := *d
	c.Message += "\nStatement: " + rewrittenText(st, a)
	return &c
}

// schema is the schema of the sink: keys in the order of the key, values in that of the projection.
func (a *analysis) schema() types.Schema {
	s := types.Schema{Key: make([]types.Column, a.node.KeyCount)}
	for _, it := range a.items {
		c := types.Column{Name: it.Name, Type: it.Type}
		if it.key >= 0 {
			s.Key[it.key] = c
		} else {
			s.Value = append(s.Value, c)
		}
	}
	return s
}

// sinkTopic decides the topic of a CREATE … AS SELECT.
func (env *Env) sinkTopic(w *with, src *catalog.Source, a *analysis) (TopicPlan, error) {
	t := TopicPlan{Name: env.property("ksql.output.topic.name.prefix") + src.Name}
	at := w.at
	if name, ok := w.text(withTopic); ok {
		t.Name = name
	}
	if isReadOnlyTopic(t.Name) {
		return t, diag.Errorf(diag.InvalidSource, at, "Cannot write to %s because it is a read-only topic.", t.Name)
	}
	var err error
	if t.Partitions, t.Replicas, err = w.topicCounts(); err != nil {
		return t, err
	}
	windowed := src.Window != types.NoWindow
	retention, err := w.retention(src.Kind, windowed)
	if err != nil {
		return t, err
	}
	if windowed && src.Kind == catalog.Table && a.window != nil {
		retention = max(retention, a.window.RetentionMs, 0)
	}
	info, exists, err := env.topic(t.Name)
	if err != nil {
		return t, err
	}
	if exists {
		if err := matchTopic(at, t.Name, info, t.Partitions, t.Replicas); err != nil {
			return t, err
		}
		return TopicPlan{Name: t.Name, Partitions: info.Partitions, Replicas: info.Replicas, Exists: true}, nil
	}
	if t.Partitions == 0 {
		t.Partitions = max(a.leftmost.Partitions, 1)
	}
	if t.Replicas == 0 {
		t.Replicas = max(a.leftmost.Replicas, 1)
	}
	if src.Kind == catalog.Stream || windowed {
		t.Config = topicConfig(src.Kind, windowed, max(retention, defaultRetentionMs))
		if _, given := w.get(withRetention); given && src.Kind == catalog.Stream {
			t.Config = topicConfig(src.Kind, windowed, retention)
		}
	} else {
		t.Config = topicConfig(src.Kind, windowed, 0)
	}
	return t, nil
}

// sinkFormats decides the formats of a sink: what WITH says, else those of the leftmost source.
func (env *Env) sinkFormats(at diag.Span, w *with, src *catalog.Source, leftmost *catalog.Source) error {
	name, span := w.formatName("KEY")
	props, err := w.formatProps("KEY")
	if err != nil {
		return err
	}
	_, explicit := w.get(withKeyFormat)
	if name == "" {
		inherited := inheritedKeyFormat(leftmost)
		name = inherited.Name
		if name == noneFormat {
			name = env.defaultKeyFormat()
		} else if props == nil {
			props = inheritable(name, inherited.Properties)
		}
		span = at
	}
	if _, err := env.format(name, span); err != nil {
		return err
	}
	if len(src.Schema.Key) == 0 {
		if explicit && name != noneFormat {
			return diag.Errorf(diag.InvalidValue, span, "Key format specified for stream without key columns.")
		}
		name, props = noneFormat, nil
	}
	if err := env.schemaIDFits(w, "KEY", name, span); err != nil {
		return err
	}
	key := side{key: true, topic: src.Topic, columns: src.Schema.Key, at: span}
	if src.KeyFormat, err = env.sideFormat(key, name, nameAvroKey(name, props, src.Name)); err != nil {
		return err
	}
	if err := env.checkSinkSchema(span, key, src.KeyFormat); err != nil {
		return err
	}
	name, span = w.formatName("VALUE")
	if props, err = w.formatProps("VALUE"); err != nil {
		return err
	}
	if name == "" {
		name, span = leftmost.ValueFormat.Name, at
	}
	if props == nil && name == leftmost.ValueFormat.Name {
		props = inheritable(name, leftmost.ValueFormat.Properties)
	}
	if err := env.schemaIDFits(w, "VALUE", name, span); err != nil {
		return err
	}
	s := side{topic: src.Topic, columns: src.Schema.Value, at: span}
	if err := env.wrapping(w, &s); err != nil {
		return err
	}
	if src.ValueFormat, err = env.sideFormat(s, name, props); err != nil {
		return err
	}
	return env.checkSinkSchema(span, s, src.ValueFormat)
}

// schemaIDFits refuses KEY_SCHEMA_ID and VALUE_SCHEMA_ID where the format has no schemas.
func (env *Env) schemaIDFits(w *with, prefix, format string, at diag.Span) error {
	_, given := w.get(prefix + "_SCHEMA_ID")
	if _, keeps := env.schemaFormat(format); !given || keeps {
		return nil
	}
	return schemaIDWithoutSchemas(at, prefix, format)
}

// InsertSelect plans INSERT INTO … SELECT.
func InsertSelect(env *Env, st *ast.InsertSelect) (*QueryPlan, error) {
	w, err := parseWith(st.With, insertProperties)
	if err != nil {
		return nil, err
	}
	src, ok := env.Catalog.Source(st.Target.Name)
	if !ok {
		return nil, withSourceHint(env, diag.Errorf(diag.UnknownSource, st.Target.Span(), "%s",
			locate(st.Target.Span(), "Source "+types.QuoteName(st.Target.Name)+" does not exist.")), st.Target)
	}
	switch {
	case src.Kind == catalog.Table:
		return nil, diag.Errorf(diag.InvalidQuery, st.Target.Span(), "INSERT INTO can only be used to insert into a stream. %s is a table.", src.Name)
	case src.ReadOnly:
		return nil, diag.Errorf(diag.InvalidQuery, st.Target.Span(), "Cannot insert into read-only stream: %s", src.Name)
	case len(src.Schema.Headers) > 0:
		return nil, diag.Errorf(diag.InvalidQuery, st.Target.Span(), "Cannot insert into %s because it has header columns", src.Name)
	}
	a, err := env.analyze(st.Select, target{persistent: true, sink: src.Name, kind: catalog.Stream})
	if err != nil {
		return nil, err
	}
	if a.table {
		return nil, diag.Errorf(diag.InvalidQuery, st.Span(), "Incompatible data sink and query result. Data sink (%s) type is STREAM but select query result is TABLE.", src.Name)
	}
	got := a.schema()
	if !types.EqualColumns(got.Key, src.Schema.Key) || !types.EqualColumns(got.Value, src.Schema.Value) {
		return nil, diag.Errorf(diag.Type, st.Span(), "Incompatible schema between results and sink.\nResult schema is %s\nSink schema is %s", &got, &src.Schema).
			WithHint("Names, types and order of the columns must be those of %s; … AS name renames a column.", src.Name)
	}
	id := persistentQueryID("INSERTQUERY", "", env.QueryNumber)
	if text, ok := w.text(withQueryID); ok {
		if id, err = env.checkQueryID(w, text); err != nil {
			return nil, err
		}
	}
	sql := statementText(st)
	plan, text, err := env.persistentPlan(a, src, id, sql)
	if err != nil {
		return nil, err
	}
	plan.Materialization = nil
	return &QueryPlan{
		Plan: plan, Logical: text, Topic: TopicPlan{Name: src.Topic, Partitions: src.Partitions, Replicas: src.Replicas, Exists: true},
		Query: &catalog.Query{ID: id, Kind: catalog.InsertQuery, SQL: sql, Sink: src.Name, Sources: a.sources},
	}, nil
}

func (env *Env) checkQueryID(w *with, text string) (string, error) {
	id := strings.ToUpper(text)
	for _, r := range id {
		if !(r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_') {
			return "", w.invalid(withQueryID, "Query IDs may contain only alphanumeric characters and '_'. Got: '%s'", text)
		}
	}
	for _, prefix := range []string{"CSAS_", "CTAS_", "INSERTQUERY_", "CST_"} {
		if strings.HasPrefix(id, prefix) {
			return "", w.invalid(withQueryID, "Query IDs must not start with a reserved query ID prefix (%s). Got: '%s'", prefix, text)
		}
	}
	if _, ok := env.Catalog.Query(id); ok || id == "" {
		return "", diag.Errorf(diag.Duplicate, w.at, "Query ID '%s' already exists.", id)
	}
	return id, nil
}

// persistentPlan makes the physical plan that writes into src.
func (env *Env) persistentPlan(a *analysis, src *catalog.Source, id, sql string) (*physical.Plan, string, error) {
	root := a.optimize()
	text := explain.Logical(root)
	b := &builder{env: env, names: newNamer(env.ServiceID, "query_", id)}
	need := columnSet{}
	for _, it := range a.items {
		need.add(it.ID)
	}
	f, err := b.build(root, need)
	if err != nil {
		return nil, "", err
	}
	plan := &physical.Plan{
		Version: physical.Version, QueryID: id, SQL: sql, Sources: a.sources,
		Sink: &physical.SinkInfo{Name: src.Name, IsTable: a.table, Topic: src.Topic},
	}
	if a.table && src.Kind == catalog.Table {
		plan.Materialization = b.materialize(root, f)
	}
	sink := &physical.Sink{
		Name: src.Name, In: f.node, Topic: src.Topic, Key: src.Schema.Key, Value: src.Schema.Value,
		KeyFormat: formatSpec(src.KeyFormat), ValueFormat: formatSpec(src.ValueFormat), Table: a.table, Window: a.windowed,
	}
	for _, it := range a.items {
		if it.key < 0 {
			sink.ValueIndex = append(sink.ValueIndex, f.position(it.ID))
		}
	}
	for i := range src.Schema.Key {
		sink.KeyIndex = append(sink.KeyIndex, i)
	}
	if src.TimestampColumn != "" {
		sink.Timestamp = &physical.Timestamp{Column: src.TimestampColumn, Format: src.TimestampFormat}
	}
	sink.ForwardKey = forwardsKey(f, sink)
	stage := b.close(f, sink)
	if plan.Materialization != nil {
		plan.Materialization.Stage = stage.ID
	}
	plan.Stages = b.stages
	return plan, text, nil
}

// forwardsKey says whether the key's bytes as read may be written as they are: a KAFKA key that no step changes.
func forwardsKey(f *fragment, sink *physical.Sink) bool {
	if sink.KeyFormat.Name != "KAFKA" || len(f.stage.inputs) != 1 || f.stage.inputs[0].KeyFormat.Name != "KAFKA" || sink.Window != types.NoWindow {
		return false
	}
	for n := f.node; ; n = n.Children()[0] {
		switch n := n.(type) {
		case *physical.Source:
			return true
		case *physical.Filter, *physical.FlatMap, *physical.Materialize:
		case *physical.Project:
			if n.Rekey || !keepsKey(n) {
				return false
			}
		default:
			return false
		}
	}
}

// PushQuery plans a SELECT whose rows go to a client as they come.
func PushQuery(env *Env, sel *ast.Select) (*PushPlan, error) {
	plan, text, err := env.transientPlan(sel, target{})
	if err != nil {
		return nil, err
	}
	return &PushPlan{Plan: plan, Logical: text}, nil
}

// transientPlan makes the plan of a query for a client.
func (env *Env) transientPlan(sel *ast.Select, t target) (*physical.Plan, string, error) {
	a, err := env.analyze(sel, t)
	if err != nil {
		return nil, "", err
	}
	id := persistentQueryID("transient", a.leftmost.Name, env.QueryNumber)
	if sel.Limit != nil && sel.Limit.Count == 0 {
		// No limit is 0 in plans; here no row is wanted.
		a.node.In = &logical.Filter{Step: "Limit", In: a.node.In, Cond: &expr.Literal{Value: false, T: types.BooleanType}}
	}
	root := a.optimize()
	text := explain.Logical(root)
	b := &builder{env: env, transient: true, names: newNamer(env.ServiceID, "", id)}
	need := columnSet{}
	for _, it := range a.items {
		need.add(it.ID)
	}
	f, err := b.build(root, need)
	if err != nil {
		return nil, "", err
	}
	out := &physical.Output{IsTable: a.table}
	if sel.Limit != nil {
		out.Limit = sel.Limit.Count
	}
	emit := &physical.Emit{Name: "Emit", In: f.node}
	for i, it := range a.items {
		out.Columns = append(out.Columns, types.Column{Name: it.Name, Type: it.Type})
		at := f.position(it.ID)
		emit.Index = append(emit.Index, at)
		if it.key >= 0 || a.windowBounds[it.ID] {
			out.KeyPositions = append(out.KeyPositions, i)
		}
	}
	for out.KeyColumns < len(out.KeyPositions) && slices.Contains(out.KeyPositions, out.KeyColumns) {
		out.KeyColumns++
	}
	b.close(f, emit)
	sql := statementText(&ast.Query{Select: sel})
	return &physical.Plan{Version: physical.Version, QueryID: id, SQL: sql, Stages: b.stages, Sources: a.sources, Output: out}, text, nil
}

// optimize applies the logical rules.
func (a *analysis) optimize() logical.Node {
	root := pushFilters(a.node)
	keepOldRows(root)
	return root
}
