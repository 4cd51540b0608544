// Package delimited is the DELIMITED format: the columns of a side as one line of CSV.
//
// It follows what ksqlDB does with Apache Commons CSV: fields are quoted with " where they must be, a quote inside is
// doubled, white space counts, an empty field is null whether quoted or not.
package delimited

import (
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Delimiter is the property that sets the character between fields: one character, TAB or SPACE.
const Delimiter = "DELIMITER"

// Format is the DELIMITED format.
type Format struct{}

// New makes the format.
func New() Format { return Format{} }

// Name is DELIMITED.
func (Format) Name() string { return "DELIMITED" }

// Wrapping is never.
func (Format) Wrapping() formats.Wrapping { return formats.WrapNever }

// Properties are the delimiter.
func (Format) Properties() []string { return []string{Delimiter} }

// Check refuses collections and delimiters that are not one character.
func (f Format) Check(spec *formats.Spec) error {
	if err := formats.CheckProperties(f, spec); err != nil {
		return err
	}
	if _, err := delimiter(spec); err != nil {
		return err
	}
	for _, c := range spec.Columns {
		switch c.Type.Kind {
		case types.Array, types.Map, types.Struct:
			return formats.Unsupported("DELIMITED", spec, fmt.Sprintf(
				"The 'DELIMITED' format does not support type '%s', column: %s", c.Type.Kind, types.QuoteName(c.Name)))
		}
	}
	return nil
}

// delimiter reads the property; the texts are ksqlDB's.
func delimiter(spec *formats.Spec) (string, error) {
	v, ok := spec.Properties[Delimiter]
	side := "VALUE_DELIMITER"
	if spec.IsKey {
		side = "KEY_DELIMITER"
	}
	switch {
	case !ok:
		return ",", nil
	case strings.EqualFold(v, "TAB"):
		return "\t", nil
	case strings.EqualFold(v, "SPACE"):
		return " ", nil
	case strings.TrimSpace(v) == "":
		return "", fmt.Errorf("Configuration %s is invalid: Delimiter cannot be empty, if you meant to have a tab or space for delimiter, please use the special values 'TAB' or 'SPACE'\nExample valid value: ';'", side)
	case len([]rune(v)) != 1:
		return "", fmt.Errorf("Configuration %s is invalid: Invalid delimiter value: '%s'. Delimiter must be a single character or TAB,SPACE\nExample valid value: ';'", side, v)
	}
	return v, nil
}

// NewDecoder makes a decoder.
func (f Format) NewDecoder(spec *formats.Spec) (formats.Decoder, error) {
	if err := f.usable(spec); err != nil {
		return nil, err
	}
	return newDecoder(spec), nil
}

// NewEncoder makes an encoder.
func (f Format) NewEncoder(spec *formats.Spec) (formats.Encoder, error) {
	if err := f.usable(spec); err != nil {
		return nil, err
	}
	return newEncoder(spec), nil
}

func (f Format) usable(spec *formats.Spec) error {
	if err := formats.CheckSpec(spec); err != nil {
		return err
	}
	return f.Check(spec)
}
