package avro

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Limits of what a decoder remembers.
const (
	// maxPlans bounds the schemas whose steps are kept.
	maxPlans = 1000
	// askAgain is after how many records the registry is asked again for something that it did not have or want.
	askAgain = 1000
)

// decoder reads one side of a topic.
type decoder struct {
	registry schemas.Registry
	spec     *formats.Spec
	// nulls are the bits of the kept columns, by word of the row's bitmap.
	nulls []uint64

	plans map[int]*plan
	last  *plan

	scratch []byte
	// empty counts the items without bytes in this record.
	empty int64
	// err and path are why the record cannot be read, and where.
	err  error
	path []string
}

// plan is how records of one schema are read.
type plan struct {
	id int
	// err says why records of the schema cannot be read, for the next patience records: then the registry is asked again.
	err      error
	patience int

	// fields are those of a record in its order, or the value itself when it is no record but a column.
	fields []columnStep
	// union says that the place of a branch stands before the record: value, or null if there is one.
	union       bool
	value, null int64
	// chosen is the branch that is read, by name, of a union of several.
	names []string
}

// columnStep reads a field into a column, or passes it.
type columnStep struct {
	*step
	loc  types.Loc
	name string
}

func newDecoder(registry schemas.Registry, spec *formats.Spec) *decoder {
	d := &decoder{registry: registry, spec: spec, plans: map[int]*plan{}}
	for _, loc := range spec.Locs {
		if loc.Class == types.ClassNone {
			continue
		}
		word := int(loc.Col >> 6)
		for len(d.nulls) <= word {
			d.nulls = append(d.nulls, 0)
		}
		d.nulls[word] |= 1 << (uint(loc.Col) & 63)
	}
	return d
}

// Decode reads a record; see [formats.Decoder].
func (d *decoder) Decode(data []byte, row *types.Row) error {
	id, b, err := schemas.SplitHeader(data)
	if err != nil {
		return err
	}
	p := d.last
	if p == nil || p.id != id {
		if p, err = d.plan(id); err != nil {
			return err
		}
	}
	for i, m := range d.nulls {
		row.Nulls[i] |= m
	}
	d.scratch, d.empty = d.scratch[:0], 0
	i := 0
	if p.union {
		var at int64
		switch at, i = long(b, 0); {
		case i < 0:
			return d.failed(d.malformed())
		case at == p.null:
			return d.finished(b, i)
		case at != p.value:
			return d.failed(d.otherBranch(p, at))
		}
	}
	for k := range p.fields {
		f := &p.fields[k]
		if f.do == doSkip {
			if i = skip(f.from, b, i, 0); i < 0 {
				return d.failed(d.within(f.name, d.malformed()))
			}
			continue
		}
		if i = d.column(f, b, i, row); i < 0 {
			return d.failed(d.within(f.name, -1))
		}
	}
	if i != len(b) {
		return d.finished(b, i)
	}
	return nil
}

// finished checks that nothing stands behind the record.
func (d *decoder) finished(b []byte, i int) error {
	if i < len(b) {
		return fmt.Errorf("there are %d bytes after the end of the Avro record", len(b)-i)
	}
	return nil
}

// plan finds out how records of a schema are read.
func (d *decoder) plan(id int) (*plan, error) {
	p := d.plans[id]
	if p != nil && p.err != nil {
		if p.patience--; p.patience <= 0 {
			p = nil
		}
	}
	if p == nil {
		p = &plan{id: id}
		var retry bool
		if retry, p.err = d.compile(p); retry {
			return nil, p.err
		}
		p.patience = askAgain
		if len(d.plans) >= maxPlans {
			clear(d.plans)
		}
		d.plans[id] = p
	}
	if p.err != nil {
		return nil, p.err
	}
	d.last = p
	return p, nil
}

// compile makes the plan of a schema. retry says that an error is none of the schema.
func (d *decoder) compile(p *plan) (retry bool, err error) {
	s, err := d.registry.ByID(p.id)
	var imports map[string]schemas.Schema
	if err == nil {
		imports, err = schemas.Imports(d.registry, s)
	}
	if err != nil {
		retry = schemas.IsUnavailable(err) || errors.Is(err, schemas.ErrNotConfigured)
		return retry, fmt.Errorf("the schema %d of the record: %w", p.id, err)
	}
	n, err := parseSchema(s, imports)
	if err != nil {
		return false, fmt.Errorf("the schema %d of the record: %w", p.id, err)
	}
	d.steps(p, n)
	return false, nil
}

