package acceptance

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// runTutorial runs statements.sql with input.json and output.json, as ksqlgo test does.
func runTutorial(ctx context.Context, dir string) error {
	t, err := sqltest.LoadRunner(sqltest.RunnerFiles{
		Statements: filepath.Join(dir, "statements.sql"), Input: filepath.Join(dir, "input.json"), Output: filepath.Join(dir, "output.json"),
	}, sqltest.Options{})
	if err != nil {
		return err
	}
	if f := t.Run(ctx); f != nil {
		return errors.New(f.Error())
	}
	return nil
}
