package render

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/server/api"
)

func (p *page) sources(nameHeader string, sources []api.SourceInfo) {
	t := newTable(nameHeader, "Kafka Topic", "Key Format", "Value Format", "Windowed")
	for _, s := range sources {
		t.row(s.Name, s.Topic, s.KeyFormat, s.ValueFormat, strconv.FormatBool(s.IsWindowed))
	}
	p.add(t)
}

// source is DESCRIBE, or DESCRIBE … EXTENDED when the description is extended.
func (p *page) source(s *api.SourceDescription) {
	p.labelled("Name", s.Name)
	if !s.Extended {
		p.constraints(s)
		p.schema(s.Fields, s.WindowType, s.Type == "TABLE")
		p.line("For runtime statistics and query details run: DESCRIBE <Stream,Table> EXTENDED;")
		return
	}
	p.labelled("Type", s.Type)
	timestamp := s.Timestamp
	if timestamp == "" {
		timestamp = "Not set - using <ROWTIME>"
	}
	p.labelled("Timestamp field", timestamp)
	p.labelled("Key format", s.KeyFormat)
	p.labelled("Value format", s.ValueFormat)
	p.topicLine(s)
	p.labelled("Statement", s.Statement)
	p.line("")
	p.constraints(s)
	p.schema(s.Fields, s.WindowType, s.Type == "TABLE")
	p.runningQueries("read", s.Type, s.ReadQueries)
	p.runningQueries("write", s.Type, s.WriteQueries)
	p.statistics(s)
	p.consumerGroups(s.QueryOffsetSummaries)
}

func (p *page) topicLine(s *api.SourceDescription) {
	if s.Topic == "" {
		return
	}
	topic := s.Topic
	if s.Partitions != 0 {
		topic += fmt.Sprintf(" (partitions: %d, replication: %d)", s.Partitions, s.Replication)
	}
	p.labelled("Kafka topic", topic)
}

func (p *page) constraints(s *api.SourceDescription) {
	if len(s.SourceConstraints) == 0 {
		return
	}
	p.line("Sources that have a DROP constraint on this source")
	p.line("%s", strings.Repeat("-", 50))
	for _, name := range s.SourceConstraints {
		p.line("%s", name)
	}
	p.line("")
}

func (p *page) schema(fields []api.FieldInfo, windowType *string, isTable bool) {
	if len(fields) == 0 {
		return
	}
	t := newTable("Field", "Type")
	for _, f := range fields {
		t.row(f.Name, fieldType(&f, windowType, isTable))
	}
	p.add(t)
}

func fieldType(f *api.FieldInfo, windowType *string, isTable bool) string {
	text := TypeText(&f.Schema)
	switch f.Type {
	case api.FieldKey:
		mark := "(key)"
		if isTable {
			mark = "(primary key)"
		}
		if windowType != nil {
			mark += " (Window type: " + *windowType + ")"
		}
		return fmt.Sprintf("%-16s %s", text, mark)
	case api.FieldHeader:
		if f.HeaderKey != nil {
			return fmt.Sprintf("%-16s (header('%s'))", text, *f.HeaderKey)
		}
		return fmt.Sprintf("%-16s (headers)", text)
	}
	return text
}

// TypeText is a type as DESCRIBE shows it.
func TypeText(s *api.SchemaInfo) string {
	switch s.Type {
	case "STRING":
		return "VARCHAR(STRING)"
	case "DECIMAL":
		return fmt.Sprintf("DECIMAL(%v, %v)", s.Parameters["precision"], s.Parameters["scale"])
	case "ARRAY":
		if s.MemberSchema != nil {
			return "ARRAY<" + TypeText(s.MemberSchema) + ">"
		}
	case "MAP":
		if s.MemberSchema != nil {
			return "MAP<STRING, " + TypeText(s.MemberSchema) + ">"
		}
	case "STRUCT":
		fields := make([]string, len(s.Fields))
		for i := range s.Fields {
			fields[i] = s.Fields[i].Name + " " + TypeText(&s.Fields[i].Schema)
		}
		return "STRUCT<" + strings.Join(fields, ", ") + ">"
	}
	return s.Type
}

