package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ksqlgo/ksqlgo/cmd/internal/console"
	"github.com/ksqlgo/ksqlgo/cmd/internal/render"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/grammar/token"
	"github.com/ksqlgo/ksqlgo/queries"
	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// demoCommand runs a program of the gallery on an ephemeral server and checks what comes out.
type demoCommand struct {
	Program string        `arg:"" optional:"" help:"Program of the gallery." default:"retail_inventory"`
	Once    bool          `help:"End after the program even on a terminal."`
	Timeout time.Duration `help:"How long to wait for the rows." default:"30s"`
}

// Run implements the command.
func (c *demoCommand) Run(io *streams) error {
	program, err := queries.Load(c.Program)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	began := time.Now()
	s, err := server.Start(starting, server.Config{FreePorts: true,
		Logger: slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: slog.LevelError}))})
	cancel()
	if err != nil {
		return err
	}
	defer s.Close()
	announce(io.out, s, "", time.Since(began))
	cl, err := client.New(client.Config{URL: s.URL()})
	if err != nil {
		return err
	}
	defer cl.Close()
	d := &demo{out: io, server: s, client: cl, program: program, style: render.Colors(isTerminalWriter(io.out) && os.Getenv("NO_COLOR") == "")}
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	err = d.run(limited)
	cancel()
	if err != nil {
		return err
	}
	if c.Once || !isTerminal(io.in) || !isTerminalWriter(io.out) {
		return nil
	}
	// From here on Ctrl-C is the console's: it ends a query, not the server.
	stop()
	ended, stopEnded := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stopEnded()
	fmt.Fprintf(io.out, "\nThe server runs on. Try the queries of the program's README, SHOW QUERIES; or DESCRIBE INVENTORYTABLE EXTENDED;\n\n")
	if code := console.Run(ended, console.Config{Server: client.Config{URL: s.URL()}, Version: server.Version}); code != 0 {
		return &exitError{code: code}
	}
	return nil
}

// demo is one run of a program.
type demo struct {
	out     *streams
	server  *server.Server
	client  *client.Client
	program *queries.Program
	style   render.Style
	// tables are the tables the program makes, in order.
	tables []string
}

func (d *demo) printf(format string, args ...any) { fmt.Fprintf(d.out.out, format, args...) }

func (d *demo) run(ctx context.Context) error {
	for _, f := range d.program.Files {
		if err := d.statements(ctx, f); err != nil {
			return err
		}
	}
	watching, err := d.watch(ctx)
	if err != nil {
		return err
	}
	for i, step := range d.program.Steps {
		if err := d.feed(ctx, i, step); err != nil {
			return err
		}
	}
	<-watching
	if err := d.checks(ctx); err != nil {
		return err
	}
	return d.accounting(ctx)
}

// statements runs a file statement by statement and shows each.
func (d *demo) statements(ctx context.Context, f queries.File) error {
	d.printf("\n%s\n", d.style.Bold("-- "+f.Name))
	for _, p := range token.Split(f.SQL) {
		d.printf("%s\n", p.Text)
		entities, err := d.client.Execute(ctx, client.Request{SQL: p.Text, Properties: api.Properties{"auto.offset.reset": "earliest"}})
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		for _, e := range entities {
			if status, ok := e.(*api.CommandStatusEntity); ok {
				d.printf("%s\n", d.style.Dim("  => "+status.CommandStatus.Message))
				if name, ok := strings.CutPrefix(status.CommandID, "table/`"); ok {
					d.tables = append(d.tables, strings.TrimSuffix(name, "`/create"))
				}
			}
		}
	}
	return nil
}

// shownRows is how many rows of the push query are shown.
const shownRows = 8

// watch starts a push query on the program's first table and shows its rows as they come.
func (d *demo) watch(ctx context.Context) (done chan struct{}, err error) {
	done = make(chan struct{})
	if len(d.tables) == 0 {
		close(done)
		return done, nil
	}
	sql := fmt.Sprintf("SELECT * FROM `%s` EMIT CHANGES LIMIT %d;", d.tables[0], shownRows)
	d.printf("\n%s\n%s\n", d.style.Bold("-- push query: rows as they come"), sql)
	rows, err := d.client.Query(ctx, client.Request{SQL: sql, Properties: api.Properties{"auto.offset.reset": "earliest"}})
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(done)
		defer rows.Close()
		for row, err := range rows.All() {
			if err != nil {
				d.printf("  push query: %v\n", err)
				return
			}
			d.printf("  %s\n", joined(row.Values))
		}
		d.printf("%s\n", d.style.Dim("  => "+rows.Final()))
	}()
	return done, nil
}

