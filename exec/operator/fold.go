package operator

import (
	"encoding/binary"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// fold runs the aggregate functions of one Aggregate over the state of one group at a time. The state is brought into
// slots, changed there, and written back.
//
// Stored state has one of two forms. If all its slots are 64-bit it is fixed: one byte foldVersion, a null bitmap, and 8
// bytes little-endian for each slot, so that it is changed in place. Otherwise it is a row of exec/state/rowcodec.
type fold struct {
	calls []foldCall
	types []*types.Type
	state []types.Slot
	args  []types.Slot

	fixed   bool
	nullLen int
	size    int

	layout *types.Layout
	row    *types.Row
	codec  *valueCodec
	// in is a copy of the state loaded last, which the slots alias; buf the state encoded last.
	in, buf []byte
}

type foldCall struct {
	agg    functions.Aggregator
	args   []slotEval
	at, n  int
	out    types.Loc
	column types.Column
}

const foldVersion = 1

// newFold builds the functions; out is the layout of the aggregate's output row.
func newFold(ctx *Context, n *physical.Aggregate, out *types.Layout) (*fold, error) {
	f := &fold{fixed: true}
	for i := range n.Calls {
		if err := f.addCall(ctx, n, &n.Calls[i], out.Locs[n.Type.Key+i], out.Columns[n.Type.Key+i]); err != nil {
			return nil, err
		}
	}
	f.state = make([]types.Slot, len(f.types))
	for _, t := range f.types {
		f.fixed = f.fixed && t.Class() == types.ClassInt64
	}
	f.nullLen = (len(f.types) + 7) / 8
	f.size = 1 + f.nullLen + 8*len(f.types)
	if !f.fixed {
		columns := make([]types.Column, len(f.types))
		for i, t := range f.types {
			columns[i] = types.Column{Name: fmt.Sprintf("STATE_%d", i), Type: t}
		}
		f.layout = types.NewLayout(columns)
		f.row = f.layout.NewRow()
		f.codec = newValueCodec(f.layout, 0, len(columns))
	}
	return f, nil
}

func (f *fold) addCall(
	ctx *Context, n *physical.Aggregate, call *physical.AggCall, out types.Loc, column types.Column,
) error {
	spec, ok := ctx.Functions.Lookup(call.Name)
	if !ok || spec.Kind != functions.AggregateKind || call.Overload >= len(spec.Aggregates) {
		return fmt.Errorf("aggregate function %s (overload %d) is not known", call.Name, call.Overload)
	}
	overload := &spec.Aggregates[call.Overload]
	argTypes := make([]*types.Type, len(call.Args))
	literals := make([]any, len(call.Args))
	c := foldCall{at: len(f.types), out: out, column: column}
	for i, a := range call.Args {
		argTypes[i] = a.Type()
		if i < len(call.Literals) && call.Literals[i] != nil {
			literals[i] = call.Literals[i].Value
		}
		eval, err := ctx.slotEval(a, n.In.Out())
		if err != nil {
			return err
		}
		c.args = append(c.args, eval)
	}
	state, err := overload.State(argTypes)
	if err != nil {
		return fmt.Errorf("%s: %w", call.Name, err)
	}
	if c.agg, err = overload.New(ctx.Env, argTypes, literals); err != nil {
		return fmt.Errorf("%s: %w", call.Name, err)
	}
	c.n = len(state)
	f.types = append(f.types, state...)
	f.calls = append(f.calls, c)
	f.args = append(f.args, make([]types.Slot, max(0, len(c.args)-len(f.args)))...)
	return nil
}

// init starts a group that no row has reached.
func (f *fold) init() {
	for i := range f.calls {
		c := &f.calls[i]
		c.agg.Init(f.state[c.at : c.at+c.n])
	}
}

// load brings stored state into the slots. Byte strings of the slots are good until the next load.
func (f *fold) load(value []byte) error {
	if f.fixed {
		return f.loadFixed(value)
	}
	f.in = append(f.in[:0], value...)
	return f.loadFrom(f.in)
}

// loadFrom is load without the copy: byte strings of the slots alias value.
func (f *fold) loadFrom(value []byte) error {
	if f.fixed {
		return f.loadFixed(value)
	}
	if err := f.codec.decode(value, f.row); err != nil {
		return err
	}
	for i, l := range f.layout.Locs {
		f.state[i] = f.row.Slot(l)
	}
	return nil
}

func (f *fold) loadFixed(value []byte) error {
	if len(value) != f.size || value[0] != foldVersion {
		return fmt.Errorf("aggregate state of %d bytes, want %d", len(value), f.size)
	}
	nulls, words := value[1:1+f.nullLen], value[1+f.nullLen:]
	for i := range f.state {
		s := &f.state[i]
		s.I = int64(binary.LittleEndian.Uint64(words[8*i:]))
		s.Null = nulls[i>>3]&(1<<(i&7)) != 0
	}
	return nil
}

// storeFixed writes the slots into fixed state of f.size bytes.
func (f *fold) storeFixed(value []byte) {
	value[0] = foldVersion
	nulls, words := value[1:1+f.nullLen], value[1+f.nullLen:]
	clear(nulls)
	for i := range f.state {
		s := &f.state[i]
		if s.Null {
			nulls[i>>3] |= 1 << (i & 7)
		}
		binary.LittleEndian.PutUint64(words[8*i:], uint64(s.I))
	}
}

// encode gives the slots as stored state; valid until the next call.
func (f *fold) encode() []byte {
	if f.fixed {
		if len(f.buf) != f.size {
			f.buf = make([]byte, f.size)
		}
		f.storeFixed(f.buf)
		return f.buf
	}
	for i, l := range f.layout.Locs {
		f.row.SetSlot(l, f.state[i])
	}
	f.buf = f.codec.append(f.buf[:0], f.row)
	return f.buf
}

// add folds a row in. An argument that cannot be computed is null; a function that fails leaves its state as it was.
// Both are reported.
func (f *fold) add(ctx *Context, step string, row *types.Row) {
	for i := range f.calls {
		c := &f.calls[i]
		args := f.arguments(ctx, step, c, row)
		if err := c.agg.Add(f.state[c.at:c.at+c.n], args); err != nil {
			ctx.columnFailed(step, c.column.Name, err)
		}
	}
}

// undo takes a row of a table out again.
func (f *fold) undo(ctx *Context, step string, row *types.Row) {
	for i := range f.calls {
		c := &f.calls[i]
		args := f.arguments(ctx, step, c, row)
		if err := c.agg.Undo(f.state[c.at:c.at+c.n], args); err != nil {
			ctx.columnFailed(step, c.column.Name, err)
		}
	}
}

func (f *fold) arguments(ctx *Context, step string, c *foldCall, row *types.Row) []types.Slot {
	args := f.args[:len(c.args)]
	for j := range c.args {
		var err error
		if args[j], err = c.args[j].eval(row); err != nil {
			ctx.columnFailed(step, c.column.Name, err)
			args[j] = types.Slot{Null: true}
		}
	}
	return args
}

// merge folds the state src (as slots) into the slots: two sessions become one, the slots being the earlier.
func (f *fold) merge(ctx *Context, step string, src []types.Slot) {
	for i := range f.calls {
		c := &f.calls[i]
		if err := c.agg.Merge(f.state[c.at:c.at+c.n], src[c.at:c.at+c.n]); err != nil {
			ctx.columnFailed(step, c.column.Name, err)
		}
	}
}

// results computes the output columns into row. Byte strings may alias the state.
func (f *fold) results(ctx *Context, step string, row *types.Row) {
	for i := range f.calls {
		c := &f.calls[i]
		s, err := c.agg.Result(f.state[c.at : c.at+c.n])
		if err != nil {
			if ctx != nil {
				ctx.columnFailed(step, c.column.Name, err)
			}
			row.SetNull(c.out)
			continue
		}
		row.SetSlot(c.out, s)
	}
}
