package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// scalar reads a value that is kept in 64 bits or as bytes; bytes point into b, into the decoder's scratch or into the schema.
func (d *decoder) scalar(s *step, b []byte, i int) (v int64, text []byte, next int) {
	switch s.do {
	case doText:
		if text, i = lengthPrefixed(b, i); i < 0 {
			return 0, nil, d.malformed()
		}
		text, d.scratch = formats.ValidText(text, d.scratch)
		return 0, text, i
	case doBytes:
		if text, i = lengthPrefixed(b, i); i < 0 {
			return 0, nil, d.malformed()
		}
		return 0, text, i
	case doFixed:
		if text, i = take(b, i, s.from.size); i < 0 {
			return 0, nil, d.malformed()
		}
		return 0, text, i
	case doEnum:
		if v, i = long(b, i); i < 0 || v < 0 || v >= int64(len(s.symbols)) {
			return 0, nil, d.malformed()
		}
		return 0, s.symbols[v], i
	case doIntAsText, doBooleanAsText, doFloatAsText, doDoubleAsText:
		if v, i = d.number(s, b, i); i < 0 {
			return 0, nil, -1
		}
		at := len(d.scratch)
		switch {
		case s.do == doIntAsText:
			d.scratch = strconv.AppendInt(d.scratch, v, 10)
		case s.do == doBooleanAsText:
			d.scratch = strconv.AppendBool(d.scratch, v != 0)
		case s.do == doFloatAsText:
			// The digits of a float are fewer than those of the double next to it.
			short, _ := strconv.ParseFloat(strconv.FormatFloat(math.Float64frombits(uint64(v)), 'g', -1, 32), 64)
			d.scratch = types.AppendDouble(d.scratch, short)
		default:
			d.scratch = types.AppendDouble(d.scratch, math.Float64frombits(uint64(v)))
		}
		return 0, d.scratch[at:len(d.scratch):len(d.scratch)], i
	case doFail:
		return 0, nil, d.fail(s.mismatch())
	}
	v, i = d.number(s, b, i)
	return v, nil, i
}

const dayMillis = 86_400_000

// number reads a number or a boolean; doubles as their bits.
func (d *decoder) number(s *step, b []byte, i int) (v int64, next int) {
	switch s.from.kind {
	case kindBoolean:
		if i >= len(b) {
			return 0, d.malformed()
		}
		// All but 1 is false, as in Java.
		if b[i] == 1 {
			v = 1
		}
		return v, i + 1
	case kindFloat:
		if len(b)-i < 4 {
			return 0, d.malformed()
		}
		f := math.Float32frombits(binary.LittleEndian.Uint32(b[i:]))
		return int64(math.Float64bits(float64(f))), i + 4
	case kindDouble:
		if len(b)-i < 8 {
			return 0, d.malformed()
		}
		return int64(binary.LittleEndian.Uint64(b[i:])), i + 8
	}
	v, i = long(b, i)
	if i < 0 || s.from.kind == kindInt && v != int64(int32(v)) {
		return 0, d.malformed()
	}
	switch {
	case s.do == doIntAsDouble:
		v = int64(math.Float64bits(float64(v)))
	case s.do == doTime && (v < 0 || v >= dayMillis):
		return 0, d.fail(fmt.Errorf("%d milliseconds are no TIME of a day", v))
	}
	return v, i
}

// value reads a value in boxed form, which outlives the record. The union around it, if any, has been read already.
func (d *decoder) value(s *step, b []byte, i int) (any, int) {
	switch s.do {
	case doDecimal:
		return d.decimal(s, b, i)
	case doArray:
		return d.array(s, b, i)
	case doMap, doEntries:
		return d.mapValue(s, b, i)
	case doRecord:
		return d.record(s, b, i)
	case doUnion, doEither:
		return d.general(s, b, i)
	case doNull:
		return nil, i
	case doSkip:
		if i = skip(s.from, b, i, 0); i < 0 {
			return nil, d.malformed()
		}
		return nil, i
	}
	v, text, i := d.scalar(s, b, i)
	if i < 0 {
		return nil, i
	}
	slot := types.Slot{I: v, B: text}
	if text == nil {
		slot.B = []byte{}
	}
	return slot.Boxed(s.target), i
}

