package engine

import (
	"context"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/planner/explain"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// explain answers EXPLAIN of a running query or of a statement, which is planned and not run.
func (e *Engine) explain(ctx context.Context, s *session, st statement, n *ast.Explain) (api.Entity, error) {
	snapshot := e.Catalog()
	if n.Query != nil {
		q, ok := snapshot.Query(n.Query.Name)
		if !ok {
			return nil, diag.Errorf(diag.UnknownQuery, n.Query.Span(),
				"Query with id:%s does not exist, use SHOW QUERIES to view the full set of queries.", n.Query.Name)
		}
		return &api.QueryDescriptionEntity{Base: base(st.Text), QueryDescription: e.queryDescription(snapshot, q, e.cfg.Cluster.Ask(ctx, q.ID))}, nil
	}
	env := e.env(ctx, s, snapshot, nil)
	env.QueryNumber = e.log.Applied()
	var plan *physical.Plan
	d := api.QueryDescription{StatementText: st.Text, QueryType: api.QueryPush}
	switch x := n.Statement.(type) {
	case *ast.Query:
		if x.Select.Emit == ast.EmitNone {
			return nil, diag.Errorf(diag.NotSupported, x.Span(), "EXPLAIN of a pull query is not supported.").WithHint("Add EMIT CHANGES to see the plan of a push query.")
		}
		p, err := planner.PushQuery(env, x.Select)
		if err != nil {
			return nil, err
		}
		plan = p.Plan
		for _, c := range plan.Output.Columns {
			d.Fields = append(d.Fields, api.FieldInfo{Name: c.Name, Schema: schemaInfo(c.Type)})
		}
	case *ast.CreateAsSelect:
		p, err := planner.CreateAsSelect(env, x)
		if err != nil {
			return nil, err
		}
		plan = p.Plan
		if p.Source != nil {
			d.Fields = fieldInfos(&p.Source.Schema)
		}
		d.QueryType = api.QueryPersistent
	case *ast.InsertSelect:
		p, err := planner.InsertSelect(env, x)
		if err != nil {
			return nil, err
		}
		plan, d.QueryType = p.Plan, api.QueryPersistent
	default:
		return nil, diag.Errorf(diag.NotSupported, n.Span(), "The provided statement does not run a ksql query")
	}
	if plan == nil {
		return nil, diag.Errorf(diag.Duplicate, n.Span(), "The sink exists already, so the statement would do nothing.")
	}
	d.ID = plan.QueryID
	d.Sources = plan.Sources
	if plan.Sink != nil {
		d.Sinks = api.List[string]{plan.Sink.Name}
	}
	d.ExecutionPlan, d.Topology = explain.Text(plan), explain.Tree(plan)
	return &api.QueryDescriptionEntity{Base: base(st.Text), QueryDescription: d}, nil
}
