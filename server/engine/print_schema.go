package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// schemaPrinter prints records of one format that name their schema in the registry. It keeps what it needs for each schema.
type schemaPrinter struct {
	format formats.SchemaFormat
	// text is a decoded record as people see it; nil for JSON, which is shown as it is.
	text     func(v any, t *types.Type) string
	registry schemas.Registry
	readers  map[int]*schemaReader
}

// schemaReader decodes the records of one schema as one column; nil when that cannot be.
type schemaReader struct {
	column  types.Column
	decoder formats.Decoder
	row     *types.Row
	loc     types.Loc
}

// maxPrintedSchemas bounds the schemas that one PRINT keeps.
const maxPrintedSchemas = 1000

// schemaFormats lists the candidates whose schemas are in the registry, in ksqlDB's order: before JSON, and behind it.
func (e *Engine) schemaFormats() (before, behind []printFormat) {
	for _, c := range []struct {
		name string
		text func(any, *types.Type) string
		to   *[]printFormat
	}{{"AVRO", avroText, &before}, {"PROTOBUF", protobufText, &before}, {"JSON_SR", nil, &behind}} {
		f, ok := e.cfg.Formats.Lookup(c.name)
		if !ok {
			continue
		}
		if keeps, ok := f.(formats.SchemaFormat); ok {
			p := &schemaPrinter{format: keeps, text: c.text, registry: e.cfg.Schemas, readers: map[int]*schemaReader{}}
			*c.to = append(*c.to, printFormat{name: c.name, print: p.print})
		}
	}
	return before, behind
}

// print prints a record; it is not ok when the record names no schema of the kind that it can be read with.
func (p *schemaPrinter) print(b []byte) (string, bool) {
	id, rest, err := schemas.SplitHeader(b)
	if err != nil {
		return "", false
	}
	r, known := p.readers[id]
	if !known {
		if len(p.readers) == maxPrintedSchemas {
			clear(p.readers)
		}
		r = p.reader(id)
		p.readers[id] = r
	}
	if r == nil {
		return "", false
	}
	if p.text == nil {
		return printJSON(rest)
	}
	if r.decoder.Decode(b, r.row) != nil {
		return "", false
	}
	return p.text(r.row.Boxed(r.loc, r.column.Type), r.column.Type), true
}

// reader makes the reader of a schema, nil when there is none of the kind. A registry that does not answer is no reason to say
// more: the bytes are shown as they are then.
func (p *schemaPrinter) reader(id int) *schemaReader {
	s, err := p.registry.ByID(id)
	if err != nil || s.Kind != p.format.Kind() {
		return nil
	}
	imports, err := schemas.Imports(p.registry, s)
	if err != nil {
		return nil
	}
	columns, err := p.format.Columns(s, imports, true, "")
	if err != nil || len(columns) != 1 {
		return nil
	}
	if p.format.Wrapping() == formats.WrapAlways {
		return p.wrapped(columns[0].Type)
	}
	r := &schemaReader{column: types.Column{Name: "VALUE", Type: columns[0].Type}}
	layout := types.NewLayout([]types.Column{r.column})
	r.row, r.loc = layout.NewRow(), layout.Locs[0]
	if r.decoder, err = p.format.NewDecoder(&formats.Spec{Columns: layout.Columns, Locs: layout.Locs, Unwrapped: true}); err != nil {
		return nil
	}
	return r
}

// wrapped reads a message as its fields, and shows them as one STRUCT.
func (p *schemaPrinter) wrapped(t *types.Type) *schemaReader {
	columns := make([]types.Column, len(t.Fields))
	for i, f := range t.Fields {
		columns[i] = types.Column(f)
	}
	layout := types.NewLayout(columns)
	inner, err := p.format.NewDecoder(&formats.Spec{Columns: columns, Locs: layout.Locs})
	if err != nil {
		return nil
	}
	r := &schemaReader{column: types.Column{Name: "VALUE", Type: t}}
	outer := types.NewLayout([]types.Column{r.column})
	r.row, r.loc = outer.NewRow(), outer.Locs[0]
	r.decoder = &structDecoder{inner: inner, layout: layout, row: layout.NewRow(), loc: r.loc}
	return r
}

