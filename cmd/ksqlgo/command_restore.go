package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// commandRestoreCommand makes the topic anew from a backup.
type commandRestoreCommand struct {
	commandTarget
	File        string `arg:"" help:"Backup to restore: one of \"ksqlgo command backup\", or commands/….backup in a server's data directory." type:"existingfile"`
	Replication int16  `help:"Replication factor of the topic (default: the brokers')."`
	Force       bool   `help:"Also while servers run, and from a backup whose end is damaged."`
}

// Run implements the command.
func (c *commandRestoreCommand) Run(io *streams) error {
	stored, err := c.read(io)
	if err != nil {
		return err
	}
	ctx, topic, done, err := c.open(io)
	if err != nil {
		return err
	}
	defer done()
	if want := commandlog.TopicName(topic.ServiceID); stored.Header.Topic != want && !c.Force {
		return fmt.Errorf("%s is a backup of %s, not of %s: name its service with --service-id, or use --force to give its commands to another service",
			c.File, stored.Header.Topic, want)
	}
	if err := c.checkServers(ctx, topic); err != nil {
		return err
	}
	kept, err := c.keepPresent(ctx, topic)
	if err != nil {
		return err
	}
	topic.Replication = c.Replication
	end, err := commandlog.Restore(ctx, topic, stored)
	if err != nil {
		if kept != "" {
			err = fmt.Errorf("%w\nWhat the topic held before is in %s", err, kept)
		}
		return err
	}
	fmt.Fprintf(io.out, "%s has the %d records of %s again, at the offsets they had, and ends at offset %d.\n", commandlog.TopicName(topic.ServiceID),
		len(stored.Entries), c.File, end)
	if kept != "" {
		fmt.Fprintf(io.out, "What it held before is in %s.\n", kept)
	}
	fmt.Fprintln(io.out, "Start the servers. Those that wait in state CORRUPTED find the topic within seconds, and go on.")
	return nil
}

// read reads the backup before anything is touched.
func (c *commandRestoreCommand) read(io *streams) (*commandlog.StoredLog, error) {
	f, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	stored, err := commandlog.ReadBackup(f)
	var damaged *commandlog.DamagedError
	switch {
	case err == nil:
	case stored != nil && errors.As(err, &damaged) && c.Force:
		fmt.Fprintf(io.err, "ksqlgo: %s: %v; the %d records before that are restored\n", c.File, err, len(stored.Entries))
	case stored != nil && errors.As(err, &damaged):
		return nil, fmt.Errorf("%s: %w. --force restores the %d records before that", c.File, err, len(stored.Entries))
	default:
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	return stored, nil
}

// checkServers refuses to pull the log away from under servers that run queries.
func (c *commandRestoreCommand) checkServers(ctx context.Context, topic commandlog.KafkaTopicConfig) error {
	members, err := commandlog.RunningMembers(ctx, topic.Cluster, exec.GroupName(topic.ServiceID, ""))
	if err != nil {
		return err
	}
	if len(members) == 0 || c.Force {
		return nil
	}
	return fmt.Errorf("servers of %s run queries:\n  %s\nStop them first (one that was stopped is seen for as long as its session lasts, 10 s or so), "+
		"or use --force: they then take no statements until they have read the restored log", topic.ServiceID, strings.Join(members, "\n  "))
}

// keepPresent saves what the topic holds now beside the backup. It returns the file, none when there is no topic.
func (c *commandRestoreCommand) keepPresent(ctx context.Context, topic commandlog.KafkaTopicConfig) (string, error) {
	in, err := commandlog.Inspect(ctx, topic.Cluster, topic.ServiceID)
	var none *commandlog.CorruptedError
	if errors.As(err, &none) || err == nil && len(in.Records) == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	path := c.File + ".before-" + time.Now().UTC().Format("20060102T150405")
	return path, saveBackup(path, in)
}
