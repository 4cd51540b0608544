package broker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const lockName = "ksqlgo.lock"

// DirLockedError says that another process runs a broker on a data directory.
type DirLockedError struct {
	// Dir is the data directory.
	Dir string
	// Owner is the other's process id, as it wrote it into the lock file.
	Owner string
}

func (e *DirLockedError) Error() string {
	return fmt.Sprintf("the broker's data directory %s is in use by another process (pid %s); "+
		"stop it, or choose another --data-dir", e.Dir, e.Owner)
}

// dirLock is a lock on a file of the data directory; the system gives it up
// when the process dies, however it dies.
type dirLock struct{ file *os.File }

var errLocked = errors.New("the file is locked")

func lockDir(dir string) (*dirLock, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the broker's data directory: %w", err)
	}
	if err := tryLock(f); err != nil {
		f.Close()
		if errors.Is(err, errLocked) {
			owner, _ := os.ReadFile(path)
			return nil, &DirLockedError{Dir: dir, Owner: strings.TrimSpace(string(owner))}
		}
		return nil, fmt.Errorf("locking the broker's data directory %s: %w", dir, err)
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintln(f, os.Getpid())
	}
	return &dirLock{f}, nil
}

// unlock gives the directory up. The file stays: removing it would let two
// processes lock two different files of the same name.
func (l *dirLock) unlock() error { return l.file.Close() }
