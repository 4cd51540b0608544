package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/cmd/internal/render"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// builtin is one of the console's own commands.
type builtin struct {
	name    string // words in lower case
	usage   string // what may follow
	summary string
	run     func(s *session, ctx context.Context, args []string) error
}

// builtins lists the commands; longer names before their prefixes.
func builtins() []builtin {
	return []builtin{
		{"help", "[command]", "Show this list, or more about one command.", (*session).help},
		{"clear", "", "Clear the screen.", (*session).clearScreen},
		{"output", "[TABULAR|JSON|NDJSON|CSV]", "Show or change how results are printed.", (*session).output},
		{"history", "", "Show what was entered; !n runs entry n again, !! the last one.", (*session).showHistory},
		{"version", "", "Show the version of this console.", (*session).version},
		{"run script", "<file>", "Run the statements of a file.", (*session).runScript},
		{"server", "[url]", "Show or change the server.", (*session).changeServer},
		{"request-pipelining", "[ON|OFF]", "ON: do not wait for earlier statements to take effect before the next.", (*session).requestPipelining},
		{"spool", "<file>|OFF", "Write all results to a file, too.", (*session).changeSpool},
		{"set cli wrap", "ON|OFF", "Wrap long values of rows, or clip them.", (*session).setWrap},
		{"set cli column-width", "<n>", "Print rows with columns of n characters; 0 fits the screen.", (*session).setColumnWidth},
		{"exit", "", "Leave the console.", (*session).exit},
		{"quit", "", "Leave the console.", (*session).exit},
	}
}

// commandNames are the commands for completion.
func commandNames() []string {
	var out []string
	for _, b := range builtins() {
		out = append(out, b.name)
	}
	return out
}

// findCommand recognises a command with its arguments; the semicolon may be
// missing.
func findCommand(line string) (b builtin, args []string, ok bool) {
	line = strings.TrimSpace(line)
	if len(line) > 4096 {
		return builtin{}, nil, false
	}
	words := strings.Fields(strings.TrimRight(line, "; \t"))
	for _, b := range builtins() {
		name := strings.Fields(b.name)
		if len(words) >= len(name) && strings.EqualFold(strings.Join(words[:len(name)], " "), b.name) {
			return b, words[len(name):], true
		}
	}
	return builtin{}, nil, false
}

// command runs a command and tells of its failure.
func (s *session) command(ctx context.Context, line string) error {
	b, args, ok := findCommand(line)
	if !ok {
		return fmt.Errorf("%w: %s", errUsage, line)
	}
	for i := range args {
		args[i] = strings.Trim(args[i], "'\"")
	}
	err := b.run(s, ctx, args)
	if errors.Is(err, errArguments) {
		s.printer.Error(strings.TrimSpace("Usage: "+b.name+" "+b.usage), "")
		return errUsage
	}
	return err
}

// errArguments says that a command was called in a wrong way.
var errArguments = errors.New("wrong arguments")

func (s *session) help(_ context.Context, args []string) error {
	topic := strings.ToLower(strings.Join(args, " "))
	found := false
	for _, b := range builtins() {
		if strings.HasPrefix(b.name, topic) {
			found = true
			s.printer.Note("%s\n\t%s", strings.TrimSpace(b.name+" "+b.usage), b.summary)
		}
	}
	if topic != "" {
		if !found {
			s.printer.Note("There is no command '%s'. SQL statements end with a semicolon; help lists the commands.", topic)
		}
		return nil
	}
	s.printer.Note(`
Statements end with a semicolon and may take several lines. TAB completes names,
CTRL-R searches the history, CTRL-C stops a query, CTRL-D leaves.
SET 'auto.offset.reset'='earliest'; makes queries read from the beginning.`)
	return nil
}

func (s *session) clearScreen(context.Context, []string) error {
	if s.interactive {
		_, err := io.WriteString(s.config.Out, "\x1b[H\x1b[2J\x1b[3J")
		return err
	}
	return nil
}

func (s *session) output(_ context.Context, args []string) error {
	switch len(args) {
	case 0:
		s.printer.Note("Current output format: %s", s.printer.Format)
		return nil
	case 1:
		format, err := render.ParseFormat(args[0])
		if err != nil {
			s.printer.Error(err.Error(), "")
			return errUsage
		}
		s.printer.Format = format
		s.printer.Note("Output format set to %s", format)
		return nil
	}
	return errArguments
}

func (s *session) showHistory(context.Context, []string) error {
	for i, item := range s.history.Entries() {
		s.printer.Note("%5d: %s", i+1, item)
	}
	return nil
}

func (s *session) version(context.Context, []string) error {
	s.printer.Note("Version: %s", s.config.Version)
	return nil
}

func (s *session) exit(context.Context, []string) error { return errQuit }

func (s *session) runScript(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errArguments
	}
	return s.runFile(ctx, strings.Join(args, " "))
}

func (s *session) changeServer(ctx context.Context, args []string) error {
	if len(args) == 0 {
		s.printer.Note("%s", s.client.URL())
		return nil
	}
	config := s.config.Server
	config.URL = args[0]
	next, err := client.New(config)
	if err != nil {
		s.printer.Error(err.Error(), "")
		return errUsage
	}
	if _, err := next.Info(ctx); err != nil {
		s.fail(err, "")
		return err
	}
	s.client.Close()
	s.client, s.sequence, s.config.Server = next, nil, config
	s.consistency.Set("")
	s.names.use(next)
	s.printer.Note("Server now: %s", next.URL())
	return nil
}

func (s *session) requestPipelining(_ context.Context, args []string) error {
	if len(args) > 0 {
		on, err := parseSwitch(args)
		if err != nil {
			return err
		}
		s.pipelining = on
	}
	s.printer.Note("Current %s value: %s", "request-pipelining", switchText(s.pipelining))
	return nil
}

func (s *session) setWrap(_ context.Context, args []string) error {
	on, err := parseSwitch(args)
	if err != nil {
		return err
	}
	s.printer.Clip = !on
	s.printer.Note("Wrapping of row values: %s", switchText(on))
	return nil
}

func (s *session) setColumnWidth(_ context.Context, args []string) error {
	if len(args) != 1 {
		return errArguments
	}
	width, err := strconv.Atoi(args[0])
	if err != nil || width < 0 || width > 10000 {
		return errArguments
	}
	s.printer.ColumnWidth = width
	return nil
}

func parseSwitch(args []string) (bool, error) {
	if len(args) == 1 && strings.EqualFold(args[0], "ON") {
		return true, nil
	}
	if len(args) == 1 && strings.EqualFold(args[0], "OFF") {
		return false, nil
	}
	return false, errArguments
}

func switchText(on bool) string {
	if on {
		return "ON"
	}
	return "OFF"
}

func (s *session) changeSpool(_ context.Context, args []string) error {
	if len(args) != 1 {
		return errArguments
	}
	s.spoolOff()
	if strings.EqualFold(args[0], "OFF") {
		return nil
	}
	file, err := os.Create(args[0])
	if err != nil {
		s.printer.Error(err.Error(), "")
		return errUsage
	}
	s.spool = file
	s.printer.Out = io.MultiWriter(s.config.Out, file)
	s.printer.Note("Session will be spooled to %s\nEnter SPOOL OFF to disable", args[0])
	return nil
}

func (s *session) spoolOff() {
	if s.spool == nil {
		return
	}
	s.printer.Out = s.config.Out
	if err := s.spool.Close(); err != nil {
		s.printer.Error(err.Error(), "")
	}
	s.spool = nil
}
