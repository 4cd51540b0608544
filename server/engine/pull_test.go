package engine_test

import (
	"errors"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// A query counts until its answer has ended, over tables and streams.
func TestPullQueriesAtOnce(t *testing.T) {
	t.Parallel()
	_, c := start(t, "", map[string]string{"ksql.query.pull.max.concurrent.requests": "0"})
	execute(t, c, "CREATE STREAM s (id INT KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);"+
		"CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;")
	for _, sql := range []string{"SELECT * FROM t;", "SELECT * FROM s;"} {
		_, err := c.Query(t.Context(), client.Request{SQL: sql})
		refused(t, err, api.CodeTooManyRequests, "Host is at concurrency limit for pull queries. Currently set to 0 maximum concurrent pull queries.")
	}
	_, one := start(t, "", map[string]string{"ksql.query.pull.max.concurrent.requests": "1"})
	execute(t, one, "CREATE STREAM s (id INT KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);"+
		"CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;")
	for _, sql := range []string{"SELECT * FROM t;", "SELECT * FROM s;", "SELECT * FROM nothing;", "SELECT * FROM t;", "SELECT * FROM s;"} {
		eventually(t, sql+" is admitted", func() bool {
			rows, err := one.Query(t.Context(), client.Request{SQL: sql})
			var e *client.Error
			if err != nil {
				return errors.As(err, &e) && e.Code == api.CodeBadStatement // There is no source NOTHING.
			}
			defer rows.Close()
			for range rows.All() {
				continue
			}
			return rows.Err() == nil
		})
	}
}
