package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/tests/apache"
	"github.com/ksqlgo/ksqlgo/tests/process"
)

// programs is the folder of the binaries; build builds them once.
var (
	programs string
	build    = sync.OnceValue(func() error { return process.Build(programs, "cmd/ksqlgo", "cmd/ksqlgo-cli") })
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "ksqlgo-e2e"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	return m.Run()
}

// TestScripts runs the command lines of testdata/script. $SERVER is the URL of a server of the script's own.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the binaries")
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	limit := time.Minute
	if apache.Wanted(t) {
		limit = 5 * time.Minute
	}
	ctx := within(t, 2*limit)
	testscript.Run(t, testscript.Params{
		Dir:      filepath.Join("testdata", "script"),
		Deadline: time.Now().Add(limit),
		Setup: func(env *testscript.Env) error {
			cfg := server.Config{Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0"}
			if apache.Wanted(t) {
				k, err := apache.Launch(filepath.Join(env.WorkDir, ".kafka"), apache.Options{})
				if errors.Is(err, apache.ErrUnavailable) {
					env.T().Skip("SKIPPED:", err)
				}
				if err != nil {
					return err
				}
				env.Defer(k.Close)
				cfg.BootstrapServers = k.BootstrapServers()
			}
			s, err := server.Start(ctx, cfg)
			if err != nil {
				return err
			}
			env.Defer(s.Close)
			env.Setenv("SERVER", s.URL())
			env.Setenv("KAFKA", s.BootstrapServers()[0])
			env.Setenv("PATH", programs+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
	})
}
