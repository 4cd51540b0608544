package jsonsr

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/formats/json"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// decoder reads records of whatever schema. JSON says itself what it is, so that the schema is asked only for the one thing that
// it does not say: what a text stands for where a DECIMAL is to be read.
type decoder struct {
	registry schemas.Registry
	spec     *formats.Spec
	json     formats.Decoder
	connect  *json.Connect
	// hasDecimals says that there are such columns, or fields in them.
	hasDecimals bool
	// known is what is known of the schemas met so far, last of the record before.
	known  map[int]*texts
	last   *texts
	lastID int
}

// texts are the DECIMALs that are text in a schema, by the type of the column or field, with their scales; err says why it is not
// known.
type texts struct {
	scales map[*types.Type]int
	err    error
}

// maxKnown bounds how many schemas a decoder keeps that of.
const maxKnown = 256

func newDecoder(registry schemas.Registry, spec *formats.Spec) (*decoder, error) {
	d := &decoder{registry: registry, spec: spec, known: map[int]*texts{}, connect: &json.Connect{IsUnion: isUnion}}
	for i, c := range spec.Columns {
		d.hasDecimals = d.hasDecimals || spec.Locs[i].Class != types.ClassNone && hasDecimals(c.Type)
	}
	if d.hasDecimals {
		d.connect.DecimalText = d.decimal
	}
	var err error
	d.json, err = json.NewConnectDecoder(spec, d.connect)
	return d, err
}

func hasDecimals(t *types.Type) bool {
	switch t.Kind {
	case types.Decimal:
		return true
	case types.Array, types.Map:
		return hasDecimals(t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if hasDecimals(f.Type) {
				return true
			}
		}
	}
	return false
}

// Decode reads a record; see [formats.Decoder].
func (d *decoder) Decode(data []byte, row *types.Row) error {
	id, rest, err := schemas.SplitHeader(data)
	if err != nil {
		return err
	}
	if d.hasDecimals && (d.last == nil || id != d.lastID) {
		if d.last, err = d.texts(id); err != nil {
			return err
		}
		d.lastID = id
	}
	if d.last != nil && d.last.err != nil {
		return d.last.err
	}
	return d.json.Decode(rest, row)
}

// texts finds the DECIMALs of a schema that are text.
func (d *decoder) texts(id int) (*texts, error) {
	if t, ok := d.known[id]; ok {
		return t, nil
	}
	s, err := d.registry.ByID(id)
	if err != nil {
		return nil, err
	}
	imports, err := schemas.Imports(d.registry, s)
	if err != nil {
		return nil, err
	}
	t := &texts{scales: map[*types.Type]int{}}
	var root *shape
	switch root, t.err = shapeOf(s, imports); {
	case t.err != nil:
	case d.spec.Unwrapped:
		t.err = t.add(d.spec.Columns[0].Type, root)
	default:
		t.err = t.addFields(fieldsOf(d.spec), root)
	}
	if len(d.known) >= maxKnown {
		clear(d.known)
	}
	d.known[id] = t
	return t, nil
}

// numeric marks a DECIMAL that is text of a number, if any text at all.
const numeric = -1

var errScales = errors.New("two fields of one DECIMAL type have different scales in the schema of the record")

func (t *texts) add(typ *types.Type, s *shape) error {
	switch {
	case typ.Kind == types.Decimal:
		scale := numeric
		if s.isText {
			scale = s.typ.Scale
		}
		if have, ok := t.scales[typ]; ok && have != scale {
			return errScales
		}
		t.scales[typ] = scale
	case typ.Kind == types.Struct:
		return t.addFields(typ.Fields, s)
	case (typ.Kind == types.Array || typ.Kind == types.Map) && s.typ.Kind == typ.Kind:
		return t.add(typ.Elem, s.elem)
	}
	return nil
}

func (t *texts) addFields(fields []types.Field, s *shape) error {
	for _, f := range fields {
		found := s.field(f.Name)
		for _, p := range s.fields {
			if found == nil && strings.ToUpper(p.name) == f.Name {
				found = p.shape
			}
		}
		if found != nil {
			if err := t.add(f.Type, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// decimal reads a DECIMAL that is text.
func (d *decoder) decimal(t *types.Type, text []byte) (*apd.Decimal, error) {
	scale, ok := d.last.scales[t]
	if !ok || scale == numeric {
		x, err := types.ParseDecimal(types.Text(text))
		if err != nil {
			return nil, err
		}
		return x, formats.FitDecimal(x, t)
	}
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return nil, errors.New("Invalid bytes for Decimal field")
	}
	return formats.Unscaled(b, scale, t)
}
