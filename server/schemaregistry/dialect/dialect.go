// Package dialect is what a registry has to know of the languages of schemas: whether a text is one, how it is written so that
// the same schema is always written alike, and whether readers with one schema can read what was written with another.
package dialect

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// MaxTextBytes bounds the text of a schema.
const MaxTextBytes = 1_000_000

// Parsed is a schema that is valid. Immutable; safe for concurrent use.
type Parsed struct {
	// Schema is the schema as it is kept: its text is written in one way, whatever blanks and order it came with.
	schemas.Schema
	language language
}

// language is a parsed schema of one language.
type language interface {
	// reads says what keeps readers with this schema from reading what was written with the other, which is of the same language.
	reads(written language) []string
}

// Options say how a schema is written.
type Options struct {
	// Normalize brings into order what has no order, too: attributes, options.
	Normalize bool
	// Registered schemas were taken before: what was no mistake then is none now.
	Registered bool
}

// Parse reads a schema. imports are what it refers to, directly or not, by name. The error says what is wrong with it.
func Parse(s schemas.Schema, imports map[string]schemas.Schema, o Options) (p *Parsed, err error) {
	if len(s.Text) > MaxTextBytes {
		return nil, fmt.Errorf("the text is longer than %d bytes", MaxTextBytes)
	}
	for name, i := range imports {
		if i.Kind != s.Kind {
			return nil, fmt.Errorf("the reference %s is a schema of type %s", name, i.Kind)
		}
	}
	// The text is a user's, and most of the parsers are not ours: what they do not expect must not end the server.
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("the schema cannot be read: %v", r)
		}
	}()
	p = &Parsed{Schema: s}
	switch s.Kind {
	case schemas.Avro:
		p.Text, p.language, err = parseAvro(s, imports, o)
	case schemas.JSON:
		p.Text, p.language, err = parseJSONSchema(s, imports, o)
	case schemas.Protobuf:
		p.Text, p.language, err = parseProtobuf(s, imports, o)
	default:
		return nil, fmt.Errorf("the type %q is none of AVRO, JSON, PROTOBUF", s.Kind)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Reads says what keeps readers with this schema from reading what was written with another one: nothing when they can.
func (p *Parsed) Reads(written *Parsed) []string {
	if p.Kind != written.Kind {
		return []string{"Incompatible because of different schema type"}
	}
	return p.language.reads(written.language)
}

// Serialized is the descriptor of a Protobuf schema in bytes. The error says why there is none.
func (p *Parsed) Serialized() ([]byte, error) {
	if l, ok := p.language.(*protobufSchema); ok {
		return l.serialized()
	}
	return nil, errors.New("only PROTOBUF schemas have this format")
}
