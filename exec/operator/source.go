package operator

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Source reads one input: it decodes key and value into a row, extracts the timestamp, and for a materialised table keeps
// the rows, so that changes carry the old one. Records that cannot be read are reported and go no further.
//
// In a stream a null key gives null key columns and a null value a tombstone. In a table a null key cannot be used, and a
// null value deletes the row.
type Source struct {
	ctx        *Context
	name       string
	spec       *physical.Input
	input      int
	key, value formats.Decoder
	row        *types.Row
	keyLocs    []types.Loc
	valueLocs  []types.Loc
	pseudo     []pseudoColumn
	copies     moves
	// at is the TIMESTAMP column; nil to use the record's own timestamp.
	at      *timeColumn
	atKey   bool
	table   *tableStore
	changes *changesDecoder
	// emptyIsNulls: in a repartition topic empty bytes are a row of nulls (a DELIMITED row of one null, a row without
	// columns), where a topic of the outside could not be read.
	emptyIsNulls bool
	// throwOnTime stops the query at a record without a usable timestamp (ksql.timestamp.throw.on.invalid).
	throwOnTime bool
	rec         record.Record
	next        Operator
}

type pseudoColumn struct {
	physical.SourceColumn
	loc types.Loc
}

// NewSource builds the operator. keepOld says that somebody downstream wants the old rows of a materialised table.
func NewSource(ctx *Context, n *physical.Source, keepOld bool, next Operator) (*Source, error) {
	in := ctx.Stage.Inputs[n.Input]
	columns := n.Type.Columns[:len(n.Type.Columns):len(n.Type.Columns)]
	origins := n.Columns[:len(n.Columns):len(n.Columns)]
	if len(columns) != len(origins) {
		return nil, fmt.Errorf("source %s: %d columns, %d origins", n.Name, len(columns), len(origins))
	}
	// The timestamp column is decoded even when nobody else reads it.
	atOrigin, atColumn := timeOrigin(in)
	if atColumn != nil {
		columns, origins = append(columns, *atColumn), append(origins, atOrigin)
	}
	layout := types.NewLayout(columns)
	s := &Source{ctx: ctx, name: n.Name, spec: in, input: n.Input, row: layout.NewRow(), next: next}
	s.throwOnTime = ctx.Env != nil && ctx.Env.Properties["ksql.timestamp.throw.on.invalid"] == "true"
	s.emptyIsNulls = in.Repartition && in.ValueFormat.Name != "KAFKA"
	s.keyLocs, s.valueLocs = make([]types.Loc, len(in.Key)), make([]types.Loc, len(in.Value))
	for i, o := range origins {
		loc := layout.Locs[i]
		switch o.Origin {
		case physical.FromKey:
			s.place(&s.keyLocs[o.Index], loc)
		case physical.FromValue:
			s.place(&s.valueLocs[o.Index], loc)
		default:
			s.pseudo = append(s.pseudo, pseudoColumn{o, loc})
		}
	}
	var err error
	if atColumn != nil {
		s.atKey = atOrigin.Origin == physical.FromKey
		if s.at, err = newTimeColumn(layout.Locs[len(columns)-1], atColumn.Type, in.Timestamp.Format); err != nil {
			return nil, err
		}
	}
	if s.key, err = ctx.decoder(in.Topic, true, in.Key, in.KeyFormat, s.keyLocs); err != nil {
		return nil, err
	}
	if s.value, err = ctx.decoder(in.Topic, false, in.Value, in.ValueFormat, s.valueLocs); err != nil {
		return nil, err
	}
	if in.Changes {
		if s.changes, err = newChangesDecoder(s, layout); err != nil {
			return nil, err
		}
	}
	if n.Store != "" {
		if s.table, err = ctx.tableStore(n.Store, layout, n.Type.Key, len(n.Type.Columns), keepOld); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// place assigns a column to its place in the row, or copies it there from where it is already decoded to.
func (s *Source) place(at *types.Loc, loc types.Loc) {
	if at.Class == types.ClassNone {
		*at = loc
		return
	}
	s.copies.add(*at, loc)
}

// timeOrigin finds the column that gives ROWTIME; nil if there is none.
func timeOrigin(in *physical.Input) (physical.SourceColumn, *types.Column) {
	if in.Timestamp == nil {
		return physical.SourceColumn{}, nil
	}
	for i := range in.Value {
		if in.Value[i].Name == in.Timestamp.Column {
			return physical.SourceColumn{Origin: physical.FromValue, Index: i}, &in.Value[i]
		}
	}
	for i := range in.Key {
		if in.Key[i].Name == in.Timestamp.Column {
			return physical.SourceColumn{Origin: physical.FromKey, Index: i}, &in.Key[i]
		}
	}
	return physical.SourceColumn{}, nil
}

// Input is the index of the input in the stage.
func (s *Source) Input() int { return s.input }

// Read processes one record of the input.
func (s *Source) Read(m *record.Message) error {
	r := &s.rec
	*r = record.Record{
		Row: s.row, Time: m.Timestamp, Partition: s.ctx.Partition, Offset: m.Offset, Headers: m.Headers,
		Tombstone: m.Value == nil,
	}
	if !s.readKey(m, r) || s.changes == nil && !s.readValue(m) {
		return nil
	}
	if err := s.readTime(r); err != nil {
		if s.throwOnTime {
			return fmt.Errorf("Fatal user code error in TimestampExtractor callback for record: %w", err)
		}
		s.ctx.fail(s.name, ProcessingError, false, true, err.Error())
		return nil
	}
	s.ctx.time = max(s.ctx.time, r.Time)
	if s.changes != nil {
		if err := s.changes.decode(m.Value, r); err != nil {
			s.ctx.formatFailed(s.name, DeserializationError, false, true, err)
			return nil
		}
		return s.next.Process(r)
	}
	s.setPseudo(r, s.row)
	if s.table != nil {
		s.ctx.mark(fateKept)
		if err := s.table.apply(r); err != nil {
			return err
		}
	}
	return s.next.Process(r)
}

// readKey decodes the key; false means that the record has been disposed of.
func (s *Source) readKey(m *record.Message, r *record.Record) bool {
	if m.Key == nil {
		if s.spec.Table || s.spec.Window != types.NoWindow {
			s.ctx.fail(s.name, ProcessingError, true, false, "the key is null")
			s.ctx.mark(fateNullKey)
			return false
		}
		setNull(s.row, s.keyLocs)
		r.NullKey = true
		return true
	}
	key, window, err := splitWindow(m.Key, s.spec.Window, s.spec.WindowSizeMs)
	if err == nil {
		r.RawKey, r.Window = key, window
		err = s.key.Decode(key, s.row)
	}
	if err != nil {
		s.ctx.formatFailed(s.name, DeserializationError, true, true, err)
		return false
	}
	return true
}

func (s *Source) readValue(m *record.Message) bool {
	if m.Value == nil || s.emptyIsNulls && len(m.Value) == 0 {
		setNull(s.row, s.valueLocs)
	} else if err := s.value.Decode(m.Value, s.row); err != nil {
		s.ctx.formatFailed(s.name, DeserializationError, false, true, err)
		return false
	}
	s.copies.run(s.row, s.row)
	return true
}

// readTime sets the record's time, or says why it has none that can be used. A null value keeps the record's own.
func (s *Source) readTime(r *record.Record) error {
	if s.at != nil && (s.atKey || !r.Tombstone) {
		at, err := s.at.read(s.row)
		if err != nil {
			return err
		}
		r.Time = at
	}
	if r.Time < 0 {
		return fmt.Errorf("the timestamp %d is negative", r.Time)
	}
	return nil
}

func (s *Source) setPseudo(r *record.Record, row *types.Row) {
	for i := range s.pseudo {
		p := &s.pseudo[i]
		if r.Tombstone && !s.spec.Table {
			// As in ksqlDB the pseudo columns are part of the value.
			row.SetNull(p.loc)
			continue
		}
		switch p.Origin {
		case physical.FromHeaders:
			setHeaders(row, p.loc, p.Header, r.Headers)
		case physical.FromRowTime:
			row.SetInt64(p.loc, r.Time)
		case physical.FromPartition:
			row.SetInt64(p.loc, int64(r.Partition))
		case physical.FromOffset:
			row.SetInt64(p.loc, r.Offset)
		case physical.FromWindowStart:
			row.SetInt64(p.loc, r.Window.Start)
		case physical.FromWindowEnd:
			row.SetInt64(p.loc, r.Window.End)
		}
	}
}

// Time is the timestamp by which a record is ordered against other inputs', without any effect.
func (s *Source) Time(m *record.Message) int64 {
	if s.at == nil {
		return m.Timestamp
	}
	data, decoder := m.Value, s.value
	if s.atKey {
		data, decoder = m.Key, s.key
		if data != nil {
			var err error
			if data, _, err = splitWindow(data, s.spec.Window, s.spec.WindowSizeMs); err != nil {
				return m.Timestamp
			}
		}
	}
	if data == nil || decoder.Decode(data, s.row) != nil {
		return m.Timestamp
	}
	s.copies.run(s.row, s.row)
	if at, err := s.at.read(s.row); err == nil {
		return at
	}
	return m.Timestamp
}

func setNull(row *types.Row, locs []types.Loc) {
	for _, l := range locs {
		if l.Class != types.ClassNone {
			row.SetNull(l)
		}
	}
}

// setHeaders makes a column show all headers, or the value of the last one of a name.
func setHeaders(row *types.Row, loc types.Loc, name *string, headers []record.Header) {
	if name == nil {
		list := make([]any, len(headers))
		for i, h := range headers {
			var value any
			if h.Value != nil {
				value = bytes.Clone(h.Value)
			}
			list[i] = types.StructValue{h.Key, value}
		}
		row.SetRef(loc, list)
		return
	}
	for _, h := range slices.Backward(headers) {
		if h.Key == *name {
			if h.Value == nil {
				break
			}
			row.SetBytes(loc, h.Value)
			return
		}
	}
	row.SetNull(loc)
}
