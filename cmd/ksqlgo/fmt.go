package main

import (
	"fmt"
	"io"
	"os"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/format"
)

// fmtCommand formats SQL files.
type fmtCommand struct {
	Files []string `arg:"" optional:"" help:"Files to format; - or none reads standard input." type:"path"`
	Write bool     `short:"w" help:"Write the result back to the files."`
	Check bool     `help:"Only say which files are not formatted; exit 1 if any."`
}

// Run implements the command.
func (c *fmtCommand) Run(s *streams) error {
	if len(c.Files) == 0 {
		b, err := io.ReadAll(s.in)
		if err != nil {
			return err
		}
		text, err := format.Format(string(b))
		if err != nil {
			return fmt.Errorf("%s", diag.Render(err, string(b)))
		}
		fmt.Fprint(s.out, text)
		return nil
	}
	unformatted := false
	for _, file := range c.Files {
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text, err := format.Format(string(b))
		if err != nil {
			return fmt.Errorf("%s: %s", file, diag.Render(err, string(b)))
		}
		switch {
		case c.Check && text != string(b):
			fmt.Fprintln(s.out, file)
			unformatted = true
		case c.Check:
		case c.Write && text != string(b):
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				return err
			}
		case !c.Write:
			fmt.Fprint(s.out, text)
		}
	}
	if unformatted {
		return &exitError{code: 1}
	}
	return nil
}
