// Package builtin lists the formats that the engine knows.
package builtin

import (
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/formats/avro"
	"github.com/ksqlgo/ksqlgo/catalog/formats/delimited"
	"github.com/ksqlgo/ksqlgo/catalog/formats/json"
	"github.com/ksqlgo/ksqlgo/catalog/formats/jsonsr"
	"github.com/ksqlgo/ksqlgo/catalog/formats/kafka"
	"github.com/ksqlgo/ksqlgo/catalog/formats/none"
	"github.com/ksqlgo/ksqlgo/catalog/formats/protobuf"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// Registry returns a registry of all built-in formats; a new format is a line here. Those that keep schemas ask the schema
// registry for them.
func Registry(registry schemas.Registry) *formats.Registry {
	return formats.NewRegistry(
		json.New(),
		delimited.New(),
		kafka.New(),
		none.New(),
		protobuf.New(),
		avro.New(registry),
		protobuf.NewSchema(registry),
		jsonsr.New(registry),
	)
}
