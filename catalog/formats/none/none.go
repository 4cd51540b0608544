// Package none is the NONE format: the side has no columns and its bytes are null.
package none

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Format is the NONE format.
type Format struct{}

// New makes the format.
func New() Format { return Format{} }

// Name is NONE.
func (Format) Name() string { return "NONE" }

// Wrapping is never: there is nothing to wrap.
func (Format) Wrapping() formats.Wrapping { return formats.WrapNever }

// Properties are none.
func (Format) Properties() []string { return nil }

// Check refuses any column.
func (f Format) Check(spec *formats.Spec) error {
	if err := formats.CheckProperties(f, spec); err != nil {
		return err
	}
	if len(spec.Columns) > 0 {
		return formats.Unsupported("NONE", spec, fmt.Sprintf(
			"The 'NONE' format can only be used when no columns are defined. Got: [%s]", formats.Describe(spec)))
	}
	return nil
}

// NewDecoder makes a decoder that ignores what it is given.
func (f Format) NewDecoder(spec *formats.Spec) (formats.Decoder, error) {
	if err := f.Check(spec); err != nil {
		return nil, err
	}
	return codec{}, nil
}

// NewEncoder makes an encoder that always gives null.
func (f Format) NewEncoder(spec *formats.Spec) (formats.Encoder, error) {
	if err := f.Check(spec); err != nil {
		return nil, err
	}
	return codec{}, nil
}

type codec struct{}

// Decode reads nothing: there are no columns, and ksqlDB ignores what is in such a key.
func (codec) Decode([]byte, *types.Row) error { return nil }

// Append gives null.
func (codec) Append(dst []byte, _ *types.Row) ([]byte, bool, error) { return dst, true, nil }