func joined(values []json.RawMessage) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = render.Text(v)
	}
	return strings.Join(parts, " | ")
}

// feed produces the records of a step to Kafka.
func (d *demo) feed(ctx context.Context, n int, step queries.Step) error {
	if n > 0 {
		// What came before, tables, say, is to be there when this comes.
		if err := d.caughtUp(ctx); err != nil {
			return err
		}
	}
	counts, err := produce(ctx, d.server.Kafka(), step)
	if err != nil {
		return err
	}
	for _, c := range counts {
		d.printf("%s\n", d.style.Dim("  fed "+c))
	}
	return nil
}

// produce writes a step's records to their topics and tells how many went to each.
func produce(ctx context.Context, cluster *kafka.Cluster, step queries.Step) ([]string, error) {
	names := map[string]int{}
	for _, r := range step.Records {
		names[r.Topic]++
	}
	var list []string
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	infos, err := cluster.Admin().Topics(ctx, list...)
	if err != nil {
		return nil, err
	}
	producer, err := cluster.NewProducer(ctx, kafka.ProducerConfig{Name: "demo"})
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	for _, r := range step.Records {
		producer.Produce(r.Topic, kafka.PartitionForKey(r.Key, infos[r.Topic].Partitions), r.Key, r.Value, r.Timestamp, nil)
	}
	if err := producer.Flush(ctx); err != nil {
		return nil, err
	}
	var counts []string
	for _, name := range list {
		counts = append(counts, fmt.Sprintf("%d records to %s (%d partitions)", names[name], name, infos[name].Partitions))
	}
	return counts, nil
}

// pollEvery is how often the state of the queries is asked for while waiting.
const pollEvery = 20 * time.Millisecond

// caughtUp waits until every query has read what there is.
func (d *demo) caughtUp(ctx context.Context) error {
	for {
		behind, err := d.behind(ctx)
		if err != nil || behind == 0 {
			return err
		}
		if err := pause(ctx, pollEvery); err != nil {
			return fmt.Errorf("the queries are still %d records behind: %w", behind, err)
		}
	}
}

// behind sums the lags of all queries, as DESCRIBE EXTENDED tells them.
func (d *demo) behind(ctx context.Context) (int64, error) {
	entities, err := d.client.Execute(ctx, client.Request{SQL: "DESCRIBE STREAMS EXTENDED; DESCRIBE TABLES EXTENDED;"})
	if err != nil {
		return 0, err
	}
	var lag int64
	for _, e := range entities {
		list, ok := e.(*api.SourceDescriptionList)
		if !ok {
			continue
		}
		for _, s := range list.SourceDescriptions {
			for _, q := range s.QueryOffsetSummaries {
				for _, t := range q.TopicSummaries {
					for _, o := range t.Offsets {
						lag += max(o.LogEndOffset-o.ConsumerOffset, 0)
					}
				}
			}
		}
	}
	return lag, nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// checks asks the program's queries until they give the expected rows, and shows them.
func (d *demo) checks(ctx context.Context) error {
	for _, c := range d.program.Checks {
		rows, columns, err := d.expect(ctx, c)
		d.printf("\n%s\n%s\n", d.style.Bold("-- pull query"), c.Query)
		if err != nil {
			return err
		}
		d.show(columns, rows)
		d.printf("%s\n", d.style.Dim(fmt.Sprintf("  => %d rows, as expected", len(rows))))
	}
	return nil
}

// expect repeats a query until its rows are the expected ones or ctx ends.
func (d *demo) expect(ctx context.Context, c queries.Check) (rows []string, columns []string, err error) {
	var want []string
	for _, r := range c.Rows {
		want = append(want, canonical(r))
	}
	if !c.Ordered {
		slices.Sort(want)
	}
	for {
		rows, columns, err = d.ask(ctx, c)
		if err == nil && slices.Equal(rows, want) {
			return rows, columns, nil
		}
		if ended := pause(ctx, pollEvery); ended != nil {
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				return nil, nil, err
			}
			return nil, nil, fmt.Errorf("%s\ngave other rows than expected:\n%s", c.Query, difference(rows, want))
		}
	}
}

