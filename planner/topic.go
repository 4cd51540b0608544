package planner

import (
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// defaultRetentionMs is Kafka's: seven days.
const defaultRetentionMs = 7 * 24 * 3600 * 1000

// topicConfig is the config of a topic that is to be created. retentionMs 0 leaves it to the broker.
func topicConfig(kind catalog.Kind, windowed bool, retentionMs int64) map[string]string {
	config := map[string]string{"cleanup.policy": cleanupPolicy(kind, windowed)}
	if retentionMs > 0 {
		config["retention.ms"] = strconv.FormatInt(retentionMs, 10)
	}
	return config
}

func cleanupPolicy(kind catalog.Kind, windowed bool) string {
	switch {
	case kind == catalog.Stream:
		return "delete"
	case windowed:
		return "compact,delete"
	}
	return "compact"
}

// retention reads RETENTION_MS.
func (w *with) retention(kind catalog.Kind, windowed bool) (int64, error) {
	ms, ok, err := w.number(withRetention)
	if err != nil || !ok {
		return 0, err
	}
	if kind == catalog.Table && !windowed {
		p, _ := w.get(withRetention)
		return 0, diag.Errorf(diag.InvalidValue, p.Span(), "Invalid config variable in the WITH clause: RETENTION_MS. Non-windowed tables do not support retention.")
	}
	if ms < 0 {
		return 0, w.invalid(withRetention, "Invalid retention: %d", ms)
	}
	return ms, nil
}

// matchTopic checks what was asked for against the topic that exists.
func matchTopic(at diag.Span, name string, info TopicInfo, partitions, replicas int) error {
	if (partitions == 0 || partitions == info.Partitions) && (replicas == 0 || replicas == info.Replicas) {
		return nil
	}
	if partitions == 0 {
		partitions = info.Partitions
	}
	if replicas == 0 {
		replicas = info.Replicas
	}
	return diag.Errorf(diag.InvalidSource, at, "A Kafka topic with the name '%s' already exists, with different partition/replica configuration than required. "+
		"KSQL expects %d partitions (topic has %d), and %d replication factor (topic has %d).",
		name, partitions, info.Partitions, replicas, info.Replicas)
}

// readOnlyTopics are Kafka's and ksqlDB's own, which statements must not write.
func isReadOnlyTopic(name string) bool {
	for _, prefix := range []string{"_confluent", "__confluent", "_schemas", "__consumer_offsets", "__transaction_state", "connect-configs", "connect-offsets", "connect-status", "connect-statuses"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
