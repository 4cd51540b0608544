package schemas_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

func TestHeader(t *testing.T) {
	b := append(schemas.AppendHeader(nil, 70_000), "rest"...)
	if !bytes.Equal(b[:schemas.HeaderBytes], []byte{0, 0, 1, 0x11, 0x70}) {
		t.Errorf("the header is % x", b)
	}
	id, rest, err := schemas.SplitHeader(b)
	if id != 70_000 || string(rest) != "rest" || err != nil {
		t.Errorf("got %d, %q, %v", id, rest, err)
	}
	for _, bad := range [][]byte{{}, {0, 0, 0, 1}, {1, 0, 0, 0, 1, 2}} {
		if _, _, err := schemas.SplitHeader(bad); !errors.Is(err, schemas.ErrNoHeader) {
			t.Errorf("% x: %v", bad, err)
		}
	}
}

// versions is a registry of version 1 of each subject.
type versions struct {
	schemas.None
	list map[string]schemas.Schema
}

func (v versions) Version(subject string, _ int) (schemas.Registered, error) {
	s, ok := v.list[subject]
	if !ok {
		return schemas.Registered{}, &schemas.NotFoundError{What: "Subject " + subject}
	}
	return schemas.Registered{Schema: s, Subject: subject, Version: 1}, nil
}

func TestImports(t *testing.T) {
	refer := func(text string, to ...string) schemas.Schema {
		s := schemas.Schema{Kind: schemas.Protobuf, Text: text}
		for _, name := range to {
			s.References = append(s.References, schemas.Reference{Name: name + ".proto", Subject: name, Version: 1})
		}
		return s
	}
	// a and b refer to each other, which no compiler takes, but nothing may hang here.
	r := versions{list: map[string]schemas.Schema{"a": refer("A", "b"), "b": refer("B", "a", "c"), "c": refer("C")}}
	got, err := schemas.Imports(r, refer("top", "a"))
	if err != nil || len(got) != 3 || got["c.proto"].Text != "C" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := schemas.Imports(r, refer("top", "missing")); !schemas.IsNotFound(err) {
		t.Errorf("a missing one gives %v", err)
	}
}