func (d *demo) ask(ctx context.Context, c queries.Check) (rows []string, columns []string, err error) {
	answer, err := d.client.Query(ctx, client.Request{SQL: c.Query})
	if err != nil {
		return nil, nil, err
	}
	defer answer.Close()
	for _, col := range answer.Columns {
		columns = append(columns, col.Name)
	}
	for row, err := range answer.All() {
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, canonical(row.Values))
	}
	if !c.Ordered {
		slices.Sort(rows)
	}
	return rows, columns, nil
}

// canonical is a row as text, numbers as they are written.
func canonical(values []json.RawMessage) string {
	parts := make([]string, len(values))
	for i, v := range values {
		var b bytes.Buffer
		if json.Compact(&b, v) != nil {
			b.Write(v)
		}
		parts[i] = b.String()
	}
	return strings.Join(parts, " | ")
}

// difference lists what is missing and what is too much, a few of each.
func difference(have, want []string) string {
	var b strings.Builder
	count := map[string]int{}
	for _, w := range want {
		count[w]++
	}
	for _, h := range have {
		count[h]--
	}
	shown := 0
	for _, row := range slices.Concat(want, have) {
		if n := count[row]; n != 0 && shown < 10 {
			shown++
			fmt.Fprintf(&b, "  %+d %s\n", -n, row)
			count[row] = 0
		}
	}
	fmt.Fprintf(&b, "  (%d rows, %d expected; -1 is missing, +1 is too much)", len(have), len(want))
	return b.String()
}

// show prints a few rows as a table.
func (d *demo) show(columns []string, rows []string) {
	const most = 12
	cells := [][]string{columns}
	for i, r := range rows {
		if i == most {
			break
		}
		cells = append(cells, strings.Split(r, " | "))
	}
	widths := make([]int, len(columns))
	for _, line := range cells {
		for i, c := range line {
			widths[i] = max(widths[i], len(c))
		}
	}
	for n, line := range cells {
		for i, c := range line {
			if n == 0 {
				c = d.style.Bold(c) + strings.Repeat(" ", widths[i]-len(c))
				d.printf("  %s", c)
				continue
			}
			d.printf("  %-*s", widths[i], c)
		}
		d.printf("\n")
	}
	if len(rows) > most {
		d.printf("  … and %d more\n", len(rows)-most)
	}
}

// accounting shows for each table what became of the records its query read; the sum must close.
func (d *demo) accounting(ctx context.Context) error {
	if err := d.caughtUp(ctx); err != nil {
		return err
	}
	for _, table := range d.tables {
		entities, err := d.client.Execute(ctx, client.Request{SQL: "DESCRIBE `" + table + "` EXTENDED;"})
		if err != nil {
			return err
		}
		for _, e := range entities {
			if s, ok := e.(*api.SourceDescriptionEntity); ok {
				if err := d.account(table, s.SourceDescription.ClusterStatistics); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (d *demo) account(table string, stats []api.QueryHostStat) error {
	d.printf("\n%s\n", d.style.Bold("-- accounting of "+table))
	values := map[string]int64{}
	for _, s := range stats {
		name := s.Name[strings.LastIndexByte(s.Name, '.')+1:]
		values[name] = int64(s.Value)
		d.printf("  %-28s %8.0f\n", name, s.Value)
	}
	sum := values["records-emitting"] + values["records-filtered"] + values["records-merged-into-state"] + values["records-late"] +
		values["records-null-key"] + values["records-failed"]
	if sum != values["records-read"] {
		return fmt.Errorf("the accounting of %s does not close: %d read, %d accounted for", table, values["records-read"], sum)
	}
	d.printf("%s\n", d.style.Dim(fmt.Sprintf("  => every one of the %d records read is accounted for", sum)))
	return nil
}
