package security

import (
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// watched is what was made of files, made anew when they have changed. Safe for concurrent use.
type watched[T any] struct {
	// what is the subject of messages: the properties that name the files.
	what   string
	files  []string
	read   func() (T, error)
	logger *slog.Logger

	mu    sync.Mutex
	value T
	// stamps are the files' as of the last try, zero before the first; a try may have failed.
	stamps []stamp
	valid  bool
}

// stamp tells whether a file is what it was.
type stamp struct {
	info os.FileInfo
	err  string
	// young files may be written again without a later time.
	young bool
}

// settled is the age at which a file's time tells it from a later one.
const settled = 2 * time.Second

func stampOf(file string) stamp {
	info, err := os.Stat(file)
	if err != nil {
		return stamp{err: err.Error()}
	}
	return stamp{info: info, young: time.Since(info.ModTime()) < settled}
}

func (s stamp) same(o stamp) bool {
	if s.info == nil || o.info == nil {
		return s.info == nil && o.info == nil && s.err == o.err
	}
	return os.SameFile(s.info, o.info) && s.info.ModTime().Equal(o.info.ModTime()) && s.info.Size() == o.info.Size()
}

// newWatched reads for the first time.
func newWatched[T any](what string, files []string, read func() (T, error), logger *slog.Logger) (*watched[T], error) {
	w := &watched[T]{what: what, files: files, read: read, logger: logger}
	_, err := w.get()
	return w, err
}

// get gives what the files hold now. When they cannot be read, for example while they are being replaced, what they held before
// serves, and a warning says so once.
func (w *watched[T]) get() (T, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// The stamps are taken before the files are read: a change in between is seen the next time.
	stamps := make([]stamp, len(w.files))
	for i, f := range w.files {
		stamps[i] = stampOf(f)
	}
	known := slices.EqualFunc(stamps, w.stamps, stamp.same)
	if w.valid && known && !slices.ContainsFunc(w.stamps, func(s stamp) bool { return s.young || s.info == nil }) {
		return w.value, nil
	}
	value, err := w.read()
	switch {
	case err == nil:
		if w.valid && !known {
			w.logger.Info("security of connections to Kafka: read again for new connections", "properties", w.what)
		}
		w.value, w.valid = value, true
	case !w.valid:
		return value, err
	case !known:
		w.logger.Warn("security of connections to Kafka: what was read before stays in use", "error", err)
	}
	w.stamps = stamps
	return w.value, nil
}
