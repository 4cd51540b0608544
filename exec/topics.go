package exec

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// topicSet is what a query knows of the topics it reads and writes.
type topicSet struct {
	infos map[string]kafka.TopicInfo
}

func (t *topicSet) partitions(topic string) int32 { return t.infos[topic].Partitions }

// ensureTopics creates the internal topics of a plan and verifies that all topics have the partitions they were planned
// with. Several servers may do it at once.
func (x *Executor) ensureTopics(ctx context.Context, plan *physical.Plan) (*topicSet, error) {
	admin := x.cfg.Kafka.Admin()
	set := &topicSet{infos: map[string]kafka.TopicInfo{}}
	for _, spec := range internalTopics(plan, x.cfg.InternalReplication, x.cfg.InternalMinInSync) {
		info, err := admin.EnsureTopic(ctx, spec)
		if err != nil {
			return nil, err
		}
		set.infos[spec.Name] = info
	}
	var outside []string
	for _, s := range plan.Stages {
		for _, in := range s.Inputs {
			if !in.Repartition {
				outside = append(outside, in.Topic)
			}
		}
	}
	if plan.Sink != nil {
		outside = append(outside, plan.Sink.Topic)
	}
	infos, err := admin.Topics(ctx, outside...)
	if err != nil {
		return nil, err
	}
	for _, name := range outside {
		info, ok := infos[name]
		if !ok {
			return nil, &kafka.Error{Kind: kafka.TopicGone, Op: "starting the query", Topic: name, Partition: -1,
				Err: fmt.Errorf("the topic does not exist")}
		}
		set.infos[name] = info
	}
	for _, s := range plan.Stages {
		for _, in := range s.Inputs {
			if have := set.partitions(in.Topic); have != int32(s.Partitions) {
				return nil, fmt.Errorf("topic %s has %d partitions; the query was created when it had %d. "+
					"Partitions must not be added to the topic of a running query: drop the query and create it again", in.Topic, have, s.Partitions)
			}
		}
	}
	return set, nil
}

// internalTopics lists the repartition and changelog topics of a plan. Their retention is unlimited: repartition records
// are deleted once they have been read, changelogs are compacted by brokers that can.
func internalTopics(plan *physical.Plan, replication int16, minInSync int) []kafka.TopicSpec {
	var out []kafka.TopicSpec
	spec := func(name string, partitions int, policy string) {
		configs := map[string]string{"cleanup.policy": policy, "retention.ms": "-1", "retention.bytes": "-1"}
		if minInSync > 0 {
			configs["min.insync.replicas"] = strconv.Itoa(minInSync)
		}
		out = append(out, kafka.TopicSpec{Name: name, Partitions: int32(partitions), ReplicationFactor: replication, Configs: configs})
	}
	for _, s := range plan.Stages {
		for _, w := range s.Writes() {
			spec(w.Topic, w.Partitions, "delete")
		}
		for _, st := range s.Stores {
			if st.Changelog != "" {
				spec(st.Changelog, s.Partitions, "compact")
			}
		}
	}
	return out
}

// internalTopicNames lists the internal topics of a plan by name.
func internalTopicNames(plan *physical.Plan) []string {
	var names []string
	for _, t := range internalTopics(plan, 0, 0) {
		names = append(names, t.Name)
	}
	return names
}

// inputTopics lists the topics the query's consumer group reads.
func inputTopics(plan *physical.Plan) ([]string, error) {
	var names []string
	seen := map[string]bool{}
	for _, s := range plan.Stages {
		for _, in := range s.Inputs {
			if seen[in.Topic] {
				return nil, fmt.Errorf("topic %s is read twice by one query; declare the second source on a copy of the topic", in.Topic)
			}
			seen[in.Topic] = true
			names = append(names, in.Topic)
		}
	}
	return names, nil
}
