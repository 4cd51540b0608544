package broker

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sizeWarning is the size of a data directory that is told, and again each
// time it has doubled: compacted topics are never compacted here.
const sizeWarning = 10 << 30

// applyRetention applies the topics' retention at every interval until ctx
// ends: kfake's own timer would compact too, and is switched off for that.
func (b *Broker) applyRetention(ctx context.Context, dir string, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	warnAt := int64(sizeWarning)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := b.keepCompacted(ctx); err != nil {
			b.logger.Warn("embedded broker: retention skipped", "error", err)
			continue
		}
		b.cluster.ApplyRetention()
		if size := dirSize(dir); size >= warnAt {
			b.logger.Warn("embedded broker: the data directory is large; it keeps every change of every table, "+
				"so for data of this size use a Kafka cluster", "dir", dir, "bytes", size)
			warnAt = 2 * size
		}
	}
}

// dirSize adds up the files of a directory; what cannot be read counts 0.
func dirSize(dir string) (size int64) {
	if dir == "" {
		return 0
	}
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // Files come and go while it counts.
		}
		if info, err := d.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}

// keepCompacted gives retention.ms=-1 to every topic that is compacted and not
// deleted by age: kfake would apply the seven-day default to it.
func (b *Broker) keepCompacted(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.addr))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	configs, err := admin.DescribeTopicConfigs(ctx, topics.Names()...)
	if err != nil {
		return err
	}
	var keep []string
	for _, topic := range configs {
		policy, retention := "", ""
		for _, c := range topic.Configs {
			switch c.Key {
			case "cleanup.policy":
				policy = c.MaybeValue()
			case "retention.ms":
				retention = c.MaybeValue()
			}
		}
		if compactOnly(policy) && retention != "-1" {
			keep = append(keep, topic.Name)
		}
	}
	if len(keep) == 0 {
		return nil
	}
	forever := "-1"
	_, err = admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "retention.ms", Value: &forever},
	}, keep...)
	return err
}

// compactOnly reports whether a cleanup.policy compacts and never deletes.
func compactOnly(policy string) bool {
	return strings.Contains(policy, "compact") && !strings.Contains(policy, "delete")
}
