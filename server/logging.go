package server

import (
	"context"
	"log/slog"
)

// quieter passes on what is at least of a level: libraries that call their daily business INFO.
type quieter struct {
	slog.Handler
	level slog.Level
}

func newQuieter(l *slog.Logger, level slog.Level) *slog.Logger {
	return slog.New(quieter{l.Handler(), level})
}

// Enabled implements slog.Handler.
func (q quieter) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= q.level && q.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (q quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(attrs), q.level}
}

// WithGroup implements slog.Handler.
func (q quieter) WithGroup(name string) slog.Handler {
	return quieter{q.Handler.WithGroup(name), q.level}
}
