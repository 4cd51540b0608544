// Package pull answers pull plans from snapshots of committed state: key lookups, ranges and scans.
package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sync/atomic"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/eval"
	"github.com/ksqlgo/ksqlgo/exec/operator"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/exec/state/rowcodec"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Config is what an answer is made from.
type Config struct {
	// Plan is that of the query whose state is read, Pull that of the pull query.
	Plan      *physical.Plan
	Pull      *physical.Pull
	Functions *functions.Registry
	Formats   *formats.Registry
	Env       *functions.Env
	// PartitionOf is the partition of a key's bytes in a topic of n partitions.
	PartitionOf func(key []byte, n int32) int32
}

// Rows are the rows of a pull query. It belongs to one goroutine; Close ends it and gives the snapshot back.
type Rows struct {
	cfg Config
	// snapshot is the committed state.
	snapshot *state.Snapshot

	m      *physical.Materialization
	id     state.StoreID
	kind   physical.StoreKind
	sizeMs int64
	reader *operator.TableReader
	key    formats.Encoder
	keyRow *types.Row
	keyLoc []types.Loc

	// tableLocs are the table's columns in the rows the reader gives.
	tableLocs []types.Loc
	in        *types.Layout
	row       *types.Row
	where     *eval.Predicate
	project   *eval.Projection
	out       *types.Layout
	outRow    *types.Row
	// codec writes outRow for other servers; nil until one asks.
	codec *rowcodec.ValueCodec

	// only are the partitions to answer from, in order; nil means all.
	only []int32

	// lookups are the access paths, lookup is the next of them; scan what the current one has still to give.
	lookups []lookup
	lookup  int
	scan    *state.Rows
	window  *physical.Lookup
	seen    map[string]bool
	left    int64
	// interrupted ends a search that finds nothing.
	interrupted atomic.Bool
	keyBuf      []byte
	valBuf      []byte
	err         error
}

// Prepare compiles the answer; [Rows.Read] gives it the state to read.
func Prepare(cfg Config) (*Rows, error) {
	r := &Rows{cfg: cfg, m: cfg.Pull.Materialization, left: cfg.Pull.Limit}
	if r.left < 0 {
		r.left = math.MaxInt64
	}
	return r, r.open()
}

// Partitions lists the partitions that the answer needs, in order: those of the keys if every access path names one, else
// all. The answer is whole only if the state holds all of them.
func (r *Rows) Partitions() ([]int32, error) {
	need := map[int32]bool{}
	for _, l := range r.lookups {
		if l.Key == nil {
			return r.allPartitions(), nil
		}
		_, p, err := r.storeKey(l)
		if err != nil {
			return nil, err
		}
		need[p] = true
	}
	return slices.Sorted(maps.Keys(need)), nil
}

// Stage is the stage whose tasks keep the rows.
func (r *Rows) Stage() int { return r.m.Stage }

// Restrict lets the answer hold the rows of these partitions alone.
func (r *Rows) Restrict(partitions []int32) {
	r.only = slices.Clone(partitions)
	slices.Sort(r.only)
}

// answers says whether rows of a partition belong to the answer.
func (r *Rows) answers(partition int32) bool {
	if r.only == nil {
		return true
	}
	_, ok := slices.BinarySearch(r.only, partition)
	return ok
}

// Read makes the rows those of a snapshot of committed state, which Close gives back.
func (r *Rows) Read(s *state.Snapshot) { r.snapshot = s }

// Positions are the positions of the stage's inputs that belong to exactly these rows, of the partitions that the answer is
// from. They can be had until Close.
func (r *Rows) Positions() (position.Vector, error) {
	partitions := r.only
	if partitions == nil {
		var err error
		if partitions, err = r.Partitions(); err != nil {
			return nil, err
		}
	}
	return PositionsOf(r.snapshot, r.cfg.Plan, r.m.Stage, partitions)
}

// PositionsOf reads from a snapshot what of the inputs of a stage it contains, for some partitions.
func PositionsOf(s *state.Snapshot, plan *physical.Plan, stage int, partitions []int32) (position.Vector, error) {
	inputs := map[string]bool{}
	for _, st := range plan.Stages {
		if st.ID == stage {
			for _, in := range st.Inputs {
				inputs[in.Topic] = true
			}
		}
	}
	v := position.Vector{}
	for _, p := range partitions {
		// Nothing read yet is a position, too.
		for topic := range inputs {
			v.Set(topic, p, 0)
		}
		list, err := s.Positions(p)
		if err != nil {
			return nil, err
		}
		for _, at := range list {
			if inputs[at.Topic] {
				v.Set(at.Topic, p, at.Offset)
			}
		}
	}
	return v, nil
}

