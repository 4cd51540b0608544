package engine

import (
	"context"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// fixStart writes into the plan of a new query where its inputs end now, if it starts at their ends: what is written once the
// statement has been answered is read, though the query may take a while to start. ksqlDB's queries miss it.
func (e *Engine) fixStart(ctx context.Context, p *plannedCommand) error {
	if p.plan == nil {
		return nil
	}
	var inputs []*physical.Input
	var topics []string
	for _, stage := range p.plan.Stages {
		for _, in := range stage.Inputs {
			if exec.StartsAtEnd(p.command.Properties, in) {
				inputs, topics = append(inputs, in), append(topics, in.Topic)
			}
		}
	}
	if len(inputs) == 0 {
		return nil
	}
	ends, err := e.cfg.Kafka.Admin().CommittedEndOffsets(ctx, topics...)
	if err != nil {
		return err
	}
	for _, in := range inputs {
		in.StartAt = nil
		for partition := int32(0); ; partition++ {
			end, ok := ends[kafka.TopicPartition{Topic: in.Topic, Partition: partition}]
			if !ok {
				break
			}
			in.StartAt = append(in.StartAt, end)
		}
	}
	p.command.Plan, err = physical.Encode(p.plan)
	return err
}
