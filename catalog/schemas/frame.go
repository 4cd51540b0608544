package schemas

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// HeaderBytes is the length of what stands before a record's bytes: a zero and the schema's number in four bytes.
const HeaderBytes = 5

// ErrNoHeader says that a record does not begin with the number of a schema.
var ErrNoHeader = errors.New("Unknown magic byte!: the record does not begin with the number of a schema")

// AppendHeader writes the header of a record of a schema.
func AppendHeader(dst []byte, id int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0), uint32(id))
}

// SplitHeader takes the header off a record; rest points into data.
func SplitHeader(data []byte) (id int, rest []byte, err error) {
	if len(data) < HeaderBytes || data[0] != 0 {
		return 0, nil, ErrNoHeader
	}
	return int(binary.BigEndian.Uint32(data[1:])), data[HeaderBytes:], nil
}

// maxImports bounds what one schema may import, directly or not.
const maxImports = 1000

// Imports fetches what a schema refers to, directly or not, by name.
func Imports(r Registry, s Schema) (map[string]Schema, error) {
	out := map[string]Schema{}
	err := imports(r, s, out)
	return out, err
}

func imports(r Registry, s Schema, into map[string]Schema) error {
	for _, ref := range s.References {
		if _, ok := into[ref.Name]; ok {
			continue
		}
		if len(into) == maxImports {
			return fmt.Errorf("the schema refers to more than %d others", maxImports)
		}
		v, err := r.Version(ref.Subject, ref.Version)
		if err != nil {
			return fmt.Errorf("the reference %s of the schema: %w", ref.Name, err)
		}
		into[ref.Name] = v.Schema
		if err := imports(r, v.Schema, into); err != nil {
			return err
		}
	}
	return nil
}
