package operator

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/state/rowcodec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// tableStore keeps the current row of each key of a table: its key columns as the store's key, the other columns as the
// value.
type tableStore struct {
	keyed    *state.KeyedStore
	windowed *state.WindowStore
	session  *state.SessionStore

	keys   *rowcodec.KeyCodec
	values *rowcodec.ValueCodec
	// keyMoves copies the key columns between rows of the table.
	keyMoves moves
	key      []byte
	value    []byte
	// old is the row that was there before, in oldValue; nil unless it is wanted.
	old      *types.Row
	oldValue []byte
}

// tableStore opens the store of a table whose rows are the first columns of a layout, key columns first. keepOld asks for
// the row that each change replaces.
func (c *Context) tableStore(name string, layout *types.Layout, key, columns int, keepOld bool) (*tableStore, error) {
	st, err := c.store(name)
	if err != nil {
		return nil, err
	}
	t := &tableStore{}
	if t.keys, err = rowcodec.NewKeyCodec(layout.Columns[:key], layout.Locs[:key]); err != nil {
		return nil, err
	}
	if t.values, err = rowcodec.NewValueCodec(layout.Columns[key:columns], layout.Locs[key:columns]); err != nil {
		return nil, err
	}
	t.keyMoves.addRange(layout, 0, layout, 0, key)
	if keepOld {
		t.old = layout.NewRow()
	}
	switch id := state.StoreID(st.ID); st.Kind {
	case physical.KeyedStore:
		t.keyed = c.State.Keyed(id)
	case physical.WindowedStore:
		t.windowed = c.State.Windowed(id)
	case physical.SessionStore:
		t.session = c.State.Session(id)
	default:
		return nil, fmt.Errorf("store %s of kind %s cannot hold a table", name, st.Kind)
	}
	return t, nil
}

// apply makes a change of the table durable with the interval, and sets the change's old row if that is wanted.
func (t *tableStore) apply(r *record.Record) error {
	var err error
	if t.key, err = t.keys.AppendRow(t.key[:0], r.Row); err != nil {
		return err
	}
	if t.old != nil {
		value, _, ok, err := t.get(r.Window)
		if err != nil {
			return err
		}
		r.Old = nil
		if ok {
			t.oldValue = append(t.oldValue[:0], value...)
			if err := t.values.DecodeRow(t.oldValue, t.old); err != nil {
				return fmt.Errorf("%w: %w", state.ErrCorrupt, err)
			}
			t.keyMoves.run(r.Row, t.old)
			r.Old = t.old
		}
	}
	if r.Tombstone {
		t.delete(r.Window, r.Time)
		return nil
	}
	if t.value, err = t.values.AppendRow(t.value[:0], r.Row); err != nil {
		return err
	}
	t.put(r.Window, r.Time)
	return nil
}

// get reads the row of t.key.
func (t *tableStore) get(w types.Window) (value []byte, at int64, ok bool, err error) {
	switch {
	case t.keyed != nil:
		return t.keyed.Get(t.key)
	case t.windowed != nil:
		return t.windowed.Get(t.key, w.Start)
	default:
		return t.session.Get(t.key, w.Start, w.End)
	}
}

func (t *tableStore) put(w types.Window, at int64) {
	switch {
	case t.keyed != nil:
		t.keyed.Put(t.key, t.value, at)
	case t.windowed != nil:
		t.windowed.Put(t.key, w.Start, t.value, at)
	default:
		t.session.Put(t.key, w.Start, w.End, t.value, at)
	}
}

func (t *tableStore) delete(w types.Window, at int64) {
	switch {
	case t.keyed != nil:
		t.keyed.Delete(t.key, at)
	case t.windowed != nil:
		t.windowed.Delete(t.key, w.Start, at)
	default:
		t.session.Delete(t.key, w.Start, w.End, at)
	}
}