// steps fills in the fields of a plan.
func (d *decoder) steps(p *plan, n *node) {
	if at := chosen(n, d.spec.Properties[formats.PropertySchemaFullName]); at >= 0 {
		p.union, p.value, p.null = true, int64(at), int64(n.nullBranch())
		for _, b := range n.branches {
			p.names = append(p.names, b.name)
		}
		n = n.branches[at]
	}
	if d.spec.Unwrapped {
		// The value is the column.
		c := columnStep{step: passes(n), loc: d.spec.Locs[0], name: d.spec.Columns[0].Name}
		if c.loc.Class != types.ClassNone {
			c.step = compile(n, d.spec.Columns[0].Type)
		}
		p.fields = []columnStep{c}
		return
	}
	if inner, at, ok := n.optional(); ok {
		p.union, p.value, p.null = true, int64(at), int64(n.nullBranch())
		n = inner
	}
	if n.kind != kindRecord {
		// The columns are those of a STRUCT with a field for each branch, or there are none.
		all := make([]types.Field, len(d.spec.Columns))
		for i, c := range d.spec.Columns {
			all[i] = types.Field(c)
		}
		p.fields = []columnStep{{step: compile(n, types.StructOf(all...))}}
		return
	}
	names := make([]string, len(d.spec.Columns))
	for i, c := range d.spec.Columns {
		names[i] = c.Name
	}
	for i, k := range match(n.fields, names) {
		f := n.fields[i]
		c := columnStep{step: passes(f.typ), name: f.name}
		if k >= 0 && d.spec.Locs[k].Class != types.ClassNone {
			c = columnStep{step: compile(f.typ, d.spec.Columns[k].Type), loc: d.spec.Locs[k], name: names[k]}
		}
		p.fields = append(p.fields, c)
	}
}

// column reads a value into a column and returns the place behind it, or -1.
func (d *decoder) column(f *columnStep, b []byte, i int, row *types.Row) int {
	if f.union {
		var isNull bool
		if isNull, i = d.branch(f.step, b, i); i < 0 || isNull {
			return i
		}
	}
	if f.do >= doDecimal || f.loc.Class == types.ClassNone {
		v, i := d.value(f.step, b, i)
		switch {
		case i < 0 || v == nil:
		case f.loc.Class == types.ClassNone:
			d.spread(v, row)
		default:
			row.SetBoxed(f.loc, f.target, v)
		}
		return i
	}
	v, text, i := d.scalar(f.step, b, i)
	switch {
	case i < 0:
	case f.loc.Class == types.ClassBytes:
		row.SetBytes(f.loc, text)
	default:
		row.SetInt64(f.loc, v)
	}
	return i
}

// spread puts the fields of a STRUCT that stands for the whole record into the columns.
func (d *decoder) spread(v any, row *types.Row) {
	fields, _ := v.(types.StructValue)
	for k, x := range fields {
		if d.spec.Locs[k].Class != types.ClassNone {
			row.SetBoxed(d.spec.Locs[k], d.spec.Columns[k].Type, x)
		}
	}
}

// branch reads which branch of a union with null there is.
func (d *decoder) branch(s *step, b []byte, i int) (isNull bool, next int) {
	at, i := long(b, i)
	switch {
	case i < 0:
		return false, d.malformed()
	case at == int64(s.value):
		return false, i
	case s.null >= 0 && at == int64(s.null):
		return true, i
	}
	return false, d.fail(fmt.Errorf("the record has branch %d of a union of that many or fewer", at))
}

// fail remembers why the record cannot be read and returns -1.
func (d *decoder) fail(err error) int {
	d.err = err
	return -1
}

var errMalformed = errors.New("the record does not fit its schema: it ends too early or has an impossible length or number")

func (d *decoder) malformed() int { return d.fail(errMalformed) }

func (d *decoder) otherBranch(p *plan, at int64) int {
	if at >= 0 && at < int64(len(p.names)) && p.names[at] != "" {
		return d.fail(fmt.Errorf("the record is a %s, not a %s", p.names[at], p.names[p.value]))
	}
	return d.malformed()
}

// within says that the failure is inside something, on the way out of it.
func (d *decoder) within(name string, failed int) int {
	d.path = append(d.path, name)
	return failed
}

// failed is the error of the record, with the path in ksqlDB's notation: ->A->ARRAY->B.
func (d *decoder) failed(int) error {
	var path strings.Builder
	for i := len(d.path) - 1; i >= 0; i-- {
		if d.path[i] != "" {
			path.WriteString("->" + d.path[i])
		}
	}
	d.path = d.path[:0]
	if path.Len() == 0 {
		return d.err
	}
	return fmt.Errorf("%w for path: %s", d.err, path.String())
}
