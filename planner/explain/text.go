package explain

import (
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Text prints a plan as ksqlDB's EXPLAIN does, the last step first:
//
//	> [ PROJECT ] | Schema: `ID` INTEGER KEY, `N` BIGINT | Logger: CTAS_X_0.Project
func Text(p *physical.Plan) string {
	var b strings.Builder
	if len(p.Stages) == 0 {
		return ""
	}
	writers := map[string]physical.Node{}
	for _, s := range p.Stages {
		switch root := s.Root.(type) {
		case *physical.Repartition:
			writers[root.Topic] = root
		case *physical.ForeignKeyAnswer:
			writers[root.Topic] = root
		default: // What others write no stage reads.
		}
	}
	last := p.Stages[len(p.Stages)-1]
	textNode(&b, p, last, last.Root, writers, 0)
	return b.String()
}

func textNode(b *strings.Builder, p *physical.Plan, s *physical.Stage, n physical.Node, writers map[string]physical.Node, depth int) {
	fmt.Fprintf(b, "%s > [ %s ] | Schema: %s | Logger: %s.%s\n", strings.Repeat("\t\t", depth), step(n), Schema(n), p.QueryID, name(n))
	if src, ok := n.(*physical.Source); ok {
		in := s.Inputs[src.Input]
		if w := writers[in.Topic]; w != nil {
			textNode(b, p, stageOf(p, w), w, writers, depth+1)
		}
		return
	}
	for _, c := range n.Children() {
		textNode(b, p, s, c, writers, depth+1)
	}
}

func stageOf(p *physical.Plan, root physical.Node) *physical.Stage {
	for _, s := range p.Stages {
		if s.Root == root {
			return s
		}
	}
	return nil
}

// step is ksqlDB's word for a node.
func step(n physical.Node) string {
	switch n := n.(type) {
	case *physical.Source:
		return "SOURCE"
	case *physical.Filter:
		return "FILTER"
	case *physical.Project:
		if n.Rekey {
			return "REKEY"
		}
		return "PROJECT"
	case *physical.FlatMap:
		return "FLAT_MAP"
	case *physical.Aggregate:
		return "AGGREGATE"
	case *physical.Suppress:
		return "SUPPRESS"
	case *physical.StreamTableJoin, *physical.StreamStreamJoin, *physical.TableTableJoin:
		return "JOIN"
	case *physical.ForeignKeyJoin:
		return "FK_JOIN"
	case *physical.ForeignKeyAnswer:
		return "FK_ANSWER"
	case *physical.Materialize:
		return "MATERIALIZE"
	case *physical.Repartition:
		if n.DropNullKey && strings.HasSuffix(n.Name, "GroupBy") {
			return "GROUP_BY"
		}
		return "REKEY"
	case *physical.Sink:
		return "SINK"
	case *physical.Emit:
		return "OUTPUT"
	}
	return "UNKNOWN"
}

// name is the step's own name.
func name(n physical.Node) string {
	switch n := n.(type) {
	case *physical.Source:
		return n.Name
	case *physical.Filter:
		return n.Name
	case *physical.Project:
		return n.Name
	case *physical.FlatMap:
		return n.Name
	case *physical.Aggregate:
		return n.Name
	case *physical.Suppress:
		return n.Name
	case *physical.StreamTableJoin:
		return n.Name
	case *physical.StreamStreamJoin:
		return n.Name
	case *physical.TableTableJoin:
		return n.Name
	case *physical.ForeignKeyJoin:
		return n.Name
	case *physical.ForeignKeyAnswer:
		return n.Name
	case *physical.Materialize:
		return n.Name
	case *physical.Repartition:
		return n.Name
	case *physical.Sink:
		return n.Name
	case *physical.Emit:
		return n.Name
	}
	return ""
}

// Schema prints the rows of a node as ksqlDB prints schemas.
func Schema(n physical.Node) string {
	var s types.Schema
	switch n := n.(type) {
	case *physical.Sink:
		s = types.Schema{Key: n.Key, Value: n.Value}
	case *physical.Repartition:
		s = types.Schema{Key: n.KeyColumns, Value: n.ValueColumns}
	case *physical.ForeignKeyAnswer:
		s = types.Schema{Key: n.KeyColumns, Value: n.ValueColumns}
	default:
		out := n.Out()
		s = types.Schema{Key: out.Columns[:out.Key], Value: out.Columns[out.Key:]}
	}
	return s.String()
}
