package planner

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/explain"
	"github.com/ksqlgo/ksqlgo/planner/logical"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// keepRows plans the query of a CREATE SOURCE TABLE: it keeps the latest row of each key of the table's topic, for pull
// queries. The source is marked as its result.
func (env *Env) keepRows(p *SourcePlan) *QueryPlan {
	src := p.Source
	id := persistentQueryID("CST", strings.ToUpper(src.Name), env.QueryNumber)
	src.CreatedBy, src.Materialized = id, true
	scan := &logical.Scan{Source: src, Alias: src.Name, Step: "KsqlTopic", Out: tableColumns(src)}
	need := columnSet{}
	for _, c := range scan.Out {
		need.add(c.ID)
	}
	b := &builder{env: env, names: newNamer(env.ServiceID, "query_", id)}
	f := b.scan(scan, need)
	plan := &physical.Plan{Version: physical.Version, QueryID: id, SQL: src.SQL, Sources: []string{src.Name}}
	plan.Materialization = b.materialize(scan, f)
	if src.WindowSizeMs > 0 {
		// The keys of the store hold the starts of windows; the size tells the ends.
		f.stage.stores[0].Window = &types.WindowSpec{Type: src.Window, SizeMs: src.WindowSizeMs}
	}
	plan.Materialization.Stage = b.close(f, f.node).ID
	plan.Stages = b.stages
	return &QueryPlan{
		Plan: plan, Source: src, Topic: p.Topic, Schemas: p.Schemas, Logical: explain.Logical(scan),
		Query: &catalog.Query{ID: id, Kind: catalog.CreateSourceQuery, SQL: src.SQL, Sources: plan.Sources},
	}
}

// tableColumns are the columns of a table in the order in which its rows are kept for pull queries; the IDs are their places.
func tableColumns(src *catalog.Source) []logical.ScanColumn {
	var out []logical.ScanColumn
	add := func(c types.Column, origin physical.Origin, index int) {
		out = append(out, logical.ScanColumn{Column: logical.Column{ID: len(out), Name: c.Name, Type: c.Type}, Origin: origin, Index: index})
	}
	for i, c := range src.Schema.Key {
		add(c, physical.FromKey, i)
	}
	for i, c := range src.Schema.Value {
		add(c, physical.FromValue, i)
	}
	for i, c := range src.Schema.Headers {
		add(c.Column, physical.FromHeaders, i)
	}
	return out
}
