package operator

import (
	"bytes"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Repartition writes rows under a new key to an internal topic. Where the reading stage needs a key (grouping, joins),
// rows whose key is null or fails are left out and reported, and so are null values, which such a stage ignores.
//
// A change of a table goes as one record if old and new row have the same new key; else the old row goes first under its
// key, as a change to nothing, and then the new one, as a change from nothing.
type Repartition struct {
	ctx         *Context
	name        string
	topic       string
	keys        projection
	keyRow      *types.Row
	keyLocs     []types.Loc
	keyColumns  []types.Column
	key, value  formats.Encoder
	dropNullKey bool
	changes     bool
	// keyOnly: no value column is sent on.
	keyOnly bool

	keyBuf, oldKeyBuf []byte
	valueBuf, oldBuf  []byte
	out               []byte
}

// NewRepartition builds the operator.
func NewRepartition(ctx *Context, n *physical.Repartition) (*Repartition, error) {
	in := types.NewLayout(n.In.Out().Columns)
	keyLayout := types.NewLayout(n.KeyColumns)
	p := &Repartition{
		ctx: ctx, name: n.Name, topic: n.Topic, keyRow: keyLayout.NewRow(), keyLocs: keyLayout.Locs,
		keyColumns: n.KeyColumns, dropNullKey: n.DropNullKey, changes: n.Changes,
		keyOnly: len(n.ValueColumns) == 0,
		// Not nil, so that nothing appended is not null.
		keyBuf: []byte{}, oldKeyBuf: []byte{}, valueBuf: []byte{}, oldBuf: []byte{},
	}
	var err error
	if p.keys, err = ctx.projection(n.Name, n.Key, n.In.Out(), keyLayout, 0); err != nil {
		return nil, err
	}
	if p.key, err = ctx.encoder(n.Topic, true, n.KeyColumns, n.KeyFormat, keyLayout.Locs); err != nil {
		return nil, err
	}
	p.value, err = ctx.encoder(n.Topic, false, n.ValueColumns, n.ValueFormat, pick(in, n.Value))
	return p, err
}

// Process implements [Operator].
func (p *Repartition) Process(r *record.Record) error {
	if p.changes {
		return p.change(r)
	}
	if r.Tombstone && p.dropNullKey {
		p.ctx.mark(fateFiltered)
		return nil
	}
	key, ok := p.encodeKey(p.keyBuf, r.Row)
	if !ok {
		return nil
	}
	if key != nil {
		p.keyBuf = key
	}
	out := &p.ctx.out
	*out = Output{Topic: p.topic, Partition: -1, Key: key, Timestamp: r.Time}
	if !r.Tombstone {
		value, null, err := p.value.Append(p.valueBuf[:0], r.Row)
		if err != nil {
			p.ctx.formatFailed(p.name, SerializationError, false, true, err)
			return nil
		}
		p.valueBuf = value
		switch {
		case p.keyOnly:
			// Empty bytes, as null ones would be a null value.
			out.Value = []byte{}
		case !null:
			out.Value = value
		}
	}
	return p.ctx.emit()
}

// encodeKey computes and encodes the new key into buf; nil bytes are a null key. ok is false when the row is disposed of.
func (p *Repartition) encodeKey(buf []byte, row *types.Row) (key []byte, ok bool) {
	p.keys.run(row, p.keyRow)
	if p.dropNullKey {
		for i, l := range p.keyLocs {
			if p.keyRow.IsNull(l) {
				p.ctx.fail(p.name, ProcessingError, true, false, "the new key column "+p.keyColumns[i].Name+" is null")
				p.ctx.mark(fateNullKey)
				return nil, false
			}
		}
	}
	key, null, err := p.key.Append(buf[:0], p.keyRow)
	if err != nil {
		p.ctx.formatFailed(p.name, SerializationError, true, true, err)
		return nil, false
	}
	if null {
		return nil, true
	}
	return key, true
}

func (p *Repartition) change(r *record.Record) error {
	var oldKey, newKey []byte
	hasOld, hasNew := r.Old != nil, !r.Tombstone
	if hasOld {
		if oldKey, hasOld = p.encodeKey(p.oldKeyBuf, r.Old); oldKey != nil {
			p.oldKeyBuf = oldKey
		}
	}
	if hasNew {
		if newKey, hasNew = p.encodeKey(p.keyBuf, r.Row); newKey != nil {
			p.keyBuf = newKey
		}
	}
	if !hasOld && !hasNew {
		p.ctx.mark(fateFiltered)
		return nil
	}
	if hasOld && hasNew && bytes.Equal(oldKey, newKey) {
		return p.sendChange(newKey, r.Row, r.Old, r.Time)
	}
	if hasOld {
		if err := p.sendChange(oldKey, nil, r.Old, r.Time); err != nil {
			return err
		}
	}
	if hasNew {
		return p.sendChange(newKey, r.Row, nil, r.Time)
	}
	return nil
}

func (p *Repartition) sendChange(key []byte, newRow, oldRow *types.Row, at int64) error {
	newSide, ok := p.encodeSide(&p.valueBuf, newRow)
	if !ok {
		return nil
	}
	oldSide, ok := p.encodeSide(&p.oldBuf, oldRow)
	if !ok {
		return nil
	}
	p.out = appendChange(p.out[:0], newSide, oldSide)
	p.ctx.out = Output{Topic: p.topic, Partition: -1, Key: key, Value: p.out, Timestamp: at}
	return p.ctx.emit()
}

func (p *Repartition) encodeSide(buf *[]byte, row *types.Row) (side changeSide, ok bool) {
	if row == nil {
		return side, true
	}
	value, null, err := p.value.Append((*buf)[:0], row)
	if err != nil {
		p.ctx.formatFailed(p.name, SerializationError, false, true, err)
		return side, false
	}
	*buf = value
	return changeSide{present: true, null: null || p.keyOnly, data: value}, true
}
