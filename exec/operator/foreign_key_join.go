package operator

import (
	"bytes"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/state/rowcodec"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// ForeignKeyJoin is the left side of a foreign-key join, and where its results are made. Its own input is the left table: it
// keeps the rows and subscribes each at the right row that its foreign key names. [ForeignKeyJoin.Answers] takes what comes
// back.
//
// Each version of a left row has a number, the offset of its record, which its subscription carries and an answer brings
// back. An answer for another version than the current one is stale and dropped: the current version has its own
// subscription. So answers that arrive late, in whatever order from different partitions, cannot bring an old result back,
// not even for a row that has changed and changed back.
//
// What needs no right row is passed on at once and not by way of the right side: a deleted row is a tombstone, and so is one
// that loses its foreign key in an INNER join; in a LEFT join that one is joined with nulls. Answers under way are stale then.
type ForeignKeyJoin struct {
	ctx   *Context
	name  string
	left  bool
	store *state.KeyedStore
	keys  *rowcodec.KeyCodec
	// held and before are the new and the old left row with foreign key and version, as the store keeps them.
	held, before *types.Row
	values       *rowcodec.ValueCodec
	// all copies a row of the left table to held, key its key alone.
	all, key    moves
	keyLocs     []types.Loc
	on          projection
	fk, version types.Loc

	subscription *subscriptionWriter
	answers      *answerReader
	// toLeft copies held to the left part of the result, toRight an answer to the right part.
	toLeft, toRight, toKey moves

	keyBuf, valueBuf, fkBuf, oldBuf []byte
	out                             *types.Row
	rec                             record.Record
	next                            Operator
}

// subscriptionWriter makes the records that go to the right side.
type subscriptionWriter struct {
	topic  string
	key    formats.Encoder
	row    *types.Row
	layout *types.Layout
	values *rowcodec.ValueCodec
	// leftKey copies the key of held.
	leftKey moves
	buf     []byte
}

// answerReader reads the records that come from the right side.
type answerReader struct {
	name   string
	input  int
	values *rowcodec.ValueCodec
	row    *types.Row
	layout *types.Layout
}

// Places of the columns that answers and subscriptions begin with.
const (
	subscriptionInstruction, subscriptionPartition, subscriptionVersion, subscriptionKey = 0, 1, 2, 3

	answerVersion, answerFound, answerRow = 0, 1, 2
)

// NewForeignKeyJoin builds the operator.
func NewForeignKeyJoin(ctx *Context, n *physical.ForeignKeyJoin, next Operator) (*ForeignKeyJoin, error) {
	st, err := ctx.store(n.Store)
	if err != nil {
		return nil, err
	}
	in := types.NewLayout(n.L.Out().Columns)
	key, columns := n.L.Out().Key, len(in.Columns)
	layout := types.NewLayout(append(in.Columns[:columns:columns], physical.ForeignKeyStateColumns(*n.L.Out(), n.On.Type())[columns-key:]...))
	j := &ForeignKeyJoin{
		ctx: ctx, name: n.Name, left: n.Kind == physical.Left, store: ctx.State.Keyed(state.StoreID(st.ID)), held: layout.NewRow(), before: layout.NewRow(),
		keyLocs: in.Locs[:key], fk: layout.Locs[columns], version: layout.Locs[columns+1], fkBuf: []byte{}, oldBuf: []byte{}, next: next,
	}
	if j.keys, err = rowcodec.NewKeyCodec(in.Columns[:key], in.Locs[:key]); err != nil {
		return nil, err
	}
	if j.values, err = rowcodec.NewValueCodec(layout.Columns[key:], layout.Locs[key:]); err != nil {
		return nil, err
	}
	j.all.addRange(in, 0, layout, 0, columns)
	j.key.addRange(in, 0, layout, 0, key)
	if j.on, err = ctx.projection(n.Name, []expr.Expr{n.On}, n.L.Out(), layout, columns); err != nil {
		return nil, err
	}
	if j.subscription, err = newSubscriptionWriter(ctx, n, layout, key, j.fk); err != nil {
		return nil, err
	}
	if j.answers, err = newAnswerReader(ctx, n); err != nil {
		return nil, err
	}
	out := types.NewLayout(n.Type.Columns)
	right := len(out.Columns) - columns
	if right != len(j.answers.layout.Columns)-answerRow {
		return nil, fmt.Errorf("%s: %d columns of the right table, and answers have %d", n.Name, right, len(j.answers.layout.Columns)-answerRow)
	}
	j.out = out.NewRow()
	j.toKey.addRange(layout, 0, out, 0, key)
	j.toLeft.addRange(layout, 0, out, 0, columns)
	j.toRight.addRange(j.answers.layout, answerRow, out, columns, right)
	return j, nil
}

func newSubscriptionWriter(ctx *Context, n *physical.ForeignKeyJoin, held *types.Layout, key int, fk types.Loc) (*subscriptionWriter, error) {
	layout := types.NewLayout(n.ValueColumns)
	w := &subscriptionWriter{topic: n.Topic, row: layout.NewRow(), layout: layout}
	if len(layout.Columns) != subscriptionKey+key {
		return nil, fmt.Errorf("%s: subscriptions have %d columns, want %d", n.Name, len(layout.Columns), subscriptionKey+key)
	}
	w.leftKey.addRange(held, 0, layout, subscriptionKey, key)
	var err error
	if w.key, err = ctx.encoder(n.Topic, true, n.KeyColumns, n.KeyFormat, []types.Loc{fk}); err != nil {
		return nil, err
	}
	w.values, err = rowcodec.NewValueCodec(layout.Columns, layout.Locs)
	return w, err
}

func newAnswerReader(ctx *Context, n *physical.ForeignKeyJoin) (*answerReader, error) {
	in := ctx.Stage.Inputs[n.Answers.Input]
	a := &answerReader{name: n.Answers.Name, input: n.Answers.Input, layout: types.NewLayout(in.Value)}
	a.row = a.layout.NewRow()
	var err error
	a.values, err = rowcodec.NewValueCodec(in.Value, a.layout.Locs)
	return a, err
}

// Process implements [Operator] for changes of the left table.
func (j *ForeignKeyJoin) Process(r *record.Record) error {
	if allNull(r.Row, j.keyLocs) {
		j.ctx.mark(fateNullKey)
		return nil
	}
	var err error
	if j.keyBuf, err = j.keys.AppendRow(j.keyBuf[:0], r.Row); err != nil {
		return err
	}
	oldKey, had, err := j.old(r)
	if err != nil {
		return err
	}
	j.ctx.mark(fateKept)
	if r.Tombstone {
		return j.deleted(r, oldKey, had)
	}
	j.all.run(r.Row, j.held)
	j.on.run(r.Row, j.held)
	j.held.SetInt64(j.version, r.Offset)
	newKey, ok := j.encodeKey(j.fkBuf, j.held)
	if newKey != nil {
		j.fkBuf = newKey
	}
	if !ok {
		// It cannot be written, so nothing can be found under it.
		j.held.SetNull(j.fk)
	}
	if j.valueBuf, err = j.values.AppendRow(j.valueBuf[:0], j.held); err != nil {
		return err
	}
	j.store.Put(j.keyBuf, j.valueBuf, r.Time)
	if oldKey != nil && !bytes.Equal(oldKey, newKey) {
		if err := j.send(oldKey, unsubscribe, j.held, r.Time); err != nil {
			return err
		}
	}
	switch {
	case newKey == nil && j.left:
		return j.result(j.held, false, r.Time, r.Offset)
	case newKey == nil && oldKey != nil:
		return j.tombstone(j.held, r.Time, r.Offset)
	case newKey == nil:
		return nil
	case j.left || oldKey != nil:
		// There may be a result of the old row, which is to vanish if there is none now.
		return j.send(newKey, subscribeAndAnswer, j.held, r.Time)
	}
	return j.send(newKey, subscribe, j.held, r.Time)
}

// old reads the row that a change replaces into before, and gives the key of its subscription, nil if it has none.
func (j *ForeignKeyJoin) old(r *record.Record) (key []byte, had bool, err error) {
	value, _, had, err := j.store.Get(j.keyBuf)
	if err != nil || !had {
		return nil, false, err
	}
	j.valueBuf = append(j.valueBuf[:0], value...)
	if err := j.values.DecodeRow(j.valueBuf, j.before); err != nil {
		return nil, false, j.broken(err)
	}
	j.key.run(r.Row, j.before)
	if key, _ = j.encodeKey(j.oldBuf, j.before); key != nil {
		j.oldBuf = key
	}
	return key, true, nil
}

// deleted ends the subscription of a row that is gone, and its result.
func (j *ForeignKeyJoin) deleted(r *record.Record, oldKey []byte, had bool) error {
	if !had {
		return nil
	}
	j.store.Delete(j.keyBuf, r.Time)
	if oldKey != nil {
		if err := j.send(oldKey, unsubscribe, j.before, r.Time); err != nil {
			return err
		}
	}
	if oldKey == nil && !j.left {
		return nil
	}
	return j.tombstone(j.before, r.Time, r.Offset)
}

// encodeKey encodes the foreign key of a row of held's layout into buf; nil if it is null. It is not ok, and reported, when it
// cannot be written.
func (j *ForeignKeyJoin) encodeKey(buf []byte, row *types.Row) (key []byte, ok bool) {
	if row.IsNull(j.fk) {
		return nil, true
	}
	key, null, err := j.subscription.key.Append(buf[:0], row)
	if err != nil {
		j.ctx.formatFailed(j.name, SerializationError, true, false, err)
		return nil, false
	}
	if null {
		return nil, true
	}
	return key, true
}

// send writes a subscription of a left row in held's layout.
func (j *ForeignKeyJoin) send(key []byte, in instruction, row *types.Row, at int64) error {
	s := j.subscription
	s.row.SetInt64(s.layout.Locs[subscriptionInstruction], int64(in))
	s.row.SetInt64(s.layout.Locs[subscriptionPartition], int64(j.ctx.Partition))
	s.row.SetInt64(s.layout.Locs[subscriptionVersion], row.I[j.version.Slot])
	s.leftKey.run(row, s.row)
	var err error
	if s.buf, err = s.values.AppendRow(s.buf[:0], s.row); err != nil {
		return err
	}
	j.ctx.out = Output{Topic: s.topic, Partition: -1, Key: key, Value: s.buf, Timestamp: at}
	return j.ctx.emit()
}

// result passes on the join of a left row in held's layout with the right row of the answer in hand, or with nulls.
func (j *ForeignKeyJoin) result(row *types.Row, found bool, at, offset int64) error {
	j.toLeft.run(row, j.out)
	if found {
		j.toRight.run(j.answers.row, j.out)
	} else {
		j.toRight.setNull(j.out)
	}
	j.rec = record.Record{Row: j.out, Time: at, Partition: j.ctx.Partition, Offset: offset}
	return j.next.Process(&j.rec)
}

// tombstone passes on that the result of a left row in held's layout is gone.
func (j *ForeignKeyJoin) tombstone(row *types.Row, at, offset int64) error {
	j.toLeft.setNull(j.out)
	j.toRight.setNull(j.out)
	j.toKey.run(row, j.out)
	j.rec = record.Record{Row: j.out, Tombstone: true, Time: at, Partition: j.ctx.Partition, Offset: offset}
	return j.next.Process(&j.rec)
}

func (j *ForeignKeyJoin) broken(err error) error {
	return fmt.Errorf("%w: %s: %w", state.ErrCorrupt, j.name, err)
}

// Answers is what reads the answers of the right side.
func (j *ForeignKeyJoin) Answers() Reader { return (*foreignKeyAnswers)(j) }

type foreignKeyAnswers ForeignKeyJoin

// Input is the index of the input in the stage.
func (j *foreignKeyAnswers) Input() int { return j.answers.input }

// Time is the timestamp of the record.
func (j *foreignKeyAnswers) Time(m *record.Message) int64 { return m.Timestamp }

// Read joins an answer with the left row, if it is for the row as it is.
func (j *foreignKeyAnswers) Read(m *record.Message) error {
	a := j.answers
	j.ctx.time = max(j.ctx.time, m.Timestamp)
	if err := a.values.DecodeRow(m.Value, a.row); err != nil {
		j.ctx.formatFailed(a.name, DeserializationError, false, true, err)
		return nil
	}
	value, _, ok, err := j.store.Get(m.Key)
	if err != nil {
		return err
	}
	if !ok {
		j.ctx.mark(fateFiltered)
		return nil
	}
	join := (*ForeignKeyJoin)(j)
	if err := j.values.DecodeRow(value, j.held); err != nil {
		return join.broken(err)
	}
	if j.held.I[j.version.Slot] != a.row.I[a.layout.Locs[answerVersion].Slot] {
		j.ctx.mark(fateFiltered)
		return nil
	}
	if j.keyBuf, err = j.keys.DecodeRow(m.Key, j.held, j.keyBuf); err != nil {
		return join.broken(err)
	}
	found := a.row.I[a.layout.Locs[answerFound].Slot] != 0
	if !found && !j.left {
		return join.tombstone(j.held, m.Timestamp, m.Offset)
	}
	return join.result(j.held, found, m.Timestamp, m.Offset)
}

// allNull says whether all of some columns are null.
func allNull(row *types.Row, locs []types.Loc) bool {
	for _, l := range locs {
		if !row.IsNull(l) {
			return false
		}
	}
	return true
}
