package sqltest

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/eval"
	"github.com/ksqlgo/ksqlgo/exec/sim"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Config says what a world runs with.
type Config struct {
	Functions *functions.Registry
	Formats   *formats.Registry
	// Schemas is the schema registry that Formats use; nil is the same as schemas.None.
	Schemas schemas.Registry
	// ServiceID is a part of internal topic names.
	ServiceID string
	// Properties of the session.
	Properties map[string]string
	// CacheBytes is the record cache; 0 emits every update.
	CacheBytes int64
	// NowMs is the time of INSERT INTO … VALUES without ROWTIME, and of functions that ask for it.
	NowMs int64
	// MakeTopics makes the topic, with one partition, that a CREATE STREAM or TABLE names without saying PARTITIONS.
	MakeTopics bool
	// Pipe feeds each row of an INSERT INTO … VALUES at once to all queries that there are, and their results on to others, as
	// ksqlDB's tester of SQL files does. Queries that are created later do not read it.
	Pipe bool
}

// World is a fresh engine on simulated topics. It belongs to one goroutine.
type World struct {
	cfg     Config
	sim     *sim.Sim
	schemas schemas.Registry
	env     *functions.Env
	catalog *catalog.Snapshot
	props   map[string]string
	queries int64
	plans   []*planner.QueryPlan
}

// New makes a world with an empty catalog. Close it after use.
func New(cfg Config) *World {
	props := maps.Clone(cfg.Properties)
	if props == nil {
		props = map[string]string{}
	}
	w := &World{cfg: cfg, catalog: catalog.Empty(), schemas: cfg.Schemas, props: props}
	if w.schemas == nil {
		w.schemas = schemas.None{}
	}
	seed := uint64(1)
	w.env = &functions.Env{
		NowMs:      func() int64 { return cfg.NowMs },
		Random:     func() uint64 { seed = seed*6364136223846793005 + 1442695040888963407; return seed },
		Properties: props,
	}
	w.sim = sim.New(sim.Options{Functions: cfg.Functions, Formats: cfg.Formats, Env: w.env, CacheBytes: cfg.CacheBytes})
	return w
}

// Close ends all queries.
func (w *World) Close() error { return w.sim.Close() }

// Sim is the cluster the world runs on.
func (w *World) Sim() *sim.Sim { return w.sim }

// Schemas is the schema registry.
func (w *World) Schemas() schemas.Registry { return w.schemas }

// Catalog is the catalog as of the last statement.
func (w *World) Catalog() *catalog.Snapshot { return w.catalog }

// Execute parses and runs a text of statements one by one; it stops at the first error.
func (w *World) Execute(text string) error {
	stmts, err := grammar.Parse(text, grammar.Options{OptionalSemicolon: true})
	for _, s := range stmts {
		if e := w.Run(s.Statement); e != nil {
			return e
		}
	}
	return err
}

// Run executes one statement. Persistent queries start at once but read nothing before records are fed to them.
func (w *World) Run(st ast.Statement) error {
	switch n := st.(type) {
	case *ast.CreateSource:
		return w.createSource(n)
	case *ast.CreateAsSelect:
		p, err := planner.CreateAsSelect(w.plannerEnv(), n)
		if err != nil {
			return err
		}
		return w.startQuery(p)
	case *ast.InsertSelect:
		p, err := planner.InsertSelect(w.plannerEnv(), n)
		if err != nil {
			return err
		}
		return w.startQuery(p)
	case *ast.InsertValues:
		return w.insertValues(n)
	case *ast.DropSource:
		return w.drop(n)
	case *ast.AlterSource:
		return w.alter(n)
	case *ast.CreateType:
		t, err := planner.TypeOf(w.plannerEnv(), n.Type)
		if err != nil {
			return err
		}
		w.catalog = w.catalog.WithType(n.Name.Name, t)
		return nil
	case *ast.DropType:
		w.catalog = w.catalog.WithoutType(n.Name.Name)
		return nil
	case *ast.Terminate:
		return w.terminate(n)
	case *ast.SetProperty:
		name, value, err := properties.Override(n.Name.Value, n.Value.Value)
		if err != nil {
			return diag.Errorf(diag.InvalidValue, n.Span(), "%s", err)
		}
		w.props[name] = value
		return nil
	case *ast.UnsetProperty:
		delete(w.props, properties.Normalize(n.Name.Value))
		return nil
	default:
		return refuse(st)
	}
}

