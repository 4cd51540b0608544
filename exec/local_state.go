package exec

import (
	"sync/atomic"

	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// taskID names a task of a query.
type taskID = cluster.TaskID

// localState is the state of one task on this server: of a task that runs here, or of one that runs elsewhere and is
// followed. It belongs to one goroutine at a time; the counters are atomic.
type localState struct {
	db        *state.DB
	of        *physical.Stage
	partition int32
	// store is nil when the stage has no stores, and while the state is not in use.
	store *state.Task
	// checkpoint is how far each store's changelog is contained in the committed rows; the status reads it, too.
	checkpoint []atomic.Int64
	// foreign says that the last replay found something that this server had not committed itself.
	foreign bool

	// replaying says that the changelogs are being read in order to run the task.
	replaying atomic.Bool
	// restored counts rows applied since the last resync began, restoreTotal about what there was to be read.
	restored, restoreTotal atomic.Int64
}

func newLocalState(db *state.DB, stage *physical.Stage, partition int32) *localState {
	return &localState{db: db, of: stage, partition: partition, checkpoint: make([]atomic.Int64, len(stage.Stores))}
}

// id names the task whose state it is.
func (l *localState) id() taskID { return taskID{Stage: int32(l.of.ID), Partition: l.partition} }

// open takes the stores into use.
func (l *localState) open() error {
	if len(l.of.Stores) == 0 {
		return nil
	}
	ids := make([]state.StoreID, len(l.of.Stores))
	for i, st := range l.of.Stores {
		ids[i] = state.StoreID(st.ID)
	}
	var err error
	l.store, err = l.db.NewTask(l.partition, ids, state.TaskOptions{})
	return err
}

// close gives the stores back; what was not committed is lost.
func (l *localState) close() {
	if l.store != nil {
		l.store.Close()
		l.store = nil
	}
}

// wipe empties the stores, which must not be in use.
func (l *localState) wipe() error {
	var ids []state.StoreID
	var changelogs, sources []string
	for _, st := range l.of.Stores {
		ids = append(ids, state.StoreID(st.ID))
		if st.Changelog != "" {
			changelogs = append(changelogs, st.Changelog)
		}
	}
	for _, in := range l.of.Inputs {
		sources = append(sources, in.Topic)
	}
	for i := range l.checkpoint {
		l.checkpoint[i].Store(0)
	}
	return l.db.Wipe(l.partition, ids, changelogs, sources)
}

// checkpointOf finds the checkpoint of a changelog in a list.
func checkpointOf(list []state.Checkpoint, topic string) (state.Checkpoint, bool) {
	for _, c := range list {
		if c.Topic == topic {
			return c, true
		}
	}
	return state.Checkpoint{}, false
}
