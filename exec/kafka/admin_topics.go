package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Admin describes and changes topics, offsets and groups. Its methods are safe
// for concurrent use.
type Admin struct {
	client *kgo.Client
	kadm   *kadm.Client
}

// TopicID is the identity of one incarnation of a topic: a topic deleted and
// created again has another one.
type TopicID [16]byte

// TopicInfo describes a topic.
type TopicInfo struct {
	Name              string
	ID                TopicID
	Partitions        int32
	ReplicationFactor int16
	// Internal is set for the topics Kafka keeps for itself.
	Internal bool
	// Created is set by the call that has created the topic, and only where that is certain.
	Created bool
}

// TopicSpec describes a topic to create.
type TopicSpec struct {
	Name string
	// Partitions is the count; 0 or less leaves it to the broker.
	Partitions int32
	// ReplicationFactor 0 or less leaves it to the broker.
	ReplicationFactor int16
	// Configs are topic configurations, as cleanup.policy.
	Configs map[string]string
}

// TopicMismatchError says that a topic exists and is not as it should be.
type TopicMismatchError struct {
	Topic string
	// What differs ("partitions", or the name of a configuration).
	What       string
	Want, Have string
}

func (e *TopicMismatchError) Error() string {
	return fmt.Sprintf("topic %s exists with %s %s, and should have %s", e.Topic, e.What, e.Have, e.Want)
}

// Topics describes the named topics; a topic that does not exist is missing
// from the answer.
func (a *Admin) Topics(ctx context.Context, names ...string) (map[string]TopicInfo, error) {
	if len(names) == 0 {
		return map[string]TopicInfo{}, nil
	}
	return a.topics(ctx, names...)
}

// AllTopics describes every topic of the cluster, Kafka's own included.
func (a *Admin) AllTopics(ctx context.Context) (map[string]TopicInfo, error) { return a.topics(ctx) }

// topics asks the brokers anew: what the client has cached may be from before
// a topic was created or deleted.
func (a *Admin) topics(ctx context.Context, names ...string) (map[string]TopicInfo, error) {
	const op = "describing topics"
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range names {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, rt)
	}
	var resp *kmsg.MetadataResponse
	err := retrying(ctx, op, func() (err error) {
		resp, err = req.RequestWith(ctx, a.client)
		return err
	})
	if err != nil {
		return nil, err
	}
	infos := make(map[string]TopicInfo, len(resp.Topics))
	for _, t := range resp.Topics {
		if t.Topic == nil {
			continue
		}
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			continue
		case err != nil:
			return nil, topicError(op, *t.Topic, -1, err)
		}
		info := TopicInfo{Name: *t.Topic, ID: TopicID(t.TopicID), Partitions: int32(len(t.Partitions)), Internal: t.IsInternal}
		if len(t.Partitions) > 0 {
			info.ReplicationFactor = int16(len(t.Partitions[0].Replicas))
		}
		infos[info.Name] = info
	}
	return infos, nil
}

// refresh asks for the topics' metadata anew, all topics' without names. What
// the client has cached may be from before a topic was created.
func (a *Admin) refresh(ctx context.Context, names ...string) error {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range names {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, rt)
	}
	_, err := a.client.RequestCachedMetadata(ctx, req, time.Nanosecond)
	return err
}

// TopicConfigs returns the configurations in force for a topic, defaults
// included.
func (a *Admin) TopicConfigs(ctx context.Context, topic string) (map[string]string, error) {
	const op = "describing a topic's configuration"
	var all kadm.ResourceConfigs
	err := retrying(ctx, op, func() (err error) {
		all, err = a.kadm.DescribeTopicConfigs(ctx, topic)
		return err
	})
	if err != nil {
		return nil, err
	}
	resource, err := all.On(topic, nil)
	if err == nil {
		err = resource.Err
	}
	if err != nil {
		return nil, topicError(op, topic, -1, err)
	}
	configs := make(map[string]string, len(resource.Configs))
	for _, c := range resource.Configs {
		configs[c.Key] = c.MaybeValue()
	}
	return configs, nil
}

