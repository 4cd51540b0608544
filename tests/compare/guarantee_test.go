package compare

import (
	"context"
	"testing"
	"time"
)

// guaranteeGoal is how much CPU a record may take exactly once, of what it takes at least once.
const guaranteeGoal = 1.25

// TestGuarantees holds the costs of exactly once against those of at least once.
func TestGuarantees(t *testing.T) {
	if !*whole {
		t.Skip("SKIPPED: takes figures; -compare runs it")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	b := newBench(ctx, t, *events)
	for _, q := range queries {
		if q.name != "passthrough" && q.name != "count" {
			continue
		}
		once := b.measure(ctx, t, q)
		// Under another service id, or it would find what the first run has committed.
		q.name += "_alo"
		q.sql = "SET 'processing.guarantee' = 'at_least_once';" + q.sql
		least := b.measure(ctx, t, q)
		ratio := once.cpu / least.cpu
		t.Logf("%-16s exactly once %.0f ns a record, at least once %.0f ns: %.2f times (broker %.0f and %.0f ns)", q.name, once.cpu, least.cpu, ratio,
			once.brokerCPU, least.brokerCPU)
		if ratio > guaranteeGoal {
			t.Errorf("%s: exactly once costs %.2f times as much, more than %.2f", q.name, ratio, guaranteeGoal)
		}
	}
}
