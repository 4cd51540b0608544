package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// commandListCommand lists the log.
type commandListCommand struct {
	commandTarget
	Output string `help:"table or json." default:"table" enum:"table,json"`
}

// Run implements the command.
func (c *commandListCommand) Run(io *streams) error {
	ctx, topic, done, err := c.open(io)
	if err != nil {
		return err
	}
	defer done()
	in, err := inspect(ctx, topic)
	if err != nil {
		return err
	}
	list := listed(in)
	if c.Output == "json" {
		e := json.NewEncoder(io.out)
		e.SetIndent("", "  ")
		return e.Encode(list)
	}
	return printCommands(io.out, in, list)
}

// listedCommand is a record as it is listed.
type listedCommand struct {
	Offset int64  `json:"offset"`
	Time   string `json:"time"`
	ID     string `json:"id"`
	Action string `json:"action,omitempty"`
	// State is applied, skipped, undecodable or unapplied.
	State string `json:"state"`
	// Problem says why a record cannot be decoded.
	Problem   string `json:"problem,omitempty"`
	Statement string `json:"statement,omitempty"`
}

// listed are the records but those that only fill gaps.
func listed(in *commandlog.Inspection) []listedCommand {
	list := []listedCommand{}
	for i := range in.Records {
		r := &in.Records[i]
		l := listedCommand{Offset: r.Offset, Time: time.UnixMilli(r.Timestamp).UTC().Format(time.RFC3339), ID: r.ID, State: string(r.State)}
		if r.Problem != nil {
			l.Problem = r.Problem.Error()
		}
		if r.Command != nil {
			if r.Command.Action == commandlog.Filler {
				continue
			}
			l.Action, l.Statement = string(r.Command.Action), r.Command.Statement
		}
		list = append(list, l)
	}
	return list
}

// printCommands prints a table, one line a record.
func printCommands(out io.Writer, in *commandlog.Inspection, list []listedCommand) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OFFSET\tTIME\tSTATE\tID\tSTATEMENT")
	undecodable := int64(-1)
	for _, l := range list {
		text := firstLine(l.Statement)
		if l.Problem != "" {
			text = firstLine(l.Problem)
		}
		if l.State == string(commandlog.UndecodableRecord) && undecodable < 0 {
			undecodable = l.Offset
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", l.Offset, l.Time, l.State, l.ID, text)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d records in %s, which ends at offset %d\n", len(list), in.Header.Topic, in.End)
	if undecodable >= 0 {
		fmt.Fprintf(out, "Servers of this version are DEGRADED: they apply nothing from offset %d on. Upgrade them if a newer one wrote the record; "+
			"otherwise: ksqlgo command skip %d\n", undecodable, undecodable)
	}
	return nil
}
