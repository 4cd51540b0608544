package sqltest

import (
	"context"
	"errors"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// script runs the statements of a text one by one.
type script struct {
	world *World
	// file is the name of the text in failures, source the text itself.
	file, source string
	options      grammar.Options
	// variables are those of DEFINE, by upper-case name. Scripts that run others share them.
	variables map[string]string
	// special carries out what the world does not know; handled is false for all else. Nil knows nothing. An error that is a
	// *Failure need not have a place.
	special func(ctx context.Context, s *script, st ast.Statement) (handled bool, err error)
}

// runAll runs all statements; it stops at the first failure.
func (s *script) runAll(ctx context.Context) *Failure {
	pieces := token.NewSplitter(s.source)
	pieces.MaxBytes, pieces.MaxTokens = grammar.MaxStatementBytes, grammar.MaxTokens
	for {
		piece, ok := pieces.Next()
		if !ok {
			return nil
		}
		if f := s.run(ctx, piece); f != nil {
			return f
		}
	}
}

// run runs one statement.
func (s *script) run(ctx context.Context, piece token.Piece) *Failure {
	if err := ctx.Err(); err != nil {
		return s.failed(piece, s.source, err)
	}
	st, source, err := s.parse(piece)
	if err == nil {
		err = s.execute(ctx, st)
	}
	if err != nil {
		return s.failed(piece, source, err)
	}
	return nil
}

// parse reads a statement; places in it and in the error count in source.
func (s *script) parse(piece token.Piece) (st ast.Statement, source string, err error) {
	if len(s.variables) == 0 || !strings.Contains(piece.Text, "${") {
		stmt, err := grammar.ParsePiece(piece, s.options)
		return stmt.Statement, s.source, err
	}
	// The statement alone, at its place: what is before it is blank.
	at := piece.Span.Start
	alone := strings.Repeat("\n", at.Line-1) + strings.Repeat(" ", at.Column-1) + piece.Text
	source, err = token.Substitute(alone, token.VariablesOf(s.variables))
	if err != nil {
		return nil, alone, err
	}
	stmt, err := grammar.ParseOne(source, s.options)
	return stmt.Statement, source, err
}

func (s *script) execute(ctx context.Context, st ast.Statement) error {
	switch n := st.(type) {
	case *ast.Define:
		s.variables[strings.ToUpper(n.Name.Name)] = n.Value.Value
		return nil
	case *ast.Undefine:
		delete(s.variables, strings.ToUpper(n.Name.Name))
		return nil
	default:
	}
	if s.special != nil {
		if handled, err := s.special(ctx, s, st); handled {
			return err
		}
	}
	return s.world.Run(st)
}

// failed is the failure of a statement with an error whose places count in source. A *Failure gets the place of the statement if it
// has none.
func (s *script) failed(piece token.Piece, source string, err error) *Failure {
	var f *Failure
	if !errors.As(err, &f) {
		f = &Failure{Message: err.Error(), Err: err, Source: source}
	}
	if f.File != "" {
		return f
	}
	f.File, f.Line, f.Statement = s.file, piece.Span.Start.Line, piece.Text
	if d, ok := diag.As(f.Err); ok && d.Span.IsValid() {
		f.Line = d.Span.Start.Line
	}
	return f
}
