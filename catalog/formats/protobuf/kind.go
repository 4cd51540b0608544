package protobuf

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// kind is what a value is on the wire.
type kind uint8

const (
	kindBool kind = iota
	kindInt32
	kindInt64
	kindUint32
	kindUint64
	kindSint32
	kindSint64
	kindFixed32
	kindFixed64
	kindSfixed32
	kindSfixed64
	kindFloat
	kindDouble
	kindString
	kindBytes
	kindEnum
	kindMessage
	kindGroup
	// The messages that Connect has a type for.
	kindDecimal
	kindDate
	kindTime
	kindTimestamp
)

// scalarKinds are those of the fields that are no messages.
var scalarKinds = map[protoreflect.Kind]kind{
	protoreflect.BoolKind: kindBool, protoreflect.EnumKind: kindEnum, protoreflect.Int32Kind: kindInt32,
	protoreflect.Sint32Kind: kindSint32, protoreflect.Uint32Kind: kindUint32, protoreflect.Int64Kind: kindInt64,
	protoreflect.Sint64Kind: kindSint64, protoreflect.Uint64Kind: kindUint64, protoreflect.Sfixed32Kind: kindSfixed32,
	protoreflect.Fixed32Kind: kindFixed32, protoreflect.FloatKind: kindFloat, protoreflect.Sfixed64Kind: kindSfixed64,
	protoreflect.Fixed64Kind: kindFixed64, protoreflect.DoubleKind: kindDouble, protoreflect.StringKind: kindString,
	protoreflect.BytesKind: kindBytes,
}

// The messages with a meaning of their own.
const (
	decimalName   = "confluent.type.Decimal"
	dateName      = "google.type.Date"
	timeName      = "google.type.TimeOfDay"
	timestampName = "google.protobuf.Timestamp"
)

// logicalKinds are those messages by name.
var logicalKinds = map[protoreflect.FullName]kind{
	decimalName: kindDecimal, dateName: kindDate, timeName: kindTime, timestampName: kindTimestamp,
}

// wrappers are the messages around one scalar that can be null.
var wrappers = map[protoreflect.FullName]kind{
	"google.protobuf.BoolValue": kindBool, "google.protobuf.Int32Value": kindInt32, "google.protobuf.Int64Value": kindInt64,
	"google.protobuf.UInt32Value": kindUint32, "google.protobuf.UInt64Value": kindUint64, "google.protobuf.FloatValue": kindFloat,
	"google.protobuf.DoubleValue": kindDouble, "google.protobuf.StringValue": kindString, "google.protobuf.BytesValue": kindBytes,
}

// kindOf is the kind of a field or its elements; wrapped ones are in a message around them.
func kindOf(fd protoreflect.FieldDescriptor) (k kind, wrapped bool) {
	m := fd.Message()
	if m == nil {
		return scalarKinds[fd.Kind()], false
	}
	if k, ok := logicalKinds[m.FullName()]; ok && fd.Kind() == protoreflect.MessageKind {
		return k, false
	}
	if k, ok := wrappers[m.FullName()]; ok && fd.Kind() == protoreflect.MessageKind {
		return k, true
	}
	if fd.Kind() == protoreflect.GroupKind {
		return kindGroup, false
	}
	return kindMessage, false
}

// kindFor is the kind that columns of a type have in schemas of our own.
func kindFor(t *types.Type) kind {
	switch t.Kind {
	case types.Boolean:
		return kindBool
	case types.Int:
		return kindInt32
	case types.Bigint:
		return kindInt64
	case types.Double:
		return kindDouble
	case types.String:
		return kindString
	case types.Bytes:
		return kindBytes
	case types.Decimal:
		return kindDecimal
	case types.Date:
		return kindDate
	case types.Time:
		return kindTime
	case types.Timestamp:
		return kindTimestamp
	}
	return kindMessage
}

// wire is how values of a kind stand behind their tag.
func (k kind) wire() protowire.Type {
	switch k {
	case kindBool, kindInt32, kindInt64, kindUint32, kindUint64, kindSint32, kindSint64, kindEnum:
		return protowire.VarintType
	case kindFixed32, kindSfixed32, kindFloat:
		return protowire.Fixed32Type
	case kindFixed64, kindSfixed64, kindDouble:
		return protowire.Fixed64Type
	case kindGroup:
		return protowire.StartGroupType
	}
	return protowire.BytesType
}

// isInteger says whether a kind is a number without a fraction.
func (k kind) isInteger() bool { return k >= kindInt32 && k <= kindSfixed64 }

// is32 says whether an integer kind has 32 bits with a sign, which is an INTEGER; the others are BIGINT.
func (k kind) is32() bool { return k == kindInt32 || k == kindSint32 || k == kindSfixed32 }

// isScalar says whether values of a kind are no messages.
func (k kind) isScalar() bool { return k <= kindEnum }

// typeOf is the type that columns of a kind get; nil for messages and decimals, which takes more to know.
func (k kind) typeOf() *types.Type {
	switch {
	case k.is32():
		return types.IntType
	case k.isInteger():
		return types.BigintType
	}
	switch k {
	case kindBool:
		return types.BooleanType
	case kindFloat, kindDouble:
		return types.DoubleType
	case kindString, kindEnum:
		return types.StringType
	case kindBytes:
		return types.BytesType
	case kindDate:
		return types.DateType
	case kindTime:
		return types.TimeType
	case kindTimestamp:
		return types.TimestampType
	}
	return nil
}

// connectName is what Connect calls the type of a kind, for messages.
func (k kind) connectName() string {
	switch {
	case k.is32(), k == kindDate, k == kindTime:
		return "int32"
	case k.isInteger(), k == kindTimestamp:
		return "int64"
	}
	switch k {
	case kindBool:
		return "boolean"
	case kindFloat:
		return "float32"
	case kindDouble:
		return "float64"
	case kindString, kindEnum:
		return "string"
	case kindBytes, kindDecimal:
		return "bytes"
	}
	return "struct"
}

