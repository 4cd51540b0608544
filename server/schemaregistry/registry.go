package schemaregistry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry/dialect"
)

// Log keeps what changes a registry. One goroutine at a time uses it.
type Log interface {
	// Append writes records as one: all of them are there, or none. It returns the offset behind them. After an error it is not
	// known which, and nothing can be appended, until Settle.
	Append(ctx context.Context, records []Record) (next int64, err error)
	// Settle sees to it that no append is under way any more, gives fn the records from an offset on, and returns the offset
	// behind the last one. An error of fn is returned.
	Settle(ctx context.Context, from int64, fn func(Record) error) (next int64, err error)
	// Close gives back what the log holds.
	Close()
}

// Config is what a registry is built from.
type Config struct {
	// Log is the registry's from now on: Close closes it.
	Log Log
	// Logger receives what the registry has to say; nil discards it.
	Logger *slog.Logger
	// Timeout bounds how long an answer waits for the log; 0 means 10 s.
	Timeout time.Duration
}

// Registry is a schema registry that keeps its schemas in a log. Its methods are safe for concurrent use.
type Registry struct {
	cfg   Config
	state state

	// writing has room for the one change that may be under way; next, the offset behind all that was applied, belongs to it.
	writing chan struct{}
	next    int64
	// uncertain says that it is not known whether the last change was written.
	uncertain atomic.Bool
}

var _ schemas.Registry = (*Registry)(nil)

// Open reads the log and returns the registry that it comes to.
func Open(ctx context.Context, cfg Config) (*Registry, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	r := &Registry{cfg: cfg, writing: make(chan struct{}, 1)}
	return r, r.settle(ctx)
}

// Close ends the registry. What is under way is not waited for beyond the timeout.
func (r *Registry) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), r.cfg.Timeout)
	defer cancel()
	if r.lock(ctx) == nil {
		defer r.unlock()
	}
	r.cfg.Log.Close()
}

func (r *Registry) lock(ctx context.Context) error {
	select {
	case r.writing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for another change: %w", ctx.Err())
	}
}

func (r *Registry) unlock() { <-r.writing }

// settle reads what the log has and is not applied yet, and so finds out what became of the last change. The caller has writing.
func (r *Registry) settle(ctx context.Context) error {
	next, err := r.cfg.Log.Settle(ctx, r.next, func(record Record) error {
		r.apply(record)
		return nil
	})
	if err != nil {
		return err
	}
	r.next = next
	r.uncertain.Store(false)
	return nil
}

// apply takes in records; those that cannot be read are left out, as Confluent's registry does it.
func (r *Registry) apply(records ...Record) {
	for _, err := range r.state.apply(records...) {
		r.cfg.Logger.Error("schema registry: a record of the log is left out", "error", err)
	}
}

// certain returns when it is known what became of all changes.
func (r *Registry) certain(ctx context.Context) error {
	if !r.uncertain.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	if err := r.lock(ctx); err != nil {
		return storeError(err)
	}
	defer r.unlock()
	return r.certainLocked(ctx)
}

func (r *Registry) certainLocked(ctx context.Context) error {
	if !r.uncertain.Load() {
		return nil
	}
	if err := r.settle(ctx); err != nil {
		return storeError(err)
	}
	return nil
}

// change writes what build makes of the state, which does not change meanwhile. Nothing is written when build fails or makes
// nothing.
func (r *Registry) change(ctx context.Context, build func() ([]Record, error)) error {
	// A client that goes away does not leave the fate of its change open.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Timeout)
	defer cancel()
	if err := r.lock(ctx); err != nil {
		return storeError(err)
	}
	defer r.unlock()
	if err := r.certainLocked(ctx); err != nil {
		return err
	}
	records, err := build()
	if err != nil || len(records) == 0 {
		return err
	}
	next, err := r.cfg.Log.Append(ctx, records)
	if err != nil {
		r.uncertain.Store(true)
		var known *Error
		if errors.As(err, &known) {
			return known
		}
		return storeError(err)
	}
	r.apply(records...)
	r.next = next
	return nil
}

// storeError is the error of a log that does not do what it should.
func storeError(err error) error {
	return errorf(codeStore, "Error in the backend data store: %v", err)
}

// parse reads a schema with what it refers to.
func (r *Registry) parse(s schemas.Schema, o dialect.Options) (*dialect.Parsed, error) {
	imports, err := schemas.Imports(&r.state.schemas, s)
	if err != nil {
		return nil, err
	}
	return dialect.Parse(s, imports, o)
}
