package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// Handler runs what the user enters.
type Handler interface {
	// IsCommand says that a line is complete without a semicolon. It is asked
	// when no statement has been started.
	IsCommand(line string) bool
	// Execute runs a command, or one or more statements that are complete. The
	// terminal is as it was before the prompt. The context is cancelled by
	// Ctrl-C; Execute should then return soon. Quit ends the prompt.
	Execute(ctx context.Context, text string) (quit bool)
}

// Config is what a prompt needs.
type Config struct {
	// In and Out are the terminal.
	In, Out *os.File
	// Prompt stands before the first line of a statement, Continuation before
	// the others.
	Prompt, Continuation string
	Handler              Handler
	History              *History
	// Catalog returns what completion knows now; it must not block.
	Catalog func() *Catalog
	// Commands are the console's own, for completion.
	Commands []string
	// Colors highlights what is typed.
	Colors bool
}

// Available says that in and out are a terminal the prompt can work with.
func Available(in, out *os.File) bool {
	return term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd())) && os.Getenv("TERM") != "dumb"
}

// ErrClosed says that the terminal went away.
var ErrClosed = errors.New("the terminal was closed")

// Run prompts until the user leaves (nil), the terminal is closed (ErrClosed)
// or the context ends (its error). The terminal is restored whenever a
// statement runs, and when Run returns or panics.
func Run(ctx context.Context, config Config) (err error) {
	s, err := newSession(config)
	if err != nil {
		return err
	}
	defer s.term.restore()
	stop := s.watch(ctx)
	defer stop()
	err = s.loop(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// session is one run of the prompt.
type session struct {
	Config
	term   console
	line   *lineEditor
	screen *screen

	statement strings.Builder // the lines of the statement so far

	mu      sync.Mutex
	cancel  context.CancelFunc // ends what runs, nil when nothing does
	presses int                // Ctrl-C while it runs
}

func newSession(config Config) (*session, error) {
	s := &session{Config: config, term: newConsole(config.In, config.Out)}
	if s.Catalog == nil {
		s.Catalog = func() *Catalog { return &Catalog{} }
	}
	if s.History == nil {
		s.History = OpenHistory("")
	}
	s.screen = &screen{out: config.Out, colors: config.Colors}
	s.screen.paint = func(text string) string { return highlight(s.statement.String(), text) }
	line, err := newLineEditor(s)
	s.line = line
	return s, err
}

// watch turns signals and the end of the context into events until stop.
func (s *session) watch(ctx context.Context) (stop func()) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, watched()...)
	finished := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		done := ctx.Done()
		for {
			select {
			case <-finished:
				return
			case <-done:
				done = nil
				s.interrupt()
				s.term.post(closed)
			case sig := <-signals:
				if isResize(sig) {
					s.term.post(resized)
				} else if !s.interrupt() {
					s.term.post(interrupted)
				}
			}
		}
	})
	return func() {
		signal.Stop(signals)
		close(finished)
		wait.Wait()
	}
}

// interrupt stops what runs; false when nothing does.
func (s *session) interrupt() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel == nil {
		return false
	}
	s.cancel()
	s.presses++
	if s.presses == 2 {
		fmt.Fprintln(s.Out, "Still stopping. To leave the console, enter exit or press CTRL-D at the prompt.")
	}
	return true
}

// loop reads lines and runs statements.
func (s *session) loop(ctx context.Context) error {
	for ctx.Err() == nil {
		text, event := s.line.read()
		switch event {
		case closed:
			return ErrClosed
		case interrupted:
			s.statement.Reset()
			continue
		case ended:
			return nil
		case noEvent, resized:
		}
		if s.enter(ctx, text) {
			return nil
		}
	}
	return nil
}

// enter takes one line; it runs the statement when that is complete.
func (s *session) enter(ctx context.Context, line string) (quit bool) {
	if s.statement.Len() == 0 {
		if strings.TrimSpace(line) == "" {
			return false
		}
		expanded, changed := s.History.Expand(line)
		if changed {
			line = expanded
			fmt.Fprintln(s.Out, visible(lineText(line)))
		}
		if s.Handler.IsCommand(line) {
			return s.run(ctx, line)
		}
	}
	s.statement.WriteString(line)
	s.statement.WriteByte('\n')
	text := s.statement.String()
	if token.Incomplete(text) {
		return false
	}
	s.statement.Reset()
	if len(token.Split(text)) == 0 { // nothing but comments
		return false
	}
	return s.run(ctx, strings.TrimRight(text, "\n"))
}

// run executes with the terminal restored and Ctrl-C as a signal.
func (s *session) run(ctx context.Context, text string) (quit bool) {
	s.History.Add(text)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.cancel, s.presses = cancel, 0
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		stopped := s.presses > 0
		s.cancel = nil
		s.mu.Unlock()
		if stopped { // the rest of a paste was meant to follow what was stopped
			s.term.forget()
		}
	}()
	s.term.restore()
	return s.Handler.Execute(ctx, text)
}

// Width is the number of columns of a terminal, 0 when it is none.
func Width(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}
