package console

import (
	"context"
	"errors"
	"time"

	"github.com/ksqlgo/ksqlgo/grammar/token"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// quietTime is how long a push query may stay without rows before the user is
// told why that may be.
const quietTime = 3 * time.Second

// errEnough is the cause of a query that ran into the console's own limits.
var errEnough = errors.New("enough")

// query runs one SELECT and prints its rows as they come, until it ends, a
// limit is reached or the context is cancelled.
func (s *session) query(ctx context.Context, text string) error {
	queryCtx, stop := s.limited(ctx)
	defer stop(nil)
	rows, err := s.client.Query(queryCtx, s.request(text))
	if err != nil {
		return s.ended(ctx, err, text)
	}
	defer func() { _ = rows.Close() }()
	names := make([]string, len(rows.Columns))
	for i, column := range rows.Columns {
		names[i] = column.Name
	}
	if err := s.printer.BeginRows(names); err != nil {
		return err
	}
	err = s.printRows(queryCtx, stop, rows, s.emptyHint(text))
	if err == nil && rows.Final() != "" && rows.Final() != api.FinalQueryCompleted {
		s.printer.Note("%s", rows.Final())
	}
	return s.ended(ctx, err, text)
}

// limited is ctx with the console's time limit.
func (s *session) limited(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, stop := context.WithCancelCause(ctx)
	if s.config.QueryTimeout > 0 {
		timer := time.AfterFunc(s.config.QueryTimeout, func() { stop(errEnough) })
		context.AfterFunc(ctx, func() { timer.Stop() })
	}
	return ctx, stop
}

// ended closes the output of a query and decides whether err is a failure: to
// be stopped by the user or by a limit is none.
func (s *session) ended(ctx context.Context, err error, text string) error {
	stopped := errors.Is(err, context.Canceled) || errors.Is(err, errEnough)
	if err != nil && !stopped {
		s.fail(err, text)
		return err
	}
	s.printer.Note("Query terminated")
	if s.interactive {
		return nil
	}
	return context.Cause(ctx)
}

// printRows prints rows until there are no more; then it stops the query. Hint,
// when not empty, is given once if no row comes for a while.
func (s *session) printRows(ctx context.Context, stop context.CancelCauseFunc, rows *client.Rows, hint string) error {
	arrived := make(chan client.Row)
	defer func() {
		stop(nil)
		for range arrived { // rows belongs to the goroutine until it has ended
		}
	}()
	go func() {
		defer close(arrived)
		for row, ok := rows.Next(); ok; row, ok = rows.Next() {
			select {
			case arrived <- row:
			case <-ctx.Done():
				return
			}
		}
	}()
	quiet := time.NewTimer(quietTime)
	defer quiet.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case row, ok := <-arrived:
			if !ok {
				return rows.Err()
			}
			if err := s.printer.Row(row.Values, row.Tombstone); err != nil {
				return err
			}
			if n++; n == s.config.RowLimit {
				s.printer.Note("%s", api.FinalLimitReached)
				return errEnough
			}
			hint = ""
		case <-quiet.C:
			if hint != "" {
				s.printer.Hint(hint)
			}
		}
	}
}

// emptyHint is what to tell when a query stays empty: nothing unless it is a
// push query that reads what comes from now on only.
func (s *session) emptyHint(text string) string {
	push := false
	for lexer := token.NewLexer(text); ; {
		t := lexer.Next()
		if t.Kind == token.EOF {
			break
		}
		push = push || t.Keyword == "EMIT"
	}
	reset := s.properties["auto.offset.reset"]
	if reset == "" {
		reset = s.properties["ksql.streams.auto.offset.reset"]
	}
	if !push || reset == "earliest" {
		return ""
	}
	return "no rows so far: the query shows what arrives from now on. To see what is there already, stop it and enter SET 'auto.offset.reset'='earliest';"
}

// printTopic runs one PRINT and shows its lines as they come.
func (s *session) printTopic(ctx context.Context, text string) error {
	printCtx, stop := s.limited(ctx)
	defer stop(nil)
	lines, err := s.client.Print(printCtx, s.request(text))
	if err != nil {
		if printCtx.Err() == nil {
			s.fail(err, text)
		}
		return err
	}
	defer func() { _ = lines.Close() }()
	for line, ok := lines.Next(); ok; line, ok = lines.Next() {
		if err := s.printer.Line(line); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil && printCtx.Err() == nil {
		s.fail(err, text)
		return err
	}
	s.printer.Note("Topic printing ceased")
	if s.interactive {
		return nil
	}
	return context.Cause(ctx)
}
