// Package rowcodec turns rows into the bytes of state stores and back: keys whose bytes order like their
// values ([KeyCodec]), and compact versioned values ([ValueCodec]). docs/formats/state.md describes both to
// the byte.
//
// Codecs are immutable after construction and safe for concurrent use. Appending allocates nothing beside
// the destination; decoding allocates for DECIMAL, ARRAY, MAP and STRUCT, and for strings only where they
// cannot point into the input.
package rowcodec

import "errors"

var (
	// ErrCorrupt means that bytes are no encoding by this codec.
	ErrCorrupt = errors.New("rowcodec: corrupt")
	// ErrSchema means that a value was written with other columns.
	ErrSchema = errors.New("rowcodec: written with other columns")
	// ErrVersion means that a value was written by a newer version.
	ErrVersion = errors.New("rowcodec: written by a newer version")
	// ErrUnsupported means that a value or type has no such encoding, for example a MAP in a key.
	ErrUnsupported = errors.New("rowcodec: not supported")
)
