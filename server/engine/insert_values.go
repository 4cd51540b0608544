package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/planner"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// planInsert plans INSERT INTO … VALUES against a catalog.
func (e *Engine) planInsert(ctx context.Context, s *session, n *ast.InsertValues, snapshot *catalog.Snapshot,
	created map[string]kafka.TopicInfo,
) (*planner.InsertPlan, error) {
	if s.properties()["ksql.insert.into.values.enabled"] == "false" {
		return nil, api.NewError(api.CodeBadRequest, "The server has disabled INSERT INTO ... VALUES functionality. "+
			"To enable it, restart your ksqlDB server with 'ksql.insert.into.values.enabled'=true")
	}
	return planner.InsertValues(e.env(ctx, s, snapshot, created), n)
}

// insertValues writes the record of an INSERT INTO … VALUES and returns when it is durable. Without a warning it has no result, as
// in ksqlDB.
func (e *Engine) insertValues(ctx context.Context, s *session, st statement, n *ast.InsertValues) (api.Entity, error) {
	p, err := e.planInsert(ctx, s, n, e.Catalog(), nil)
	if err != nil {
		return nil, err
	}
	w, err := e.newRecordWriter(p.Source)
	if err != nil {
		return nil, err
	}
	at := e.cfg.Now().UnixMilli()
	if p.Timestamp != nil {
		at = *p.Timestamp
	}
	if s.written == nil {
		s.written = position.Vector{}
	}
	if err := w.write(ctx, p.Key, p.Value, at, s.written); err != nil || len(p.Warnings) == 0 {
		return nil, err
	}
	return &api.WarningEntity{Base: base(st.Text), Message: strings.Join(p.Warnings, "\n")}, nil
}

// recordWriter encodes rows of one source and writes them to its topic. It belongs to one goroutine.
type recordWriter struct {
	e          *Engine
	source     *catalog.Source
	partitions int32
	row        *types.Row
	locs       []types.Loc
	key, value formats.Encoder
	next       int32
}

func (e *Engine) newRecordWriter(src *catalog.Source) (*recordWriter, error) {
	layout := types.NewLayout(src.Schema.Columns())
	w := &recordWriter{e: e, source: src, row: layout.NewRow(), locs: layout.Locs, partitions: int32(src.Partitions)}
	if w.partitions > 0 {
		// Rows without a key go to any partition.
		w.next = int32(e.cfg.Random() % uint64(w.partitions))
	}
	nk := len(src.Schema.Key)
	var err error
	if w.key, err = e.encoder(src, src.KeyFormat, true, src.Schema.Key, layout.Locs[:nk]); err != nil {
		return nil, err
	}
	w.value, err = e.encoder(src, src.ValueFormat, false, src.Schema.Value, layout.Locs[nk:])
	return w, err
}

func (e *Engine) encoder(src *catalog.Source, f catalog.Format, isKey bool, columns []types.Column, locs []types.Loc) (formats.Encoder, error) {
	format, ok := e.cfg.Formats.Lookup(f.Name)
	if !ok {
		return nil, fmt.Errorf("Unknown format: %s", f.Name)
	}
	return format.NewEncoder(&formats.Spec{Topic: src.Topic, IsKey: isKey, Columns: columns, Locs: locs,
		Unwrapped: f.Unwrapped, Properties: f.Properties})
}

// write writes one record and raises the positions by its own. A row whose key is null goes to any partition.
func (w *recordWriter) write(ctx context.Context, key, value []types.Slot, at int64, written position.Vector) error {
	for i, s := range key {
		w.row.SetSlot(w.locs[i], s)
	}
	for i, s := range value {
		w.row.SetSlot(w.locs[len(key)+i], s)
	}
	k, nullKey, err := w.key.Append(nil, w.row)
	if err != nil {
		return fmt.Errorf("Could not serialize key: %w", err)
	}
	v, nullValue, err := w.value.Append(nil, w.row)
	if err != nil {
		return fmt.Errorf("Could not serialize value: %w", err)
	}
	if nullKey {
		k = nil
	}
	if nullValue {
		v = nil
	}
	partition := w.next % w.partitions
	if k != nil {
		partition = kafka.PartitionForKey(k, w.partitions)
	} else {
		w.next++
	}
	plain, err := w.e.cfg.Kafka.Plain()
	if err != nil {
		return err
	}
	offset, err := plain.Produce(ctx, kafka.TopicPartition{Topic: w.source.Topic, Partition: partition}, k, v, at, nil)
	if err != nil {
		return err
	}
	written.Raise(position.Vector{w.source.Topic: {partition: offset + 1}})
	return nil
}
