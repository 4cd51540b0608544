// Package format prints syntax trees back as SQL, and lays out SQL text.
//
// Statement gives the canonical text, in ksqlDB's manner: what commands are
// recorded with and DESCRIBE EXTENDED shows. Expr gives ksqlDB's form of expressions,
// with all parentheses, as its messages have them. Format lays out text for people: it keeps comments and never
// changes what a statement says. What is printed parses back to an equal tree.
package format

import (
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// Quoting says when names are put in back-quotes.
type Quoting uint8

// The ways of quoting.
const (
	QuoteIfNeeded Quoting = iota // where the name would not be read back otherwise
	QuoteAlways                  // all names but those of functions
	QuoteNever                   // for messages; the text may not parse
)

// Options say how trees are printed. The zero value is the canonical form.
type Options struct {
	Quoting Quoting
	// SortProperties prints WITH clauses in the order of names, as ksqlDB does.
	SortProperties bool
}

// Statement prints a statement in canonical form, with its semicolon.
func Statement(s ast.Statement) string { return Options{}.Statement(s) }

// Statement prints a statement, with its semicolon.
func (o Options) Statement(s ast.Statement) string {
	p := &printer{options: o}
	p.statement(s)
	return strings.TrimRight(p.b.String(), " \n") + ";"
}

// Expr prints an expression in canonical form.
func Expr(e ast.Expr) string { return Options{}.Expr(e) }

// Expr prints an expression.
func (o Options) Expr(e ast.Expr) string {
	p := &printer{options: o}
	p.expr(e)
	return p.b.String()
}

// Type prints a type in canonical form.
func Type(t ast.TypeName) string { return Options{}.Type(t) }

// Type prints a type.
func (o Options) Type(t ast.TypeName) string {
	p := &printer{options: o}
	p.typeName(t)
	return p.b.String()
}

// Name prints a name, in back-quotes if it would not be read back otherwise.
func Name(name string) string {
	if needsQuotes(name) {
		return token.QuoteIdent(name)
	}
	return name
}

// needsQuotes also holds for the words that start constructors: ARRAY[1] is no subscript.
func needsQuotes(name string) bool {
	switch name {
	case "ARRAY", "MAP", "STRUCT":
		return true
	}
	return token.NeedsQuotes(name)
}

// printer collects the text.
type printer struct {
	b       strings.Builder
	options Options
}

// put writes texts one after another.
func (p *printer) put(texts ...string) {
	for _, t := range texts {
		p.b.WriteString(t)
	}
}

// when writes a text if the condition holds.
func (p *printer) when(condition bool, text string) {
	if condition {
		p.b.WriteString(text)
	}
}

func (p *printer) name(id ast.Ident) {
	switch p.options.Quoting {
	case QuoteAlways:
		p.put(token.QuoteIdent(id.Name))
	case QuoteNever:
		p.put(id.Name)
	default:
		p.put(Name(id.Name))
	}
}

// topic writes the name of a topic or subject: its case is kept without quotes too.
func (p *printer) topic(id ast.Ident) {
	if p.options.Quoting == QuoteAlways || token.NeedsQuotes(strings.ToUpper(id.Name)) {
		p.put(token.QuoteIdent(id.Name))
		return
	}
	p.put(id.Name)
}

func (p *printer) number(n int64) { p.put(strconv.FormatInt(n, 10)) }

// list writes items with commas between them.
func list[T any](p *printer, items []T, write func(T)) {
	for i, it := range items {
		if i > 0 {
			p.put(", ")
		}
		write(it)
	}
}
