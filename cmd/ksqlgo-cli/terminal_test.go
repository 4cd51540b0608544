//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ksqlgo/ksqlgo/cmd/internal/console/fakeksql"
)

// childMark makes the test binary be ksqlgo-cli, so that the console runs as a
// process of its own on a terminal of its own.
const childMark = "KSQLGO_CLI_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childMark) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// window is the console on a pseudo terminal.
type window struct {
	t       *testing.T
	control *os.File // what a terminal emulator holds
	tty     *os.File // what the console holds; kept to look at its settings
	command *exec.Cmd
	before  *term.State
	done    chan struct{}

	mu     sync.Mutex
	output strings.Builder
	grown  chan struct{}
}

// open starts the console on a terminal of 24 by 100.
func open(t *testing.T, args ...string) *window {
	t.Helper()
	control, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo terminal to be had: %v", err)
	}
	w := &window{t: t, control: closable(t, control), tty: tty, done: make(chan struct{}), grown: make(chan struct{}, 1)}
	w.resize(24, 100)
	w.before = w.settings()
	w.command = exec.Command(os.Args[0], args...)
	w.command.Env = append(os.Environ(), childMark+"=1", "TERM=xterm", "NO_COLOR=", "KSQLGO_HISTORY="+filepath.Join(t.TempDir(), "history"))
	w.command.Stdin, w.command.Stdout, w.command.Stderr = tty, tty, tty
	w.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := w.command.Start(); err != nil {
		t.Fatal(err)
	}
	go w.read()
	go func() {
		_ = w.command.Wait()
		close(w.done)
	}()
	t.Cleanup(func() {
		_ = w.command.Process.Kill()
		<-w.done
		w.tty.Close()
		w.control.Close()
		if t.Failed() {
			plain := w.plain()
			t.Logf("the terminal showed last:\n%s", plain[max(0, len(plain)-2000):])
		}
	})
	return w
}

// closable makes a file whose Close ends a Read that waits: package pty leaves
// it in blocking mode.
func closable(t *testing.T, file *os.File) *os.File {
	t.Helper()
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0) // no child may hold it
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), file.Name())
}

// resize changes the size of the window, as a user with a mouse would.
func (w *window) resize(rows, columns int) {
	conn, err := w.control.SyscallConn()
	if err == nil {
		err = conn.Control(func(fd uintptr) {
			_ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(rows), Col: uint16(columns)})
		})
	}
	if err != nil {
		w.t.Error(err)
	}
}

func (w *window) settings() *term.State {
	w.t.Helper()
	state, err := term.GetState(int(w.tty.Fd()))
	if err != nil {
		w.t.Fatal(err)
	}
	return state
}

func (w *window) read() {
	buf := make([]byte, 32<<10)
	for {
		n, err := w.control.Read(buf)
		w.mu.Lock()
		w.output.Write(buf[:n])
		w.mu.Unlock()
		select {
		case w.grown <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// escapes are the control sequences that plain drops.
var escapes = regexp.MustCompile("\x1b(\\[[0-9;?$]*[A-Za-z~]|\\][^\x07]*\x07|[DM])")

// plain is what was written, without control sequences.
func (w *window) plain() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return escapes.ReplaceAllString(w.output.String(), "")
}

// mark is the length of what was written so far.
func (w *window) mark() int { return len(w.plain()) }

// await waits until text was written after a mark.
func (w *window) await(mark int, text string) {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		if plain := w.plain(); len(plain) >= mark && strings.Contains(plain[mark:], text) {
			return
		}
		select {
		case <-w.grown:
		case <-deadline:
			w.t.Fatalf("%q was not shown", text)
		}
	}
}

func (w *window) send(text string) {
	w.t.Helper()
	if _, err := w.control.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
}

// ready waits for the first prompt.
func (w *window) ready() { w.t.Helper(); w.await(0, "ksql> ") }

// over waits for the end of the process and compares the terminal's settings
// with those before it.
func (w *window) over(code int) {
	w.t.Helper()
	select {
	case <-w.done:
	case <-time.After(patience):
		w.t.Fatal("the console did not end")
	}
	if got := w.command.ProcessState.ExitCode(); got != code {
		w.t.Errorf("exit code %d, want %d", got, code)
	}
	w.restored()
}

func (w *window) restored() {
	w.t.Helper()
	if after := w.settings(); *after != *w.before {
		w.t.Errorf("the terminal was not restored\nbefore %+v\nafter  %+v", *w.before, *after)
	}
}

func serve(t *testing.T) *fakeksql.Server {
	t.Helper()
	server := fakeksql.New()
	t.Cleanup(server.Close)
	return server
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(what)
		}
	}
}
