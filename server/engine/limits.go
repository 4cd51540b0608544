package engine

import (
	"strconv"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// Limits on what runs at a time, as ksqlDB's defaults are.
const (
	defaultPushQueries       = 100
	defaultPersistentQueries = 1<<31 - 1
)

// limit reads a limit from the server's properties.
func (e *Engine) limit(property string, otherwise int) int {
	if n, err := strconv.Atoi(e.cfg.Properties[property]); err == nil {
		return n
	}
	return otherwise
}

// checkPushLimit refuses a push query when as many run as may.
func (e *Engine) checkPushLimit(text string) error {
	const property = "ksql.max.push.queries"
	running, limit := len(e.pushQueries()), e.limit(property, defaultPushQueries)
	if running < limit {
		return nil
	}
	return tooMany(api.CodeMaxPushQueries, "push", property, text, running, limit)
}

// checkPersistentLimit refuses a statement after which more persistent queries would run than may.
func (e *Engine) checkPersistentLimit(after *catalog.Snapshot, text string) error {
	const property = "ksql.query.persistent.active.limit"
	wanted, limit := len(after.Queries()), e.limit(property, defaultPersistentQueries)
	if wanted <= limit {
		return nil
	}
	return tooMany(api.CodeBadRequest, "persistent", property, text, wanted-1, limit)
}

func tooMany(code api.Code, kind, property, text string, running, limit int) error {
	return api.NewError(code, "Not executing statement(s) '%s' as it would cause the number of active, %s queries to exceed the configured limit. "+
		"Use %s to configure the limit. Current Active Query Count: %d. Configured Limit: %d.", text, kind, property, running, limit)
}
