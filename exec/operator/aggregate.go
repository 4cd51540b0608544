package operator

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/state/rowcodec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// aggregateCore is what all aggregations share: grouping, folding, and passing results on.
type aggregateCore struct {
	ctx    *Context
	name   string
	groups projection
	// keyLocs are the grouping columns of the output row.
	keyLocs []types.Loc
	keys    *rowcodec.KeyCodec
	keyBuf  []byte
	key     []byte
	fold    *fold
	row     *types.Row
	// old is the result before, nil unless somebody downstream wants it.
	old *types.Row
	// start, end are WINDOWSTART and WINDOWEND of the output row; unused without a window.
	start, end types.Loc
	rec        record.Record
	next       Operator
}

func newAggregateCore(ctx *Context, n *physical.Aggregate, keepOld bool, next Operator) (*aggregateCore, error) {
	out := types.NewLayout(n.Type.Columns)
	a := &aggregateCore{ctx: ctx, name: n.Name, row: out.NewRow(), keyLocs: firstLocs(out, n.Type.Key), next: next}
	if keepOld {
		a.old = out.NewRow()
	}
	if n.Window != nil {
		a.start, a.end = out.Locs[len(out.Locs)-2], out.Locs[len(out.Locs)-1]
	}
	var err error
	if a.keys, err = rowcodec.NewKeyCodec(out.Columns[:n.Type.Key], a.keyLocs); err != nil {
		return nil, err
	}
	if a.groups, err = ctx.projection(n.Name, n.GroupBy, n.In.Out(), out, 0); err != nil {
		return nil, err
	}
	a.fold, err = newFold(ctx, n, out)
	return a, err
}

// group computes the grouping columns of a row into the output row and encodes them as the state's key. It reports false
// if the row is disposed of: a grouping column is null or failed.
func (a *aggregateCore) group(row *types.Row) bool {
	a.groups.run(row, a.row)
	for _, l := range a.keyLocs {
		if a.row.IsNull(l) {
			a.ctx.mark(fateNullKey)
			return false
		}
	}
	var err error
	if a.key, err = a.keys.AppendRow(a.key[:0], a.row); err != nil {
		a.ctx.fail(a.name, ProcessingError, true, true, err.Error())
		return false
	}
	return true
}

// ungroup sets the grouping columns of the output row from the state's key.
func (a *aggregateCore) ungroup(key []byte) error {
	var err error
	if a.keyBuf, err = a.keys.DecodeRow(key, a.row, a.keyBuf); err != nil {
		return a.broken(err)
	}
	return nil
}

// setWindow puts the window's bounds into an output row.
func (a *aggregateCore) setWindow(row *types.Row, w types.Window) {
	row.SetInt64(a.start, w.Start)
	row.SetInt64(a.end, w.End)
}

// keepResult computes the result of the state in the slots as the old row.
func (a *aggregateCore) keepResult() {
	a.copyKey(a.old)
	a.fold.results(nil, a.name, a.old)
}

// copyKey copies the grouping columns of the output row.
func (a *aggregateCore) copyKey(to *types.Row) {
	for _, l := range a.keyLocs {
		to.SetSlot(l, a.row.Slot(l))
	}
}

// emit computes the result of the state in the slots and passes it on.
func (a *aggregateCore) emit(hasOld bool, w types.Window, at int64) error {
	a.fold.results(a.ctx, a.name, a.row)
	r := &a.rec
	*r = record.Record{Row: a.row, Time: at, Window: w, Partition: a.ctx.Partition, Offset: a.ctx.offset}
	if hasOld && a.old != nil {
		r.Old = a.old
	}
	return a.next.Process(r)
}

// broken wraps an error in stored state.
func (a *aggregateCore) broken(err error) error {
	return fmt.Errorf("%w: %s: %w", state.ErrCorrupt, a.name, err)
}
