package planner

import (
	"maps"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
)

// avroKeyNamespace is where ksqlDB puts the records of its keys.
const avroKeyNamespace = "io.confluent.ksql.avro_schemas."

// nameAvroKey names the record of an AVRO key after its source, as ksqlDB does, unless the statement names it.
func nameAvroKey(format string, props map[string]string, source string) map[string]string {
	if format != "AVRO" || props[formats.PropertySchemaFullName] != "" {
		return props
	}
	out := map[string]string{}
	maps.Copy(out, props)
	out[formats.PropertySchemaFullName] = avroKeyNamespace + camelCase(source) + "Key"
	return out
}

// camelCase turns MY_STREAM into MyStream; what Avro names cannot have becomes an underscore.
func camelCase(name string) string {
	var b strings.Builder
	for _, word := range strings.Split(name, "_") {
		for i, r := range strings.ToLower(word) {
			switch {
			case r == '-':
				r = '_'
			case i == 0:
				r = []rune(strings.ToUpper(string(r)))[0]
			}
			b.WriteRune(r)
		}
	}
	if s := b.String(); s == "" || s[0] >= '0' && s[0] <= '9' {
		return "_" + s
	}
	return b.String()
}

// inheritable are the properties of a format that a query's result takes over from its source: not the number of a schema, and
// its name only as the one of a message, as in ksqlDB.
func inheritable(format string, props map[string]string) map[string]string {
	out := maps.Clone(props)
	delete(out, formats.PropertySchemaID)
	if format != "PROTOBUF" {
		delete(out, formats.PropertySchemaFullName)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// internalFormat is the format of a source as an internal topic has it: with our own schema whatever the source's, so that equal
// keys have equal bytes.
func internalFormat(f catalog.Format) catalog.Format {
	if _, ok := f.Properties[formats.PropertySchemaID]; ok {
		f.Properties = maps.Clone(f.Properties)
		delete(f.Properties, formats.PropertySchemaID)
	}
	return f
}
