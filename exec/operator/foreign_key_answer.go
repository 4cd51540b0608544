package operator

import (
	"encoding/binary"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/state/rowcodec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// instruction says what to do with a subscription. The numbers are part of the topic's format.
type instruction int64

const (
	// unsubscribe removes it, without an answer.
	unsubscribe instruction = 0
	// subscribe keeps it, and answers if there is a right row.
	subscribe instruction = 1
	// subscribeAndAnswer keeps it, and answers in any case.
	subscribeAndAnswer instruction = 2
)

// ForeignKeyAnswer is the right side of a foreign-key join. Its own input is the right table: it keeps the rows, and tells
// all left rows that subscribe to a row when that changes. [ForeignKeyAnswer.Subscriptions] takes the subscriptions.
type ForeignKeyAnswer struct {
	ctx           *Context
	name, topic   string
	rows          *state.KeyedStore
	subscriptions *state.KeyedStore
	// keys encodes the key of a right row, values its other columns.
	keys    *rowcodec.KeyCodec
	values  *rowcodec.ValueCodec
	keyLocs []types.Loc
	// stored is a right row from the store.
	stored *types.Row

	reader *subscriptionReader
	// state encodes what is kept of a subscription.
	state       *rowcodec.ValueCodec
	stateLayout *types.Layout
	stateRow    *types.Row

	// answer is the answer in hand, whose version is written into its bytes for each subscription.
	answer       *types.Row
	answerLayout *types.Layout
	answers      *rowcodec.ValueCodec
	versionAt    int
	toAnswer     moves

	keyBuf, toBuf, valueBuf, subBuf, answerBuf []byte
}

// subscriptionReader reads the records that come from the left side.
type subscriptionReader struct {
	name   string
	input  int
	key    formats.Decoder
	keyRow *types.Row
	// fk encodes the foreign key as the key of a right row, leftKeys the key of the left row.
	fk, leftKeys *rowcodec.KeyCodec
	values       *rowcodec.ValueCodec
	layout       *types.Layout
	row          *types.Row
	// toStored copies the foreign key to the key of a right row.
	toStored moves
}

// NewForeignKeyAnswer builds the operator.
func NewForeignKeyAnswer(ctx *Context, n *physical.ForeignKeyAnswer) (*ForeignKeyAnswer, error) {
	rows, err := ctx.store(n.Store)
	if err != nil {
		return nil, err
	}
	subscriptions, err := ctx.store(n.SubscriptionStore)
	if err != nil {
		return nil, err
	}
	in := types.NewLayout(n.R.Out().Columns)
	a := &ForeignKeyAnswer{
		ctx: ctx, name: n.Name, topic: n.Topic, rows: ctx.State.Keyed(state.StoreID(rows.ID)), subscriptions: ctx.State.Keyed(state.StoreID(subscriptions.ID)),
		keyLocs: in.Locs[:1], stored: in.NewRow(), stateLayout: types.NewLayout(physical.SubscriptionStateColumns()), answerLayout: types.NewLayout(n.ValueColumns),
	}
	a.stateRow, a.answer = a.stateLayout.NewRow(), a.answerLayout.NewRow()
	if len(n.ValueColumns) != answerRow+len(in.Columns) {
		return nil, fmt.Errorf("%s: answers have %d columns, want %d", n.Name, len(n.ValueColumns), answerRow+len(in.Columns))
	}
	a.toAnswer.addRange(in, 0, a.answerLayout, answerRow, len(in.Columns))
	if a.keys, err = rowcodec.NewKeyCodec(in.Columns[:1], in.Locs[:1]); err != nil {
		return nil, err
	}
	if a.values, err = rowcodec.NewValueCodec(in.Columns[1:], in.Locs[1:]); err != nil {
		return nil, err
	}
	if a.state, err = rowcodec.NewValueCodec(a.stateLayout.Columns, a.stateLayout.Locs); err != nil {
		return nil, err
	}
	if a.answers, err = rowcodec.NewValueCodec(a.answerLayout.Columns, a.answerLayout.Locs); err != nil {
		return nil, err
	}
	a.versionAt, _, _ = a.answers.FixedOffset(answerVersion)
	a.reader, err = newSubscriptionReader(ctx, n, in)
	return a, err
}

func newSubscriptionReader(ctx *Context, n *physical.ForeignKeyAnswer, right *types.Layout) (*subscriptionReader, error) {
	in := ctx.Stage.Inputs[n.Subscriptions.Input]
	keys := types.NewLayout(in.Key)
	r := &subscriptionReader{name: n.Subscriptions.Name, input: n.Subscriptions.Input, keyRow: keys.NewRow(), layout: types.NewLayout(in.Value)}
	r.row = r.layout.NewRow()
	if len(in.Key) != 1 || len(in.Value) != subscriptionKey+len(n.KeyColumns) {
		return nil, fmt.Errorf("%s: subscriptions have %d and %d columns, want 1 and %d", n.Name, len(in.Key), len(in.Value), subscriptionKey+len(n.KeyColumns))
	}
	r.toStored.addRange(keys, 0, right, 0, 1)
	var err error
	if r.key, err = ctx.decoder(in.Topic, true, in.Key, in.KeyFormat, keys.Locs); err != nil {
		return nil, err
	}
	if r.fk, err = rowcodec.NewKeyCodec(in.Key, keys.Locs); err != nil {
		return nil, err
	}
	if r.leftKeys, err = rowcodec.NewKeyCodec(in.Value[subscriptionKey:], r.layout.Locs[subscriptionKey:]); err != nil {
		return nil, err
	}
	r.values, err = rowcodec.NewValueCodec(in.Value, r.layout.Locs)
	return r, err
}

// Process implements [Operator] for changes of the right table.
func (a *ForeignKeyAnswer) Process(r *record.Record) error {
	if allNull(r.Row, a.keyLocs) {
		a.ctx.mark(fateNullKey)
		return nil
	}
	var err error
	if a.keyBuf, err = a.keys.AppendRow(a.keyBuf[:0], r.Row); err != nil {
		return err
	}
	a.ctx.mark(fateKept)
	if r.Tombstone {
		_, _, before, err := a.rows.Get(a.keyBuf)
		if err != nil || !before {
			return err
		}
		a.rows.Delete(a.keyBuf, r.Time)
	} else {
		if a.valueBuf, err = a.values.AppendRow(a.valueBuf[:0], r.Row); err != nil {
			return err
		}
		a.rows.Put(a.keyBuf, a.valueBuf, r.Time)
	}
	if err := a.prepare(r.Row, !r.Tombstone); err != nil {
		return err
	}
	return a.tell(r.Time)
}

// tell sends the answer in hand to all that subscribe to the key in keyBuf.
func (a *ForeignKeyAnswer) tell(at int64) error {
	// The key of the left row follows, whose first byte is the mark of a column: 0 or 1.
	a.toBuf = append(append(a.toBuf[:0], a.keyBuf...), 0xff)
	it := a.subscriptions.Range(a.keyBuf, a.toBuf)
	for it.Next() {
		err := a.state.DecodeRow(it.Value(), a.stateRow)
		if err != nil {
			err = fmt.Errorf("%w: %s: %w", state.ErrCorrupt, a.name, err)
		} else {
			locs := a.stateLayout.Locs
			err = a.send(it.Key()[len(a.keyBuf):], int32(a.stateRow.I[locs[0].Slot]), a.stateRow.I[locs[1].Slot], max(at, it.Timestamp()))
		}
		if err != nil {
			_ = it.Close()
			return err
		}
	}
	return it.Close()
}

// prepare makes the answer that a right row is there, or that there is none.
func (a *ForeignKeyAnswer) prepare(row *types.Row, found bool) (err error) {
	a.answer.SetInt64(a.answerLayout.Locs[answerVersion], 0)
	if found {
		a.answer.SetInt64(a.answerLayout.Locs[answerFound], 1)
		a.toAnswer.run(row, a.answer)
	} else {
		a.answer.SetInt64(a.answerLayout.Locs[answerFound], 0)
		a.toAnswer.setNull(a.answer)
	}
	a.answerBuf, err = a.answers.AppendRow(a.answerBuf[:0], a.answer)
	return err
}

// send sends the answer in hand to a version of a left row.
func (a *ForeignKeyAnswer) send(leftKey []byte, partition int32, version, at int64) error {
	binary.LittleEndian.PutUint64(a.answerBuf[a.versionAt:], uint64(version))
	a.ctx.out = Output{Topic: a.topic, Partition: partition, Key: leftKey, Value: a.answerBuf, Timestamp: at}
	return a.ctx.emit()
}

// Subscriptions is what reads the subscriptions of the left side.
func (a *ForeignKeyAnswer) Subscriptions() Reader { return (*foreignKeySubscriptions)(a) }

type foreignKeySubscriptions ForeignKeyAnswer

// Input is the index of the input in the stage.
func (s *foreignKeySubscriptions) Input() int { return s.reader.input }

// Time is the timestamp of the record.
func (s *foreignKeySubscriptions) Time(m *record.Message) int64 { return m.Timestamp }

// isLate says whether what is kept under subBuf is of a later version of the left row. At least once, a record that a network
// held back may come behind what was written after it.
func (s *foreignKeySubscriptions) isLate(partition, version int64) (bool, error) {
	kept, _, ok, err := s.subscriptions.Get(s.subBuf)
	if err != nil || !ok {
		return false, err
	}
	if err := s.state.DecodeRow(kept, s.stateRow); err != nil {
		return false, fmt.Errorf("%w: %s: %w", state.ErrCorrupt, s.name, err)
	}
	locs := s.stateLayout.Locs
	return s.stateRow.I[locs[0].Slot] == partition && s.stateRow.I[locs[1].Slot] > version, nil
}

// Read keeps or removes a subscription, and answers it.
func (s *foreignKeySubscriptions) Read(m *record.Message) error {
	r, ctx := s.reader, s.ctx
	ctx.time = max(ctx.time, m.Timestamp)
	err := r.key.Decode(m.Key, r.keyRow)
	if err == nil {
		err = r.values.DecodeRow(m.Value, r.row)
	}
	if err != nil {
		ctx.fail(r.name, DeserializationError, false, true, err.Error())
		return nil
	}
	if s.keyBuf, err = r.fk.AppendRow(s.keyBuf[:0], r.keyRow); err != nil {
		return err
	}
	fk := len(s.keyBuf)
	if s.subBuf, err = r.leftKeys.AppendRow(append(s.subBuf[:0], s.keyBuf...), r.row); err != nil {
		return err
	}
	ctx.mark(fateKept)
	in := instruction(r.row.I[r.layout.Locs[subscriptionInstruction].Slot])
	partition, version := r.row.I[r.layout.Locs[subscriptionPartition].Slot], r.row.I[r.layout.Locs[subscriptionVersion].Slot]
	if late, err := s.isLate(partition, version); err != nil || late {
		return err
	}
	if in == unsubscribe {
		s.subscriptions.Delete(s.subBuf, m.Timestamp)
		return nil
	}
	s.stateRow.SetInt64(s.stateLayout.Locs[0], partition)
	s.stateRow.SetInt64(s.stateLayout.Locs[1], version)
	if s.valueBuf, err = s.state.AppendRow(s.valueBuf[:0], s.stateRow); err != nil {
		return err
	}
	s.subscriptions.Put(s.subBuf, s.valueBuf, m.Timestamp)

	value, rightTime, found, err := s.rows.Get(s.keyBuf)
	if err != nil || !found && in != subscribeAndAnswer {
		return err
	}
	at := m.Timestamp
	if found {
		if err := s.values.DecodeRow(value, s.stored); err != nil {
			return fmt.Errorf("%w: %s: %w", state.ErrCorrupt, s.name, err)
		}
		r.toStored.run(r.keyRow, s.stored)
		at = max(at, rightTime)
	}
	a := (*ForeignKeyAnswer)(s)
	if err := a.prepare(s.stored, found); err != nil {
		return err
	}
	return a.send(s.subBuf[fk:], int32(partition), version, at)
}
