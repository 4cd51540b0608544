package main

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// commandSkipCommand takes a record out.
type commandSkipCommand struct {
	commandTarget
	Offset int64 `arg:"" help:"Offset of the record, as \"ksqlgo command list\" shows it."`
	Force  bool  `help:"Also take out a record that can be read: all servers then give up its effect."`
}

// Run implements the command.
func (c *commandSkipCommand) Run(io *streams) error {
	ctx, topic, done, err := c.open(io)
	if err != nil {
		return err
	}
	defer done()
	in, err := inspect(ctx, topic)
	if err != nil {
		return err
	}
	r, ok := in.At(c.Offset)
	switch {
	case !ok:
		return fmt.Errorf("there is no record at offset %d of %s; \"ksqlgo command list\" shows what there is", c.Offset, in.Header.Topic)
	case r.State == commandlog.SkippedRecord:
		fmt.Fprintf(io.out, "The record at offset %d is skipped already.\n", c.Offset)
		return nil
	case r.Command != nil && r.Command.Action == commandlog.Skip:
		return fmt.Errorf("the record at offset %d skips the one at %d; that cannot be taken back. Restore a backup from before it instead", c.Offset, *r.Command.Target)
	case r.Command != nil && r.Command.Action == commandlog.TerminateCluster:
		return fmt.Errorf("the record at offset %d ends the service; that cannot be taken back: servers are removing what it had. "+
			"A backup can be restored, without its state", c.Offset)
	case r.Command != nil && !c.Force:
		return fmt.Errorf("the record at offset %d can be read: %s\nIf servers are degraded by it they are of an older version: upgrade them. "+
			"--force takes it out all the same, with what it created", c.Offset, firstLine(r.Command.Statement))
	}
	topic.MustExist = true
	t, err := commandlog.OpenKafkaTopic(ctx, topic)
	if err != nil {
		return err
	}
	defer t.Close()
	at, err := commandlog.WriteSkip(ctx, t, c.Offset)
	if err != nil {
		return err
	}
	fmt.Fprintf(io.out, "The record at offset %d is skipped, by the one at offset %d. Servers that run take note of it at once.\n", c.Offset, at)
	return nil
}
