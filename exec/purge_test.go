package exec

import (
	"maps"
	"testing"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// Only what running tasks have read is deleted: the positions of the others may be ahead of what is committed.
func TestPurgeable(t *testing.T) {
	t.Parallel()
	stage := &physical.Stage{Inputs: []*physical.Input{{Topic: "source"}, {Topic: "between", Repartition: true}}}
	task := func(partition int32, active bool, positions ...int64) *hostedTask {
		f := newFeeder(stage, partition, 1, nil)
		f.active = active
		copy(f.position, positions)
		return &hostedTask{feeder: f}
	}
	got := purgeable([]*hostedTask{task(0, true, 10, 20), task(1, false, 30, 40), task(2, true, 50, 0)})
	want := map[kafka.TopicPartition]int64{{Topic: "between", Partition: 0}: 20}
	if !maps.Equal(got, want) {
		t.Errorf("deletes up to %v, want %v", got, want)
	}
}
