package sqltest

import (
	"encoding/json"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// translate writes a side's bytes of one format in another one, by way of a row.
func (s side) translate(from, to catalog.Format, b []byte) ([]byte, error) {
	layout := types.NewLayout(s.columns)
	spec := func(f catalog.Format) *formats.Spec {
		return &formats.Spec{Columns: s.columns, Locs: layout.Locs, Unwrapped: f.Unwrapped, Properties: f.Properties}
	}
	registry := builtin.Registry(schemas.None{})
	read, _ := registry.Lookup(from.Name)
	written, _ := registry.Lookup(to.Name)
	dec, err := read.NewDecoder(spec(from))
	if err != nil {
		return nil, err
	}
	enc, err := written.NewEncoder(spec(to))
	if err != nil {
		return nil, err
	}
	row := layout.NewRow()
	if err := dec.Decode(b, row); err != nil {
		return nil, err
	}
	out, isNull, err := enc.Append([]byte{}, row)
	if isNull {
		return nil, err
	}
	return out, err
}

// asJSON is the JSON format with the same wrapping.
func (s side) asJSON() catalog.Format {
	return catalog.Format{Name: "JSON", Unwrapped: s.format.Unwrapped}
}

// binary gives the bytes of a format that people do not write by hand.
func (s side) binary(raw json.RawMessage) ([]byte, error) {
	return s.translate(s.asJSON(), s.format, raw)
}
