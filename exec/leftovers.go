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
		waiting := slices.Sorted(maps.Keys(x.leftovers))
		x.mu.Unlock()
		for _, id := range waiting {
			err := x.retryLeftover(ctx, id)
			if err != nil && kafka.KindOf(err) != kafka.InUse && ctx.Err() == nil {
				x.cfg.Logger.Warn("what a dropped query left could not be removed; trying again", "query", id, "error", err)
			}
		}
	}
}

// retryLeftover tries once more, unless it does not matter any more.
func (x *Executor) retryLeftover(ctx context.Context, id string) error {
	x.removing.Lock()
	defer x.removing.Unlock()
	x.mu.Lock()
	topics, waits := x.leftovers[id]
	x.mu.Unlock()
	if !waits {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, leftoverTimeout)
	defer cancel()
	if err := x.tryRemoveShared(limited, id, topics); err != nil {
		return err
	}
	x.mu.Lock()
	delete(x.leftovers, id)
	x.mu.Unlock()
	return nil
}

// QueryIDs are the queries that a service knows: those that exist, and those that have ended.
type QueryIDs struct{ Live, Ended map[string]bool }

// gone finds the ended query that a group, or an internal topic, is of; rest is its name behind the service's prefix. ok is
// false for what belongs to a query that exists, or may be another service's: the prefix of one service can be how the names
// of another one begin.
func (q QueryIDs) gone(rest string) (id string, ok bool) {
	for end := len(rest); end > 0; end = strings.LastIndexByte(rest[:end], '-') {
		if q.Live[rest[:end]] {
			return "", false
		}
		if id == "" && q.Ended[rest[:end]] {
			id = rest[:end]
		}
	}
	if id != "" {
		return id, true
	}
	if strings.Contains(rest, groupInfix) {
		return "", false
	}
	id, _, _ = strings.Cut(rest, "-")
	return id, id != ""
}

// isInternal says whether a topic of a query is one of its internal ones.
func isInternal(topic string) bool {
	return strings.HasSuffix(topic, "-changelog") || strings.HasSuffix(topic, "-repartition") ||
		strings.Contains(topic, "-KTABLE-FK-JOIN-") && strings.HasSuffix(topic, "-topic")
}

// RemoveLeftovers removes what queries that are not live have left behind, because a server was down or died when they
// were dropped: internal topics, consumer groups and local state. known is called once, after the topics and groups have been
// listed, and gives the queries that exist then; so nothing is taken from a query that was created meanwhile.
func (x *Executor) RemoveLeftovers(ctx context.Context, known func(context.Context) (QueryIDs, error)) error {
	prefix := GroupName(x.cfg.ServiceID, "")
	admin := x.cfg.Kafka.Admin()
	epoch := x.epoch.Load()
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
	ids, err := known(ctx)
	if err != nil {
		return err
	}
	gone := map[string][]string{}
	for _, group := range groups {
		if id, ok := ids.gone(strings.TrimPrefix(group, prefix)); ok && GroupName(x.cfg.ServiceID, id) == group {
			gone[id] = nil
		}
	}
	for name := range topics {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok || !isInternal(name) {
			continue
		}
		if id, ok := ids.gone(rest); ok {
			gone[id] = append(gone[id], name)
		}
	}
	// Not while, and not after, everything ends here.
	x.removing.Lock()
	defer x.removing.Unlock()
	if x.epoch.Load() != epoch {
		return nil
	}
	var errs []error
	for id, names := range gone {
		errs = append(errs, x.removeShared(ctx, id, names))
	}
	kept := map[string]bool{}
	for id := range ids.Live {
		kept[dirName(id)] = true
	}
	for _, dir := range dirs {
		if !kept[dir] && !strings.Contains(dir, ".corrupt-") {
			errs = append(errs, state.Destroy(x.cfg.FS, x.cfg.FS.PathJoin(x.cfg.StateDir, dir)))
		}
	}
	return errors.Join(errs...)
}