// structDecoder gathers columns into one STRUCT.
type structDecoder struct {
	inner  formats.Decoder
	layout *types.Layout
	row    *types.Row
	loc    types.Loc
}

// Decode implements [formats.Decoder].
func (d *structDecoder) Decode(data []byte, row *types.Row) error {
	if err := d.inner.Decode(data, d.row); err != nil {
		return err
	}
	fields := make(types.StructValue, len(d.layout.Columns))
	for i, c := range d.layout.Columns {
		fields[i] = d.row.Boxed(d.layout.Locs[i], c.Type)
	}
	row.SetRef(d.loc, fields)
	return nil
}

// avroText is a value as Avro's own library prints it: {"ID": 1, "NAME": "ada"}.
func avroText(v any, t *types.Type) string {
	if text, ok := v.(string); ok {
		return text
	}
	var b strings.Builder
	writeAvro(&b, v, t)
	return b.String()
}

func writeAvro(b *strings.Builder, v any, t *types.Type) {
	list := func(open, end string, n int, item func(i int)) {
		b.WriteString(open)
		for i := range n {
			if i > 0 {
				b.WriteString(", ")
			}
			item(i)
		}
		b.WriteString(end)
	}
	switch x := v.(type) {
	case types.StructValue:
		list("{", "}", len(x), func(i int) {
			b.WriteString(quoted(t.Fields[i].Name) + ": ")
			writeAvro(b, x[i], t.Fields[i].Type)
		})
	case []any:
		list("[", "]", len(x), func(i int) { writeAvro(b, x[i], t.Elem) })
	case *types.MapValue:
		list("{", "}", len(x.Keys), func(i int) {
			b.WriteString(quoted(scalarText(x.Keys[i])) + ": ")
			writeAvro(b, x.Values[i], t.Elem)
		})
	case string:
		b.WriteString(quoted(x))
	case []byte:
		// One character a byte.
		text := make([]rune, len(x))
		for i, c := range x {
			text[i] = rune(c)
		}
		b.WriteString(`{"bytes": ` + quoted(string(text)) + "}")
	default:
		b.WriteString(scalarText(v))
	}
}

// protobufText is a message in Protobuf's text format, in one line: TITLE: "Die Hard" RELEASE_YEAR: 1988. What is the default of a
// field is left out.
func protobufText(v any, t *types.Type) string {
	var parts []string
	fields, _ := v.(types.StructValue)
	for i, x := range fields {
		parts = appendField(parts, t.Fields[i].Name, x, t.Fields[i].Type)
	}
	return strings.Join(parts, " ")
}

func appendField(parts []string, name string, v any, t *types.Type) []string {
	switch x := v.(type) {
	case nil:
		return parts
	case []any:
		for _, item := range x {
			parts = append(parts, fieldText(name, item, t.Elem))
		}
		return parts
	case *types.MapValue:
		for i, k := range x.Keys {
			entry := []string{fieldText("key", k, t.Key)}
			parts = append(parts, name+" { "+strings.Join(appendField(entry, "value", x.Values[i], t.Elem), " ")+" }")
		}
		return parts
	case []byte:
		if len(x) == 0 {
			return parts
		}
	case string, bool, int32, int64, float64:
		if reflect.ValueOf(x).IsZero() {
			return parts
		}
	}
	return append(parts, fieldText(name, v, t))
}

func fieldText(name string, v any, t *types.Type) string {
	switch x := v.(type) {
	case types.StructValue:
		if inner := protobufText(x, t); inner != "" {
			return name + " { " + inner + " }"
		}
		return name + " { }"
	case string:
		return name + ": " + quoted(x)
	case []byte:
		return name + ": " + fmt.Sprintf("%q", x)
	}
	return name + ": " + scalarText(v)
}

func quoted(text string) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(text) != nil {
		return `""`
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func scalarText(v any) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case float64:
		return types.FormatDouble(x)
	case *apd.Decimal:
		return x.Text('f')
	}
	return fmt.Sprint(v)
}
