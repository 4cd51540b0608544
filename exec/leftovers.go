package exec

import (
	"context"
	"errors"
	"strings"

	"github.com/ksqlgo/ksqlgo/exec/state"
)

// RemoveLeftovers removes what queries that are not live have left behind, because a server was down or died when they
// were dropped: internal topics, consumer groups and local state. live holds the ids of the queries that exist.
func (x *Executor) RemoveLeftovers(ctx context.Context, live map[string]bool) error {
	prefix := GroupName(x.cfg.ServiceID, "")
	admin := x.cfg.Kafka.Admin()
	topics, err := admin.AllTopics(ctx)
	if err != nil {
		return err
	}
	var errs []error
	gone := map[string]bool{}
	for name := range topics {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok || !strings.HasSuffix(name, "-changelog") && !strings.HasSuffix(name, "-repartition") {
			continue
		}
		id, _, ok := strings.Cut(rest, "-")
		if ok && !live[id] {
			gone[id] = true
			errs = append(errs, admin.DeleteTopics(ctx, name))
		}
	}
	for id := range gone {
		errs = append(errs, admin.DeleteGroup(ctx, prefix+id))
	}
	dirs, err := x.cfg.FS.List(x.cfg.StateDir)
	if err == nil {
		for _, dir := range dirs {
			if !live[dir] && !strings.Contains(dir, ".corrupt-") {
				errs = append(errs, state.Destroy(x.cfg.FS, x.cfg.FS.PathJoin(x.cfg.StateDir, dir)))
			}
		}
	}
	return errors.Join(errs...)
}
