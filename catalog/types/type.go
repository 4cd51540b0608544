package types

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Kind names a SQL type without its parameters.
type Kind uint8

// The kinds of SQL types. Those from [Null] on occur only in signatures and while expressions are being typed, never in
// a schema.
const (
	Invalid Kind = iota
	Boolean
	Int
	Bigint
	Double
	Decimal
	String
	Bytes
	Date
	Time
	Timestamp
	Array
	Map
	Struct

	// Null is the type of a bare NULL.
	Null
	// Generic is a type variable of a function signature; Type.Name holds its name.
	Generic
	// LambdaKind is a lambda parameter of a function signature: Type.Params are its parameters, Type.Elem its result.
	LambdaKind
	// IntervalUnit is a keyword such as SECONDS in TIMESTAMPADD(SECONDS, 5, ts).
	IntervalUnit
)

var kindNames = [...]string{
	"INVALID", "BOOLEAN", "INTEGER", "BIGINT", "DOUBLE", "DECIMAL", "STRING", "BYTES", "DATE", "TIME", "TIMESTAMP",
	"ARRAY", "MAP", "STRUCT", "NULL", "GENERIC", "LAMBDA", "INTERVALUNIT",
}

// String gives the kind's SQL name as ksqlDB prints it (INTEGER, STRING).
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "KIND(" + strconv.Itoa(int(k)) + ")"
}

// MarshalText writes the kind's name: plans hold names, not numbers.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(b []byte) error {
	for i, n := range kindNames {
		if n == string(b) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("types: unknown kind %q", b)
}

// Class says in which array of a [Row] a value lives.
type Class uint8

// The classes of slots.
const (
	// ClassNone marks a column that is not kept in the row (pruned: nobody reads it).
	ClassNone Class = iota
	ClassInt64
	ClassBytes
	ClassRef
)

// Type is a SQL type with its parameters. Types are immutable and may be shared; compare them with [Equal].
type Type struct {
	Kind Kind `json:"kind"`
	// Precision and Scale of a DECIMAL. In a function signature precision 0 means any DECIMAL.
	Precision int `json:"precision,omitempty"`
	Scale     int `json:"scale,omitempty"`
	// Key is the key type of a MAP.
	Key *Type `json:"key,omitempty"`
	// Elem is the element of an ARRAY, the value of a MAP, the result of a lambda.
	Elem *Type `json:"elem,omitempty"`
	// Fields of a STRUCT, in order.
	Fields []Field `json:"fields,omitempty"`
	// Params of a lambda.
	Params []*Type `json:"params,omitempty"`
	// Name of a type variable.
	Name string `json:"name,omitempty"`
}

// Field is one field of a STRUCT.
type Field struct {
	Name string `json:"name"`
	Type *Type  `json:"type"`
}

// The parameterless types, shared.
var (
	BooleanType      = &Type{Kind: Boolean}
	IntType          = &Type{Kind: Int}
	BigintType       = &Type{Kind: Bigint}
	DoubleType       = &Type{Kind: Double}
	StringType       = &Type{Kind: String}
	BytesType        = &Type{Kind: Bytes}
	DateType         = &Type{Kind: Date}
	TimeType         = &Type{Kind: Time}
	TimestampType    = &Type{Kind: Timestamp}
	NullType         = &Type{Kind: Null}
	IntervalUnitType = &Type{Kind: IntervalUnit}
)

// DecimalOf is DECIMAL(precision, scale).
func DecimalOf(precision, scale int) *Type {
	return &Type{Kind: Decimal, Precision: precision, Scale: scale}
}

// ArrayOf is ARRAY<elem>.
func ArrayOf(elem *Type) *Type { return &Type{Kind: Array, Elem: elem} }

// MapOf is MAP<key, value>.
func MapOf(key, value *Type) *Type { return &Type{Kind: Map, Key: key, Elem: value} }

// StructOf is STRUCT<fields>.
func StructOf(fields ...Field) *Type { return &Type{Kind: Struct, Fields: fields} }

