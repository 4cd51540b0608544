// Package formats says what a wire format is: how the bytes of a Kafka key or value become columns of a row and back.
// Each format lives in a package of its own below this one, and formats/builtin lists them.
package formats

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Format is one wire format. Implementations are stateless and safe for concurrent use.
type Format interface {
	// Name in upper case: JSON, DELIMITED, KAFKA.
	Name() string
	// Wrapping says how the format treats a side with a single column.
	Wrapping() Wrapping
	// Properties are the WITH properties it understands beyond the common ones, without the KEY_ or VALUE_ prefix
	// (DELIMITER).
	Properties() []string
	// Check refuses columns or properties that the format cannot carry, with ksqlDB's text.
	Check(spec *Spec) error
	// NewDecoder makes a decoder for one topic side; single-threaded, keeps scratch and predictions between records.
	NewDecoder(spec *Spec) (Decoder, error)
	// NewEncoder makes an encoder for one topic side; single-threaded.
	NewEncoder(spec *Spec) (Encoder, error)
}

// Wrapping says what a format does with a single column.
type Wrapping uint8

// The wrappings.
const (
	// WrapOptional: wrapped in an object unless told otherwise (JSON values); keys with one column are not wrapped.
	WrapOptional Wrapping = iota
	// WrapNever: DELIMITED, KAFKA.
	WrapNever
	// WrapAlways: PROTOBUF.
	WrapAlways
)

// Spec is one side (key or value) of one topic.
type Spec struct {
	// Topic for messages only.
	Topic string
	// IsKey tells the key side from the value side.
	IsKey bool
	// Columns in schema order.
	Columns []types.Column
	// Locs says where each column lives in the row; ClassNone columns are skipped by decoders and never encoded as such
	// (encoders need all). Same length as Columns.
	Locs []types.Loc
	// Unwrapped means that the single column is the whole value, not a field of an object.
	Unwrapped bool
	// Properties by name without KEY_/VALUE_ prefix, upper case (DELIMITER: ";").
	Properties map[string]string
}

// Decoder turns bytes into columns.
type Decoder interface {
	// Decode sets every kept column of spec in row, null included. Byte strings in the row may point into data or into
	// the decoder's scratch and hold until the next Decode. data is never nil: the caller treats null bytes. On an error
	// the row's columns are undefined; the error text is what the error record shows.
	Decode(data []byte, row *types.Row) error
}

// Encoder turns columns into bytes.
type Encoder interface {
	// Append appends the encoded columns to dst and returns it. For a side whose bytes are null (a KAFKA or unwrapped
	// column that is null, a NONE side) it returns isNull.
	Append(dst []byte, row *types.Row) (out []byte, isNull bool, err error)
}

// Registry finds formats by name. Immutable.
type Registry struct {
	byName map[string]Format
	names  []string
}

// NewRegistry makes a registry of the given formats.
func NewRegistry(list ...Format) *Registry {
	r := &Registry{byName: map[string]Format{}}
	for _, f := range list {
		r.byName[f.Name()] = f
		r.names = append(r.names, f.Name())
	}
	return r
}

// Lookup finds a format by its upper-case name.
func (r *Registry) Lookup(name string) (Format, bool) {
	f, ok := r.byName[name]
	return f, ok
}

// Names lists the formats in order of registration.
func (r *Registry) Names() []string { return r.names }
