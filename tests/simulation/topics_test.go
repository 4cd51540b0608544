package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ksqlgo/ksqlgo/exec"
)

// troubles are what can happen to a query's topics. Afterwards the outputs are right, or the query says that something is wrong:
// rows that are wrong without a word there must not be.
var troubles = []struct {
	name string
	// stopped does it while no server runs, else they run.
	stopped bool
	// empty restarts the servers on empty disks.
	empty bool
	do    func(ctx context.Context, c *cluster) error
	// told is part of the error that the query must end with; "" lets it be right instead.
	told string
}{
	{name: "changelog cut at its beginning, servers down, disks kept", stopped: true, do: cutChangelog},
	{name: "changelog cut at its beginning, servers down, disks empty", stopped: true, empty: true, do: cutChangelog, told: "changelog"},
	{name: "changelog deleted, servers down, disks kept", stopped: true, do: dropChangelog, told: "changelog"},
	{name: "changelog deleted, servers down, disks empty", stopped: true, empty: true, do: dropChangelog, told: "changelog"},
	{name: "changelog deleted under running servers", do: dropChangelog, told: "changelog"},
	{name: "source deleted under running servers", told: "topic", do: func(_ context.Context, c *cluster) error { return c.kafka.DeleteTopic("e") }},
	{name: "source deleted and created again", told: "topic", do: func(_ context.Context, c *cluster) error {
		if err := c.kafka.DeleteTopic("e"); err != nil {
			return err
		}
		return c.kafka.CreateTopic("e", partitions, nil)
	}},
	{name: "source cut behind what was read, servers down", stopped: true, do: func(_ context.Context, c *cluster) error {
		return c.kafka.DeleteRecords("e", 0, 3)
	}},
	{name: "source with more partitions, servers restarted", stopped: true, told: "partitions", do: func(ctx context.Context, c *cluster) error {
		r, err := kadm.NewClient(c.client).UpdatePartitions(ctx, partitions+1, "e")
		if err == nil {
			err = r.Error()
		}
		return err
	}},
}

func (c *cluster) changelog() string {
	for _, topic := range c.allTopics() {
		if strings.HasSuffix(topic, "-changelog") {
			return topic
		}
	}
	return ""
}

func cutChangelog(_ context.Context, c *cluster) error {
	for _, p := range c.kafka.PartitionInfos(c.changelog()) {
		if err := c.kafka.DeleteRecords(c.changelog(), p.Partition, p.HighWatermark/2); err != nil {
			return err
		}
	}
	return nil
}

func dropChangelog(_ context.Context, c *cluster) error { return c.kafka.DeleteTopic(c.changelog()) }

func TestTopicsInTrouble(t *testing.T) {
	t.Parallel()
	for i, trouble := range troubles {
		t.Run(trouble.name, func(t *testing.T) {
			t.Parallel()
			s := &script{seed: uint64(i + 1), workload: workloads[0], servers: 2, commitInterval: 100 * time.Millisecond, inputs: 60, span: 5 * time.Second}
			p, err := s.workload.planned()
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				c, err := newCluster(s, p, &journal{began: time.Now(), level: slog.LevelWarn}, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer c.close()
				ctx := context.Background()
				for i := range s.servers {
					c.servers = append(c.servers, newServer(c, fmt.Sprintf("s%d", i)))
					c.servers[i].start()
				}
				if err := c.play(ctx); err != nil {
					t.Fatal(err)
				}
				if !c.settle(ctx, settleTime) {
					t.Fatal(c.wrong)
				}
				if trouble.stopped {
					for _, s := range c.servers {
						<-s.end()
						if trouble.empty {
							s.disk = newServer(c, s.name).disk
						}
					}
				}
				if err := trouble.do(ctx, c); err != nil {
					t.Fatal(err)
				}
				for _, s := range c.servers {
					if s.life == nil {
						s.start()
					}
				}
				told := c.awaitError(30 * time.Second)
				if told == "" && trouble.told == "" {
					r := rand.New(rand.NewPCG(s.seed, 5))
					if err := c.write(ctx, c.make(r, s.inputs, s.inputs+20)); err != nil {
						t.Fatal(err)
					}
					if c.settle(ctx, settleTime) {
						if err := c.compare(ctx, c.servers); err != nil {
							t.Error(err)
						}
					}
					if len(c.wrong) > 0 {
						t.Errorf("nothing was said, and yet: %v\n%s", c.wrong, indent(c.log.lines))
					}
					return
				}
				if !strings.Contains(told, trouble.told) {
					t.Errorf("the query says %q, want something about %s\n%s", told, trouble.told, indent(c.log.lines))
				}
			})
		})
	}
}

// awaitError waits for a query that has failed on some server, and returns what it says, "" if none does.
func (c *cluster) awaitError(d time.Duration) string {
	for began := time.Now(); time.Since(began) < d; time.Sleep(100 * time.Millisecond) {
		for _, s := range c.servers {
			if x := s.executor(); x != nil {
				status, _ := x.Status(c.plan.query.QueryID)
				if n := len(status.Errors); n > 0 && slices.Contains([]exec.QueryState{exec.Failed, exec.Starting}, status.State) {
					return status.Errors[n-1].Message
				}
			}
		}
	}
	return ""
}
