package dialect

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/avro"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// avroSchema is a parsed Avro schema.
type avroSchema struct {
	schema *avro.Schema
	// reader is the schema as readers have it. The library lets a union with null be null where a field is missing; readers in
	// Java do so only where the default says it.
	reader *avro.Schema
}

func parseAvro(s schemas.Schema, imports map[string]schemas.Schema, o Options) (string, language, error) {
	text, err := avroText(s.Text, avroWriter{sorted: o.Normalize})
	if err != nil {
		return "", nil, err
	}
	var options []avro.SchemaOpt
	if o.Registered {
		options = append(options, laxNames)
	}
	parsed := &avroSchema{}
	if parsed.schema, err = (&avroParser{imports: imports}).parse(text, options); err != nil {
		return "", nil, err
	}
	parsed.reader, err = (&avroParser{imports: imports, writer: avroWriter{nullLast: true}}).parse(text, options)
	return text, parsed, err
}

// laxNames takes names that Avro's rules forbid: older registries did.
var laxNames = avro.WithLaxNames(nil)

// avroParser parses a schema after those that it refers to.
type avroParser struct {
	imports map[string]schemas.Schema
	// writer writes all of them before they are parsed.
	writer avroWriter
	cache  avro.SchemaCache
	// state is being or done, by name.
	state map[string]int
}

func (p *avroParser) parse(text string, options []avro.SchemaOpt) (*avro.Schema, error) {
	p.state = map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(p.imports)) {
		if err := p.add(name); err != nil {
			return nil, err
		}
	}
	return p.one(text, options)
}

func (p *avroParser) one(text string, options []avro.SchemaOpt) (*avro.Schema, error) {
	text, err := avroText(text, p.writer)
	if err != nil {
		return nil, err
	}
	return p.cache.Parse(text, options...)
}

const (
	being = iota + 1
	done
)

func (p *avroParser) add(name string) error {
	switch p.state[name] {
	case being:
		return fmt.Errorf("the reference %s refers to itself", name)
	case done:
		return nil
	}
	p.state[name] = being
	s := p.imports[name]
	for _, r := range s.References {
		if err := p.add(r.Name); err != nil {
			return err
		}
	}
	if _, err := p.one(s.Text, []avro.SchemaOpt{laxNames}); err != nil {
		return fmt.Errorf("the reference %s: %w", name, err)
	}
	p.state[name] = done
	return nil
}

// reads implements language.
func (a *avroSchema) reads(written language) []string {
	w, ok := written.(*avroSchema)
	if !ok {
		return []string{"Incompatible because of different schema type"}
	}
	err := avro.CheckCompatibility(w.schema, a.reader)
	var c *avro.CompatibilityError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &c):
		if c.WriterType == "" {
			return []string{fmt.Sprintf("%s: %s", c.Path, c.Detail)}
		}
		return []string{fmt.Sprintf("%s: reader %s, writer %s: %s", c.Path, c.ReaderType, c.WriterType, c.Detail)}
	}
	return []string{strings.TrimPrefix(err.Error(), "avro: ")}
}
