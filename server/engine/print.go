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
	p := &printer{reader: reader, interval: 1}
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

// take prints the records of fetched batches in order of time, the format lines first.
func (p *printer) take(batches []*kafka.Batch) error {
	type placed struct {
		m         *record.Message
		partition int32
	}
	var all []placed
	for _, b := range batches {
		if b.Err != nil {
			return b.Err
		}
		for i := range b.Records {
			all = append(all, placed{&b.Records[i], b.Partition})
			p.key.see(b.Records[i].Key)
			p.value.see(b.Records[i].Value)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b placed) int { return int(a.m.Timestamp - b.m.Timestamp) })
	if !p.began {
		p.began = true
		p.lines = append(p.lines, "Key format: "+p.key.names(), "Value format: "+p.value.names())
	}
	for _, x := range all {
		if p.limit != nil && p.printed >= *p.limit {
			return nil
		}
		if p.seen++; (p.seen-1)%p.interval != 0 {
			continue
		}
		p.printed++
		p.lines = append(p.lines, fmt.Sprintf("rowtime: %s, key: %s, value: %s, partition: %d",
			time.UnixMilli(x.m.Timestamp).UTC().Format("2006/01/02 15:04:05.000")+" Z", p.key.print(x.m.Key), p.value.print(x.m.Value), x.partition))
	}
	return nil
}

// Close implements Printed.
func (p *printer) Close() { p.reader.Close() }