func (p *page) runningQueries(verb, sourceType string, queries []api.RunningQuery) {
	if len(queries) == 0 {
		return
	}
	p.section("Queries that "+verb+" from this "+sourceType, "-----------------------------------")
	for _, q := range queries {
		p.line("%s (%s) : %s", q.ID, q.State, strings.Join(strings.Fields(q.QueryString), " "))
	}
	p.line("\nFor query topology and execution plan please run: EXPLAIN <QueryId>")
}

// statistics prints the figures of each host, or the texts of old servers.
func (p *page) statistics(s *api.SourceDescription) {
	if len(s.ClusterStatistics) == 0 && len(s.ClusterErrorStats) == 0 {
		p.section("Local runtime statistics", "------------------------")
		p.line("%s", s.Statistics)
		p.line("%s", s.ErrorStats)
	} else {
		p.section("Runtime statistics by host", "-------------------------")
		p.hostStatistics(s.ClusterStatistics)
		p.hostStatistics(s.ClusterErrorStats)
	}
	p.line("(Statistics of the local KSQL server interaction with the Kafka topic %s)", s.Topic)
}

func (p *page) hostStatistics(stats []api.QueryHostStat) {
	if len(stats) == 0 {
		return
	}
	stats = append([]api.QueryHostStat(nil), stats...)
	sort.SliceStable(stats, func(i, j int) bool {
		if stats[i].Host != stats[j].Host {
			return stats[i].Host.String() < stats[j].Host.String()
		}
		return stats[i].Name < stats[j].Name
	})
	t := newTable("Host", "Metric", "Value", "Last Message")
	for _, s := range stats {
		t.row(s.Host.String(), s.Name, strconv.FormatFloat(s.Value, 'f', -1, 64), timeText(s.Timestamp))
	}
	if stats[0].Host != stats[len(stats)-1].Host {
		addSums(t, stats)
	}
	p.add(t)
}

// addSums adds the sum over the hosts of each figure.
func addSums(t *table, stats []api.QueryHostStat) {
	sums, latest := map[string]float64{}, map[string]int64{}
	for _, s := range stats {
		sums[s.Name] += s.Value
		latest[s.Name] = max(latest[s.Name], s.Timestamp)
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		t.row("(all)", name, strconv.FormatFloat(sums[name], 'f', -1, 64), timeText(latest[name]))
	}
}

// timeText shows Unix milliseconds, "n/a" for none.
func timeText(ms int64) string {
	if ms <= 0 {
		return "n/a"
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

func (p *page) consumerGroups(groups []api.QueryOffsetSummary) {
	if len(groups) == 0 {
		return
	}
	p.line("\nConsumer Groups summary:")
	for _, g := range groups {
		p.line("")
		p.labelled("Consumer Group", g.GroupID)
		if len(g.TopicSummaries) == 0 {
			p.line("<no offsets committed by this group yet>")
		}
		for _, topic := range g.TopicSummaries {
			p.topicOffsets(&topic)
		}
	}
}

func (p *page) topicOffsets(topic *api.QueryTopicOffsetSummary) {
	p.line("")
	p.labelled("Kafka topic", topic.KafkaTopic)
	maxLag := int64(0)
	t := newTable("Partition", "Start Offset", "End Offset", "Offset", "Lag")
	for _, o := range topic.Offsets {
		lag := o.LogEndOffset - o.ConsumerOffset
		maxLag = max(maxLag, lag)
		t.row(strconv.Itoa(o.Partition), strconv.FormatInt(o.LogStartOffset, 10),
			strconv.FormatInt(o.LogEndOffset, 10), strconv.FormatInt(o.ConsumerOffset, 10), strconv.FormatInt(lag, 10))
	}
	p.labelled("Max lag", strconv.FormatInt(maxLag, 10))
	p.line("")
	p.add(t)
}
