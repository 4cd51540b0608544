package acceptance

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/tests/ratchet"
)

var update = flag.Bool("update", false, "take the programs that pass off the list of failing ones")

// programTimeout bounds one program.
const programTimeout = 30 * time.Second

func TestMain(m *testing.M) {
	flag.Parse()
	// The programs wait more than they compute.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = flag.Set("test.parallel", "6")
	}
	code := m.Run()
	if builtAt != "" {
		_ = os.RemoveAll(filepath.Dir(builtAt))
	}
	os.Exit(code)
}

// runFolder runs every program of a folder of ACCEPTANCE_DIR as a subtest.
func runFolder(t *testing.T, folder string, run func(ctx context.Context, dir string) error) {
	t.Helper()
	root := ratchet.Folder(t, "ACCEPTANCE_DIR", "acceptance", folder)
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	list := ratchet.Open(t, filepath.Join("testdata", "failing-"+folder+".txt"), "acceptance "+folder, *update)
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), programTimeout)
			defer cancel()
			list.Case(t, e.Name(), run(ctx, filepath.Join(root, e.Name())))
		})
	}
}

func TestTutorials(t *testing.T) { runFolder(t, "tutorials", runTutorial) }

func TestRecipes(t *testing.T) { runFolder(t, "recipes", withConsole(runRecipe)) }

func TestSessions(t *testing.T) { runFolder(t, "sessions", withConsole(runSession)) }

// withConsole gives a run the console's binary.
func withConsole(run func(ctx context.Context, cli, dir string) error) func(ctx context.Context, dir string) error {
	return func(ctx context.Context, dir string) error {
		cli, err := buildConsole()
		if err != nil {
			return err
		}
		return run(ctx, cli, dir)
	}
}
