// Command ksqlgo-cli is ksqlDB's console on its own: it talks to a server by
// the REST API.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/ksqlgo/ksqlgo/cmd/internal/console"
)

func main() { os.Exit(run(os.Args[1:])) }

// run is main with the exit code as its result, so that deferred calls, which
// restore the terminal, come before the end.
func run(args []string) int {
	config, code, done := parse(args, os.Stdout, os.Stderr)
	if done {
		return code
	}
	if err := askPassword(&config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return console.ExitUsage
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var by os.Signal
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case by = <-ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	if !config.Interactive() {
		interrupted := make(chan os.Signal, 1)
		signal.Notify(interrupted, os.Interrupt)
		config.Interrupted = interrupted
	}
	code = console.Run(ctx, config)
	cancel()
	<-watched
	if number, ok := by.(syscall.Signal); ok {
		return 128 + int(number) // as shells say it
	}
	return code
}

// version is that of the module when it was built by "go install".
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "0.1.0-dev"
}
