package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/ksqlgo/ksqlgo/cmd/internal/console"
	"github.com/ksqlgo/ksqlgo/cmd/internal/render"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// options are the command line, with the names of ksqlDB's console.
type options struct {
	URL string `arg:"" optional:"" name:"url" default:"http://localhost:8088" env:"KSQLGO_SERVER" help:"The server to talk to."`

	Execute       string   `short:"e" help:"Run these statements and end." placeholder:"SQL"`
	File          string   `short:"f" help:"Run the statements of a file and end; - reads standard input." placeholder:"FILE"`
	User          string   `short:"u" env:"KSQLGO_USER" help:"Name for basic authentication."`
	Password      string   `short:"p" env:"KSQLGO_PASSWORD" help:"Password for basic authentication; asked for when missing."`
	Token         string   `short:"t" env:"KSQLGO_TOKEN" help:"Bearer token."`
	Output        string   `default:"TABULAR" help:"How results are printed: ${formats}." placeholder:"FORMAT"`
	Define        []string `short:"d" sep:"none" help:"Define a session variable (repeatable)." placeholder:"NAME=VALUE"`
	QueryRowLimit int      `help:"End queries after so many rows." placeholder:"N"`
	QueryTimeout  int64    `help:"End queries after so many milliseconds." placeholder:"MS"`
	ConfigFile    string   `type:"existingfile" help:"Java properties to set for the session." placeholder:"FILE"`
	HistoryFile   string   `env:"KSQLGO_HISTORY" help:"Where to keep what is entered; - keeps nothing. Default: ~/.ksql-history." placeholder:"FILE"`
	Version       bool     `help:"Show the version and end."`
}

// parse reads the command line. Done says that the process should end with
// the code, as after --help and on errors.
func parse(args []string, out, errOut io.Writer) (config console.Config, code int, done bool) {
	var o options
	ended := false
	parser, err := kong.New(&o,
		kong.Name("ksqlgo-cli"),
		kong.Description("The console of ksqlgo and ksqlDB."),
		kong.UsageOnError(),
		kong.Writers(out, errOut),
		kong.Exit(func(int) { ended = true }),
		kong.Vars{"formats": formatNames()},
	)
	if err != nil {
		fmt.Fprintln(errOut, err)
		return config, console.ExitUsage, true
	}
	_, err = parser.Parse(args)
	switch {
	case ended: // --help has been printed
		return config, console.ExitOK, true
	case err == nil && o.Version:
		fmt.Fprintln(out, "ksqlgo-cli", version())
		return config, console.ExitOK, true
	case err == nil:
		config, err = o.config()
	}
	if err != nil {
		fmt.Fprintln(errOut, "ksqlgo-cli: error:", err)
		return config, console.ExitUsage, true
	}
	return config, console.ExitOK, false
}

func formatNames() string {
	names := make([]string, 0, len(render.Formats()))
	for _, f := range render.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// variableName is what ${…} can name.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_@]*$`)

func (o *options) config() (console.Config, error) {
	config := console.Config{
		Server:       client.Config{URL: o.URL, User: o.User, Password: o.Password, Token: o.Token},
		Execute:      o.Execute,
		File:         o.File,
		RowLimit:     o.QueryRowLimit,
		QueryTimeout: time.Duration(o.QueryTimeout) * time.Millisecond,
		HistoryFile:  o.HistoryFile,
		Variables:    map[string]string{},
		Version:      version(),
	}
	var err error
	if config.Format, err = render.ParseFormat(o.Output); err != nil {
		return config, err
	}
	if o.Execute != "" && o.File != "" {
		return config, errors.New("-e and -f cannot be used together")
	}
	if o.QueryRowLimit < 0 || o.QueryTimeout < 0 {
		return config, errors.New("limits cannot be negative")
	}
	for _, definition := range o.Define {
		name, value, ok := strings.Cut(definition, "=")
		if !ok || !variableName.MatchString(name) {
			return config, fmt.Errorf("-d %s: a definition reads name=value", definition)
		}
		config.Variables[name] = value
	}
	if o.ConfigFile != "" {
		config.Properties, err = console.ReadProperties(o.ConfigFile)
	}
	return config, err
}

// askPassword asks on the terminal for a password that is missing.
func askPassword(config *console.Config) error {
	if config.Server.User == "" || config.Server.Password != "" || !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	fd := int(os.Stdin.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return err
	}
	leave := make(chan os.Signal, 1) // the terminal does not echo meanwhile
	signal.Notify(leave, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(leave)
	asked := make(chan struct{})
	defer close(asked)
	go func() {
		select {
		case <-leave:
			_ = term.Restore(fd, state)
			os.Exit(console.ExitInterrupted)
		case <-asked:
		}
	}()
	fmt.Fprint(os.Stderr, "Password: ")
	password, err := term.ReadPassword(fd)
	fmt.Fprintln(os.Stderr)
	config.Server.Password = string(password)
	return err
}
