package expr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// codecVersion is the version of the JSON form. A reader refuses versions it does not know.
const codecVersion = 1

// maxDepth bounds the trees that Unmarshal accepts, far above what the parser lets through.
const maxDepth = 2000

// document is a tree with its version.
type document struct {
	Version int   `json:"v"`
	Expr    *node `json:"e"`
}

// node is the JSON form of any expression. Which fields count depends on Kind; args are the children in the order in
// which the Go type declares them.
type node struct {
	Kind     string          `json:"k"`
	Op       string          `json:"op,omitempty"`
	Name     string          `json:"name,omitempty"`
	Index    int             `json:"i,omitempty"`
	Negated  bool            `json:"not,omitempty"`
	Implicit bool            `json:"implicit,omitempty"`
	Type     *types.Type     `json:"t,omitempty"`
	Value    json.RawMessage `json:"value,omitempty"`
	Params   []param         `json:"params,omitempty"`
	Args     []*node         `json:"args,omitempty"`
}

type param struct {
	ID   int         `json:"id"`
	Name string      `json:"name"`
	Type *types.Type `json:"t"`
}

// Marshal writes an expression as versioned JSON, with literals exact. A nil expression is null.
func Marshal(e Expr) ([]byte, error) {
	if e == nil {
		return []byte("null"), nil
	}
	n, err := encode(e)
	if err != nil {
		return nil, err
	}
	return json.Marshal(document{codecVersion, n})
}

// Unmarshal reads what [Marshal] wrote. Data that is damaged, of an unknown version, or that does not fit together (an
// operator with too few operands, a literal that is none of its type) is an error, never a tree that cannot be compiled
// for want of a child.
func Unmarshal(data []byte) (Expr, error) {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return nil, nil
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("expression: %w", err)
	}
	switch {
	case d.Version != codecVersion:
		return nil, fmt.Errorf("expression: version %d is unknown, this is version %d", d.Version, codecVersion)
	case d.Expr == nil:
		return nil, errors.New("expression: it is missing")
	}
	e, err := decode(d.Expr, 0)
	if err != nil {
		return nil, fmt.Errorf("expression: %w", err)
	}
	return e, nil
}

// MarshalList writes several expressions, nil ones included, as a JSON array of what [Marshal] writes.
func MarshalList(es []Expr) ([]byte, error) {
	list := make([]json.RawMessage, len(es))
	for i, e := range es {
		b, err := Marshal(e)
		if err != nil {
			return nil, err
		}
		list[i] = b
	}
	return json.Marshal(list)
}

// UnmarshalList reads what [MarshalList] wrote.
func UnmarshalList(data []byte) ([]Expr, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("expressions: %w", err)
	}
	es := make([]Expr, len(list))
	for i, b := range list {
		e, err := Unmarshal(b)
		if err != nil {
			return nil, err
		}
		es[i] = e
	}
	return es, nil
}
