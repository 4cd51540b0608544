package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/ksqlgo/ksqlgo/cmd/internal/render"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// clusterCommand shows the servers of a service and moves their tasks.
type clusterCommand struct {
	Show      clusterShowCommand  `cmd:"" default:"withargs" help:"Show the servers and the tasks of all queries (the default)."`
	Drain     clusterDrainCommand `cmd:"" help:"Give all tasks of a server to the others, so that it can be stopped without a pause. Exit code 0: it may be stopped; 3: time ran out, it goes on draining; 1: it cannot be drained."`
	WaitReady clusterWaitCommand  `cmd:"" help:"Wait until all servers answer, all tasks run, all standbys are complete and the command log is applied: before the next step of a rolling restart. Exit code 0: ready; 3: time ran out; 1: it cannot be told."`
}

// exitTimeout is the exit code when the time is up.
const exitTimeout = 3

// serverFlag names the server to talk to.
type serverFlag struct {
	Server string `help:"URL of a server of the service." default:"${server}"`
}

// connect makes a client and a context that a signal ends.
func (f *serverFlag) connect() (*client.Client, context.Context, func(), error) {
	url := f.Server
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	cl, err := client.New(client.Config{URL: url})
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	return cl, ctx, func() { stop(); cl.Close() }, nil
}

// clusterShowCommand prints the cluster once, or again and again.
type clusterShowCommand struct {
	serverFlag
	Output   string        `help:"table, json, ndjson or csv (the tasks)." default:"table" enum:"table,json,ndjson,csv"`
	Query    string        `help:"Show the tasks of this query alone."`
	Watch    bool          `help:"Print again and again."`
	Interval time.Duration `help:"Pause between two prints of --watch." default:"1s"`
}

