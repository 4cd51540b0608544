package protobuf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// The schema of columns is the text that Connect's converter makes of them, to the letter: clients and other writers of the
// topic compare it.

// schemaWriter writes the text of a schema.
type schemaWriter struct {
	nullable representation
	imports  []string
	// names counts the messages that have no name of their own.
	names int
}

// defaultMessage begins the names of those messages.
const defaultMessage = "ConnectDefault"

// schemaText is the schema of columns as a message of a name; "" stands for the default.
func schemaText(fields []types.Field, fullName string, nullable representation) string {
	w := schemaWriter{nullable: nullable}
	pkg, name := "", fullName
	if i := strings.LastIndexByte(fullName, '.'); i >= 0 {
		pkg, name = fullName[:i], fullName[i+1:]
	}
	if name == "" || pkg == "" && strings.HasPrefix(name, defaultMessage) {
		name = w.nextName()
	}
	body := w.message(name, fields)
	var b strings.Builder
	b.WriteString("syntax = \"proto3\";\n")
	if pkg != "" {
		b.WriteString("package " + pkg + ";\n")
	}
	b.WriteByte('\n')
	for _, i := range w.imports {
		b.WriteString("import \"" + i + "\";\n")
	}
	if len(w.imports) > 0 {
		b.WriteByte('\n')
	}
	return b.String() + body
}

func (w *schemaWriter) nextName() string {
	w.names++
	return defaultMessage + strconv.Itoa(w.names)
}

// message writes a message and the ones within it.
func (w *schemaWriter) message(name string, fields []types.Field) string {
	var lines, nested strings.Builder
	for i, f := range fields {
		t, label := f.Type, ""
		switch {
		case t.Kind == types.Array:
			t, label = t.Elem, "repeated "
		case t.Kind == types.Map:
			label = "repeated "
		case w.nullable == asOptional:
			label = "optional "
		}
		typ, option := w.typ(t, f.Name, &nested)
		fmt.Fprintf(&lines, "%s%s %s = %d%s;\n", label, typ, f.Name, i+1, option)
	}
	return enclose(name, lines.String(), nested.String())
}

// enclose puts fields and messages into a message.
func enclose(name, lines, nested string) string {
	var b strings.Builder
	b.WriteString("message " + name + " {")
	if lines != "" {
		b.WriteString("\n" + indent(lines))
	}
	if nested != "" {
		b.WriteString("\n" + indent(nested))
	}
	b.WriteString("}\n")
	return b.String()
}

// indent moves lines to the right, empty ones too.
func indent(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return "  " + strings.Join(lines, "\n  ") + "\n"
}

// typ is the type of a field or its elements; messages that it needs are added to nested.
func (w *schemaWriter) typ(t *types.Type, field string, nested *strings.Builder) (name, option string) {
	switch t.Kind {
	case types.Struct:
		if name = w.nextName(); name == field {
			name += "Message" // A field and a type of one message cannot have the same name.
		}
		nested.WriteString(w.message(name, t.Fields))
		return name, ""
	case types.Map:
		return w.entry(t, nested), ""
	}
	return w.scalar(t)
}

// entry writes the message for entries of a MAP and returns its name. Its fields cannot be optional.
func (w *schemaWriter) entry(t *types.Type, nested *strings.Builder) string {
	name := w.nextName() + "Entry"
	var lines, inner strings.Builder
	for i, part := range []types.Field{{Name: "key", Type: t.Key}, {Name: "value", Type: t.Elem}} {
		label := ""
		if part.Type.Kind == types.Array {
			part.Type, label = part.Type.Elem, "repeated "
		} else if part.Type.Kind == types.Map {
			label = "repeated "
		}
		typ, option := w.typ(part.Type, part.Name, &inner)
		fmt.Fprintf(&lines, "%s%s %s = %d%s;\n", label, typ, part.Name, i+1, option)
	}
	nested.WriteString(enclose(name, lines.String(), inner.String()))
	return name
}

// scalar is the type of what is no STRUCT, ARRAY or MAP.
func (w *schemaWriter) scalar(t *types.Type) (name, option string) {
	switch t.Kind {
	case types.Decimal:
		w.use("confluent/type/decimal.proto")
		param := func(key string, value int) string {
			return fmt.Sprintf("    {\n      value: \"%d\",\n      key: \"%s\"\n    }", value, key)
		}
		return decimalName, " [(" + metaOption + ") = {\n  params: [\n" +
			param("precision", t.Precision) + ",\n" + param("scale", t.Scale) + "\n  ]\n}]"
	case types.Date:
		w.use("google/type/date.proto")
		return dateName, ""
	case types.Time:
		w.use("google/type/timeofday.proto")
		return timeName, ""
	case types.Timestamp:
		w.use("google/protobuf/timestamp.proto")
		return timestampName, ""
	}
	names := map[types.Kind][2]string{
		types.Boolean: {"bool", "BoolValue"}, types.Int: {"int32", "Int32Value"}, types.Bigint: {"int64", "Int64Value"},
		types.Double: {"double", "DoubleValue"}, types.String: {"string", "StringValue"}, types.Bytes: {"bytes", "BytesValue"},
	}[t.Kind]
	if w.nullable == asWrapper {
		w.use("google/protobuf/wrappers.proto")
		return "google.protobuf." + names[1], ""
	}
	return names[0], ""
}

func (w *schemaWriter) use(file string) {
	if !slices.Contains(w.imports, file) {
		w.imports = append(w.imports, file)
	}
}
