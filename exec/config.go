package exec

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/exec/state"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Config is what an executor is built from. What it points to is the caller's to close, after the executor.
type Config struct {
	Kafka *kafka.Cluster
	// StateDir holds a directory for each query.
	StateDir string
	// FS is where StateDir is; nil means the disk.
	FS state.FS
	// Pool is shared by all state databases.
	Pool *state.Pool
	// ServiceID is part of the names of groups and internal topics (ksql.service.id).
	ServiceID string
	// NodeID tells servers apart; it is kept in the data directory. Under it the server is a static member of its groups, so
	// that a restart moves no task, unless Dynamic is set.
	NodeID  string
	Dynamic bool
	// Incarnation is one life of the server, Endpoint where the other servers of the service reach it (host:port of its
	// internal listener), Zone where it stands: standbys go to another zone than the owner. The last two may be empty.
	Incarnation    uint64
	Endpoint, Zone string
	Functions      *functions.Registry
	Formats        *formats.Registry
	Logger         *slog.Logger
	// Now and Random are the world's clock and dice.
	Now    func() time.Time
	Random func() uint64
	// Compacting says that the brokers compact changelogs, so that old local state may miss tombstones.
	Compacting bool
	// InternalReplication is the replication factor of internal topics; 0 leaves it to the broker.
	InternalReplication int16
	// InternalMinInSync is their min.insync.replicas; 0 leaves it to the broker.
	InternalMinInSync int
	// Committed, unless nil, is told of each transaction of a query: how long its commit took, and how long the interval was that
	// it closed. It is called by the query's goroutine and must return at once.
	Committed func(queryID string, took, interval time.Duration)
	// RetryInitial and RetryMax bound the pause before a failed query is started again
	// (ksql.query.retry.backoff.initial.ms and .max.ms).
	RetryInitial, RetryMax time.Duration
}

// QuerySpec is a persistent query to run.
type QuerySpec struct {
	Plan *physical.Plan
	// Properties in force, by normalised name.
	Properties map[string]string
	// Paused queries keep their state readable and process nothing.
	Paused bool
}

// GroupName is the consumer group, and the prefix of internal topics, of a persistent query: ksqlDB's scheme, so that
// ACL prefixes carry over.
func GroupName(serviceID, queryID string) string {
	return "_confluent-ksql-" + serviceID + groupInfix + queryID
}

// groupInfix stands between service id and query id.
const groupInfix = "query_"

// settings are the properties a query's execution depends on, parsed.
type settings struct {
	commitInterval time.Duration
	cacheBytes     int64
	// reset is auto.offset.reset: earliest, latest, or empty when not set.
	reset string
	// atLeastOnce is processing.guarantee = at_least_once; the default is exactly once.
	atLeastOnce bool
	// standbys is num.standby.replicas; acceptableLag is acceptable.recovery.lag in records, 0 when not set.
	standbys      int
	acceptableLag int64
	// sessionTimeout is session.timeout.ms.
	sessionTimeout time.Duration
	// cleanupDelay is state.cleanup.delay.ms.
	cleanupDelay time.Duration
}

// defaultStandbys is how many servers stand by for a stateful task, where there are enough.
const defaultStandbys = 1

// overlayLimit is how many bytes of uncommitted state a query may hold before it commits early.
const overlayLimit = 64 << 20

func parseSettings(properties map[string]string) settings {
	s := settings{commitInterval: 100 * time.Millisecond, cacheBytes: 10_000_000, reset: properties["auto.offset.reset"],
		atLeastOnce: properties["processing.guarantee"] == "at_least_once", standbys: defaultStandbys, sessionTimeout: 10 * time.Second,
		cleanupDelay: 10 * time.Minute}
	if v, err := strconv.ParseInt(properties["commit.interval.ms"], 10, 64); err == nil && v > 0 {
		s.commitInterval = time.Duration(v) * time.Millisecond
	}
	if v, err := strconv.ParseInt(properties["cache.max.bytes.buffering"], 10, 64); err == nil && v >= 0 {
		s.cacheBytes = v
	}
	if v, err := strconv.Atoi(properties["num.standby.replicas"]); err == nil && v >= 0 {
		s.standbys = v
	}
	if v, err := strconv.ParseInt(properties["acceptable.recovery.lag"], 10, 64); err == nil && v >= 0 {
		s.acceptableLag = v
	}
	if v, err := strconv.ParseInt(properties["state.cleanup.delay.ms"], 10, 64); err == nil && v >= 0 {
		s.cleanupDelay = time.Duration(v) * time.Millisecond
	}
	if v, err := strconv.ParseInt(properties["session.timeout.ms"], 10, 64); err == nil && v > 0 {
		s.sessionTimeout = time.Duration(v) * time.Millisecond
	}
	return s
}

// StartsAtEnd says whether a query with these properties, by normalised name, begins to read an input at its end.
func StartsAtEnd(properties map[string]string, in *physical.Input) bool {
	return parseSettings(properties).startAtEnd(in)
}

// startAtEnd says whether an input without committed offset starts at its end. As in ksqlDB a stream starts at latest
// and a table at earliest unless auto.offset.reset says otherwise for both; internal topics start at earliest.
func (s settings) startAtEnd(in *physical.Input) bool {
	switch {
	case in.Repartition:
		return false
	case s.reset != "":
		return s.reset == "latest"
	}
	return !in.Table
}