// nullable reads a value with the union around it.
func (d *decoder) nullable(s *step, b []byte, i int) (any, int) {
	if s.union {
		var isNull bool
		if isNull, i = d.branch(s, b, i); i < 0 || isNull {
			return nil, i
		}
	}
	return d.value(s, b, i)
}

// maxEmpty bounds how many items without bytes a record can have: they cost the sender nothing.
const maxEmpty = 1 << 16

// blocks reads the items of an array or map, which take at least least bytes, by calling read for each.
func (d *decoder) blocks(b []byte, i, least int, read func(i int) int) int {
	for {
		count, next := block(b, i, least)
		if next < 0 {
			return d.malformed()
		}
		if count == 0 {
			return next
		}
		i = next
		if least == 0 {
			d.empty += min(count, maxEmpty+1)
		}
		if d.empty > maxEmpty {
			return d.fail(fmt.Errorf("the record has more than %d items without bytes", maxEmpty))
		}
		for range count {
			if i = read(i); i < 0 {
				return -1
			}
		}
	}
}

func (d *decoder) array(s *step, b []byte, i int) (any, int) {
	list := []any{}
	i = d.blocks(b, i, s.from.items.least, func(i int) int {
		v, i := d.nullable(s.items, b, i)
		list = append(list, v)
		return i
	})
	if i < 0 {
		return nil, d.within("ARRAY", i)
	}
	return list, i
}

// mapValue reads a map, or the array of entries that Connect makes of one.
func (d *decoder) mapValue(s *step, b []byte, i int) (any, int) {
	m := &types.MapValue{}
	var places map[string]int
	least := s.from.items.least
	if s.do == doMap {
		least++
	}
	i = d.blocks(b, i, least, func(i int) int {
		var key, v any
		if s.do == doMap {
			var text []byte
			if text, i = lengthPrefixed(b, i); i < 0 {
				return d.within("MAP_KEY", d.malformed())
			}
			text, _ = formats.ValidText(text, nil)
			key = string(text)
		} else if s.keyFirst {
			if key, i = d.nullable(s.key, b, i); i < 0 {
				return d.within("MAP_KEY", i)
			}
		}
		if v, i = d.nullable(s.items, b, i); i < 0 {
			return d.within("MAP_VAL", i)
		}
		if s.do == doEntries && !s.keyFirst {
			if key, i = d.nullable(s.key, b, i); i < 0 {
				return d.within("MAP_KEY", i)
			}
		}
		text, ok := key.(string)
		if !ok {
			return d.within("MAP_KEY", d.fail(errors.New("a key of the MAP is null")))
		}
		places = formats.PutEntry(m, places, text, v)
		return i
	})
	if i < 0 {
		return nil, i
	}
	return m, i
}

func (d *decoder) record(s *step, b []byte, i int) (any, int) {
	fields := make(types.StructValue, len(s.target.Fields))
	for k := range s.parts {
		p := &s.parts[k]
		v, next := d.nullable(p.step, b, i)
		if next < 0 {
			return nil, d.within(s.from.fields[k].name, -1)
		}
		if i = next; p.at >= 0 {
			fields[p.at] = v
		}
	}
	return fields, i
}

// general reads a value of a union of several types.
func (d *decoder) general(s *step, b []byte, i int) (any, int) {
	at, i := long(b, i)
	if i < 0 || at < 0 || at >= int64(len(s.parts)) {
		return nil, d.malformed()
	}
	p := &s.parts[at]
	v, i := d.value(p.step, b, i)
	switch {
	case i < 0 && s.do == doUnion:
		return nil, d.within(s.from.branches[at].branchName(), -1)
	case i < 0 || s.do == doEither || p.step.do == doNull:
		return v, i
	}
	fields := make(types.StructValue, len(s.target.Fields))
	if p.at >= 0 {
		fields[p.at] = v
	}
	return fields, i
}
