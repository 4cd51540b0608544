package exec

import (
	"fmt"
	"time"
)

// outOfTouch says why this server cannot be sure to own its tasks of a query any more, "" if it is: when it has not heard from
// the coordinator of the group for a session timeout, it may be cut off or have stood still, and others may have taken them
// and gone on. What it has may be old then, and an answer from it a lie.
func (q *query) outOfTouch() string {
	q.mu.Lock()
	c := q.consumer
	q.mu.Unlock()
	if c == nil {
		return ""
	}
	heard := c.Heard()
	if silent := time.Since(heard); !heard.IsZero() && silent > c.SessionTimeout() {
		return fmt.Sprintf("has not heard from Kafka for %s, and others may own its partitions by now", silent.Round(time.Millisecond))
	}
	return ""
}
