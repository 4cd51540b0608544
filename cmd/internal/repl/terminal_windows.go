package repl

import (
	"errors"
	"io"
	"os"
	"sync"

	"github.com/c-bata/go-prompt"
)

// errNoKey tells go-prompt that there is nothing yet.
var errNoKey = errors.New("no key")

// terminal is the console on Windows: go-prompt's own parser with our events.
type terminal struct {
	*prompt.WindowsParser

	mu             sync.Mutex
	raw, held      bool
	last           byte
	pending, fired event
}

func newConsole(*os.File, io.Writer) console {
	return &terminal{WindowsParser: prompt.NewStandardInputParser()}
}

// Setup opens the console for single keys.
func (t *terminal) Setup() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held, t.last, t.fired = false, 0, noEvent
	if t.raw {
		return nil
	}
	t.raw = true
	return t.WindowsParser.Setup()
}

// TearDown leaves the console as it is, see restore.
func (t *terminal) TearDown() error { return nil }

func (t *terminal) restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.raw {
		t.raw = false
		_ = t.WindowsParser.TearDown()
	}
}

// Read hands out one key.
func (t *terminal) Read() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held || !t.raw {
		return nil, errNoKey
	}
	if t.pending != noEvent {
		t.fired, t.pending, t.held, t.last = t.pending, noEvent, true, 0
		return wakeKey, nil
	}
	key, err := t.WindowsParser.Read()
	if err != nil || len(key) == 0 {
		return nil, errNoKey
	}
	t.last = 0
	if len(key) == 1 && key[0] < 0x20 {
		t.last = key[0]
	}
	t.held = t.last == enter || t.last == ctrlC || t.last == ctrlD
	return key, nil
}

func (t *terminal) size() (rows, columns int) {
	size := t.GetWinSize()
	return int(size.Row), int(size.Col)
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
	return e
}

func (t *terminal) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == ctrlD {
		t.held = false
	}
}

func (t *terminal) busy() bool { return false }

func (t *terminal) atEOF() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last == ctrlD
}

func (t *terminal) forget() {}
