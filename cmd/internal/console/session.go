package console

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/cmd/internal/render"
	"github.com/ksqlgo/ksqlgo/cmd/internal/repl"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// session is what the console remembers. It belongs to one goroutine.
type session struct {
	config      Config
	client      *client.Client
	printer     *render.Printer
	history     *repl.History
	names       *names // for completion, nil in scripts
	interactive bool
	depth       int // RUN SCRIPT within RUN SCRIPT

	properties map[string]string
	variables  map[string]string // names in lower case
	pipelining bool
	sequence   *int64 // of the last command
	// consistency is what the session has written and read, if it wants to see it.
	consistency client.Consistency
	spool       *os.File
}

func newSession(config Config) (*session, error) {
	c, err := client.New(config.Server)
	if err != nil {
		return nil, err
	}
	s := &session{
		config: config, client: c,
		properties: map[string]string{}, variables: map[string]string{},
		history: repl.OpenHistory(""),
	}
	for name, value := range config.Properties {
		s.properties[name] = value
	}
	for name, value := range config.Variables {
		s.variables[strings.ToLower(name)] = value
	}
	s.printer = &render.Printer{
		Out: config.Out, Notes: config.Err, Format: config.Format,
		Style: render.Colors(colored(config.Out)), Screen: screenWidth(config),
	}
	if config.Interactive() {
		s.history = repl.OpenHistory(config.HistoryFile)
	}
	return s, nil
}

// screenWidth finds the width of the screen now: a terminal can be resized.
func screenWidth(config Config) func() int {
	return func() int {
		if config.Width > 0 {
			return config.Width
		}
		if width := repl.Width(config.Out); width > 0 {
			return width
		}
		width, _ := strconv.Atoi(os.Getenv("COLUMNS"))
		return width
	}
}

func (s *session) close() {
	s.spoolOff()
	s.client.Close()
}

// welcome greets and tells whether the server answers.
func (s *session) welcome(ctx context.Context) {
	s.printer.Note("%s", s.printer.Style.Bold("ksqlgo")+", streaming SQL in the language of ksqlDB")
	s.greetServer(ctx)
	s.printer.Note("Having trouble? Type 'help' (case-insensitive) for a rundown of how things work!\n")
}

func (s *session) greetServer(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	info, err := s.client.Info(ctx)
	if err != nil {
		s.fail(err, "")
		return
	}
	s.printer.Note("CLI v%s, Server v%s located at %s\nServer Status: %s\n", s.config.Version, info.Version, s.client.URL(), info.ServerStatus)
	if tooOld(info.Version) {
		s.printer.Warning("This console needs a server of version 6.0 or 0.10 at least; the server has version " + info.Version + ".")
	}
}

// tooOld says that a server's version is before 6.0 and before 0.10 in the two
// numberings of ksqlDB.
func tooOld(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major == 0 && minor < 10 || major >= 1 && major < 6
}

// fail tells of an error. Source is the text that was sent.
func (s *session) fail(err error, source string) {
	var failed *client.Error
	switch {
	case errors.As(err, &failed):
		if len(failed.Entities) > 0 {
			_ = s.printer.Entities(failed.Entities)
		}
		if source == "" {
			source = failed.StatementText
		}
		s.printer.Error(failed.Message, source)
	default:
		s.printer.Error(err.Error(), source)
	}
}

// request is text with the session's properties and variables.
func (s *session) request(text string) client.Request {
	r := client.Request{SQL: text, Properties: api.Properties{}, Variables: s.variables}
	for name, value := range s.properties {
		r.Properties[name] = value
	}
	if !s.pipelining {
		r.AfterCommand = s.sequence
	}
	if strings.EqualFold(s.properties[api.PropertyConsistencyTokens], "true") {
		r.Consistency = &s.consistency
	}
	return r
}

// execute sends statements that the server runs, and prints the results.
func (s *session) execute(ctx context.Context, text string) error {
	entities, err := s.client.Execute(ctx, s.request(text))
	var failed *client.Error
	if errors.As(err, &failed) {
		s.remember(failed.Entities)
	}
	s.names.refresh()
	if err != nil {
		if ctx.Err() != nil {
			s.printer.Warning("Interrupted: the server may still carry the statement out.")
			return err
		}
		s.fail(err, text)
		return err
	}
	s.remember(entities)
	return s.printer.Entities(entities)
}

// remember keeps the sequence number of the last command, so that the next
// request sees what it did, whichever server answers.
func (s *session) remember(entities api.Entities) {
	for _, e := range entities {
		if status, ok := e.(*api.CommandStatusEntity); ok && status.CommandSequenceNumber >= 0 {
			number := status.CommandSequenceNumber
			s.sequence = &number
			if strings.HasSuffix(status.CommandID, "/drop") {
				// What was written may be gone with its topic, and could not be waited for.
				s.consistency.Set("")
			}
		}
	}
}
