//go:build unix

package repl

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/c-bata/go-prompt"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// pollWait bounds one wait for keys: events that are no keys are seen no later.
const pollWait = 80 * time.Millisecond

// manyKeys is how many waiting keys tell a paste from fast typing.
const manyKeys = 4

// errNoKey tells go-prompt that there is nothing yet.
var errNoKey = errors.New("no key")

// terminal is the console on a POSIX terminal.
type terminal struct {
	fd  int
	out io.Writer

	mu      sync.Mutex
	saved   *term.State // what to restore, nil when nothing was changed
	keys    keys
	held    bool  // a key that ends the line was handed out
	last    byte  // the last control byte handed out, 0 for others
	pending event // posted, not handed out yet
	fired   event // handed out as the wake key, not taken yet
	redrawn bool  // the last thing handed out was a resize
	gone    bool  // reading failed: the terminal is no more
	buffer  [64 << 10]byte
}

func newConsole(in *os.File, out io.Writer) console {
	return &terminal{fd: int(in.Fd()), out: out}
}

// Setup turns line editing and signals of the terminal off. Output processing
// stays on, so that a line feed starts a new line.
func (t *terminal) Setup() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held, t.last, t.fired = false, 0, noEvent
	if t.saved != nil {
		return nil
	}
	saved, err := term.MakeRaw(t.fd)
	if err != nil {
		t.gone, t.pending = true, closed
		return err
	}
	t.saved = saved
	if settings, err := unix.IoctlGetTermios(t.fd, getTermios); err == nil {
		settings.Oflag |= unix.OPOST | unix.ONLCR
		_ = unix.IoctlSetTermios(t.fd, setTermios, settings)
	}
	_, _ = io.WriteString(t.out, "\x1b[?2004h") // bracketed paste
	return nil
}

// TearDown leaves the terminal as it is: between two lines of one statement it
// need not change. See restore.
func (t *terminal) TearDown() error { return nil }

func (t *terminal) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved == nil {
		return
	}
	_, _ = io.WriteString(t.out, "\x1b[?2004l\x1b[?25h\x1b[0m")
	_ = term.Restore(t.fd, t.saved)
	t.saved = nil
}

// GetWinSize is for go-prompt, which divides by the number of columns.
func (t *terminal) GetWinSize() *prompt.WinSize {
	rows, columns := t.size()
	if rows <= 0 || columns <= 0 {
		rows, columns = 24, 80
	}
	return &prompt.WinSize{Row: uint16(min(rows, 1<<15)), Col: uint16(min(columns, 1<<15))}
}

func (t *terminal) size() (rows, columns int) {
	columns, rows, err := term.GetSize(t.fd)
	if err != nil {
		return 0, 0
	}
	return rows, columns
}

// Read hands out one key. It waits for pollWait at most.
func (t *terminal) Read() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held {
		return nil, errNoKey
	}
	t.fill()
	// Resizes come in swarms while a window is dragged: keys get their turn.
	typed := t.redrawn && len(t.keys.queue) > 0
	if t.pending != noEvent && (t.pending != resized || !typed) {
		t.redrawn = t.pending == resized
		t.fired, t.pending, t.held, t.last = t.pending, noEvent, true, 0
		return wakeKey, nil
	}
	key := t.keys.next()
	if key == nil {
		return nil, errNoKey
	}
	t.redrawn, t.last = false, 0
	if len(key) == 1 && key[0] < 0x20 {
		t.last = key[0]
	}
	t.held = t.last == enter || t.last == ctrlC || t.last == ctrlD
	return key, nil
}

// fill reads what the terminal has. The lock is given up while waiting.
func (t *terminal) fill() {
	wait := pollWait
	switch {
	case len(t.keys.queue) > 0, t.pending != noEvent:
		wait = 0
	case len(t.keys.pending) > 0: // the rest of an escape sequence is due
		wait = escapeWait / 2
	}
	t.mu.Unlock()
	ready := []unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLIN}}
	n, err := unix.Poll(ready, int(wait.Milliseconds()))
	t.mu.Lock()
	switch {
	case errors.Is(err, unix.EINTR):
	case err != nil, n > 0 && ready[0].Revents&unix.POLLNVAL != 0:
		t.lose()
	case n == 0:
		t.keys.idle(time.Now())
	default:
		t.read()
	}
}

func (t *terminal) read() {
	n, err := unix.Read(t.fd, t.buffer[:])
	switch {
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
	case err != nil, n == 0:
		t.lose()
	default:
		t.keys.feed(t.buffer[:n], time.Now())
	}
}

// lose notes that no key will ever come again.
func (t *terminal) lose() {
	t.gone, t.pending = true, closed
}

func (t *terminal) post(e event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending = max(t.pending, e)
}

func (t *terminal) take() event {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.fired
	t.fired = noEvent
	if e == noEvent && t.gone {
		return closed
	}
	return e
}

func (t *terminal) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == ctrlD {
		t.held = false
	}
}

func (t *terminal) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.keys.queue) >= manyKeys
}

func (t *terminal) atEOF() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last == ctrlD
}

func (t *terminal) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys.clear()
}
