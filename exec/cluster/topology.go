package cluster

import (
	"cmp"
	"fmt"
	"slices"
)

// TaskID names a task: one stage of the plan over one partition number of all topics the stage reads.
type TaskID struct {
	Stage, Partition int32
}

// String is the task as Kafka Streams writes it: stage, underscore, partition.
func (t TaskID) String() string { return fmt.Sprintf("%d_%d", t.Stage, t.Partition) }

// Compare orders tasks by partition, then stage: what is done in this order treats the stages alike.
func (t TaskID) Compare(o TaskID) int {
	return cmp.Or(cmp.Compare(t.Partition, o.Partition), cmp.Compare(t.Stage, o.Stage))
}

// Stage is what the assignment needs to know of a stage.
type Stage struct {
	ID int32
	// Topics the stage reads. No two stages read the same one.
	Topics []string
	// Partitions is how many each of Topics had when the query was planned.
	Partitions int32
	// Stateful stages have stores; their tasks have standbys.
	Stateful bool
}

// Topology is what the assignment needs to know of a query.
type Topology struct {
	Stages []Stage
	// PlanHash tells plans of the same query apart; members assign tasks to those who run the same plan.
	PlanHash uint64
}

// Task is a task to be assigned.
type Task struct {
	TaskID
	Stateful bool
}

// Tasks lists the tasks in the order of [TaskID.Compare].
func (t Topology) Tasks() []Task {
	var out []Task
	for _, s := range t.Stages {
		for p := range s.Partitions {
			out = append(out, Task{TaskID{s.ID, p}, s.Stateful})
		}
	}
	slices.SortFunc(out, func(a, b Task) int { return a.Compare(b.TaskID) })
	return out
}

// check compares the partition counts with those of planning time.
func (t Topology) check(partitions map[string]int32) *AssignmentError {
	for _, s := range t.Stages {
		for _, topic := range s.Topics {
			have, ok := partitions[topic]
			switch {
			case !ok:
				return &AssignmentError{PartitionsChanged, fmt.Sprintf("topic %s does not exist", topic)}
			case have != s.Partitions:
				return &AssignmentError{PartitionsChanged, fmt.Sprintf(
					"topic %s has %d partitions; the query was created when it had %d", topic, have, s.Partitions)}
			}
		}
	}
	return nil
}
