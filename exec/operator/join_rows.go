package operator

import (
	"encoding/binary"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state/rowcodec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// joinSide says how rows of one side of a join get into the output row, which holds the key, then the left row's columns,
// then the right row's.
type joinSide struct {
	in *types.Layout
	// key copies the side's key columns to the output's key, all copies the whole row to the side's part of it.
	key, all moves
	keyLocs  []types.Loc
	// keys encodes the key of a row of this side for the stores of both.
	keys *rowcodec.KeyCodec
	// values encodes the columns after the key of a row of this side, and decodes them into the output row.
	values, valuesOut *rowcodec.ValueCodec
	// keyOut copies the output's key columns to the side's key columns in the output row.
	keyOut moves
	// windowed: the window is part of the key.
	windowed bool
}

// newJoinSide builds one side; at is where its columns start in the output.
func newJoinSide(t *physical.RowType, out *types.Layout, outKey, at int) (*joinSide, error) {
	s := &joinSide{in: types.NewLayout(t.Columns), windowed: t.Window != types.NoWindow}
	if t.Key < outKey || at+len(t.Columns) > len(out.Columns) {
		return nil, fmt.Errorf("a join of %d columns and %d key columns cannot hold its side at %d", len(out.Columns), outKey, at)
	}
	s.keyLocs = s.in.Locs[:outKey]
	s.key.addRange(s.in, 0, out, 0, outKey)
	s.all.addRange(s.in, 0, out, at, len(t.Columns))
	s.keyOut.addRange(out, 0, out, at, outKey)
	var err error
	if s.keys, err = rowcodec.NewKeyCodec(t.Columns[:outKey], s.keyLocs); err != nil {
		return nil, err
	}
	if s.values, err = rowcodec.NewValueCodec(t.Columns[outKey:], s.in.Locs[outKey:]); err != nil {
		return nil, err
	}
	there := out.Locs[at+outKey : at+len(t.Columns)]
	s.valuesOut, err = rowcodec.NewValueCodec(t.Columns[outKey:], there)
	return s, err
}

// nullKey reports whether any key column of a row of this side is null.
func (s *joinSide) nullKey(row *types.Row) bool {
	for _, l := range s.keyLocs {
		if row.IsNull(l) {
			return true
		}
	}
	return false
}

// windowLen is the length of the window behind a key.
const windowLen = 16

// appendKey appends the key of a record of this side, for the stores of both.
func (s *joinSide) appendKey(dst []byte, r *record.Record) ([]byte, error) {
	dst, err := s.keys.AppendRow(dst, r.Row)
	if s.windowed {
		dst = binary.BigEndian.AppendUint64(dst, uint64(r.Window.Start)^1<<63)
		dst = binary.BigEndian.AppendUint64(dst, uint64(r.Window.End)^1<<63)
	}
	return dst, err
}

// splitKey takes the window off a key of a store.
func (s *joinSide) splitKey(key []byte) ([]byte, types.Window) {
	n := len(key) - windowLen
	if !s.windowed || n < 0 {
		return key, types.Window{}
	}
	return key[:n], types.Window{
		Start: int64(binary.BigEndian.Uint64(key[n:]) ^ 1<<63), End: int64(binary.BigEndian.Uint64(key[n+8:]) ^ 1<<63),
	}
}

// put copies a row of this side, and its key, into the output row.
func (s *joinSide) put(row, out *types.Row) {
	s.key.run(row, out)
	s.all.run(row, out)
}

// decode puts a stored row of this side into the output row, whose key columns are set already.
func (s *joinSide) decode(value []byte, out *types.Row) error {
	if err := s.valuesOut.DecodeRow(value, out); err != nil {
		return err
	}
	s.keyOut.run(out, out)
	return nil
}

// clear makes the side's part of the output row null.
func (s *joinSide) clear(out *types.Row) { s.all.setNull(out) }

// joinSides builds both sides of a join.
func joinSides(l, r physical.Node, t *physical.RowType) (left, right *joinSide, out *types.Layout, err error) {
	out = types.NewLayout(t.Columns)
	lt, rt := l.Out(), r.Out()
	if want := t.Key + len(lt.Columns) + len(rt.Columns); len(t.Columns) != want {
		return nil, nil, nil, fmt.Errorf("a join has %d columns, its sides make %d", len(t.Columns), want)
	}
	if left, err = newJoinSide(lt, out, t.Key, t.Key); err != nil {
		return nil, nil, nil, err
	}
	right, err = newJoinSide(rt, out, t.Key, t.Key+len(lt.Columns))
	return left, right, out, err
}
