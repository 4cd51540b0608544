package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ksqlgo/ksqlgo/server/commandlog"
)

// commandBackupCommand writes the log to a file.
type commandBackupCommand struct {
	commandTarget
	File  string `arg:"" help:"File to write." type:"path"`
	Force bool   `help:"Replace a file that exists."`
}

// Run implements the command.
func (c *commandBackupCommand) Run(io *streams) error {
	if _, err := os.Stat(c.File); err == nil && !c.Force {
		return fmt.Errorf("%s exists; name another file, or use --force", c.File)
	}
	ctx, topic, done, err := c.open(io)
	if err != nil {
		return err
	}
	defer done()
	in, err := inspect(ctx, topic)
	if err != nil {
		return err
	}
	if err := saveBackup(c.File, in); err != nil {
		return err
	}
	fmt.Fprintf(io.out, "%s has the %d records of %s, up to offset %d.\n", c.File, len(in.Records), in.Header.Topic, in.End)
	return nil
}

// saveBackup writes a backup whole or not at all.
func saveBackup(path string, in *commandlog.Inspection) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	w := bufio.NewWriter(f)
	if err := commandlog.WriteBackup(w, in); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
