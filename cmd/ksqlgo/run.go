package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"syscall"

	"github.com/ksqlgo/ksqlgo/cmd/internal/apply"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// runCommand applies query files.
type runCommand struct {
	Paths  []string `arg:"" help:"Query files, or folders of them (*.sql; files of ksqlgo test are left out)." type:"path"`
	Server string   `help:"URL of the server; without it a server is started with everything embedded, and stays until a signal ends it."`
	// The embedded server's settings.
	DataDir   string `help:"Data directory of the embedded server; in memory without it." type:"path"`
	FreePorts bool   `help:"Take free ports when the usual ones are taken."`
	Once      bool   `help:"End the embedded server once the files are applied."`
	DryRun    bool   `help:"Only show the order in which statements would be applied."`
}

// Run implements the command.
func (c *runCommand) Run(io *streams) error {
	files, err := readFiles(c.Paths)
	if err != nil {
		return err
	}
	steps, skipped, err := apply.Plan(files)
	if err != nil {
		return err
	}
	for _, s := range skipped {
		fmt.Fprintf(io.err, "skipped: %s:%d only reads\n", s.File, s.Line)
	}
	if c.DryRun {
		for _, s := range steps {
			fmt.Fprintf(io.out, "%s:%d  %s\n", s.File, s.Line, firstLine(s.SQL))
		}
		return nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	url := c.Server
	if url == "" {
		starting, cancel := context.WithTimeout(ctx, startTimeout)
		s, err := server.Start(starting, server.Config{DataDir: c.DataDir, FreePorts: c.FreePorts,
			SchemaRegistryListener: server.DefaultSchemaRegistryListener, SchemaRegistryOptional: true,
			Logger: slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: slog.LevelWarn}))})
		cancel()
		if err != nil {
			return err
		}
		defer s.Close()
		url = s.URL()
		fmt.Fprintf(io.err, "server on %s, Kafka on %v\n", url, s.BootstrapServers())
	}
	cl, err := client.New(client.Config{URL: url})
	if err != nil {
		return err
	}
	defer cl.Close()
	counts := map[apply.Outcome]int{}
	a := &apply.Applier{Client: cl, Report: func(s *apply.Step, o apply.Outcome, message string) {
		counts[o]++
		fmt.Fprintf(io.out, "%-9s  %s:%d  %s", o, s.File, s.Line, firstLine(s.SQL))
		if message != "" {
			fmt.Fprintf(io.out, "  (%s)", message)
		}
		fmt.Fprintln(io.out)
	}}
	if err := a.Run(ctx, steps); err != nil {
		return err
	}
	fmt.Fprintf(io.out, "%d created, %d unchanged, %d rows inserted\n", counts[apply.Created], counts[apply.Unchanged]+counts[apply.NotInserted], counts[apply.Inserted])
	if c.Server == "" && !c.Once {
		<-ctx.Done()
	}
	return nil
}

// readFiles reads query files; those of a folder in the order of their names, without those that are tests.
func readFiles(paths []string) ([]apply.File, error) {
	var names []string
	inFolder := map[string]bool{}
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			names = append(names, p)
			continue
		}
		var found []string
		err = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(path) == ".sql" {
				found = append(found, path)
				inFolder[path] = true
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		sort.Strings(found)
		names = append(names, found...)
	}
	if len(names) == 0 {
		return nil, errors.New("no .sql files there")
	}
	var files []apply.File
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			return nil, err
		}
		if inFolder[n] && sqltest.IsTest(n, string(b)) {
			continue
		}
		files = append(files, apply.File{Name: n, SQL: string(b)})
	}
	return files, nil
}
