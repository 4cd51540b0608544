//go:build unix

package repl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// childMark makes the test binary run a prompt, so that it has a terminal of
// its own; its value says how the child is to fail.
const childMark = "KSQLGO_REPL_TEST_CHILD"

func TestMain(m *testing.M) {
	if how := os.Getenv(childMark); how != "" {
		child(how)
	}
	os.Exit(m.Run())
}

// clumsy is a Handler that panics when it is told to.
type clumsy struct{}

func (clumsy) IsCommand(line string) bool { return line == "quit" }

func (clumsy) Execute(_ context.Context, text string) bool {
	if strings.HasPrefix(text, "PANIC") {
		panic("a handler panicked")
	}
	return true
}

func child(how string) {
	config := Config{In: os.Stdin, Out: os.Stdout, Prompt: "test> ", Continuation: "> ", Handler: clumsy{}}
	if how == "completer" {
		config.Catalog = func() *Catalog { panic("a completer panicked") }
	}
	err := Run(context.Background(), config)
	if errors.Is(err, ErrClosed) {
		os.Exit(3)
	}
	os.Exit(0)
}

// TestTerminalIsRestoredAfterAPanic holds it for a panic while a key is handled,
// when the terminal is raw, and for one while a statement runs.
func TestTerminalIsRestoredAfterAPanic(t *testing.T) {
	tests := map[string]struct {
		how, keys string
		panics    bool
	}{
		"in the completer": {"completer", "S", true},
		"in the handler":   {"handler", "PANIC;\r", true},
		"none":             {"handler", "quit\r", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			control, tty, err := pty.Open()
			if err != nil {
				t.Skipf("no pseudo terminal to be had: %v", err)
			}
			defer control.Close()
			defer tty.Close()
			if err := pty.Setsize(control, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
				t.Fatal(err)
			}
			before := state(t, tty)
			var failure strings.Builder
			command := exec.Command(os.Args[0])
			command.Env = append(os.Environ(), childMark+"="+test.how, "TERM=xterm")
			command.Stdin, command.Stdout, command.Stderr = tty, tty, &failure
			command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			killer := time.AfterFunc(20*time.Second, func() { _ = command.Process.Kill() })
			defer killer.Stop()
			awaitPrompt(t, control)
			raw := state(t, tty)
			if *raw == *before {
				t.Error("the terminal is not raw at the prompt")
			}
			fmt.Fprint(control, test.keys)
			go drainAll(control)
			_ = command.Wait()
			if got := strings.Contains(failure.String(), "panicked"); got != test.panics {
				t.Errorf("panicked: %v\n%s", got, failure.String())
			}
			if after := state(t, tty); *after != *before {
				t.Errorf("the terminal was not restored\nbefore %+v\nafter  %+v", *before, *after)
			}
		})
	}
}

func state(t *testing.T, tty *os.File) *term.State {
	t.Helper()
	s, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// awaitPrompt reads what the child shows up to the prompt.
func awaitPrompt(t *testing.T, control *os.File) {
	t.Helper()
	var shown strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(shown.String(), "test> ") {
		n, err := control.Read(buf)
		if err != nil {
			t.Fatalf("no prompt: %v\n%s", err, shown.String())
		}
		shown.Write(buf[:n])
	}
}

func drainAll(control *os.File) {
	buf := make([]byte, 4096)
	for {
		if _, err := control.Read(buf); err != nil {
			return
		}
	}
}
