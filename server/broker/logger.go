package broker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kfake"
)

// kfakeLogger passes kfake's messages to slog, one level lower than kfake
// ranks them: its info is a line a request.
type kfakeLogger struct{ logger *slog.Logger }

// Logf implements kfake.Logger.
func (l kfakeLogger) Logf(level kfake.LogLevel, format string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
	case kfake.LogLevelWarn:
		to = slog.LevelWarn
	}
	if ctx := context.Background(); l.logger.Enabled(ctx, to) {
		l.logger.Log(ctx, to, "embedded broker: "+fmt.Sprintf(format, args...))
	}
}
