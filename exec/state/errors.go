package state

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Classes of errors of this package; test with errors.Is. The text of the returned error names the
// directory and the cause, which is wrapped too.
var (
	// ErrDisk means that the state directory cannot be written or read (full, read-only, input/output
	// error, removed). The DB is frozen: close it, and open it again once the cause is gone.
	ErrDisk = errors.New("state: disk failure")
	// ErrCorrupt means that what is on disk does not read back. Quarantine the directory and restore.
	ErrCorrupt = errors.New("state: corrupt")
	// ErrVersion means that the directory was written by a newer version of ksqlgo.
	ErrVersion = errors.New("state: written by a newer version")
	// ErrLayout means that the directory holds other stores than declared (another plan). Wipe and restore.
	ErrLayout = errors.New("state: stores differ from those on disk")
	// ErrLocked means that another DB, of this process or another one, has the directory open.
	ErrLocked = errors.New("state: directory is in use")
	// ErrClosed means that the DB, task, snapshot or iterator was closed.
	ErrClosed = errors.New("state: closed")
	// ErrInvariant means that the caller asked for something that would break an invariant, for example
	// a checkpoint going back; nothing was written.
	ErrInvariant = errors.New("state: invariant violated")
)

// classify wraps an error of Pebble or the file system with its class.
func classify(dir string, err error) error {
	if err == nil {
		return nil
	}
	for _, class := range []error{ErrDisk, ErrCorrupt, ErrVersion, ErrLayout, ErrLocked, ErrClosed, ErrInvariant} {
		if errors.Is(err, class) {
			return err
		}
	}
	class := ErrDisk
	if pebble.IsCorruptionError(err) {
		class = ErrCorrupt
	}
	return fmt.Errorf("%w: %s: %w", class, dir, err)
}
