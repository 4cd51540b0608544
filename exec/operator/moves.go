package operator

import "github.com/ksqlgo/ksqlgo/catalog/types"

// moves copies columns from one row to another, byte strings and references shared.
type moves struct {
	int64s, bytes, refs []move
}

type move struct{ from, to types.Loc }

// add appends a copy; both places have the same class.
func (m *moves) add(from, to types.Loc) {
	switch to.Class {
	case types.ClassInt64:
		m.int64s = append(m.int64s, move{from, to})
	case types.ClassBytes:
		m.bytes = append(m.bytes, move{from, to})
	case types.ClassRef:
		m.refs = append(m.refs, move{from, to})
	}
}

// addRange appends copies of n columns from place i of one layout to place j of another.
func (m *moves) addRange(from *types.Layout, i int, to *types.Layout, j, n int) {
	for k := range n {
		m.add(from.Locs[i+k], to.Locs[j+k])
	}
}

// run copies.
func (m *moves) run(src, dst *types.Row) {
	for i := range m.int64s {
		if c := &m.int64s[i]; src.IsNull(c.from) {
			dst.SetNull(c.to)
		} else {
			dst.SetInt64(c.to, src.I[c.from.Slot])
		}
	}
	for i := range m.bytes {
		if c := &m.bytes[i]; src.IsNull(c.from) {
			dst.SetNull(c.to)
		} else {
			dst.SetBytes(c.to, src.B[c.from.Slot])
		}
	}
	for i := range m.refs {
		if c := &m.refs[i]; src.IsNull(c.from) {
			dst.SetNull(c.to)
		} else {
			dst.SetRef(c.to, src.R[c.from.Slot])
		}
	}
}

// setNull makes the target columns null.
func (m *moves) setNull(dst *types.Row) {
	for _, list := range [][]move{m.int64s, m.bytes, m.refs} {
		for i := range list {
			dst.SetNull(list[i].to)
		}
	}
}

// pick lists the places of the columns at the given indexes.
func pick(l *types.Layout, index []int) []types.Loc {
	out := make([]types.Loc, len(index))
	for i, at := range index {
		out[i] = l.Locs[at]
	}
	return out
}

// firstLocs lists the places of the first n columns.
func firstLocs(l *types.Layout, n int) []types.Loc { return l.Locs[:n:n] }
