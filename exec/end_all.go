package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// EndAll ends all queries on this server, each with its last commit: they leave their groups, and their state here is removed,
// also that of the queries in ids, which need not run. What is on the brokers stays, and is not removed later either by what
// was noted before: another service may have its names by then. See [Executor.RemoveQueries].
func (x *Executor) EndAll(ids []string) error {
	x.removing.Lock()
	defer x.removing.Unlock()
	x.epoch.Add(1)
	x.mu.Lock()
	list := make([]*query, 0, len(x.queries))
	for id, q := range x.queries {
		list = append(list, q)
		if !slices.Contains(ids, id) {
			ids = append(slices.Clip(ids), id)
		}
	}
	clear(x.queries)
	clear(x.leftovers)
	x.mu.Unlock()
	var wg sync.WaitGroup
	for _, q := range list {
		wg.Go(func() {
			q.stop()
			q.closeState()
			x.leave(q)
		})
	}
	wg.Wait()
	var errs []error
	for _, id := range ids {
		errs = append(errs, state.Destroy(x.cfg.FS, x.stateDir(id)))
	}
	return errors.Join(errs...)
}

// RemoveQueries removes from the brokers what queries leave that end on all servers: their groups and internal topics.
// confirm is called when it has been listed what there is, before anything is removed, and again before each group is, since
// groups have no ids; its error ends it. The error is of kind InUse while groups have members and nothing else fails: they, and
// their topics, are to be tried again.
func (x *Executor) RemoveQueries(ctx context.Context, ids []string, confirm func(context.Context) error) error {
	prefix := GroupName(x.cfg.ServiceID, "")
	admin := x.cfg.Kafka.Admin()
	groups, err := admin.Groups(ctx, prefix)
	if err != nil {
		return err
	}
	topics, err := admin.AllTopics(ctx)
	if err != nil {
		return err
	}
	known := QueryIDs{Ended: map[string]bool{}}
	for _, id := range ids {
		known.Ended[id] = true
	}
	internal := map[string][]kafka.TopicInfo{}
	for name, info := range topics {
		rest, ok := strings.CutPrefix(name, prefix)
		if id, of := known.gone(rest); ok && of && known.Ended[id] && isInternal(name) {
			internal[id] = append(internal[id], info)
		}
	}
	if err := confirm(ctx); err != nil {
		return err
	}
	var used, failed []error
	for _, id := range ids {
		group := GroupName(x.cfg.ServiceID, id)
		if slices.Contains(groups, group) {
			if err := confirm(ctx); err != nil {
				return err
			}
			if err := admin.DeleteGroup(ctx, group); err != nil {
				err = fmt.Errorf("group %s: %w", group, err)
				if kafka.KindOf(err) == kafka.InUse {
					used = append(used, err)
				} else {
					failed = append(failed, err)
				}
				continue
			}
		}
		for _, t := range internal[id] {
			failed = append(failed, admin.DeleteTopicByID(ctx, t.Name, t.ID))
		}
	}
	// What cannot be removed comes first: its kind is the error's.
	return errors.Join(append(failed, used...)...)
}
