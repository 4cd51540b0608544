package sim

import (
	"fmt"

	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// changelog appends the changes of a task's stores to their changelog topics. The interval cannot fail any more: in a
// simulation the commit that follows always succeeds.
func (q *Query) changelog(t *runningTask) error {
	return t.state.Changes(func(c state.Change) error {
		store := storeByID(t.stage, c.Store)
		if store == nil || store.Changelog == "" {
			return nil
		}
		q.sim.CreateTopic(store.Changelog, t.stage.Partitions)
		q.pending.changes = append(q.pending.changes, pendingOutput{store.Changelog, Record{
			Key: append([]byte{}, c.Key...), Value: cloneValue(c.Value), Timestamp: c.Timestamp, Partition: c.Partition,
		}})
		return nil
	})
}

// cloneValue copies, keeping nil apart from empty.
func cloneValue(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

func storeByID(stage *physical.Stage, id state.StoreID) *physical.Store {
	for _, s := range stage.Stores {
		if state.StoreID(s.ID) == id {
			return s
		}
	}
	return nil
}

// checkpoints say that the rows contain the changelogs up to the end the interval gives them.
func (q *Query) checkpoints() []state.Checkpoint {
	ends := map[string]map[int32]int64{}
	var order []state.Checkpoint
	for i := range q.pending.changes {
		c := &q.pending.changes[i]
		if ends[c.topic] == nil {
			ends[c.topic] = map[int32]int64{}
		}
		if _, seen := ends[c.topic][c.record.Partition]; !seen {
			ends[c.topic][c.record.Partition] = int64(len(q.sim.topics[c.topic].partitions[c.record.Partition]))
			order = append(order, state.Checkpoint{Topic: c.topic, Partition: c.record.Partition, LeaderEpoch: -1})
		}
		ends[c.topic][c.record.Partition]++
	}
	for i := range order {
		order[i].Offset = ends[order[i].Topic][order[i].Partition]
	}
	return order
}

// Wipe is [Query.Kill] on a machine whose disk is lost: the state is restored from the changelogs.
func (q *Query) Wipe() error {
	q.pending = interval{}
	if err := q.close(); err != nil {
		return err
	}
	q.generation++
	if err := q.open(); err != nil {
		return err
	}
	for _, t := range q.tasks {
		for _, store := range t.stage.Stores {
			topic := q.sim.topics[store.Changelog]
			if store.Changelog == "" || topic == nil {
				continue
			}
			for _, r := range topic.partitions[t.part] {
				if err := t.state.Restore(state.StoreID(store.ID), r.Key, r.Value, r.Timestamp); err != nil {
					return fmt.Errorf("sim: restore of %s: %w", store.Name, err)
				}
			}
		}
	}
	if q.db == nil {
		return nil
	}
	var tasks []*state.Task
	for _, t := range q.tasks {
		if t.state != nil {
			tasks = append(tasks, t.state)
		}
	}
	return q.db.Commit(state.Commit{Tasks: tasks, StreamTimes: q.times})
}

// Snapshot reads the committed state of the query, as pull queries do; nil if it has none. Close it after use.
func (q *Query) Snapshot() (*state.Snapshot, error) {
	if q.db == nil {
		return nil, nil
	}
	return q.db.Snapshot()
}

// stateDir is where the query's state lies on the simulated disk.
func (q *Query) stateDir() string {
	return fmt.Sprintf("state/%s.%d", q.plan.QueryID, q.generation)
}
