package ast

// TypeName is a type as written. Synonyms are folded (INT is INTEGER, VARCHAR
// is STRING); names of custom types are not resolved.
//
//sumtype:decl
type TypeName interface {
	Node
	typeName()
}

// BasicKind is a built-in type without parameters.
type BasicKind uint8

// The basic types.
const (
	Boolean BasicKind = iota + 1
	Integer
	Bigint
	Double
	String
	Bytes
	Date
	Time
	Timestamp
)

var basicNames = [...]string{
	Boolean: "BOOLEAN", Integer: "INTEGER", Bigint: "BIGINT", Double: "DOUBLE", String: "STRING",
	Bytes: "BYTES", Date: "DATE", Time: "TIME", Timestamp: "TIMESTAMP",
}

// String gives ksqlDB's name of the type.
func (k BasicKind) String() string {
	if int(k) < len(basicNames) {
		return basicNames[k]
	}
	return ""
}

// BasicKindOf finds a basic type by its upper-case name or synonym.
func BasicKindOf(name string) (BasicKind, bool) {
	switch name {
	case "INT":
		return Integer, true
	case "VARCHAR":
		return String, true
	}
	for k, n := range basicNames {
		if n == name && n != "" {
			return BasicKind(k), true
		}
	}
	return 0, false
}

// BasicType is a built-in type without parameters.
type BasicType struct {
	Located
	Kind BasicKind
}

// DecimalType is DECIMAL(precision, scale); bounds are not checked here.
type DecimalType struct {
	Located
	Precision, Scale int
}

// ArrayType is ARRAY<Elem>.
type ArrayType struct {
	Located
	Elem TypeName
}

// MapType is MAP<Key, Value>.
type MapType struct {
	Located
	Key, Value TypeName
}

// StructType is STRUCT<Fields…>, which may be empty.
type StructType struct {
	Located
	Fields []FieldType
}

// FieldType is one field of a StructType.
type FieldType struct {
	Located
	Name Ident
	Type TypeName
}

// NamedType is a custom type, to be looked up.
type NamedType struct {
	Located
	Name Ident
}

func (*BasicType) typeName()   {}
func (*DecimalType) typeName() {}
func (*ArrayType) typeName()   {}
func (*MapType) typeName()     {}
func (*StructType) typeName()  {}
func (*NamedType) typeName()   {}