// reads says whether columns of a type can be read from values of a kind.
func (k kind) reads(t *types.Type) bool {
	switch t.Kind {
	case types.Boolean:
		return k == kindBool
	case types.Int:
		return k.is32() || k == kindDate || k == kindTime
	case types.Bigint:
		return k.isInteger() || k == kindDate || k == kindTime || k == kindTimestamp
	case types.Double:
		return k == kindFloat || k == kindDouble
	case types.String:
		return k <= kindString || k == kindEnum || k == kindDate || k == kindTime || k == kindTimestamp
	case types.Bytes:
		return k == kindBytes
	case types.Decimal:
		return k == kindDecimal
	case types.Date:
		return k == kindDate || k.is32()
	case types.Time:
		return k == kindTime || k.is32()
	case types.Timestamp:
		return k == kindTimestamp || k.isInteger()
	case types.Struct:
		return k == kindMessage || k == kindGroup
	}
	return false
}

// writes says whether columns of a type can be written as values of a kind.
func (k kind) writes(t *types.Type) bool {
	switch t.Kind {
	case types.Int, types.Bigint:
		return k.isInteger()
	case types.String:
		return k == kindString || k == kindEnum
	case types.Date, types.Time, types.Timestamp:
		return k == kindFor(t)
	}
	return k.reads(t)
}

// consume reads a value that is kept in 64 bits: a number, a boolean, or the number of an enum's value. Floats become doubles.
// n is negative as protowire has it.
func (k kind) consume(data []byte) (x int64, n int) {
	switch k {
	case kindFixed32, kindSfixed32, kindFloat:
		v, n := protowire.ConsumeFixed32(data)
		switch k {
		case kindFloat:
			return int64(math.Float64bits(float64(math.Float32frombits(v)))), n
		case kindSfixed32:
			return int64(int32(v)), n
		}
		return int64(v), n
	case kindFixed64, kindSfixed64, kindDouble:
		v, n := protowire.ConsumeFixed64(data)
		return int64(v), n
	}
	v, n := protowire.ConsumeVarint(data)
	switch k {
	case kindBool:
		if v != 0 {
			return 1, n
		}
		return 0, n
	case kindInt32, kindEnum:
		return int64(int32(v)), n
	case kindUint32:
		return int64(uint32(v)), n
	case kindSint32:
		return int64(int32(protowire.DecodeZigZag(v & math.MaxUint32))), n
	case kindSint64:
		return protowire.DecodeZigZag(v), n
	}
	return int64(v), n
}

// appendTo writes what consume reads.
func (k kind) appendTo(dst []byte, x int64) []byte {
	switch k {
	case kindFixed32, kindSfixed32:
		return protowire.AppendFixed32(dst, uint32(x))
	case kindFloat:
		return protowire.AppendFixed32(dst, math.Float32bits(float32(math.Float64frombits(uint64(x)))))
	case kindFixed64, kindSfixed64, kindDouble:
		return protowire.AppendFixed64(dst, uint64(x))
	case kindSint32, kindSint64:
		return protowire.AppendVarint(dst, protowire.EncodeZigZag(x))
	case kindBool:
		return protowire.AppendVarint(dst, protowire.EncodeBool(x != 0))
	}
	return protowire.AppendVarint(dst, uint64(x))
}

// fits says whether a number can be written as one of the kind. Numbers of 64 bits without a sign are read as if they had one,
// and written so.
func (k kind) fits(x int64) bool {
	switch k {
	case kindInt32, kindSint32, kindSfixed32:
		return x == int64(int32(x))
	case kindUint32, kindFixed32:
		return x == int64(uint32(x))
	}
	return true
}

// appendText writes what a value that is kept in 64 bits is as a STRING.
func (k kind) appendText(dst []byte, x int64) []byte {
	switch k {
	case kindBool:
		return strconv.AppendBool(dst, x != 0)
	case kindFloat:
		// The shortest digits that name the float, not the double it was widened to.
		v, err := strconv.ParseFloat(strconv.FormatFloat(math.Float64frombits(uint64(x)), 'g', -1, 32), 64)
		if err != nil {
			v = math.Float64frombits(uint64(x))
		}
		return types.AppendDouble(dst, v)
	case kindDouble:
		return types.AppendDouble(dst, math.Float64frombits(uint64(x)))
	}
	return strconv.AppendInt(dst, x, 10)
}

// fitsType says whether a number can be a value of a type.
func fitsType(t *types.Type, x int64) error {
	if t.Kind == types.Time && (x < 0 || x >= secondsOfDay*1000) {
		return errors.New("no time of day")
	}
	return nil
}

// enum is the names of an enum's values.
type enum struct {
	name    string
	names   map[int32][]byte
	numbers map[string]int32
}

func newEnum(d protoreflect.EnumDescriptor) *enum {
	e := &enum{name: string(d.Name()), names: map[int32][]byte{}, numbers: map[string]int32{}}
	for i := range d.Values().Len() {
		v := d.Values().Get(i)
		number := int32(v.Number())
		if _, isAlias := e.names[number]; !isAlias {
			e.names[number] = []byte(v.Name())
		}
		e.numbers[string(v.Name())] = number
	}
	return e
}

// text is the name of a value, or what Java's library calls one that has none.
func (e *enum) text(number int32) []byte {
	if name, ok := e.names[number]; ok {
		return name
	}
	return fmt.Appendf(nil, "UNKNOWN_ENUM_VALUE_%s_%d", e.name, number)
}
