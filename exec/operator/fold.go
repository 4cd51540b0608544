package operator

import (
	"encoding/binary"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/eval"
	"github.com/ksqlgo/ksqlgo/exec/state/rowcodec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// fold runs the aggregate functions of one Aggregate over the state of one group at a time. The state is brought into
// slots, changed there, and written back.
//
// Stored state is a row of exec/state/rowcodec. If all its columns are of fixed width, it is changed in place.
type fold struct {
	calls []foldCall
	types []*types.Type
	state []types.Slot
	args  []types.Slot

	layout *types.Layout
	row    *types.Row
	codec  *rowcodec.ValueCodec

	// fixed states have the length size, and start as empty (the encoding of all columns null).
	fixed  bool
	size   int
	empty  []byte
	places []fixedPlace

	// in is a copy of the state loaded last, which the slots alias; buf the state encoded last.
	in, buf []byte
}

type foldCall struct {
	agg  functions.Aggregator
	args *eval.Tuple
	// argTypes are the arguments' types.
	argTypes []*types.Type
	report   func(arg int, err error)
	at, n    int
	out      types.Loc
	column   types.Column
}

// fixedPlace is where one slot of a fixed state stands.
type fixedPlace struct {
	offset, width int
	null          int
	mask          byte
}

// newFold builds the functions; out is the layout of the aggregate's output row.
func newFold(ctx *Context, n *physical.Aggregate, out *types.Layout) (*fold, error) {
	f := &fold{}
	for i := range n.Calls {
		if err := f.addCall(ctx, n, &n.Calls[i], out.Locs[n.Type.Key+i], out.Columns[n.Type.Key+i]); err != nil {
			return nil, err
		}
	}
	f.state = make([]types.Slot, len(f.types))
	columns := make([]types.Column, len(f.types))
	for i, t := range f.types {
		columns[i] = types.Column{Name: fmt.Sprintf("STATE_%d", i), Type: t}
	}
	f.layout = types.NewLayout(columns)
	f.row = f.layout.NewRow()
	var err error
	if f.codec, err = rowcodec.NewValueCodec(columns, f.layout.Locs); err != nil {
		return nil, err
	}
	return f, f.fix()
}

// fix finds out whether the state can be changed in place, and how.
func (f *fold) fix() error {
	var err error
	if f.empty, err = f.codec.AppendRow(nil, f.row); err != nil {
		return err
	}
	f.size = f.codec.MinLen()
	bitmap := f.size
	for i := range f.types {
		offset, width, ok := f.codec.FixedOffset(i)
		if !ok {
			return nil
		}
		bitmap = min(bitmap, offset)
		f.places = append(f.places, fixedPlace{offset: offset, width: width, mask: 1 << (i % 8)})
	}
	// The null bitmap ends where the first column starts.
	bitmap -= (len(f.types) + 7) / 8
	for i := range f.places {
		f.places[i].null = bitmap + i/8
	}
	f.fixed = true
	return nil
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
	}
	c.report = func(_ int, err error) { ctx.columnFailed(n.Name, column.Name, err) }
	var err error
	if c.args, err = ctx.compiler().Tuple(call.Args, types.NewLayout(n.In.Out().Columns)); err != nil {
		return err
	}
	state, err := overload.State(argTypes)
	if err != nil {
		return fmt.Errorf("%s: %w", call.Name, err)
	}
	if c.agg, err = overload.New(ctx.Env, argTypes, literals); err != nil {
		return fmt.Errorf("%s: %w", call.Name, err)
	}
	c.n, c.argTypes = len(state), argTypes
	f.types = append(f.types, state...)
	f.calls = append(f.calls, c)
	f.args = append(f.args, make([]types.Slot, max(0, len(call.Args)-len(f.args)))...)
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
	if err := f.codec.DecodeRow(value, f.row); err != nil {
		return err
	}
	for i, l := range f.layout.Locs {
		f.state[i] = f.row.Slot(l)
	}
	return nil
}

func (f *fold) loadFixed(value []byte) error {
	if len(value) != f.size || [5]byte(value) != [5]byte(f.empty) {
		return fmt.Errorf("the state of %d bytes is not of this aggregate", len(value))
	}
	for i := range f.places {
		p, s := &f.places[i], &f.state[i]
		s.Null = value[p.null]&p.mask != 0
		switch b := value[p.offset:]; p.width {
		case 8:
			s.I = int64(binary.LittleEndian.Uint64(b))
		case 4:
			s.I = int64(int32(binary.LittleEndian.Uint32(b)))
		default:
			s.I = int64(b[0])
		}
	}
	return nil
}

// storeFixed writes the slots into fixed state of f.size bytes.
func (f *fold) storeFixed(value []byte) {
	copy(value, f.empty)
	for i := range f.places {
		p, s := &f.places[i], &f.state[i]
		if s.Null {
			continue
		}
		value[p.null] &^= p.mask
		switch b := value[p.offset:]; p.width {
		case 8:
			binary.LittleEndian.PutUint64(b, uint64(s.I))
		case 4:
			binary.LittleEndian.PutUint32(b, uint32(s.I))
		default:
			b[0] = byte(s.I)
		}
	}
}

// encode gives the slots as stored state; valid until the next call.
func (f *fold) encode() ([]byte, error) {
	if f.fixed {
		f.buf = append(f.buf[:0], f.empty...)
		f.storeFixed(f.buf)
		return f.buf, nil
	}
	for i, l := range f.layout.Locs {
		f.row.SetSlot(l, f.state[i])
	}
	var err error
	f.buf, err = f.codec.AppendRow(f.buf[:0], f.row)
	return f.buf, err
}

// add folds a row in. An argument that cannot be computed is null; a function that fails leaves its state as it was.
// Both are reported.
func (f *fold) add(ctx *Context, step string, row *types.Row) {
	for i := range f.calls {
		c := &f.calls[i]
		args := f.arguments(c, row)
		if err := c.agg.Add(f.state[c.at:c.at+c.n], args); err != nil {
			ctx.columnFailed(step, c.column.Name, err)
		}
	}
}

// undo takes a row of a table out again.
func (f *fold) undo(ctx *Context, step string, row *types.Row) {
	for i := range f.calls {
		c := &f.calls[i]
		args := f.arguments(c, row)
		if err := c.agg.Undo(f.state[c.at:c.at+c.n], args); err != nil {
			ctx.columnFailed(step, c.column.Name, err)
		}
	}
}

func (f *fold) arguments(c *foldCall, row *types.Row) []types.Slot {
	args := f.args[:c.args.Len()]
	c.args.Run(row, args, c.report)
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
