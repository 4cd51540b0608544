package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// maxDepth bounds scripts that run scripts.
const maxDepth = 20

// Execute runs what was entered at the prompt; see repl.Handler.
func (s *session) Execute(ctx context.Context, text string) (quit bool) {
	return errors.Is(s.script(ctx, text), errQuit)
}

// IsCommand says that a line is one of the console's own commands.
func (s *session) IsCommand(line string) bool {
	_, _, ok := findCommand(line)
	return ok
}

// script runs SQL text and commands up to the first that fails, which has
// been told of then. Statements in a row that the server runs go in one
// request.
func (s *session) script(ctx context.Context, text string) error {
	var run []string
	flush := func() error {
		if len(run) == 0 {
			return nil
		}
		sent := strings.Join(run, "\n")
		run = nil
		return s.execute(ctx, sent)
	}
	for _, part := range parts(text) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if part.kind == serverStatement {
			run = append(run, part.text)
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		if err := s.runPart(ctx, part); err != nil {
			return err
		}
	}
	return flush()
}

func (s *session) runPart(ctx context.Context, p part) error {
	switch p.kind {
	case command:
		return s.command(ctx, p.text)
	case query:
		return s.query(ctx, p.text)
	case printTopic:
		return s.printTopic(ctx, p.text)
	case local:
		err := s.local(ctx, p.text)
		if err != nil && ctx.Err() == nil {
			s.fail(err, p.text)
		}
		return err
	case serverStatement:
	}
	return s.execute(ctx, p.text)
}

// runFile runs a file of statements.
func (s *session) runFile(ctx context.Context, path string) error {
	text, err := os.ReadFile(path)
	if err == nil && s.depth >= maxDepth {
		err = fmt.Errorf("scripts run scripts more than %d deep", maxDepth)
	}
	if err != nil {
		s.printer.Error(fmt.Sprintf("Failed to read file: %s: %v", path, err), "")
		return errors.Join(errUsage, err)
	}
	s.depth++
	defer func() { s.depth-- }()
	return s.script(ctx, string(text))
}

// stream runs statements from a pipe, each as soon as it is complete.
func (s *session) stream(ctx context.Context, in io.Reader) error {
	reader := bufio.NewReaderSize(in, 64<<10)
	var statement strings.Builder
	for {
		line, readErr := reader.ReadString('\n')
		if statement.Len() == 0 && s.IsCommand(line) {
			if err := s.command(ctx, strings.TrimSpace(line)); err != nil {
				return err
			}
			line = ""
		}
		statement.WriteString(line)
		text := statement.String()
		if readErr != nil || reader.Buffered() == 0 && !token.Incomplete(text) {
			if err := s.script(ctx, text); err != nil {
				return err
			}
			statement.Reset()
		}
		switch {
		case readErr == io.EOF:
			return nil
		case readErr != nil:
			return readErr
		}
	}
}

// kind is what is to be done with a part of a script.
type kind uint8

const (
	serverStatement kind = iota // sent to /ksql
	query                       // SELECT: sent alone, answers rows
	printTopic                  // PRINT: sent alone, answers lines
	local                       // changes the session
	command                     // the console's own
)

// part is one statement or command of a script.
type part struct {
	kind kind
	text string
}

// parts cuts text into statements and commands. The last statement gets a
// semicolon if it lacks one.
func parts(text string) []part {
	var out []part
	for _, piece := range token.Split(text) {
		rest := piece.Text
		for { // commands end with their line
			line, after, more := strings.Cut(rest, "\n")
			if _, _, ok := findCommand(line); !ok {
				break
			}
			out = append(out, part{command, strings.TrimSpace(line)})
			rest = strings.TrimLeft(after, " \t\r\n")
			if !more {
				break
			}
		}
		if len(rest) != len(piece.Text) { // there were commands: look at the rest anew
			out = append(out, parts(rest)...)
			continue
		}
		tokens := piece.Tokens
		if len(tokens) <= 1 { // nothing before the semicolon
			continue
		}
		if !piece.Complete && tokens[len(tokens)-2].Kind != token.Invalid {
			rest += ";"
		}
		out = append(out, part{kindOf(tokens), rest})
	}
	return out
}

// kindOf tells statements apart by their first words.
func kindOf(tokens []token.Token) kind {
	second := ""
	if len(tokens) > 1 {
		second = tokens[1].Keyword
	}
	switch tokens[0].Keyword {
	case "SELECT":
		return query
	case "PRINT":
		return printTopic
	case "SET", "UNSET", "DEFINE", "UNDEFINE":
		return local
	case "SHOW", "LIST":
		if second == "VARIABLES" {
			return local
		}
	case "RUN":
		if second == "SCRIPT" {
			return command
		}
	}
	return serverStatement
}
