package task

import (
	"fmt"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// StoreSpecs declares all stores of a plan for the state database of its query.
func StoreSpecs(plan *physical.Plan) ([]state.StoreSpec, error) {
	var out []state.StoreSpec
	for _, stage := range plan.Stages {
		users := storeUsers(stage.Root, map[string]physical.Node{})
		for _, s := range stage.Stores {
			spec, err := storeSpec(s, users[s.Name])
			if err != nil {
				return nil, fmt.Errorf("task: stage %d of %s: %w", stage.ID, plan.QueryID, err)
			}
			out = append(out, spec)
		}
	}
	return out, nil
}

// StoreIDs lists the stores of a stage.
func StoreIDs(stage *physical.Stage) []state.StoreID {
	var out []state.StoreID
	for _, s := range stage.Stores {
		out = append(out, state.StoreID(s.ID))
	}
	return out
}

// storeUsers maps store names to the operators that write them.
func storeUsers(n physical.Node, users map[string]physical.Node) map[string]physical.Node {
	var names []string
	switch n := n.(type) {
	case *physical.Source:
		names = []string{n.Store}
	case *physical.Aggregate:
		names = []string{n.Store}
	case *physical.Suppress:
		names = []string{n.Store}
	case *physical.Materialize:
		names = []string{n.Store}
	case *physical.StreamTableJoin:
		names = []string{n.Store}
	case *physical.TableTableJoin:
		names = []string{n.LeftStore, n.RightStore}
	case *physical.StreamStreamJoin:
		names = []string{n.LeftStore, n.RightStore, n.OuterStore}
	case *physical.ForeignKeyJoin:
		names = []string{n.Store}
	case *physical.ForeignKeyAnswer:
		names = []string{n.Store, n.SubscriptionStore}
	case *physical.Filter, *physical.Project, *physical.FlatMap, *physical.Repartition, *physical.Sink, *physical.Emit:
	}
	for _, name := range names {
		if name != "" {
			users[name] = n
		}
	}
	for _, c := range n.Children() {
		storeUsers(c, users)
	}
	return users
}

func storeSpec(s *physical.Store, user physical.Node) (state.StoreSpec, error) {
	spec := state.StoreSpec{
		ID: state.StoreID(s.ID), Name: s.Name, NoChangelog: s.Changelog == "", Retention: ms(s.RetentionMs),
	}
	switch s.Kind {
	case physical.KeyedStore:
		spec.Kind = state.Keyed
	case physical.WindowedStore:
		spec.Kind = state.Windowed
	case physical.SessionStore:
		spec.Kind = state.Session
	case physical.BufferStore:
		spec.Kind = state.Buffer
	default:
		return spec, fmt.Errorf("store %s: unknown kind %q", s.Name, s.Kind)
	}
	switch n := user.(type) {
	case *physical.Aggregate:
		if n.Window != nil {
			spec.Window = ms(n.Window.SizeMs)
			spec.Retention = max(spec.Retention, closing(n.Window))
		}
	case *physical.Suppress:
		spec.Window = ms(n.Window.SizeMs)
		spec.Retention = max(spec.Retention, closing(&n.Window))
		// The order in which windows leave is the order of the store.
		spec.Bucket = ms(max(n.Window.AdvanceMs, 1))
		if n.Window.Type == types.Session {
			// Sessions still open are kept however late they end.
			spec.Bucket, spec.Retention = time.Millisecond, 0
		}
	case *physical.StreamStreamJoin:
		if s.Name == n.OuterStore {
			// Its rows are ordered by a time inside the key and removed one by one.
			spec.Kind, spec.Retention = state.Keyed, 0
			break
		}
		spec.Window = ms(n.BeforeMs + n.AfterMs)
		spec.Retention = max(spec.Retention, ms(n.BeforeMs+n.AfterMs+n.GraceMs+1))
	default:
		// Tables keep their rows as the plan says.
	}
	return spec, nil
}

// closing is how long a window must be kept to be there when it closes.
func closing(w *types.WindowSpec) time.Duration { return ms(max(w.RetentionMs, w.SizeMs+w.GraceMs+1)) }

func ms(n int64) time.Duration {
	const most = 1<<63 - 1
	if n > most/int64(time.Millisecond) {
		return most
	}
	return time.Duration(n) * time.Millisecond
}