func (r *Rows) open() error {
	store := r.findStore()
	if store == nil {
		return fmt.Errorf("the plan of %s has no store %s", r.cfg.Plan.QueryID, r.m.Store)
	}
	r.id, r.kind = state.StoreID(store.ID), store.Kind
	if store.Window != nil {
		r.sizeMs = store.Window.SizeMs
	}
	var err error
	if r.reader, err = operator.NewTableReader(r.m, store, r.cfg.Functions, r.cfg.Env); err != nil {
		return err
	}
	if err := r.openKey(); err != nil {
		return err
	}
	return r.openOutput()
}

func (r *Rows) findStore() *physical.Store {
	for _, st := range r.cfg.Plan.Stages {
		if st.ID != r.m.Stage {
			continue
		}
		for _, s := range st.Stores {
			if s.Name == r.m.Store {
				return s
			}
		}
	}
	return nil
}

// openKey makes the encoder of keys as the input topic has them, which decides the partition.
func (r *Rows) openKey() error {
	format, ok := r.cfg.Formats.Lookup(r.m.KeyFormat.Name)
	if !ok {
		return fmt.Errorf("unknown format %s", r.m.KeyFormat.Name)
	}
	layout := types.NewLayout(r.m.KeyColumns)
	r.keyRow, r.keyLoc = layout.NewRow(), layout.Locs
	if _, ok := format.(formats.SchemaFormat); ok {
		r.lookEverywhere()
		return nil
	}
	r.lookups = make([]lookup, len(r.cfg.Pull.Lookups))
	for i := range r.lookups {
		r.lookups[i] = lookup{&r.cfg.Pull.Lookups[i], byKey}
	}
	var err error
	r.key, err = format.NewEncoder(&formats.Spec{IsKey: true, Columns: r.m.KeyColumns, Locs: layout.Locs,
		Unwrapped: r.m.KeyFormat.Unwrapped, Properties: r.m.KeyFormat.Properties})
	return err
}

// lookup is an access path. One by key is into one partition: the key's own, or the one given.
type lookup struct {
	*physical.Lookup
	partition int32
}

// byKey stands for the partition to which the key's bytes belong.
const byKey = -1

// lookEverywhere looks for keys in every partition: the bytes of a key whose schema is in a registry depend on who wrote it.
func (r *Rows) lookEverywhere() {
	for i := range r.cfg.Pull.Lookups {
		l := &r.cfg.Pull.Lookups[i]
		if l.Key == nil {
			r.lookups = append(r.lookups, lookup{l, byKey})
			continue
		}
		for _, p := range r.allPartitions() {
			r.lookups = append(r.lookups, lookup{l, p})
		}
	}
}

// openOutput compiles condition and projection over the table's columns, the window bounds, and ROWTIME.
func (r *Rows) openOutput() error {
	columns := append([]types.Column{}, r.m.Columns...)
	if r.m.Window != types.NoWindow {
		columns = append(columns, types.Column{Name: types.WindowStart, Type: types.BigintType}, types.Column{Name: types.WindowEnd, Type: types.BigintType})
	}
	columns = append(columns, types.Column{Name: types.RowTime, Type: types.BigintType})
	r.tableLocs = types.NewLayout(r.m.Columns).Locs
	r.in = types.NewLayout(columns)
	r.row = r.in.NewRow()
	c := &eval.Compiler{Functions: r.cfg.Functions, Env: r.cfg.Env, Mode: eval.Interpreted}
	var err error
	if r.cfg.Pull.Where != nil {
		if r.where, err = c.Predicate(r.cfg.Pull.Where, r.in); err != nil {
			return err
		}
	}
	r.out = types.NewLayout(r.cfg.Pull.Columns)
	r.outRow = r.out.NewRow()
	if r.project, err = c.Projection(r.cfg.Pull.Exprs, r.in, r.out.Locs); err != nil {
		return err
	}
	if len(r.lookups) > 1 {
		r.seen = map[string]bool{}
	}
	return nil
}

