package avro

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// action is what a step of a decoder does with a value.
type action uint8

const (
	doSkip action = iota
	// Scalars, by how they are written.
	doBoolean
	doInt
	doLong
	doFloat
	doDouble
	doText  // string
	doBytes // bytes
	doFixed
	doEnum
	// doTime is doInt for a time of day.
	doTime
	// doIntAsDouble and those below read one type as another.
	doIntAsDouble
	doIntAsText
	doBooleanAsText
	doFloatAsText
	doDoubleAsText
	// Values in boxed form.
	doDecimal
	doArray
	doMap
	doEntries
	doRecord
	// doUnion makes a STRUCT with a field for each branch; doEither reads any branch as the same type.
	doUnion
	doEither
	// doFail refuses the value, and doNull reads null.
	doFail
	doNull
)

// step reads one value of a schema as a type of ours.
type step struct {
	do action
	// union says that the place of a branch stands before the value: value, or null if there is one, else null is -1.
	union       bool
	value, null int8
	target      *types.Type
	// from is the schema of the value, without the union around it.
	from *node
	// items are the elements of an array or the values of a map, key the keys of entries.
	items, key *step
	// keyFirst says that the key of an entry is its first field.
	keyFirst bool
	// parts are the fields of a record or the branches of a union.
	parts   []part
	symbols [][]byte
}

// part is a field of a record or a branch of a union, and the field of the STRUCT that it becomes, -1 if none.
type part struct {
	step *step
	at   int
}

// passes is the step of a value that nobody wants.
func passes(n *node) *step { return &step{do: doSkip, from: n, value: -1, null: -1} }

// compile makes the step that reads values of a schema as a type. What cannot be read becomes a step that fails when it
// meets such a value, as values of that schema may never come.
func compile(n *node, t *types.Type) *step {
	s := &step{value: -1, null: -1, target: t, from: n}
	if n.kind == kindUnion {
		inner, at, ok := n.optional()
		if !ok {
			return s.general()
		}
		s.union, s.value, s.null, s.from = true, int8(at), int8(n.nullBranch()), inner
	}
	s.choose()
	return s
}

// general makes the step of a union of several types.
func (s *step) general() *step {
	n, t := s.from, s.target
	s.parts = make([]part, len(n.branches))
	s.do = doEither
	if t.Kind == types.Struct {
		s.do = doUnion
	}
	var names []field
	for _, b := range n.branches {
		names = append(names, field{name: b.branchName()})
	}
	at := match(names, fieldNames(t))
	for i, b := range n.branches {
		switch {
		case b.kind == kindNull:
			s.parts[i] = part{&step{do: doNull, from: b, value: -1, null: -1}, -1}
		case s.do == doEither:
			s.parts[i] = part{compile(b, t), 0}
		case at[i] < 0:
			s.parts[i] = part{passes(b), -1}
		default:
			s.parts[i] = part{compile(b, t.Fields[at[i]].Type), at[i]}
		}
	}
	return s
}

func fieldNames(t *types.Type) []string {
	out := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		out[i] = f.Name
	}
	return out
}

// scalarActions are how scalars become the types that they may become.
var scalarActions = map[types.Kind]map[kind]action{
	types.Boolean:   {kindBoolean: doBoolean},
	types.Int:       {kindInt: doInt},
	types.Date:      {kindInt: doInt},
	types.Time:      {kindInt: doTime},
	types.Bigint:    {kindInt: doInt, kindLong: doLong},
	types.Timestamp: {kindInt: doInt, kindLong: doLong},
	types.Double:    {kindInt: doIntAsDouble, kindLong: doIntAsDouble, kindFloat: doFloat, kindDouble: doDouble},
	types.String: {
		kindString: doText, kindEnum: doEnum, kindInt: doIntAsText, kindLong: doIntAsText, kindBoolean: doBooleanAsText,
		kindFloat: doFloatAsText, kindDouble: doDoubleAsText,
	},
}

// choose says what becomes of a value that is not null.
func (s *step) choose() {
	n, t := s.from, s.target
	s.do = doFail
	switch t.Kind {
	case types.Bytes, types.Decimal:
		isDecimal := n.logical == logicalDecimal
		switch {
		case n.kind != kindBytes && n.kind != kindFixed || isDecimal != (t.Kind == types.Decimal):
		case isDecimal:
			s.do = doDecimal
		case n.kind == kindFixed:
			s.do = doFixed
		default:
			s.do = doBytes
		}
	case types.Array:
		if n.kind == kindArray && !n.items.isEntry {
			s.do, s.items = doArray, compile(n.items, t.Elem)
		}
	case types.Map:
		if n.kind == kindMap {
			s.do, s.items = doMap, compile(n.items, t.Elem)
		} else if key, value, ok := n.entry(); ok {
			s.do, s.key, s.items = doEntries, compile(key, t.Key), compile(value, t.Elem)
			s.keyFirst = n.items.fields[0].name == keyField
		}
	case types.Struct:
		if n.kind == kindRecord {
			s.do = doRecord
			at := match(n.fields, fieldNames(t))
			s.parts = make([]part, len(n.fields))
			for i, f := range n.fields {
				if at[i] < 0 {
					s.parts[i] = part{passes(f.typ), -1}
				} else {
					s.parts[i] = part{compile(f.typ, t.Fields[at[i]].Type), at[i]}
				}
			}
		}
	default:
		if do, ok := scalarActions[t.Kind][n.kind]; ok {
			s.do = do
		}
		if s.do == doEnum {
			for _, symbol := range n.symbols {
				s.symbols = append(s.symbols, []byte(symbol))
			}
		}
	}
}

// mismatch is the error of a value whose type cannot become the wanted one, in ksqlDB's words. The path to it is put before
// by the caller.
func (s *step) mismatch() error {
	return fmt.Errorf("Cannot deserialize type %s as type %s", s.from.connectName(), connectTypeOf(s.target))
}

// connectTypeOf is what Connect calls the values of a type.
func connectTypeOf(t *types.Type) string {
	switch t.Kind {
	case types.Boolean:
		return "boolean"
	case types.Int, types.Date, types.Time:
		return "int32"
	case types.Bigint, types.Timestamp:
		return "int64"
	case types.Double:
		return "float64"
	case types.String:
		return "string"
	case types.Array:
		return "array"
	case types.Map:
		return "map"
	case types.Struct:
		return "struct"
	}
	return "bytes"
}
