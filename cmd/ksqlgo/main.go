// Command ksqlgo is the whole product in one binary: server, embedded broker, console, demo and tools.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/ksqlgo/ksqlgo/server"
)

// cli is the command line; each command is in a file of its own.
type cli struct {
	Server  serverCommand  `cmd:"" default:"withargs" help:"Run a server; without --bootstrap-servers everything is embedded. The default command: on a terminal it opens the console."`
	Demo    demoCommand    `cmd:"" help:"Run the retail inventory program on a server of its own and check what comes out."`
	Run     runCommand     `cmd:"" help:"Apply query files to a server, in the order of their dependencies; what is in force already stays."`
	Cluster clusterCommand `cmd:"" help:"Show the servers of a service and their tasks; drain a server; wait until all is ready."`
	Command commandCommand `cmd:"" help:"Look at and repair the command log: list, skip, backup, restore."`
	Broker  brokerCommand  `cmd:"" help:"Run the embedded Kafka broker alone."`
	Test    testCommand    `cmd:"" help:"Run query tests, in the forms of both of ksqlDB's tools; no server is needed. Exit code 0: all passed; 1: some failed; 2: usage or files; 130: interrupted."`
	Fmt     fmtCommand     `cmd:"" help:"Format SQL files, comments kept."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// streams are what a command reads and writes.
type streams struct {
	in       *os.File
	out, err io.Writer
}

// exitError ends the program with a code; an empty message was reported already.
type exitError struct {
	code    int
	message string
}

func (e *exitError) Error() string { return e.message }

func main() { os.Exit(run(os.Args[1:], &streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})) }

// run is main with the exit code as its result, so that deferred calls come before the end.
func run(args []string, io *streams) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("ksqlgo"), kong.Description("Streaming SQL over Kafka: ksqlDB's language, one binary."),
		kong.UsageOnError(), kong.Writers(io.out, io.err), kong.Exit(func(code int) { exited = code }), kong.Bind(io), kong.DefaultEnvars("KSQLGO"),
		kong.Vars{"server": server.DefaultListener})
	if err != nil {
		fmt.Fprintln(io.err, err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(io.err, "ksqlgo: %v\n", err)
		return 2
	}
	if err := parsed.Run(); err != nil {
		var exit *exitError
		if errors.As(err, &exit) {
			if exit.message != "" {
				fmt.Fprintf(io.err, "ksqlgo: %s\n", exit.message)
			}
			return exit.code
		}
		fmt.Fprintf(io.err, "ksqlgo: %v\n", err)
		return 1
	}
	return 0
}
