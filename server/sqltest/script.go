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
	// special carries out what the world does not know; handled is false for all else. Nil knows nothing.
	special func(ctx context.Context, s *script, stmt *grammar.Stmt) (handled bool, failure *Failure)
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
	source := s.source
	stmt, err := grammar.Stmt{}, error(nil)
	if len(s.variables) > 0 && strings.Contains(piece.Text, "${") {
		if source, err = token.Substitute(piece.Text, token.VariablesOf(s.variables)); err != nil {
			return s.failed(piece, piece.Text, err)
		}
		stmt, err = grammar.ParseOne(source, s.options)
	} else {
		stmt, err = grammar.ParsePiece(piece, s.options)
	}
	if err != nil {
		return s.failed(piece, source, err)
	}
	switch n := stmt.Statement.(type) {
	case *ast.Define:
		s.variables[strings.ToUpper(n.Name.Name)] = n.Value.Value
		return nil
	case *ast.Undefine:
		delete(s.variables, strings.ToUpper(n.Name.Name))
		return nil
	default:
	}
	if s.special != nil {
		if handled, f := s.special(ctx, s, &stmt); handled {
			return s.placed(piece, f)
		}
	}
	if err := s.world.Run(stmt.Statement); err != nil {
		return s.failed(piece, source, err)
	}
	return nil
}

// placed gives a failure without a place that of the statement.
func (s *script) placed(piece token.Piece, f *Failure) *Failure {
	if f == nil || f.File != "" {
		return f
	}
	f.File, f.Line, f.Statement = s.file, piece.Span.Start.Line, piece.Text
	if d, ok := diag.As(f.Err); ok && d.Span.IsValid() {
		f.Line = s.line(piece, f.Source, d.Span.Start)
	}
	return f
}

// failed is the failure of a statement with an error whose places count in source.
func (s *script) failed(piece token.Piece, source string, err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return s.placed(piece, f)
	}
	return s.placed(piece, &Failure{Message: err.Error(), Err: err, Source: source})
}

// line is the line within the file of a place in source, which is the whole text or the statement after substitution.
func (s *script) line(piece token.Piece, source string, at diag.Pos) int {
	if source == s.source {
		return at.Line
	}
	return piece.Span.Start.Line + at.Line - 1
}
