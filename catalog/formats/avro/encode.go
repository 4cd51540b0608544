package avro

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// encoder writes one side of a topic.
type encoder struct {
	registry schemas.Registry
	spec     *formats.Spec
	id       int
	step     *putStep
}

func newEncoder(registry schemas.Registry, spec *formats.Spec) (*encoder, error) {
	_, _, err := spec.SchemaID()
	return &encoder{registry: registry, spec: spec}, err
}

// Append writes a record; see [formats.Encoder].
func (e *encoder) Append(dst []byte, row *types.Row) ([]byte, bool, error) {
	if e.spec.Unwrapped && row.IsNull(e.spec.Locs[0]) {
		return dst, true, nil
	}
	if e.step == nil {
		if err := e.prepare(); err != nil {
			return dst, false, err
		}
	}
	at := len(dst)
	dst = schemas.AppendHeader(dst, e.id)
	if e.step.union {
		dst = appendLong(dst, int64(e.step.value))
	}
	var err error
	if e.spec.Unwrapped {
		dst, err = e.step.appendSlot(dst, row.Slot(e.spec.Locs[0]))
	} else {
		dst, err = e.columns(dst, row)
	}
	if err != nil {
		return dst[:at], false, err
	}
	return dst, false, nil
}

// columns writes the outermost record.
func (e *encoder) columns(dst []byte, row *types.Row) (_ []byte, err error) {
	if e.step.general {
		fields := make(types.StructValue, len(e.spec.Columns))
		for i, loc := range e.spec.Locs {
			fields[i] = row.Boxed(loc, e.spec.Columns[i].Type)
		}
		return e.step.appendBranch(dst, fields)
	}
	for i := range e.step.parts {
		p := &e.step.parts[i]
		if p.step == nil {
			dst = append(dst, p.constant...)
			continue
		}
		loc := e.spec.Locs[p.at]
		if row.IsNull(loc) {
			dst, err = p.step.appendNull(dst)
		} else {
			if p.step.union {
				dst = appendLong(dst, int64(p.step.value))
			}
			dst, err = p.step.appendSlot(dst, row.Slot(loc))
		}
		if err != nil {
			return dst, inField(p.name, err)
		}
	}
	return dst, nil
}

// prepare finds the schema that is written, or registers the columns' own.
func (e *encoder) prepare() error {
	id, s, imports, err := formats.WrittenSchema(e.registry, New(e.registry), e.spec)
	if err != nil {
		return err
	}
	n, err := parseSchema(s, imports)
	if err == nil {
		e.step, err = compileEncoder(e.spec, n)
	}
	if err != nil {
		return formats.Unwritable(e.spec, err)
	}
	e.id = id
	return nil
}

// appendNull writes null, if it may be.
func (s *putStep) appendNull(dst []byte) ([]byte, error) {
	if s.null >= 0 && (s.union || s.general) {
		return appendLong(dst, int64(s.null)), nil
	}
	if s.instead != nil {
		return append(dst, s.instead...), nil
	}
	return dst, fmt.Errorf("Invalid value: null used for required field, schema type: %s", s.to.describe())
}

// appendBoxed writes a value in boxed form with the union around it.
func (s *putStep) appendBoxed(dst []byte, v any) ([]byte, error) {
	if v == nil {
		return s.appendNull(dst)
	}
	if s.union {
		dst = appendLong(dst, int64(s.value))
	}
	return s.appendSlot(dst, types.Unbox(s.from, v))
}

// appendSlot writes a value that is not null, without the union around it.
func (s *putStep) appendSlot(dst []byte, v types.Slot) ([]byte, error) {
	if s.general {
		fields, _ := v.R.(types.StructValue)
		return s.appendBranch(dst, fields)
	}
	switch s.to.kind {
	case kindBoolean:
		return appendBoolean(dst, v.I != 0), nil
	case kindInt, kindLong:
		return appendLong(dst, v.I), nil
	case kindDouble:
		if s.from.Kind == types.Int {
			v.I = int64(math.Float64bits(float64(v.I)))
		}
		return binary.LittleEndian.AppendUint64(dst, uint64(v.I)), nil
	case kindFloat:
		x := float32(v.Double())
		if math.IsInf(float64(x), 0) && !math.IsInf(v.Double(), 0) {
			return dst, fmt.Errorf("%s is too big for a float", types.FormatDouble(v.Double()))
		}
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(x)), nil
	case kindString:
		return append(appendLong(dst, int64(len(v.B))), v.B...), nil
	case kindEnum:
		i, ok := s.symbols[string(v.B)]
		if !ok {
			return dst, fmt.Errorf("%.100q is no symbol of the enum %s", v.B, s.to.name)
		}
		return appendLong(dst, int64(i)), nil
	case kindBytes, kindFixed:
		return s.appendBytes(dst, v)
	case kindArray, kindMap:
		if m, ok := v.R.(*types.MapValue); ok {
			return s.appendMap(dst, m)
		}
		list, _ := v.R.([]any)
		return s.appendArray(dst, list)
	}
	fields, _ := v.R.(types.StructValue)
	return s.appendRecord(dst, fields)
}

