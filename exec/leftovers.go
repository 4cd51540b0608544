package exec

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
)

// What a dropped query leaves on the brokers, its group and its internal topics, is shared by all servers: it is removed by
// whoever is the last to leave the group. A server that dies first is a member until its session times out, so what cannot
// be removed yet is tried again.

// leftoverEvery is the pause between two tries, leftoverTimeout bounds one.
const (
	leftoverEvery   = 2 * time.Second
	leftoverTimeout = 30 * time.Second
)

// removeShared removes the group and the internal topics of a query that ended on this server, or notes them to be removed
// later.
func (x *Executor) removeShared(ctx context.Context, id string, topics []string) error {
	err := x.tryRemoveShared(ctx, id, topics)
	if err == nil {
		return nil
	}
	x.mu.Lock()
	x.leftovers[id] = topics
	x.mu.Unlock()
	if kafka.KindOf(err) == kafka.InUse {
		return nil
	}
	return err
}

// tryRemoveShared removes topics only when the group is gone: as long as it has members, somebody may still use them, or
// create them anew.
func (x *Executor) tryRemoveShared(ctx context.Context, id string, topics []string) error {
	admin := x.cfg.Kafka.Admin()
	if err := admin.DeleteGroup(ctx, GroupName(x.cfg.ServiceID, id)); err != nil {
		return err
	}
	return admin.DeleteTopics(ctx, topics...)
}

// leftoverLoop tries again what could not be removed, until ctx ends.
func (x *Executor) leftoverLoop(ctx context.Context) {
	tick := time.NewTicker(leftoverEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		x.mu.Lock()
		waiting := maps.Clone(x.leftovers)
		x.mu.Unlock()
		for _, id := range slices.Sorted(maps.Keys(waiting)) {
			limited, cancel := context.WithTimeout(ctx, leftoverTimeout)
			err := x.tryRemoveShared(limited, id, waiting[id])
			cancel()
			switch {
			case err == nil:
				x.mu.Lock()
				delete(x.leftovers, id)
				x.mu.Unlock()
			case kafka.KindOf(err) != kafka.InUse && ctx.Err() == nil:
				x.cfg.Logger.Warn("what a dropped query left could not be removed; trying again", "query", id, "error", err)
			}
		}
	}
}

// RemoveLeftovers removes what queries that are not live have left behind, because a server was down or died when they
// were dropped: internal topics, consumer groups and local state. live is called once, after the topics and groups have been
// listed, and gives the ids of the queries that exist then; so nothing is taken from a query that was created meanwhile.
func (x *Executor) RemoveLeftovers(ctx context.Context, live func(context.Context) (map[string]bool, error)) error {
	prefix := GroupName(x.cfg.ServiceID, "")
	admin := x.cfg.Kafka.Admin()
	topics, err := admin.AllTopics(ctx)
	if err != nil {
		return err
	}
	groups, err := admin.Groups(ctx, prefix)
	if err != nil {
		return err
	}
	dirs, err := x.cfg.FS.List(x.cfg.StateDir)
	if err != nil {
		dirs = nil // There is none yet.
	}
	exists, err := live(ctx)
	if err != nil {
		return err
	}
	gone := map[string][]string{}
	for _, group := range groups {
		if id := strings.TrimPrefix(group, prefix); !exists[id] {
			gone[id] = nil
		}
	}
	for name := range topics {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok || !strings.HasSuffix(name, "-changelog") && !strings.HasSuffix(name, "-repartition") {
			continue
		}
		if id, _, ok := strings.Cut(rest, "-"); ok && !exists[id] {
			gone[id] = append(gone[id], name)
		}
	}
	var errs []error
	for id, names := range gone {
		errs = append(errs, x.removeShared(ctx, id, names))
	}
	kept := map[string]bool{}
	for id := range exists {
		kept[dirName(id)] = true
	}
	for _, dir := range dirs {
		if !kept[dir] && !strings.Contains(dir, ".corrupt-") {
			errs = append(errs, state.Destroy(x.cfg.FS, x.cfg.FS.PathJoin(x.cfg.StateDir, dir)))
		}
	}
	return errors.Join(errs...)
}
