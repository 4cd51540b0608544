package operator

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/eval"
	"github.com/ksqlgo/ksqlgo/exec/state/rowcodec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// TableReader turns rows of a store into rows of the table that a query materialises: it computes aggregate results and
// applies what lies between the store and the table. It reads what operators wrote, so it lives beside them. It belongs to
// one goroutine.
type TableReader struct {
	keys   *rowcodec.KeyCodec
	values *rowcodec.ValueCodec
	fold   *fold
	// stored is the row as the store has it; start and end its window columns, if it has any.
	stored     *types.Row
	start, end types.Loc
	steps      []readStep
	keyBuf     []byte
}

// readStep is a HAVING filter or a projection.
type readStep struct {
	filter  *eval.Predicate
	project *eval.Projection
	row     *types.Row
}

// NewTableReader builds the reader of a materialisation whose rows are in store.
func NewTableReader(m *physical.Materialization, store *physical.Store, registry *functions.Registry, env *functions.Env) (*TableReader, error) {
	columns := append(append([]types.Column{}, store.Key...), store.Value...)
	if m.Aggregate != nil {
		columns = m.Aggregate.Type.Columns
	}
	layout := types.NewLayout(columns)
	r := &TableReader{stored: layout.NewRow()}
	var err error
	if r.keys, err = rowcodec.NewKeyCodec(store.Key, layout.Locs[:len(store.Key)]); err != nil {
		return nil, err
	}
	if m.Aggregate == nil {
		if r.values, err = rowcodec.NewValueCodec(store.Value, layout.Locs[len(store.Key):]); err != nil {
			return nil, err
		}
	} else {
		ctx := NewContext(Config{Functions: registry, Env: env})
		if r.fold, err = newFold(ctx, m.Aggregate, layout); err != nil {
			return nil, err
		}
		if m.Aggregate.Window != nil {
			r.start, r.end = layout.Locs[len(layout.Locs)-2], layout.Locs[len(layout.Locs)-1]
		}
	}
	return r, r.addSteps(m.Steps, layout, &eval.Compiler{Functions: registry, Env: env})
}

func (r *TableReader) addSteps(steps []physical.Node, layout *types.Layout, c *eval.Compiler) error {
	for _, s := range steps {
		switch n := s.(type) {
		case *physical.Filter:
			p, err := c.Predicate(n.Cond, layout)
			if err != nil {
				return err
			}
			r.steps = append(r.steps, readStep{filter: p})
		case *physical.Project:
			out := types.NewLayout(n.Type.Columns)
			p, err := c.Projection(n.Exprs, layout, out.Locs)
			if err != nil {
				return err
			}
			r.steps = append(r.steps, readStep{project: p, row: out.NewRow()})
			layout = out
		default:
			return fmt.Errorf("a table cannot be read through %T", s)
		}
	}
	return nil
}

// AppendKey appends the store key of the given key columns.
func (r *TableReader) AppendKey(dst []byte, key ...types.Slot) ([]byte, error) {
	return r.keys.AppendSlots(dst, key...)
}

// Read gives the table's row, its columns in the order of the last step (or of the store); false if the table does not
// have it. The row is valid until the next call and as long as key and value are.
func (r *TableReader) Read(key, value []byte, w types.Window) (*types.Row, bool, error) {
	var err error
	if r.keyBuf, err = r.keys.DecodeRow(key, r.stored, r.keyBuf); err != nil {
		return nil, false, err
	}
	if r.fold == nil {
		if err := r.values.DecodeRow(value, r.stored); err != nil {
			return nil, false, err
		}
	} else {
		if err := r.fold.load(value); err != nil {
			return nil, false, err
		}
		r.fold.results(nil, "", r.stored)
		if r.start.Class != types.ClassNone {
			r.stored.SetInt64(r.start, w.Start)
			r.stored.SetInt64(r.end, w.End)
		}
	}
	row := r.stored
	for i := range r.steps {
		s := &r.steps[i]
		if s.filter != nil {
			if keep, err := s.filter.Test(row, nil); err != nil || !keep {
				return nil, false, nil
			}
			continue
		}
		s.project.Run(row, s.row, func(int, error) {})
		row = s.row
	}
	return row, true, nil
}
