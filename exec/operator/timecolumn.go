package operator

import (
	"fmt"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/catalog/types/datepattern"
)

// timeColumn reads a timestamp from a column: BIGINT and TIMESTAMP as they are, STRING by a pattern or as ISO text.
type timeColumn struct {
	loc   types.Loc
	parse func(text string) (int64, error)
}

func newTimeColumn(loc types.Loc, t *types.Type, format string) (*timeColumn, error) {
	c := &timeColumn{loc: loc}
	switch t.Kind {
	case types.Bigint, types.Timestamp:
	case types.String:
		parse, err := timeParser(format)
		if err != nil {
			return nil, err
		}
		c.parse = parse
	default:
		return nil, fmt.Errorf("a %s column cannot give the timestamp", t)
	}
	return c, nil
}

// timeParser makes the parser of a TIMESTAMP_FORMAT; without one the text is ISO-8601. Texts without a zone are UTC.
func timeParser(format string) (func(string) (int64, error), error) {
	if format == "" {
		return func(text string) (int64, error) { return types.ParseTimestamp(text, nil) }, nil
	}
	p, err := datepattern.Compile(format)
	if err != nil {
		return nil, fmt.Errorf("timestamp format: %w", err)
	}
	return func(text string) (int64, error) { return p.ParseTimestamp(text, time.UTC) }, nil
}

// read gives the column's time; null, unreadable and negative ones are errors.
func (c *timeColumn) read(row *types.Row) (int64, error) {
	if row.IsNull(c.loc) {
		return 0, fmt.Errorf("the timestamp column is null")
	}
	if c.parse != nil {
		at, err := c.parse(types.Text(row.B[c.loc.Slot]))
		if err != nil {
			return 0, err
		}
		if at < 0 {
			return 0, fmt.Errorf("the timestamp %d is negative", at)
		}
		return at, nil
	}
	at := row.I[c.loc.Slot]
	if at < 0 {
		return 0, fmt.Errorf("the timestamp %d is negative", at)
	}
	return at, nil
}
