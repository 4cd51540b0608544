// Package ast holds the nodes of the syntax tree: sealed, with positions, nothing resolved.
//
// Interfaces are sealed by unexported marker methods, so that a switch over
// Statement, Expr, Relation, SelectItem or TypeName can be checked for being
// complete (gochecksumtype). Nodes are plain data; who changes a tree makes a copy (see Rewrite).
package ast

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// Node is any node of the tree.
type Node interface {
	// Span is where the node stands in the text; invalid for nodes that were made, not read.
	Span() diag.Span
}

// Located is embedded in every node and gives it its place.
type Located struct {
	At diag.Span
}

// Span gives the place of the node.
func (l Located) Span() diag.Span { return l.At }

// At makes the Located part of a node.
func At(span diag.Span) Located { return Located{At: span} }

// Ident is a name of a source, column, function, field, type, query or variable.
type Ident struct {
	Located
	// Name is the resolved name: upper case unless it was written in quotes.
	Name string
	// Quoted says that it was written in back-quotes or double quotes. Equal ignores it.
	Quoted bool
}

// NewIdent makes an identifier without a place.
func NewIdent(name string) Ident { return Ident{Name: name, Quoted: name != strings.ToUpper(name)} }

// String gives the resolved name.
func (i Ident) String() string { return i.Name }

// SourceKind tells streams from tables.
type SourceKind uint8

// The two kinds of source.
const (
	Stream SourceKind = iota + 1
	Table
)

// String gives the keyword.
func (k SourceKind) String() string {
	switch k {
	case Stream:
		return "STREAM"
	case Table:
		return "TABLE"
	}
	return "SOURCE"
}

// Property is one entry of a WITH clause.
type Property struct {
	Located
	// Name is upper case for identifiers, as written for strings and quoted identifiers.
	Name string
	// IsString says that the name was written as a string, as connectors have it.
	IsString bool
	// Value is a literal: string, number (may be negative), boolean or NULL.
	Value Expr
}
