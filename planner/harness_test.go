package planner_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	formatlist "github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	functionlist "github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// world is an engine without execution: statements change its catalog and topics.
type world struct {
	env    planner.Env
	topics map[string]planner.TopicInfo
	plans  map[string]*physical.Plan
}

func newWorld() *world {
	w := &world{topics: map[string]planner.TopicInfo{}, plans: map[string]*physical.Plan{}}
	w.env = planner.Env{
		Catalog: catalog.Empty(), Functions: functionlist.Registry(), Formats: formatlist.Registry(schemas.None{}), Topics: w,
		Properties: map[string]string{}, ServiceID: "some.ksql.service.id",
		Plans: func(id string) (*physical.Plan, bool) { p, ok := w.plans[id]; return p, ok },
	}
	return w
}

// Topic implements planner.Topics.
func (w *world) Topic(name string) (planner.TopicInfo, bool, error) {
	info, ok := w.topics[name]
	return info, ok, nil
}

// outcome is what planning one statement gave; one field is set.
type outcome struct {
	source *planner.SourcePlan
	query  *planner.QueryPlan
	push   *planner.PushPlan
	pull   *planner.PullPlan
	insert *planner.InsertPlan
}

var errOther = errors.New("not a statement the planner plans")

// run plans one statement and applies it.
func (w *world) run(st ast.Statement) (o outcome, err error) {
	env := w.env
	switch st := st.(type) {
	case *ast.CreateSource:
		if o.source, err = planner.CreateSource(&env, st); err == nil && o.source.Query != nil {
			o.source, o.query = nil, o.source.Query
			w.apply(o.query)
		} else if err == nil && !o.source.Exists {
			w.topics[o.source.Topic.Name] = planner.TopicInfo{Partitions: o.source.Topic.Partitions, Replicas: o.source.Topic.Replicas}
			w.env.Catalog = w.env.Catalog.WithSource(o.source.Source)
		}
	case *ast.CreateAsSelect:
		if o.query, err = planner.CreateAsSelect(&env, st); err == nil && !o.query.Exists {
			w.apply(o.query)
		}
	case *ast.InsertSelect:
		if o.query, err = planner.InsertSelect(&env, st); err == nil {
			w.apply(o.query)
		}
	case *ast.InsertValues:
		o.insert, err = planner.InsertValues(&env, st)
	case *ast.Query:
		if st.Select.Emit == ast.EmitNone {
			o.pull, err = planner.PullQuery(&env, st.Select)
		} else {
			o.push, err = planner.PushQuery(&env, st.Select)
		}
	case *ast.CreateType:
		t, typeErr := planner.TypeOf(&env, st.Type)
		if err = typeErr; err == nil {
			w.env.Catalog = w.env.Catalog.WithType(st.Name.Name, t)
		}
	case *ast.SetProperty:
		w.env.Properties[st.Name.Value] = st.Value.Value
	default:
		err = fmt.Errorf("%w: %T", errOther, st)
	}
	return o, err
}

func (w *world) apply(q *planner.QueryPlan) {
	w.topics[q.Topic.Name] = planner.TopicInfo{Partitions: q.Topic.Partitions, Replicas: q.Topic.Replicas}
	if q.Source != nil {
		w.env.Catalog = w.env.Catalog.WithSource(q.Source)
	}
	w.env.Catalog = w.env.Catalog.WithQuery(q.Query)
	w.plans[q.Plan.QueryID] = q.Plan
	w.env.QueryNumber++
}

// sql plans every statement of a text, up to the first error.
func (w *world) sql(text string) (out []outcome, err error) {
	stmts, parseErr := grammar.Parse(text, grammar.Options{OptionalSemicolon: true})
	for _, st := range stmts {
		o, err := w.run(st.Statement)
		if err != nil {
			return out, err
		}
		out = append(out, o)
	}
	return out, parseErr
}

// topic declares a topic that exists.
func (w *world) topic(name string, partitions int) {
	w.topics[name] = planner.TopicInfo{Partitions: partitions, Replicas: 1}
}

// kafkaTopics finds the topics that a text of statements names.
func kafkaTopics(text string) []string {
	var out []string
	lower := strings.ToLower(text)
	for at := 0; ; {
		i := strings.Index(lower[at:], "kafka_topic")
		if i < 0 {
			return out
		}
		at += i
		q := strings.IndexByte(text[at:], '\'')
		if q < 0 {
			return out
		}
		at += q + 1
		end := strings.IndexByte(text[at:], '\'')
		if end < 0 {
			return out
		}
		out = append(out, text[at:at+end])
		at += end
	}
}
