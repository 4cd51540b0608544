package broker

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kfake"
)

// kfakeLogger passes kfake's messages to slog; its info, a line a request, as
// debug messages. Errors are failed writes: they are remembered.
type kfakeLogger struct {
	logger *slog.Logger
	failed *atomic.Bool
}

// Logf implements kfake.Logger.
func (l kfakeLogger) Logf(level kfake.LogLevel, format string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
		l.failed.Store(true)
	case kfake.LogLevelWarn:
		to = slog.LevelWarn
	}
	if ctx := context.Background(); l.logger.Enabled(ctx, to) {
		l.logger.Log(ctx, to, "embedded broker: "+fmt.Sprintf(format, args...))
	}
}