// CreateTopic creates a topic and waits a while until the brokers know it. The
// error is of kind TopicExists when there is one already.
func (a *Admin) CreateTopic(ctx context.Context, spec TopicSpec) (TopicInfo, error) {
	configs := make(map[string]*string, len(spec.Configs))
	for k, v := range spec.Configs {
		configs[k] = &v
	}
	partitions, replicas := max(spec.Partitions, 0), max(spec.ReplicationFactor, 0)
	if partitions == 0 {
		partitions = -1
	}
	if replicas == 0 {
		replicas = -1
	}
	created, err := a.kadm.CreateTopic(ctx, partitions, replicas, configs, spec.Name)
	if err != nil {
		return TopicInfo{}, topicError("creating a topic", spec.Name, -1, err)
	}
	settle(ctx, a.client, []string{spec.Name}, topicMetadata.led)
	if err := a.refresh(ctx, spec.Name); err != nil {
		return TopicInfo{}, topicError("creating a topic", spec.Name, -1, err)
	}
	return TopicInfo{
		Name: spec.Name, ID: TopicID(created.ID),
		Partitions: created.NumPartitions, ReplicationFactor: created.ReplicationFactor, Created: true,
	}, nil
}

// EnsureTopic creates a topic, or verifies that the one which exists has the
// partition count (when the spec names one) and the configurations of the
// spec; *TopicMismatchError says what differs. Several servers may call it at
// once.
func (a *Admin) EnsureTopic(ctx context.Context, spec TopicSpec) (TopicInfo, error) {
	// Most of the time it is there, and to look is quicker than to ask the controller.
	infos, err := a.Topics(ctx, spec.Name)
	if err != nil {
		return TopicInfo{}, err
	}
	if info, ok := infos[spec.Name]; ok {
		return info, a.verify(ctx, info, spec)
	}
	var info TopicInfo
	err = retrying(ctx, "creating a topic", func() (err error) {
		info, err = a.CreateTopic(ctx, spec)
		return err
	})
	if KindOf(err) != TopicExists {
		return info, err
	}
	// Somebody else has created it just now.
	settle(ctx, a.client, []string{spec.Name}, topicMetadata.led)
	if infos, err = a.Topics(ctx, spec.Name); err != nil {
		return TopicInfo{}, err
	}
	info, ok := infos[spec.Name]
	if !ok {
		return TopicInfo{}, topicError("verifying a topic", spec.Name, -1, kerr.UnknownTopicOrPartition)
	}
	return info, a.verify(ctx, info, spec)
}

// verify compares a topic with what it should be.
func (a *Admin) verify(ctx context.Context, info TopicInfo, spec TopicSpec) error {
	if spec.Partitions > 0 && info.Partitions != spec.Partitions {
		return &TopicMismatchError{spec.Name, "partitions", fmt.Sprint(spec.Partitions), fmt.Sprint(info.Partitions)}
	}
	if len(spec.Configs) == 0 {
		return nil
	}
	have, err := a.TopicConfigs(ctx, spec.Name)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Configs)) {
		// How many replicas must have a record is the operators' to change, also later.
		if name != "min.insync.replicas" && have[name] != spec.Configs[name] {
			return &TopicMismatchError{spec.Name, name, spec.Configs[name], have[name]}
		}
	}
	return nil
}

// DeleteTopics deletes topics and waits a while until the brokers know; one
// that does not exist is no error.
func (a *Admin) DeleteTopics(ctx context.Context, names ...string) error {
	const op = "deleting a topic"
	if len(names) == 0 {
		return nil
	}
	deleted, err := a.kadm.DeleteTopics(ctx, names...)
	if err != nil {
		return newError(op, err)
	}
	var errs []error
	ids := make(map[TopicID]bool, len(deleted))
	for name, d := range deleted {
		if !errors.Is(d.Err, kerr.UnknownTopicOrPartition) {
			errs = append(errs, topicError(op, name, -1, d.Err))
		}
		ids[TopicID(d.ID)] = d.Err == nil
	}
	settle(ctx, a.client, names, func(m topicMetadata) bool { return m.err != nil || !ids[m.id] })
	return errors.Join(errs...)
}

// DeleteRecords removes the records below the given offsets.
func (a *Admin) DeleteRecords(ctx context.Context, before map[TopicPartition]int64) error {
	const op = "deleting records"
	if len(before) == 0 {
		return nil
	}
	offsets := make(kadm.Offsets)
	for tp, offset := range before {
		offsets.AddOffset(tp.Topic, tp.Partition, offset, -1)
	}
	deleted, err := a.kadm.DeleteRecords(ctx, offsets)
	if err != nil {
		return newError(op, err)
	}
	var errs []error
	deleted.Each(func(d kadm.DeleteRecordsResponse) {
		errs = append(errs, topicError(op, d.Topic, d.Partition, d.Err))
	})
	return errors.Join(errs...)
}
