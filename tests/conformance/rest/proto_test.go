package rest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/schemas/protofile"
)

// protoRows replaces the rows in objects of an answer by the canonical text of their messages, read by the schema that the
// header tells. Rows of a case are text already, those of the server are base64.
func protoRows(objects []any) ([]any, error) {
	if len(objects) == 0 {
		return nil, errors.New("there is no header")
	}
	schema, ok := inner(objects[0], "header", "protoSchema").(string)
	if !ok {
		return nil, fmt.Errorf("no protoSchema in %s", show(objects[0]))
	}
	message, err := firstMessage(schema)
	if err != nil {
		return nil, fmt.Errorf("the schema %q: %w", schema, err)
	}
	out := slices.Clone(objects)
	for i, o := range objects {
		m := dynamicpb.NewMessage(message)
		if text, ok := inner(o, "row").(string); ok {
			err = prototext.Unmarshal([]byte(text), m)
		} else if encoded, ok := inner(o, "row", "protobufBytes").(string); ok {
			var data []byte
			if data, err = base64.StdEncoding.DecodeString(encoded); err == nil {
				err = proto.Unmarshal(data, m)
			}
		} else {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", show(o), err)
		}
		if unknown := m.GetUnknown(); len(unknown) > 0 {
			return nil, fmt.Errorf("%s: the schema has no such field: %x", show(o), []byte(unknown))
		}
		if err := sortEntries(m); err != nil {
			return nil, err
		}
		// Its blanks differ from one build to the next, but not within one.
		out[i] = map[string]any{"row": prototext.MarshalOptions{}.Format(m)}
	}
	return out, nil
}

// inner follows names into objects; nil if there is none of a name.
func inner(v any, names ...string) any {
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// firstMessage compiles a schema and gives its first message.
func firstMessage(schema string) (protoreflect.MessageDescriptor, error) {
	c, err := protofile.Compile(schemas.Schema{Kind: schemas.Protobuf, Text: schema}, nil)
	if err != nil {
		return nil, err
	}
	if c.File.Messages().Len() == 0 {
		return nil, errors.New("it has no message")
	}
	return c.File.Messages().Get(0), nil
}

// sortEntries brings the entries of MAPs into an order, since they have none: ksqlDB writes them as repeated messages of names
// that end with Entry.
func sortEntries(m protoreflect.Message) error {
	var failed error
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil || fd.IsMap():
		case !fd.IsList():
			failed = sortEntries(v.Message())
		default:
			list := v.List()
			items := make([]entry, list.Len())
			for i := range items {
				item := list.Get(i)
				if failed = sortEntries(item.Message()); failed != nil {
					return false
				}
				items[i].value = item
				if items[i].data, failed = (proto.MarshalOptions{Deterministic: true}).Marshal(item.Message().Interface()); failed != nil {
					return false
				}
			}
			if !strings.HasSuffix(string(fd.Message().Name()), "Entry") {
				break
			}
			slices.SortFunc(items, func(a, b entry) int { return slices.Compare(a.data, b.data) })
			for i, item := range items {
				list.Set(i, item.value)
			}
		}
		return failed == nil
	})
	return failed
}

// entry is an entry of a MAP and its bytes.
type entry struct {
	value protoreflect.Value
	data  []byte
}