// refuse is the error of a statement that has no place in a query test.
func refuse(st ast.Statement) error {
	name := statementName(st)
	err := diag.Errorf(diag.NotSupported, st.Span(), "%s is not run in query tests.", name)
	switch st.(type) {
	case *ast.CreateConnector, *ast.DropConnector, *ast.ListConnectors, *ast.ListConnectorPlugins, *ast.DescribeConnector:
		return err.WithHint("There is no Kafka Connect in a test: keep connectors in a file of their own, and put rows into their topics with INSERT INTO … VALUES.")
	case *ast.Query, *ast.Print:
		return err.WithHint("It would show rows to nobody: say what is expected with ASSERT VALUES, or in the file of outputs.")
	default:
		return err.WithHint("Tests run CREATE, ALTER, DROP, INSERT, TERMINATE, SET, UNSET, DEFINE and UNDEFINE.")
	}
}

// statementName is a statement's kind in words: CREATE CONNECTOR.
func statementName(st ast.Statement) string {
	name := fmt.Sprintf("%T", st)
	var b strings.Builder
	for i, r := range name[strings.LastIndexByte(name, '.')+1:] {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	if b.String() == "Query" {
		return "SELECT"
	}
	return strings.ToUpper(b.String())
}

func (w *World) plannerEnv() *planner.Env {
	return &planner.Env{
		Catalog: w.catalog, Functions: w.cfg.Functions, Formats: w.cfg.Formats, Schemas: w.schemas, Topics: (*topics)(w),
		Constants:  &eval.Compiler{Functions: w.cfg.Functions, Env: w.env},
		Properties: w.props, ServiceID: w.cfg.ServiceID, QueryNumber: w.queries, Plans: w.plan,
	}
}

// topics tells the planner which topics exist.
type topics World

// Topic implements [planner.Topics].
func (t *topics) Topic(name string) (planner.TopicInfo, bool, error) {
	topic, ok := t.sim.Topic(name)
	if !ok {
		return planner.TopicInfo{}, false, nil
	}
	return planner.TopicInfo{Partitions: topic.Partitions(), Replicas: 1}, true, nil
}

func (w *World) createSource(n *ast.CreateSource) error {
	if w.cfg.MakeTopics {
		w.makeTopic(n)
	}
	p, err := planner.CreateSource(w.plannerEnv(), n)
	if err != nil || p.Exists {
		return err
	}
	if p.Query != nil {
		return w.startQuery(p.Query)
	}
	w.sim.CreateTopic(p.Topic.Name, p.Topic.Partitions)
	if err := w.register(p.Schemas); err != nil {
		return err
	}
	w.catalog = w.catalog.WithSource(p.Source)
	return nil
}

// makeTopic makes the topic of a statement that does not do it itself.
func (w *World) makeTopic(n *ast.CreateSource) {
	topic := ""
	for _, p := range n.With {
		switch text, isText := p.Value.(*ast.StringLiteral); {
		case strings.EqualFold(p.Name, "PARTITIONS"):
			return
		case strings.EqualFold(p.Name, "KAFKA_TOPIC") && isText:
			topic = text.Value
		}
	}
	if topic != "" {
		w.sim.CreateTopic(topic, 1)
	}
}

func (w *World) startQuery(p *planner.QueryPlan) error {
	if p.Exists {
		return nil
	}
	w.sim.CreateTopic(p.Topic.Name, p.Topic.Partitions)
	if err := w.register(p.Schemas); err != nil {
		return err
	}
	env := *w.env
	env.Properties = maps.Clone(w.props)
	if p.Replaces {
		return w.replace(p, &env)
	}
	if _, err := w.sim.StartWith(p.Plan, &env); err != nil {
		return err
	}
	if p.Source != nil {
		w.catalog = w.catalog.WithSource(p.Source)
	}
	w.catalog = w.catalog.WithQuery(p.Query)
	w.plans = append(w.plans, p)
	w.queries++
	return nil
}

// replace gives a running query another plan, after it has read what there is: so is the order of the statements. (With Pipe it
// has read it already.)
func (w *World) replace(p *planner.QueryPlan, env *functions.Env) error {
	q, ok := w.sim.Query(p.Plan.QueryID)
	if !ok {
		return fmt.Errorf("sqltest: no query %s", p.Plan.QueryID)
	}
	if !w.cfg.Pipe {
		if err := w.sim.Run(); err != nil {
			return err
		}
	}
	if err := q.Replace(p.Plan, env); err != nil {
		return err
	}
	w.catalog = w.catalog.WithSource(p.Source).WithQuery(p.Query)
	for i := range w.plans {
		if w.plans[i].Plan.QueryID == p.Plan.QueryID {
			w.plans[i] = p
		}
	}
	return nil
}

// plan finds the plan of a running query.
func (w *World) plan(id string) (*physical.Plan, bool) {
	q, ok := w.sim.Query(id)
	if !ok {
		return nil, false
	}
	return q.Plan(), true
}

func (w *World) drop(n *ast.DropSource) error {
	src, ok := w.catalog.Source(n.Name.Name)
	if !ok {
		if n.IfExists {
			return nil
		}
		noun := "Stream"
		if n.Kind == ast.Table {
			noun = "Table"
		}
		return fmt.Errorf("%s %s does not exist.", noun, n.Name.Name)
	}
	if err := planner.CheckDrop(w.catalog, n, src); err != nil {
		return err
	}
	if src.CreatedBy != "" {
		if err := w.sim.Terminate(src.CreatedBy); err != nil {
			return err
		}
		w.catalog = w.catalog.WithoutQuery(src.CreatedBy)
	}
	w.catalog = w.catalog.WithoutSource(src.Name)
	return nil
}

// terminate ends a query, or all.
func (w *World) terminate(n *ast.Terminate) error {
	var ids []string
	for _, q := range w.sim.Queries() {
		if n.Query == nil || n.Query.Name == q.ID() {
			ids = append(ids, q.ID())
		}
	}
	if n.Query != nil && len(ids) == 0 {
		return diag.Errorf(diag.UnknownQuery, n.Query.Span(), "Query with id:%s does not exist, use SHOW QUERIES to view the full set of queries.", n.Query.Name)
	}
	for _, id := range ids {
		if err := w.sim.Terminate(id); err != nil {
			return err
		}
		w.catalog = w.catalog.WithoutQuery(id)
	}
	return nil
}

func (w *World) alter(n *ast.AlterSource) error {
	src, err := planner.AlterSource(w.plannerEnv(), n)
	if err != nil {
		return err
	}
	w.catalog = w.catalog.WithSource(src)
	return nil
}

func (w *World) insertValues(n *ast.InsertValues) error {
	p, err := planner.InsertValues(w.plannerEnv(), n)
	if err != nil {
		return err
	}
	layout := types.NewLayout(p.Source.Schema.Columns())
	row := layout.NewRow()
	for i, s := range append(append([]types.Slot{}, p.Key...), p.Value...) {
		row.SetSlot(layout.Locs[i], s)
	}
	keys := len(p.Key)
	r := sim.Record{Partition: -1, Timestamp: w.cfg.NowMs}
	if r.Key, err = w.encode(p.Source, true, layout.Locs[:keys], row); err != nil {
		return err
	}
	if r.Value, err = w.encode(p.Source, false, layout.Locs[keys:], row); err != nil {
		return err
	}
	if p.Timestamp != nil {
		r.Timestamp = *p.Timestamp
	}
	r = w.sim.Produce(p.Source.Topic, r)
	if w.cfg.Pipe {
		return w.pipe(p.Source.Topic, r, nil)
	}
	return nil
}

func (w *World) encode(src *catalog.Source, isKey bool, locs []types.Loc, row *types.Row) ([]byte, error) {
	f, columns := src.ValueFormat, src.Schema.Value
	if isKey {
		f, columns = src.KeyFormat, src.Schema.Key
	}
	format, ok := w.cfg.Formats.Lookup(f.Name)
	if !ok {
		return nil, fmt.Errorf("Unknown format: %s", f.Name)
	}
	enc, err := format.NewEncoder(&formats.Spec{
		Topic: src.Topic, IsKey: isKey, Columns: columns, Locs: locs, Unwrapped: f.Unwrapped, Properties: f.Properties,
	})
	if err != nil {
		return nil, err
	}
	out, null, err := enc.Append(nil, row)
	if err != nil || null {
		return nil, err
	}
	return out, nil
}

// SourceOf finds the source that a topic belongs to: the one its query writes, else the one declared first by name.
func (w *World) SourceOf(topic string) (*catalog.Source, bool) {
	var found *catalog.Source
	for _, s := range w.catalog.Sources() {
		if s.Topic == topic && (found == nil || s.CreatedBy != "" && !s.ReadOnly) {
			found = s
		}
	}
	return found, found != nil
}

// Feed drives every query by itself, in the order of creation, as ksqlDB's test tools do: a query that reads a topic that
// inputs name gets the inputs for its topics one by one in the order given; the other topics it reads are fed from what
// is in them, topic by topic. The inputs are in their topics already.
func (w *World) Feed(inputs []Input) error { return w.FeedContext(context.Background(), inputs) }

// FeedContext is Feed; it stops with the error of ctx when that ends.
func (w *World) FeedContext(ctx context.Context, inputs []Input) error {
	given := map[string]bool{}
	for _, in := range inputs {
		given[in.Topic] = true
	}
	for _, q := range w.sim.Queries() {
		read := sourceTopics(q)
		for _, in := range inputs {
			if read[in.Topic] {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := q.Feed(in.Topic, in.Record); err != nil {
					return err
				}
			}
		}
		for _, name := range sourceOrder(q) {
			if given[name] {
				continue
			}
			topic, ok := w.sim.Topic(name)
			if !ok {
				continue
			}
			for _, r := range topic.Records() {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := q.Feed(name, r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Input is a record that was put into a topic.
type Input struct {
	Topic  string
	Record sim.Record
}

func sourceTopics(q *sim.Query) map[string]bool {
	out := map[string]bool{}
	for _, name := range sourceOrder(q) {
		out[name] = true
	}
	return out
}

// sourceOrder lists the topics of the outside that a query reads.
func sourceOrder(q *sim.Query) []string {
	var out []string
	seen := map[string]bool{}
	for _, stage := range q.Plan().Stages {
		for _, in := range stage.Inputs {
			if !in.Repartition && !seen[in.Topic] {
				seen[in.Topic] = true
				out = append(out, in.Topic)
			}
		}
	}
	return out
}

// InternalTopics lists the repartition and changelog topics of all queries, in order.
func (w *World) InternalTopics() []string {
	var out []string
	for _, p := range w.plans {
		for _, stage := range p.Plan.Stages {
			for _, in := range stage.Inputs {
				if in.Repartition {
					out = append(out, in.Topic)
				}
			}
			for _, s := range stage.Stores {
				if s.Changelog != "" {
					out = append(out, s.Changelog)
				}
			}
		}
	}
	return out
}
