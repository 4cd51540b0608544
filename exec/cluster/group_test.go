package cluster_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/tests/apache"
)

// server is a member of a group on a broker.
type server struct {
	consumer *kafka.GroupConsumer

	mu         sync.Mutex
	positions  map[cluster.TaskID]cluster.TaskPosition
	assignment *cluster.Assignment
	owned      map[int32]bool
}

func join(t *testing.T, k *kafka.Cluster, id string, topology cluster.Topology) *server {
	t.Helper()
	s := &server{positions: map[cluster.TaskID]cluster.TaskPosition{}, owned: map[int32]bool{}}
	b := cluster.NewBalancer(cluster.BalancerConfig{Topology: topology, Options: cluster.DefaultOptions(),
		Local: func() cluster.Subscription {
			s.mu.Lock()
			defer s.mu.Unlock()
			sub := cluster.Subscription{NodeID: id, Endpoint: "http://" + id}
			for _, p := range s.positions {
				sub.Positions = append(sub.Positions, p)
			}
			return sub
		},
		Assigned: func(a *cluster.Assignment, err error) {
			if err != nil {
				t.Error(err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.assignment = a
		},
	})
	var err error
	s.consumer, err = k.NewGroupConsumer(kafka.GroupConfig{Name: id, Group: "g", Topics: topology.Stages[0].Topics, Balancer: b,
		InstanceID: id})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// has makes the member report state.
func (s *server) has(position int64, age time.Duration, tasks ...cluster.TaskID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, task := range tasks {
		s.positions[task] = cluster.TaskPosition{TaskID: task, Position: position, Age: age, Following: true}
	}
}

// step goes through what happens to the member within a moment.
func (s *server) step(ctx context.Context, t *testing.T) {
	t.Helper()
	event, batches, err := s.consumer.Poll(ctx, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		b.Release()
	}
	if event == nil {
		return
	}
	for _, tp := range event.Partitions {
		s.owned[tp.Partition] = event.Kind == kafka.Assigned
	}
	event.Ack()
}

func (s *server) count() (n int) {
	for _, owned := range s.owned {
		if owned {
			n++
		}
	}
	return n
}

func (s *server) warmups() []cluster.TaskID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.assignment == nil {
		return nil
	}
	return s.assignment.Warmup
}

// A second server is first given state to build up; nothing moves until it says that it has caught up.
func TestWarmUpBeforeMoving(t *testing.T) {
	k, err := kafka.Connect(t.Context(), kafka.Config{BootstrapServers: apache.Bootstrap(t), ClientID: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	topology := cluster.Topology{PlanHash: 1, Stages: []cluster.Stage{{Topics: []string{"in"}, Partitions: 4, Stateful: true}}}
	if _, err := k.Admin().CreateTopic(ctx, kafka.TopicSpec{Name: "in", Partitions: 4}); err != nil {
		t.Fatal(err)
	}
	a := join(t, k, "a", topology)
	defer a.consumer.Close()
	for a.count() < 4 {
		a.step(ctx, t)
	}
	for _, task := range topology.Tasks() {
		a.has(5_000_000, 0, task.TaskID)
	}
	b := join(t, k, "b", topology)
	defer b.consumer.Close()
	for len(b.warmups()) != 2 {
		a.step(ctx, t)
		b.step(ctx, t)
	}
	if a.count() != 4 || b.count() != 0 {
		t.Fatalf("a owns %d and b %d before b has caught up", a.count(), b.count())
	}
	b.has(4_999_999, time.Second, b.warmups()...)
	b.consumer.Rejoin()
	for a.count() != 2 || b.count() != 2 {
		a.step(ctx, t)
		b.step(ctx, t)
	}
	for task, i := range b.assignment.Owners {
		if owned := b.owned[task.Partition]; owned != (b.assignment.Hosts[i].NodeID == "b") {
			t.Errorf("task %s: owner %s, b owns it: %v", task, b.assignment.Hosts[i].NodeID, owned)
		}
	}
}