// GenericOf is the type variable name, for function signatures.
func GenericOf(name string) *Type { return &Type{Kind: Generic, Name: name} }

// LambdaOf is a lambda (params) => result, for function signatures.
func LambdaOf(result *Type, params ...*Type) *Type {
	return &Type{Kind: LambdaKind, Elem: result, Params: params}
}

// Class is the class of the slots that hold values of t.
func (t *Type) Class() Class {
	switch t.Kind {
	case Boolean, Int, Bigint, Double, Date, Time, Timestamp, IntervalUnit, Null:
		return ClassInt64
	case String, Bytes:
		return ClassBytes
	default:
		return ClassRef
	}
}

// IsNumeric reports whether t is INT, BIGINT, DOUBLE or DECIMAL.
func (t *Type) IsNumeric() bool {
	return t.Kind == Int || t.Kind == Bigint || t.Kind == Double || t.Kind == Decimal
}

// IsTime reports whether t is DATE, TIME or TIMESTAMP.
func (t *Type) IsTime() bool {
	return t.Kind == Date || t.Kind == Time || t.Kind == Timestamp
}

// FieldIndex finds a STRUCT field by exact name; -1 when there is none.
func (t *Type) FieldIndex(name string) int {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// Equal reports whether a and b are the same type, parameters and field names included.
func Equal(a, b *Type) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.Kind != b.Kind || a.Precision != b.Precision || a.Scale != b.Scale || a.Name != b.Name ||
		len(a.Fields) != len(b.Fields) || len(a.Params) != len(b.Params) {
		return false
	}
	for i := range a.Fields {
		if a.Fields[i].Name != b.Fields[i].Name || !Equal(a.Fields[i].Type, b.Fields[i].Type) {
			return false
		}
	}
	for i := range a.Params {
		if !Equal(a.Params[i], b.Params[i]) {
			return false
		}
	}
	return Equal(a.Key, b.Key) && Equal(a.Elem, b.Elem)
}

// String prints t as ksqlDB's answers do: DECIMAL(4, 2), ARRAY<STRING>, STRUCT<`F` INTEGER>.
func (t *Type) String() string {
	var b strings.Builder
	t.print(&b)
	return b.String()
}

func (t *Type) print(b *strings.Builder) {
	if t == nil {
		b.WriteString("NULL")
		return
	}
	switch t.Kind {
	case Decimal:
		if t.Precision == 0 {
			b.WriteString("DECIMAL")
			return
		}
		fmt.Fprintf(b, "DECIMAL(%d, %d)", t.Precision, t.Scale)
	case Array:
		b.WriteString("ARRAY<")
		t.Elem.print(b)
		b.WriteByte('>')
	case Map:
		b.WriteString("MAP<")
		t.Key.print(b)
		b.WriteString(", ")
		t.Elem.print(b)
		b.WriteByte('>')
	case Struct:
		b.WriteString("STRUCT<")
		for i, f := range t.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(QuoteName(f.Name))
			b.WriteByte(' ')
			f.Type.print(b)
		}
		b.WriteByte('>')
	case Generic:
		b.WriteString(t.Name)
	case LambdaKind:
		b.WriteString("LAMBDA (")
		for i, p := range t.Params {
			if i > 0 {
				b.WriteString(", ")
			}
			p.print(b)
		}
		b.WriteString(") => ")
		t.Elem.print(b)
	default:
		b.WriteString(t.Kind.String())
	}
}

// QuoteName puts a name in back-quotes as ksqlDB prints schemas; a back-quote inside is doubled.
func QuoteName(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// UnmarshalJSON reads a type and refuses one that is not well formed (missing element, unknown kind).
func (t *Type) UnmarshalJSON(b []byte) error {
	type plain Type
	var p plain
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	*t = Type(p)
	switch {
	case t.Kind == Invalid:
		return fmt.Errorf("types: a type without a kind: %s", b)
	case t.Kind == Array && t.Elem == nil, t.Kind == Map && (t.Elem == nil || t.Key == nil):
		return fmt.Errorf("types: %s without its element type", t.Kind)
	}
	return nil
}
