package engine

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// Print runs a PRINT: the raw records of a topic as text lines. Errors are api.ErrorBody values.
func (e *Engine) Print(ctx context.Context, r Request) (Printed, error) {
	s, st, err := e.oneStatement(ctx, r)
	if err != nil {
		return nil, err
	}
	n, ok := st.Statement.(*ast.Print)
	if !ok {
		return nil, api.NewStatementError(st.Text, fmt.Sprintf("Statement type `%s' not supported for this resource", kindOf(st.Statement)))
	}
	infos, err := e.cfg.Kafka.Admin().AllTopics(ctx)
	if err != nil {
		return nil, statementError(st, err, nil)
	}
	info, ok := infos[n.Topic.Name]
	if !ok {
		return nil, api.NewStatementError(st.Text, unknownTopic(n.Topic.Name, slices.Sorted(maps.Keys(infos))))
	}
	reader, err := e.cfg.Kafka.NewReader(kafka.ReaderConfig{Name: "print"})
	if err != nil {
		return nil, statementError(st, err, nil)
	}
	from := kafka.AtEnd
	if n.FromBeginning || s.properties()["auto.offset.reset"] == "earliest" {
		from = kafka.AtStart
	}
	start := map[kafka.TopicPartition]int64{}
	for p := range info.Partitions {
		start[kafka.TopicPartition{Topic: info.Name, Partition: p}] = from
	}
	if err := reader.Start(ctx, start); err != nil {
		reader.Close()
		return nil, statementError(st, err, nil)
	}
	before, behind := e.schemaFormats()
	p := &printer{reader: reader, interval: 1, key: formatGuess{isKey: true, before: before, behind: behind}, value: formatGuess{before: before, behind: behind}}
	if n.Interval != nil && *n.Interval > 0 {
		p.interval = *n.Interval
	}
	if n.Limit != nil {
		p.limit = &n.Limit.Count
	}
	return p, nil
}

// unknownTopic is ksqlDB's text, with the names that differ in case only.
func unknownTopic(name string, topics []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Could not find topic '%s', or the KSQL user does not have permissions to list the topic. Topic names are case-sensitive.", name)
	var near []string
	for _, t := range topics {
		if strings.EqualFold(t, name) {
			near = append(near, t)
		}
	}
	if len(near) > 0 {
		b.WriteString("\nDid you mean:")
		for _, t := range near {
			fmt.Fprintf(&b, "\n\tprint %s;", t)
		}
	}
	return b.String()
}

// printer reads a topic and prints its records. It guesses the formats from what it has seen.
type printer struct {
	reader   *kafka.Reader
	interval int64
	limit    *int64
	key      formatGuess
	value    formatGuess
	lines    []string
	seen     int64
	printed  int64
	began    bool
}

// Next implements Printed.
func (p *printer) Next(ctx context.Context) (string, error) {
	for len(p.lines) == 0 {
		if p.limit != nil && p.printed >= *p.limit {
			return "", io.EOF
		}
		batches, err := p.reader.Poll(ctx, time.Second)
		if err != nil {
			return "", err
		}
		err = p.take(batches)
		for _, b := range batches {
			b.Release()
		}
		if err != nil {
			return "", err
		}
	}
	line := p.lines[0]
	p.lines = p.lines[1:]
	return line, nil
}

// take prints the records of fetched batches, the format lines first. The records of a partition keep their order; among
// partitions the earlier time goes first.
func (p *printer) take(batches []*kafka.Batch) error {
	byPartition := map[int32][]*record.Message{}
	for _, b := range batches {
		if b.Err != nil {
			return b.Err
		}
		for i := range b.Records {
			m := &b.Records[i]
			byPartition[b.Partition] = append(byPartition[b.Partition], m)
			p.key.see(m.Key)
			p.value.see(m.Value)
		}
	}
	if len(byPartition) > 0 && !p.began {
		p.began = true
		p.lines = append(p.lines, "Key format: "+p.key.names(), "Value format: "+p.value.names())
	}
	partitions := slices.Sorted(maps.Keys(byPartition))
	for len(byPartition) > 0 && (p.limit == nil || p.printed < *p.limit) {
		first := int32(-1)
		for _, i := range partitions {
			if queue := byPartition[i]; len(queue) > 0 && (first < 0 || queue[0].Timestamp < byPartition[first][0].Timestamp) {
				first = i
			}
		}
		p.line(byPartition[first][0], first)
		if byPartition[first] = byPartition[first][1:]; len(byPartition[first]) == 0 {
			delete(byPartition, first)
		}
	}
	return nil
}

// line prints one record, unless SAMPLE passes over it.
func (p *printer) line(m *record.Message, partition int32) {
	if p.seen++; (p.seen-1)%p.interval != 0 {
		return
	}
	p.printed++
	p.lines = append(p.lines, fmt.Sprintf("rowtime: %s, key: %s, value: %s, partition: %d",
		time.UnixMilli(m.Timestamp).UTC().Format("2006/01/02 15:04:05.000")+" Z", p.key.print(m.Key), p.value.print(m.Value), partition))
}

// Close implements Printed.
func (p *printer) Close() { p.reader.Close() }