func (s *putStep) appendBytes(dst []byte, v types.Slot) ([]byte, error) {
	if s.from.Kind == types.Decimal {
		return s.appendDecimal(dst, v)
	}
	if s.to.kind == kindBytes {
		return append(appendLong(dst, int64(len(v.B))), v.B...), nil
	}
	if len(v.B) != s.to.size {
		return dst, fmt.Errorf("%d bytes do not fit the fixed %s, which has %d", len(v.B), s.to.name, s.to.size)
	}
	return append(dst, v.B...), nil
}

func (s *putStep) appendDecimal(dst []byte, v types.Slot) ([]byte, error) {
	x, _ := v.R.(*apd.Decimal)
	x, err := rescaled(x, s.to.scale)
	if err != nil {
		return dst, err
	}
	if s.to.kind == kindBytes {
		// Of up to 63 bytes the length takes one byte; longer ones make room.
		at := len(dst)
		dst = formats.AppendUnscaled(append(dst, 0), x)
		n := len(dst) - at - 1
		if n < 64 {
			dst[at] = byte(n << 1)
			return dst, nil
		}
		unscaled := append([]byte(nil), dst[at+1:]...)
		return append(appendLong(dst[:at], int64(n)), unscaled...), nil
	}
	var room [32]byte
	unscaled := formats.AppendUnscaled(room[:0], x)
	if len(unscaled) > s.to.size {
		return dst, fmt.Errorf("the DECIMAL %s does not fit the fixed %s of %d bytes", types.DecimalText(x), s.to.name, s.to.size)
	}
	sign := byte(0)
	if x.Negative {
		sign = 0xff
	}
	for range s.to.size - len(unscaled) {
		dst = append(dst, sign)
	}
	return append(dst, unscaled...), nil
}

func (s *putStep) appendArray(dst []byte, list []any) (_ []byte, err error) {
	if len(list) > 0 {
		dst = appendLong(dst, int64(len(list)))
		for _, item := range list {
			if dst, err = s.items.appendBoxed(dst, item); err != nil {
				return dst, inside("ARRAY", err)
			}
		}
	}
	return append(dst, 0), nil
}

func (s *putStep) appendMap(dst []byte, m *types.MapValue) (_ []byte, err error) {
	if len(m.Keys) == 0 {
		return append(dst, 0), nil
	}
	dst = appendLong(dst, int64(len(m.Keys)))
	for i, key := range m.Keys {
		switch {
		case s.key == nil:
			text, ok := key.(string)
			if !ok {
				return dst, inside("MAP_KEY", fmt.Errorf("a key of the MAP is null"))
			}
			dst = append(appendLong(dst, int64(len(text))), text...)
		case s.keyFirst:
			if dst, err = s.key.appendBoxed(dst, key); err != nil {
				return dst, inside("MAP_KEY", err)
			}
		}
		if dst, err = s.items.appendBoxed(dst, m.Values[i]); err != nil {
			return dst, inside("MAP_VAL", err)
		}
		if s.key != nil && !s.keyFirst {
			if dst, err = s.key.appendBoxed(dst, key); err != nil {
				return dst, inside("MAP_KEY", err)
			}
		}
	}
	return append(dst, 0), nil
}

func (s *putStep) appendRecord(dst []byte, fields types.StructValue) (_ []byte, err error) {
	for i := range s.parts {
		p := &s.parts[i]
		if p.step == nil {
			dst = append(dst, p.constant...)
			continue
		}
		if dst, err = p.step.appendBoxed(dst, fields[p.at]); err != nil {
			return dst, inField(p.name, err)
		}
	}
	return dst, nil
}

// appendBranch writes the branch of a union whose field is not null.
func (s *putStep) appendBranch(dst []byte, fields types.StructValue) ([]byte, error) {
	branch := -1
	for i := range s.parts {
		if at := s.parts[i].at; at < 0 || fields[at] == nil {
			continue
		}
		if branch >= 0 {
			return dst, fmt.Errorf("the schema has a union there: of %s and %s only one can have a value", s.parts[branch].name, s.parts[i].name)
		}
		branch = i
	}
	if branch < 0 {
		return s.appendNull(dst)
	}
	p := &s.parts[branch]
	dst, err := p.step.appendBoxed(appendLong(dst, int64(branch)), fields[p.at])
	if err != nil {
		return dst, inField(p.name, err)
	}
	return dst, nil
}