// Next gives the next row as boxed values, which belong to the caller; io.EOF at the end. It never waits, so that ctx is
// only looked at.
func (r *Rows) Next(ctx context.Context) ([]any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !r.step() {
		return nil, r.err
	}
	values := make([]any, len(r.out.Columns))
	for i, c := range r.out.Columns {
		values[i] = r.outRow.Boxed(r.out.Locs[i], c.Type)
	}
	return values, nil
}

// TryNext is Next for callers that deal with the end and with errors in Next.
func (r *Rows) TryNext() ([]any, bool) {
	values, err := r.Next(context.Background())
	return values, err == nil
}

// AppendNext appends the next row in the form that [Decoder] reads; ok is false at the end.
func (r *Rows) AppendNext(dst []byte) (out []byte, ok bool, err error) {
	if !r.step() {
		if errors.Is(r.err, io.EOF) {
			return dst, false, nil
		}
		return dst, false, r.err
	}
	if r.codec == nil {
		if r.codec, err = rowcodec.NewValueCodec(r.out.Columns, r.out.Locs); err != nil {
			return dst, false, err
		}
	}
	out, err = r.codec.AppendRow(dst, r.outRow)
	return out, err == nil, err
}

// step makes the next row outRow; false at the end and after an error, which r.err tells.
func (r *Rows) step() bool {
	if r.err == nil {
		r.err = r.next()
	}
	return r.err == nil
}

// next makes the next row outRow; io.EOF at the end.
func (r *Rows) next() error {
	for r.left > 0 {
		if r.interrupted.Load() {
			return context.Canceled
		}
		key, value, w, at, ok, err := r.fetch()
		if err != nil {
			return err
		}
		if !ok {
			return io.EOF
		}
		row, ok, err := r.reader.Read(key, value, w)
		if err != nil {
			return err
		}
		if !ok || !r.keep(row, w, at) || r.isRepeated(key, w) {
			continue
		}
		r.left--
		var failed error
		r.project.Run(r.row, r.outRow, func(_ int, err error) { failed = err })
		return failed
	}
	return io.EOF
}

// keep brings a row into the form that condition and projection read, and tests it.
func (r *Rows) keep(row *types.Row, w types.Window, at int64) bool {
	for i, from := range r.tableLocs {
		r.row.SetSlot(r.in.Locs[i], row.Slot(from))
	}
	n := len(r.m.Columns)
	if r.m.Window != types.NoWindow {
		r.row.SetInt64(r.in.Locs[n], w.Start)
		r.row.SetInt64(r.in.Locs[n+1], w.End)
		n += 2
	}
	r.row.SetInt64(r.in.Locs[n], at)
	if r.where == nil {
		return true
	}
	ok, err := r.where.Test(r.row, nil)
	return ok && err == nil
}

// isRepeated says whether another access path has found the row already.
func (r *Rows) isRepeated(key []byte, w types.Window) bool {
	if r.seen == nil {
		return false
	}
	id := fmt.Sprintf("%d/%d/%s", w.Start, w.End, key)
	if r.seen[id] {
		return true
	}
	r.seen[id] = true
	return false
}

// fetch gives the next stored row of the access paths.
func (r *Rows) fetch() (key, value []byte, w types.Window, at int64, ok bool, err error) {
	for {
		if r.scan != nil {
			for r.scan.Next() {
				w = r.windowOf(r.scan)
				if r.window == nil || within(r.window, w) {
					return r.scan.Key(), r.scan.Value(), w, r.scan.Timestamp(), true, nil
				}
			}
			err := r.scan.Close()
			r.scan = nil
			if err != nil {
				return nil, nil, w, 0, false, err
			}
		}
		if r.lookup == len(r.lookups) {
			return nil, nil, w, 0, false, nil
		}
		l := r.lookups[r.lookup]
		r.lookup++
		if l.Key != nil && r.kind == physical.KeyedStore {
			if key, value, at, ok, err = r.get(l); err != nil || ok {
				return key, value, w, at, ok, err
			}
			continue
		}
		if err := r.begin(l); err != nil {
			return nil, nil, w, 0, false, err
		}
	}
}

func (r *Rows) windowOf(s *state.Rows) types.Window {
	switch r.kind {
	case physical.WindowedStore:
		start := s.Start()
		return types.Window{Start: start, End: start + r.sizeMs}
	case physical.SessionStore:
		return types.Window{Start: s.Start(), End: s.End()}
	}
	return types.Window{}
}

func within(l *physical.Lookup, w types.Window) bool {
	return (l.StartMin == nil || w.Start >= *l.StartMin) && (l.StartMax == nil || w.Start <= *l.StartMax) &&
		(l.EndMin == nil || w.End >= *l.EndMin) && (l.EndMax == nil || w.End <= *l.EndMax)
}