// Run implements the command.
func (c *clusterShowCommand) Run(io *streams) error {
	cl, ctx, done, err := c.connect()
	if err != nil {
		return err
	}
	defer done()
	p := c.printer(io)
	if !c.Watch {
		return c.print(ctx, cl, p)
	}
	tick := time.NewTicker(max(c.Interval, 10*time.Millisecond))
	defer tick.Stop()
	for {
		err := c.frame(ctx, cl, p, io.out)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			p.Error(err.Error(), "")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (c *clusterShowCommand) print(ctx context.Context, cl *client.Client, p *render.Printer) error {
	state, err := cl.Cluster(ctx)
	if err != nil {
		return err
	}
	return p.Cluster(state, c.Query)
}

// frame prints once for --watch: on a terminal in place of the last print, in one piece so that it does not flicker.
func (c *clusterShowCommand) frame(ctx context.Context, cl *client.Client, p *render.Printer, out io.Writer) error {
	if !isTerminalWriter(out) || p.Format.Machine() {
		return c.print(ctx, cl, p)
	}
	var text strings.Builder
	into := *p
	into.Out = &text
	err := c.print(ctx, cl, &into)
	const home, clearLine, clearBelow = "\x1b[H", "\x1b[K", "\x1b[J"
	frame := strings.ReplaceAll(text.String(), "\n", clearLine+"\n")
	_, writeErr := fmt.Fprintf(out, "%s%s%s\n%s%s", home, time.Now().Format(time.TimeOnly), clearLine, frame, clearBelow)
	return errors.Join(err, writeErr)
}

func (c *clusterShowCommand) printer(io *streams) *render.Printer {
	return &render.Printer{Out: io.out, Notes: io.err, Style: render.Colors(colours(io.out)),
		Format: map[string]render.Format{"table": render.Tabular, "json": render.JSON, "ndjson": render.NDJSON, "csv": render.CSV}[c.Output],
		Screen: func() int {
			f, ok := io.out.(*os.File)
			if !ok {
				return 0
			}
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 0
			}
			return width
		}}
}

// colours says whether to colour what is written.
func colours(w io.Writer) bool {
	_, off := os.LookupEnv("NO_COLOR")
	return !off && isTerminalWriter(w)
}

// clusterDrainCommand empties a server.
type clusterDrainCommand struct {
	serverFlag
	Timeout time.Duration `help:"How long to wait." default:"10m"`
	Cancel  bool          `help:"End a drain: let the server have tasks again."`
}

// Run implements the command.
func (c *clusterDrainCommand) Run(io *streams) error {
	cl, ctx, done, err := c.connect()
	if err != nil {
		return err
	}
	defer done()
	if c.Cancel {
		if err := cl.EndDrain(ctx); err != nil {
			return err
		}
		fmt.Fprintf(io.out, "%s takes tasks again.\n", cl.URL())
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	began := time.Now()
	left := api.DrainProgress{Tasks: -1}
	err = cl.Drain(limited, func(p api.DrainProgress) {
		left = p
		if !p.Done {
			fmt.Fprintf(io.out, "%7.1f s  tasks still on the server: %d, of queries: %d\n", time.Since(began).Seconds(), p.Tasks, p.Queries)
		}
	})
	switch {
	case err == nil:
		fmt.Fprintf(io.out, "%7.1f s  The server has no tasks any more: it may be stopped.\n", time.Since(began).Seconds())
		return nil
	case ctx.Err() != nil:
		return &exitError{code: exitTimeout, message: "interrupted; the server goes on draining (ksqlgo cluster drain --cancel ends that)"}
	case limited.Err() != nil:
		return &exitError{code: exitTimeout, message: fmt.Sprintf("%d tasks are still on the server after %s; it goes on draining "+
			"(ksqlgo cluster shows how far it is, ksqlgo cluster drain --cancel ends it)", max(left.Tasks, 0), c.Timeout)}
	}
	return err
}

// clusterWaitCommand waits until everything is as it should be.
type clusterWaitCommand struct {
	serverFlag
	Timeout time.Duration `help:"How long to wait." default:"10m"`
	Servers int           `help:"How many servers there must be at least; one that was down for longer than its session timeout is known to nobody."`
}

// waitPoll is how often the cluster is looked at.
const waitPoll = 250 * time.Millisecond

// Run implements the command. A server that does not answer yet is waited for: it may be the one that was restarted.
func (c *clusterWaitCommand) Run(io *streams) error {
	cl, ctx, done, err := c.connect()
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	tick := time.NewTicker(waitPoll)
	defer tick.Stop()
	began, told, toldAt := time.Now(), "", time.Time{}
	for {
		state, err := cl.Cluster(ctx)
		var unreachable *client.UnreachableError
		var refused *client.Error
		reason := ""
		switch {
		case err == nil && len(state.Hosts) < c.Servers:
			reason = fmt.Sprintf("There are %d servers of %d.", len(state.Hosts), c.Servers)
		case err == nil && state.Ready:
			fmt.Fprintf(io.out, "%7.1f s  Ready: %d servers, %d queries.\n", time.Since(began).Seconds(), len(state.Hosts), len(state.Queries))
			return nil
		case err == nil:
			reason = firstOf(state.NotReady)
		case errors.As(err, &unreachable), errors.As(err, &refused) && refused.Code == api.CodeServerNotReady:
			reason, _, _ = strings.Cut(err.Error(), "\n")
		case ctx.Err() == nil:
			return err
		}
		if reason != "" && reason != told && time.Since(toldAt) > time.Second {
			told, toldAt = reason, time.Now()
			fmt.Fprintf(io.out, "%7.1f s  %s\n", time.Since(began).Seconds(), reason)
		}
		select {
		case <-ctx.Done():
			return &exitError{code: exitTimeout, message: "not ready after " + time.Since(began).Round(time.Second).String() + ": " + told}
		case <-tick.C:
		}
	}
}

// firstOf is the first of several reasons, and how many there are.
func firstOf(reasons []string) string {
	if len(reasons) == 1 {
		return reasons[0]
	}
	return fmt.Sprintf("%s (and %d more)", reasons[0], len(reasons)-1)
}
