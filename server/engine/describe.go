package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/peers"
	"github.com/ksqlgo/ksqlgo/server/peers/details"
)

// describe answers DESCRIBE of one source.
func (e *Engine) describe(ctx context.Context, st statement, n *ast.Describe) (api.Entity, error) {
	snapshot := e.Catalog()
	src, ok := snapshot.Source(n.Name.Name)
	if !ok {
		return nil, unknownSource(snapshot, n.Name, fmt.Sprintf("Could not find STREAM/TABLE '%s' in the Metastore", n.Name.Name))
	}
	d, err := e.sourceDescription(ctx, snapshot, src, n.Extended)
	if err != nil {
		return nil, err
	}
	return &api.SourceDescriptionEntity{Base: base(st.Text), SourceDescription: d}, nil
}

func (e *Engine) describeSources(ctx context.Context, st statement, kind ast.SourceKind, extended bool) (api.Entity, error) {
	snapshot := e.Catalog()
	out := &api.SourceDescriptionList{Base: base(st.Text)}
	for _, src := range e.sourcesOf(kind) {
		d, err := e.sourceDescription(ctx, snapshot, src, extended)
		if err != nil {
			return nil, err
		}
		out.SourceDescriptions = append(out.SourceDescriptions, d)
	}
	return out, nil
}

func (e *Engine) sourceDescription(ctx context.Context, s *catalog.Snapshot, src *catalog.Source, extended bool) (api.SourceDescription, error) {
	hosts := e.cfg.Cluster.Snapshot()
	d := api.SourceDescription{
		Name: src.Name, WindowType: windowType(src.Window), Type: src.Kind.String(), Fields: fieldInfos(&src.Schema),
		ReadQueries: runningQueries(s, hosts, s.ReadersOf(src.Name)), WriteQueries: runningQueries(s, hosts, s.WritersOf(src.Name)),
		Timestamp: src.TimestampColumn, KeyFormat: src.KeyFormat.Name, ValueFormat: src.ValueFormat.Name, Topic: src.Topic,
		Statement: src.SQL, Extended: extended, SourceConstraints: dependants(s, src), Partitions: src.Partitions, Replication: src.Replicas,
	}
	if !extended {
		return d, nil
	}
	infos, err := e.cfg.Kafka.Admin().Topics(ctx, src.Topic)
	if err != nil {
		return d, err
	}
	d.Partitions, d.Replication = int(infos[src.Topic].Partitions), int(infos[src.Topic].ReplicationFactor)
	var queries []*catalog.Query
	var ids []string
	for _, q := range s.Queries() {
		if q.Sink == src.Name || slices.Contains(q.Sources, src.Name) {
			queries, ids = append(queries, q), append(ids, q.ID)
		}
	}
	if len(queries) == 0 {
		return d, nil
	}
	reports := e.cfg.Cluster.Ask(ctx, ids...)
	for _, q := range queries {
		summary, err := e.offsetSummary(ctx, q, reports)
		if err != nil {
			return d, err
		}
		d.QueryOffsetSummaries = append(d.QueryOffsetSummaries, summary)
		for i := range reports {
			if status, ok := reports[i].Query(q.ID); ok {
				d.ClusterStatistics = append(d.ClusterStatistics, e.queryStats(&reports[i].Server, status)...)
				d.ClusterErrorStats = append(d.ClusterErrorStats, e.queryErrorStats(&reports[i].Server, status)...)
			}
		}
	}
	d.Statistics, d.ErrorStats = statText(d.ClusterStatistics), statText(d.ClusterErrorStats)
	return d, nil
}