// get reads the row of a full key.
func (r *Rows) get(l lookup) (key, value []byte, at int64, ok bool, err error) {
	key, partition, err := r.storeKey(l)
	if err != nil || !r.answers(partition) {
		return nil, nil, 0, false, err
	}
	r.valBuf, at, ok, err = r.snapshot.Get(r.id, partition, key, r.valBuf[:0])
	return key, r.valBuf, at, ok, err
}

// storeKey encodes the key of a lookup and finds its partition.
func (r *Rows) storeKey(l lookup) (key []byte, partition int32, err error) {
	slots := make([]types.Slot, len(l.Key))
	for i, v := range l.Key {
		slots[i] = types.Unbox(v.T, v.Value)
		r.keyRow.SetSlot(r.keyLoc[i], slots[i])
	}
	if r.keyBuf, err = r.reader.AppendKey(r.keyBuf[:0], slots...); err != nil {
		return nil, 0, err
	}
	if l.partition != byKey {
		return r.keyBuf, l.partition, nil
	}
	wire, null, err := r.key.Append(nil, r.keyRow)
	if err != nil {
		return nil, 0, err
	}
	if null {
		return r.keyBuf, 0, nil
	}
	return r.keyBuf, r.cfg.PartitionOf(wire, int32(r.m.Partitions)), nil
}

// partitions are those that a scan reads.
func (r *Rows) partitions() []int32 {
	if r.only != nil {
		return r.only
	}
	return r.allPartitions()
}

func (r *Rows) allPartitions() []int32 {
	out := make([]int32, r.m.Partitions)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// begin opens the scan of an access path that may find several rows.
func (r *Rows) begin(l lookup) error {
	r.window = nil
	if r.kind != physical.KeyedStore {
		r.window = l.Lookup
	}
	startMin, startMax := bound(l.StartMin, math.MinInt64), bound(l.StartMax, math.MaxInt64)
	endMin, endMax := bound(l.EndMin, math.MinInt64), bound(l.EndMax, math.MaxInt64)
	var err error
	switch {
	case l.Key != nil:
		var key []byte
		var partition int32
		if key, partition, err = r.storeKey(l); err != nil || !r.answers(partition) {
			return err
		}
		if r.kind == physical.WindowedStore {
			r.scan, err = r.snapshot.FetchWindows(r.id, partition, key, startMin, startMax)
		} else {
			r.scan, err = r.snapshot.FetchSessions(r.id, partition, key, endMin, startMax)
		}
	case r.kind == physical.KeyedStore:
		var from, to []byte
		if from, to, err = r.keyRange(l); err != nil {
			return err
		}
		r.scan, err = r.snapshot.Range(r.id, r.partitions(), from, to)
	case r.kind == physical.WindowedStore:
		r.scan, err = r.snapshot.ScanTime(r.id, r.partitions(), startMin, startMax)
	default:
		r.scan, err = r.snapshot.ScanTime(r.id, r.partitions(), endMin, endMax)
	}
	return err
}

func bound(p *int64, open int64) int64 {
	if p == nil {
		return open
	}
	return *p
}

// keyRange encodes the bounds of a range over a single key column; the order of store keys is that of the values.
func (r *Rows) keyRange(l lookup) (from, to []byte, err error) {
	if l.From != nil {
		if from, err = r.reader.AppendKey(nil, types.Unbox(l.From.T, l.From.Value)); err != nil {
			return nil, nil, err
		}
		if !l.FromInclusive {
			from = append(from, 0)
		}
	}
	if l.To != nil {
		if to, err = r.reader.AppendKey(nil, types.Unbox(l.To.T, l.To.Value)); err != nil {
			return nil, nil, err
		}
		if l.ToInclusive {
			to = append(to, 0)
		}
	}
	return from, to, nil
}

// Interrupt ends the answer with an error at the next row that is looked at, whether it matches or not. It may be called from
// any goroutine, at any time.
func (r *Rows) Interrupt() { r.interrupted.Store(true) }

// Close gives the snapshot back. It may be called more than once.
func (r *Rows) Close() {
	if r.scan != nil {
		_ = r.scan.Close()
		r.scan = nil
	}
	if r.snapshot != nil {
		_ = r.snapshot.Close()
	}
	if r.err == nil {
		r.err = io.EOF
	}
}
