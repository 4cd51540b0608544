package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// kindOf names a statement kind for messages.
func kindOf(n ast.Statement) string {
	name := fmt.Sprintf("%T", n)
	name = name[strings.LastIndexByte(name, '.')+1:]
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// checkShow finds at validation what the execution of a statement that changes nothing would refuse. It names every
// statement there is: a new one must be given its place here.
func (e *Engine) checkShow(n ast.Statement, snapshot *catalog.Snapshot) error {
	switch n := n.(type) {
	case *ast.Describe:
		if _, ok := snapshot.Source(n.Name.Name); !ok {
			return unknownSource(snapshot, n.Name, fmt.Sprintf("Could not find STREAM/TABLE '%s' in the Metastore", n.Name.Name))
		}
	case *ast.AlterSystem:
		return notExecuted(n, "ALTER SYSTEM")
	case *ast.CreateConnector, *ast.DropConnector, *ast.ListConnectors, *ast.ListConnectorPlugins, *ast.DescribeConnector:
		return notExecuted(n, "A statement about connectors ("+kindOf(n)+")")
	case *ast.AssertTopic, *ast.AssertSchema:
		return checkAssert(n)
	case *ast.AssertSource, *ast.AssertValues, *ast.AssertTombstone, *ast.RunScript:
		return notExecuted(n, kindOf(n))
	case *ast.ListSources, *ast.ListQueries, *ast.ListTopics, *ast.ListFunctions, *ast.ListTypes, *ast.ListVariables, *ast.ListProperties,
		*ast.DescribeSources, *ast.DescribeFunction, *ast.Explain:
	case *ast.CreateSource, *ast.AlterSource, *ast.CreateAsSelect, *ast.InsertSelect, *ast.DropSource, *ast.CreateType, *ast.DropType, *ast.Pause, *ast.Resume,
		*ast.Terminate, *ast.InsertValues, *ast.SetProperty, *ast.UnsetProperty, *ast.Define, *ast.Undefine, *ast.Query, *ast.Print:
		// Commands, and what lasts for the session, are validated by what carries them out; queries have endpoints of their own.
	}
	return nil
}

// show executes the statements that change nothing.
func (e *Engine) show(ctx context.Context, s *session, st statement) (api.Entity, error) {
	switch n := st.Statement.(type) {
	case *ast.ListSources:
		return e.listSources(ctx, st, n.Kind, n.Extended)
	case *ast.DescribeSources:
		return e.describeSources(ctx, st, n.Kind, n.Extended)
	case *ast.ListQueries:
		return e.listQueries(ctx, st, n.Extended), nil
	case *ast.ListTopics:
		return e.listTopics(ctx, st, n)
	case *ast.ListFunctions:
		return e.listFunctions(st), nil
	case *ast.ListTypes:
		return e.listTypes(st), nil
	case *ast.ListVariables:
		list := &api.VariablesList{Base: base(st.Text)}
		for _, name := range slices.Sorted(maps.Keys(s.variables)) {
			list.Variables = append(list.Variables, api.Variable{Name: name, Value: s.variables[name]})
		}
		return list, nil
	case *ast.ListProperties:
		return e.listProperties(s, st), nil
	case *ast.Describe:
		return e.describe(ctx, st, n)
	case *ast.DescribeFunction:
		return e.describeFunction(st, n)
	case *ast.Explain:
		return e.explain(ctx, s, st, n)
	case *ast.AssertTopic:
		return e.assertTopic(ctx, s, st, n)
	case *ast.AssertSchema:
		return e.assertSchema(ctx, s, st, n)
	default:
		return nil, notExecuted(n, kindOf(n))
	}
}

func (e *Engine) listSources(ctx context.Context, st statement, kind ast.SourceKind, extended bool) (api.Entity, error) {
	if extended {
		return e.describeSources(ctx, st, kind, true)
	}
	var infos []api.SourceInfo
	for _, src := range e.sourcesOf(kind) {
		infos = append(infos, sourceInfo(src))
	}
	if kind == ast.Table {
		return &api.TablesList{Base: base(st.Text), Tables: infos}, nil
	}
	return &api.StreamsList{Base: base(st.Text), Streams: infos}, nil
}

func (e *Engine) sourcesOf(kind ast.SourceKind) []*catalog.Source {
	var out []*catalog.Source
	for _, src := range e.Catalog().Sources() {
		if src.Kind == kindOfSource(kind) {
			out = append(out, src)
		}
	}
	return out
}

func (e *Engine) listTopics(ctx context.Context, st statement, n *ast.ListTopics) (api.Entity, error) {
	topics, err := e.cfg.Kafka.Admin().AllTopics(ctx)
	if err != nil {
		return nil, err
	}
	var list []api.KafkaTopicInfo
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		t := topics[name]
		if !n.All && (t.Internal || hiddenTopic(name)) {
			continue
		}
		replicas := make(api.List[int], t.Partitions)
		for i := range replicas {
			replicas[i] = int(t.ReplicationFactor)
		}
		list = append(list, api.KafkaTopicInfo{Name: name, ReplicaInfo: replicas})
	}
	if !n.Extended {
		return &api.KafkaTopicsList{Base: base(st.Text), Topics: list}, nil
	}
	out := &api.KafkaTopicsListExtended{Base: base(st.Text)}
	for _, t := range list {
		info := api.KafkaTopicInfoExtended{Name: t.Name, ReplicaInfo: t.ReplicaInfo}
		for _, q := range e.Catalog().Queries() {
			for _, name := range q.Sources {
				if src, ok := e.Catalog().Source(name); ok && src.Topic == t.Name {
					info.ConsumerGroupCount++
					info.ConsumerCount++
				}
			}
		}
		out.Topics = append(out.Topics, info)
	}
	return out, nil
}

// hiddenTopic says whether SHOW TOPICS leaves a topic out without ALL (ksql.hidden.topics).
func hiddenTopic(name string) bool {
	for _, prefix := range []string{"_confluent", "__confluent", "_schemas", "__consumer_offsets", "__transaction_state", "connect-configs",
		"connect-offsets", "connect-status", "connect-statuses"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (e *Engine) listTypes(st statement) api.Entity {
	out := &api.TypeList{Base: base(st.Text), Types: api.Map[api.SchemaInfo]{}}
	snapshot := e.Catalog()
	for _, name := range snapshot.TypeNames() {
		t, _ := snapshot.Type(name)
		out.Types[name] = schemaInfo(t)
	}
	return out
}

func (e *Engine) listProperties(s *session, st statement) api.Entity {
	out := &api.PropertiesList{Base: base(st.Text)}
	server := e.cfg.Properties
	inForce := s.properties()
	for _, p := range properties.All() {
		value, set := inForce[p.Name]
		if !set {
			value = p.Default
		}
		if _, overwritten := s.overrides[p.Name]; overwritten {
			out.OverwrittenProperties = append(out.OverwrittenProperties, p.Name)
		}
		if _, configured := server[p.Name]; !configured {
			out.DefaultProperties = append(out.DefaultProperties, p.Name)
		}
		entry := api.Property{Name: p.Name, Scope: "KSQL", Editable: p.Editable(), Level: p.Level()}
		if value = properties.Show(p.Name, value); value != "" || set {
			entry.Value = &value
		}
		out.Properties = append(out.Properties, entry)
	}
	slices.SortFunc(out.Properties, func(a, b api.Property) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
