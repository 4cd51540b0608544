package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"github.com/ksqlgo/ksqlgo/cmd/internal/render"
	"github.com/ksqlgo/ksqlgo/cmd/internal/repl"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// Exit codes of Run.
const (
	ExitOK          = 0
	ExitFailed      = 1   // a statement failed
	ExitUsage       = 2   // the request to the console itself is wrong, or no server answers
	ExitInterrupted = 130 // Ctrl-C ended a script
)

// Config says what the console works on.
type Config struct {
	// Server is the server to talk to.
	Server client.Config
	// In, Out and Err are the standard streams when nil. When In and Out are a
	// terminal and there is neither Execute nor File, the console prompts.
	In       io.Reader
	Out, Err io.Writer
	// Execute is SQL text to run before ending, as of option -e.
	Execute string
	// File is a file of SQL to run before ending, as of option -f; "-" is In.
	File string
	// Format is how results are printed; empty means render.Tabular.
	Format render.Format
	// Variables and Properties are what the session starts with.
	Variables, Properties map[string]string
	// RowLimit ends a query after so many rows, 0 for no limit.
	RowLimit int
	// QueryTimeout ends a query after so long, 0 for no limit.
	QueryTimeout time.Duration
	// Width is the width of the screen in characters for what is printed; 0 asks
	// the terminal, then the environment variable COLUMNS, and is 80 without both.
	Width int
	// HistoryFile keeps what is entered; empty means ~/.ksql-history, "-" none.
	HistoryFile string
	// Version is the version of this program.
	Version string
	// Interrupted, when set, delivers Ctrl-C while a script runs. Prompts take
	// care of it themselves.
	Interrupted <-chan os.Signal
}

func (c *Config) setDefaults() {
	if c.In == nil {
		c.In = os.Stdin
	}
	if c.Out == nil {
		c.Out = os.Stdout
	}
	if c.Err == nil {
		c.Err = os.Stderr
	}
	if c.Format == "" {
		c.Format = render.Tabular
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	switch c.HistoryFile {
	case "":
		if home, err := os.UserHomeDir(); err == nil {
			c.HistoryFile = filepath.Join(home, ".ksql-history")
		}
	case "-":
		c.HistoryFile = ""
	}
}

// Interactive says that the console will prompt.
func (c *Config) Interactive() bool {
	config := *c
	config.setDefaults()
	if config.Execute != "" || config.File != "" {
		return false
	}
	in, inFile := config.In.(*os.File)
	out, outFile := config.Out.(*os.File)
	return inFile && outFile && repl.Available(in, out)
}

// Run works until the script is done, the user leaves or the context ends. The
// result is the exit code of the process. On every way out the terminal is as
// it was before.
func Run(ctx context.Context, config Config) (exitCode int) {
	interactive := config.Interactive()
	config.setDefaults()
	s, err := newSession(config)
	if err != nil {
		fmt.Fprintln(config.Err, err)
		return ExitUsage
	}
	defer s.close()
	if interactive {
		return s.prompt(ctx)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if config.Interrupted != nil {
		go func() {
			select {
			case <-config.Interrupted:
				cancel(errInterrupted)
			case <-ctx.Done():
			}
		}()
	}
	return s.exitCode(ctx, s.batch(ctx))
}

// errInterrupted is the cause of a context that Ctrl-C has ended.
var errInterrupted = errors.New("interrupted")

// errQuit says that the user wants to leave.
var errQuit = errors.New("exit")

// exitCode tells of what ended a script.
func (s *session) exitCode(ctx context.Context, err error) int {
	var unreachable *client.UnreachableError
	switch {
	case errors.Is(context.Cause(ctx), errInterrupted):
		return ExitInterrupted
	case err == nil, errors.Is(err, errQuit):
		return ExitOK
	case errors.As(err, &unreachable), errors.Is(err, errUsage):
		return ExitUsage
	}
	return ExitFailed
}

// errUsage says that the console was asked for something it cannot do.
var errUsage = errors.New("wrong usage")

// batch runs -e, -f or what comes from a pipe.
func (s *session) batch(ctx context.Context) error {
	switch {
	case s.config.Execute != "":
		return s.script(ctx, s.config.Execute)
	case s.config.File != "" && s.config.File != "-":
		return s.runFile(ctx, s.config.File)
	}
	return s.stream(ctx, s.config.In)
}

// prompt talks to the user.
func (s *session) prompt(ctx context.Context) int {
	out := s.config.Out.(*os.File)
	in := s.config.In.(*os.File)
	s.interactive = true
	s.welcome(ctx)
	names := newNames(s)
	s.names = names
	defer names.close()
	err := repl.Run(ctx, repl.Config{
		In: in, Out: out,
		Prompt: "ksql> ", Continuation: "> ",
		Handler: s, History: s.history, Catalog: names.catalog, Commands: commandNames(),
		Colors: s.printer.Style.On(),
	})
	switch {
	case err == nil:
		s.printer.Note("Exiting ksqlDB.")
		return ExitOK
	case errors.Is(err, repl.ErrClosed), ctx.Err() != nil:
		return ExitOK
	}
	// No prompt to be had, e.g. without a controlling terminal: read lines.
	fmt.Fprintln(s.config.Err, err)
	s.interactive = false
	return s.exitCode(ctx, s.stream(ctx, in))
}

// colored says whether to colour what goes to out: a terminal, and the user
// does not mind.
func colored(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}