// dependants are the sources that must be dropped before src.
func dependants(s *catalog.Snapshot, src *catalog.Source) []string {
	seen := map[string]bool{}
	for _, q := range s.ReadersOf(src.Name) {
		if q.Kind == catalog.CreateAsQuery {
			seen[q.Sink] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// queryStats are the accounting of a query on one server: what became of every record its tasks there read. The sum of all
// but the first and the last four is the first. A task takes its accounting along when it moves, so the sum over the servers is
// that of the query.
func (e *Engine) queryStats(h *peers.Host, s *exec.QueryStatus) []api.QueryHostStat {
	a := s.Total
	return e.hostStats(h, s.ID, []stat{
		{"records-read", a.Read}, {"records-emitting", a.Emitted}, {"records-filtered", a.Filtered}, {"records-merged-into-state", a.Merged},
		{"records-late", a.Late}, {"records-null-key", a.NullKey}, {"records-failed", a.Errors}, {"records-written", a.Outputs},
		{"transactions", s.Commits}, {"transactions-aborted", s.Aborts}, {"state-bytes", s.StateBytes},
	})
}

func (e *Engine) queryErrorStats(h *peers.Host, s *exec.QueryStatus) []api.QueryHostStat {
	return e.hostStats(h, s.ID, []stat{{"record-errors", s.Total.RecordErrors}, {"query-errors", int64(len(s.Errors))}})
}

type stat struct {
	name  string
	value int64
}

func (e *Engine) hostStats(h *peers.Host, queryID string, list []stat) []api.QueryHostStat {
	host, now := hostInfo(hostName(h)), e.cfg.Now().UnixMilli()
	var out []api.QueryHostStat
	for _, x := range list {
		out = append(out, api.QueryHostStat{Host: host, Name: queryID + "." + x.name, Value: float64(x.value), Timestamp: now})
	}
	return out
}

// hostInfo splits host:port.
func hostInfo(text string) api.HostInfo {
	var h api.HostInfo
	if err := h.UnmarshalText([]byte(text)); err != nil {
		h.Host = text
	}
	return h
}

// statText sums figures over the servers, as text.
func statText(stats []api.QueryHostStat) string {
	sums, names := map[string]float64{}, []string{}
	for _, s := range stats {
		if _, ok := sums[s.Name]; !ok {
			names = append(names, s.Name)
		}
		sums[s.Name] += s.Value
	}
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%40s : %12.0f\n", name, sums[name])
	}
	return b.String()
}

// offsetSummary tells how far the query's group has read each topic, as those servers say that own the tasks.
func (e *Engine) offsetSummary(ctx context.Context, q *catalog.Query, reports []details.Report) (api.QueryOffsetSummary, error) {
	out := api.QueryOffsetSummary{GroupID: exec.GroupName(e.cfg.ServiceID, q.ID)}
	byTopic := map[string]map[int32]int64{}
	for i := range reports {
		s, ok := reports[i].Query(q.ID)
		if !ok {
			continue
		}
		for j := range s.Tasks {
			for _, in := range s.Tasks[j].Inputs {
				if byTopic[in.Topic] == nil {
					byTopic[in.Topic] = map[int32]int64{}
				}
				byTopic[in.Topic][in.Partition] = max(byTopic[in.Topic][in.Partition], in.Committed)
			}
		}
	}
	topics := slices.Sorted(maps.Keys(byTopic))
	if len(topics) == 0 {
		return out, nil
	}
	starts, err := e.cfg.Kafka.Admin().StartOffsets(ctx, topics...)
	if err != nil {
		return out, err
	}
	ends, err := e.cfg.Kafka.Admin().CommittedEndOffsets(ctx, topics...)
	if err != nil {
		return out, err
	}
	for _, topic := range topics {
		ts := api.QueryTopicOffsetSummary{KafkaTopic: topic}
		for _, p := range slices.Sorted(maps.Keys(byTopic[topic])) {
			tp := kafka.TopicPartition{Topic: topic, Partition: p}
			ts.Offsets = append(ts.Offsets, api.ConsumerPartitionOffsets{Partition: int(p), LogStartOffset: starts[tp], LogEndOffset: ends[tp],
				ConsumerOffset: byTopic[topic][p]})
		}
		out.TopicSummaries = append(out.TopicSummaries, ts)
	}
	return out, nil
}

// taskMetadata is one task of a query in EXPLAIN.
func taskMetadata(t *exec.TaskStatus) api.TaskMetadata {
	m := api.TaskMetadata{TaskID: fmt.Sprintf("%d_%d", t.Stage, t.Partition)}
	for _, in := range t.Inputs {
		m.TopicOffsets = append(m.TopicOffsets, api.TaskTopicOffset{
			TopicPartition: api.TopicPartition{Topic: in.Topic, Partition: int(in.Partition)},
			EndOffset:      in.End, CommittedOffset: in.Committed,
		})
	}
	return m
}
