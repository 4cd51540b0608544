package avro

import "strings"

// kind is the type of a schema.
type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindInt
	kindLong
	kindFloat
	kindDouble
	kindBytes
	kindString
	kindArray
	kindMap
	kindRecord
	kindEnum
	kindFixed
	kindUnion
)

// kindNames are the names of types in schemas, by kind.
var kindNames = [...]string{
	"null", "boolean", "int", "long", "float", "double", "bytes", "string", "array", "map", "record", "enum", "fixed", "union",
}

// connectNames are what Kafka Connect calls the types of values, by kind; they stand in ksqlDB's messages.
var connectNames = [...]string{
	"null", "boolean", "int32", "int64", "float32", "float64", "bytes", "string", "array", "map", "struct", "string", "bytes", "struct",
}

// logical is the logical type of a schema. Those that Kafka Connect does not know are none: their plain type counts.
type logical uint8

const (
	logicalNone logical = iota
	logicalDecimal
	logicalDate
	logicalTime
	logicalTimestamp
)

// node is a type of a schema. Records may contain themselves, so the tree may have cycles. Immutable once parsed.
type node struct {
	kind    kind
	logical logical
	// name is the full name of a record, enum or fixed.
	name string
	// precision and scale of a decimal.
	precision, scale int
	// size of a fixed, in bytes.
	size    int
	symbols []string
	fields  []field
	// items is the element of an array, the value of a map.
	items *node
	// branches of a union.
	branches []*node
	// isEntry marks a record that Connect writes for an entry of a map whose keys are no plain strings: an array of them is a map.
	isEntry bool
	// least is the fewest bytes that a value takes, as far as that is easily known; exact is how many all values take, -1 if that
	// differs or is not known.
	least, exact int
}

// field is a field of a record.
type field struct {
	name       string
	typ        *node
	hasDefault bool
	// def is the default as decoded JSON, numbers as json.Number.
	def any
}

// The names that Connect gives the entries of maps.
const (
	connectNamespace  = "io.confluent.connect.avro"
	entryName         = "MapEntry"
	entryProperty     = "connect.internal.type"
	keyField          = "key"
	valueField        = "value"
	defaultPrecision  = 64
	connectTypePrefix = "org.apache.kafka.connect.data."
)

// entry gives the types of a map's keys and values when n is an array of entries.
func (n *node) entry() (key, value *node, ok bool) {
	if n.kind != kindArray || !n.items.isEntry {
		return nil, nil, false
	}
	for _, f := range n.items.fields {
		switch f.name {
		case keyField:
			key = f.typ
		case valueField:
			value = f.typ
		}
	}
	return key, value, key != nil && value != nil && len(n.items.fields) == 2
}

// connectName is what Connect calls the type of n's values.
func (n *node) connectName() string {
	if _, _, ok := n.entry(); ok {
		return "map"
	}
	if n.kind == kindUnion {
		if inner, _, ok := n.optional(); ok {
			return inner.connectName()
		}
	}
	return connectNames[n.kind]
}

// optional says whether n is a union of one type and perhaps null, and gives that type and its place. The place of null is
// the other one, if there is one.
func (n *node) optional() (inner *node, at int, ok bool) {
	if n.kind != kindUnion || len(n.branches) > 2 {
		return nil, 0, false
	}
	for i, b := range n.branches {
		if b.kind == kindNull {
			continue
		}
		if inner != nil {
			return nil, 0, false
		}
		inner, at = b, i
	}
	return inner, at, inner != nil
}

// nullBranch is the place of null in a union, -1 if there is none.
func (n *node) nullBranch() int {
	for i, b := range n.branches {
		if b.kind == kindNull {
			return i
		}
	}
	return -1
}

// branchName is the name of the field that Connect makes of a branch of a union.
func (n *node) branchName() string {
	if n.name != "" {
		return n.name[strings.LastIndexByte(n.name, '.')+1:]
	}
	return kindNames[n.kind]
}

// namespaceOf is what stands before the last dot of a full name.
func namespaceOf(full string) string {
	return full[:max(0, strings.LastIndexByte(full, '.'))]
}
