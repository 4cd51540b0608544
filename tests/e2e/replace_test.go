package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server"
	"github.com/ksqlgo/ksqlgo/tests/apache"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// TestReplaceOnServers replaces a query at one server while records come in: both servers go on with the new plan, each record
// is counted once, every server answers with the new column, and a server that is started later knows it as well.
func TestReplaceOnServers(t *testing.T) {
	t.Parallel()
	ctx := within(t, 120*time.Second)
	kafka := apache.Bootstrap(t)
	list := make([]*world, 2, 3)
	for i := range list {
		list[i] = start(ctx, t, server.Config{BootstrapServers: kafka})
	}
	list[0].execute(ctx, t, census)
	spread(ctx, t, list, "CITIES", 6)
	const rounds, each = 5, 4
	for n := range rounds {
		if err := topics.Write(ctx, list[0].kafka(), inhabitants(cityCount, each)...); err != nil {
			t.Fatal(err)
		}
		list[n%2].execute(ctx, t, fmt.Sprintf(`CREATE OR REPLACE TABLE cities AS SELECT city, COUNT(*) AS n, SUM(paid) AS paid, LATEST_BY_OFFSET(tags) AS tags,
			COUNT(*) * %d AS times FROM people WHERE age >= 0 GROUP BY city EMIT CHANGES;`, n+2))
	}
	list = append(list, start(ctx, t, server.Config{BootstrapServers: kafka}))
	var want []string
	for range cityCount {
		want = append(want, fmt.Sprintf("%d | %d", rounds*each, rounds*each*(rounds+1)))
	}
	for _, w := range list {
		w.expect(ctx, t, "SELECT n, times FROM cities;", false, want)
	}
}
