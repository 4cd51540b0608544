package engine_test

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// A property that the server lets no client set is refused wherever a client can name it.
func TestDeniedProperties(t *testing.T) {
	t.Parallel()
	_, c := start(t, "", map[string]string{"ksql.properties.overrides.denylist": "auto.offset.reset,ksql.streams.commit.interval.ms"})
	execute(t, c, "CREATE STREAM s (id INT KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);")
	const denied = "are prohibited by the KSQL server (use UNSET to reset their default value): [commit.interval.ms]"
	properties := api.Properties{"commit.interval.ms": 7}
	_, err := c.Execute(t.Context(), client.Request{SQL: "SHOW STREAMS;", Properties: properties})
	refused(t, err, api.CodeBadRequest, denied)
	_, err = c.Execute(t.Context(), client.Request{SQL: "SET 'commit.interval.ms'='7'; SHOW STREAMS;"})
	refused(t, err, api.CodeBadStatement, denied)
	_, err = c.Query(t.Context(), client.Request{SQL: "SELECT * FROM s EMIT CHANGES;", Properties: properties})
	refused(t, err, api.CodeBadRequest, denied)
	_, err = c.Print(t.Context(), client.Request{SQL: "PRINT 's';", Properties: properties})
	refused(t, err, api.CodeBadRequest, denied)
	_, err = c.InsertStream(t.Context(), "s", properties)
	refused(t, err, api.CodeBadRequest, denied)
	refused(t, c.IsValidProperty(t.Context(), "commit.interval.ms"), api.CodeBadRequest, denied)
	if err := c.IsValidProperty(t.Context(), "ksql.suppress.enabled"); err != nil {
		t.Error(err)
	}
}
