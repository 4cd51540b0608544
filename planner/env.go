// Package planner turns statements into plans: it binds names and types against one catalog snapshot, builds a logical
// plan, improves it by rules, and cuts it into the stages that run.
package planner

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Env is everything a statement is planned against. It is not changed by planning and may be used for one statement
// after the other; the caller replaces Catalog as statements take effect.
type Env struct {
	Catalog   *catalog.Snapshot
	Functions *functions.Registry
	Formats   *formats.Registry
	// Schemas is the schema registry: columns are read from it where a statement leaves them out. Nil where there is none.
	Schemas schemas.Registry
	// Topics tells which topics exist.
	Topics Topics
	// Constants evaluates expressions over no columns: INSERT VALUES, keys of pull queries. May be nil where neither is planned.
	Constants Constants
	// Plans finds the plans of persistent queries, for pull queries over what they materialise. May be nil: then there are none.
	Plans func(queryID string) (*physical.Plan, bool)
	// Properties in force, session over server, names without the ksql.streams. prefix.
	Properties map[string]string
	// ServiceID is a part of internal topic names (ksql.service.id).
	ServiceID string
	// QueryNumber is the number at the end of the id of the query that is planned: the offset of the command, or a counter.
	QueryNumber int64
}

// Topics tells which topics exist.
type Topics interface {
	// Topic describes a topic; ok is false when there is none. An error means that it could not be found out.
	Topic(name string) (info TopicInfo, ok bool, err error)
}

// TopicInfo describes an existing topic.
type TopicInfo struct {
	Partitions, Replicas int
}

// Constants evaluates expressions that read no column.
type Constants interface {
	// Evaluate computes the value, in the slot class of e.Type().
	Evaluate(e expr.Expr) (types.Slot, error)
}

// SourcePlan is a planned CREATE STREAM or CREATE TABLE.
type SourcePlan struct {
	Source *catalog.Source
	Topic  TopicPlan
	// Schemas are to be registered once the topic is there.
	Schemas []SchemaPlan
	// Exists says that the source exists and IF NOT EXISTS was given: nothing is to be done but to warn.
	Exists bool
	// Query keeps the rows of a source table, with the same Source, Topic and Schemas; nil for other sources.
	Query *QueryPlan
}

// TopicPlan is a topic that must exist before the statement takes effect.
type TopicPlan struct {
	Name                 string
	Partitions, Replicas int
	// Exists says that it is there already, with these partitions.
	Exists bool
	// Config of a topic to be created: cleanup.policy, retention.ms.
	Config map[string]string
}

// QueryPlan is a planned persistent query: CREATE … AS SELECT, INSERT INTO … SELECT or CREATE SOURCE TABLE.
type QueryPlan struct {
	Plan *physical.Plan
	// Query is its entry in the catalog, Source that of its result; Source is nil for INSERT INTO.
	Query  *catalog.Query
	Source *catalog.Source
	// Topic of the sink, or of a source table; of an INSERT INTO it exists.
	Topic TopicPlan
	// Schemas are to be registered once the topic is there.
	Schemas []SchemaPlan
	// Logical is the plan before it was cut into stages, as text for people.
	Logical string
	// Exists says that the sink exists and IF NOT EXISTS was given: nothing else is set then.
	Exists bool
	// Replaces says that the query takes the place of the one of the same id and goes on where that stopped.
	Replaces bool
}

// PushPlan is a planned push query.
type PushPlan struct {
	Plan    *physical.Plan
	Logical string
}

// PullPlan is a planned pull query: over a materialised table, or over a stream.
type PullPlan struct {
	// Table reads the state of a persistent query; nil for a stream.
	Table *physical.Pull
	// Stream reads a stream from its beginning to the end offsets at the start, then ends; nil for a table.
	Stream *physical.Plan
}

// InsertPlan is a planned INSERT INTO … VALUES: one record.
type InsertPlan struct {
	Source *catalog.Source
	// Key and Value hold one slot a column of the source's schema.
	Key, Value []types.Slot
	// KeyFormat and ValueFormat encode them.
	KeyFormat, ValueFormat physical.FormatSpec
	// Timestamp is ROWTIME if it was given; nil: now.
	Timestamp *int64
	// Warnings are told beside the result.
	Warnings []string
	// NullValue: no value column was given or all are null. It is never a tombstone in ksqlDB: the row of nulls is written.
	NullValue bool
}

// property reads a property in force, by its name without the ksql.streams. prefix; "" when it is not set.
func (env *Env) property(name string) string {
	if v, ok := env.Properties[name]; ok {
		return v
	}
	return env.Properties["ksql.streams."+name]
}

// flag reads a boolean property.
func (env *Env) flag(name string, unset bool) bool {
	switch v := env.property(name); {
	case v == "":
		return unset
	default:
		return strings.EqualFold(v, "true")
	}
}

func (env *Env) topic(name string) (TopicInfo, bool, error) {
	if env.Topics == nil {
		return TopicInfo{}, false, nil
	}
	return env.Topics.Topic(name)
}
