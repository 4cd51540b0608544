package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
	"github.com/ksqlgo/ksqlgo/tests/process"
	"github.com/ksqlgo/ksqlgo/tests/topics"
)

// command runs the binary and returns its exit code and what it printed.
func command(ctx context.Context, t *testing.T, binary string, args ...string) (int, string) {
	t.Helper()
	out, err := exec.CommandContext(ctx, binary, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return exit.ExitCode(), string(out)
	}
	return 0, string(out)
}

// hostOf is where a server's public API is.
func hostOf(t *testing.T, w *world) string {
	t.Helper()
	u, err := url.Parse(w.URL())
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// counts wants every server to say of each query on how many servers it is in which state.
func counts(ctx context.Context, t *testing.T, list []*world, want map[string]int) {
	t.Helper()
	for _, w := range list {
		eventually(ctx, t, func() error {
			e, err := w.client.Execute(ctx, client.Request{SQL: "SHOW QUERIES;"})
			if err != nil {
				return err
			}
			q := e[0].(*api.Queries)
			if len(q.Queries) != 2 {
				return fmt.Errorf("%d queries", len(q.Queries))
			}
			if want["UNRESPONSIVE"] != len(q.Warnings) {
				return fmt.Errorf("warnings %v, want %d", q.Warnings, want["UNRESPONSIVE"])
			}
			for _, r := range q.Queries {
				if !maps.Equal(r.StatusCount, want) || r.State != "RUNNING" {
					return fmt.Errorf("%s says %s is in states %v, %s; want %v", w.URL(), r.ID, r.StatusCount, r.State, want)
				}
			}
			return nil
		})
	}
}

// tasksRun wants a server to say that all tasks of both tables run on the hosts, each with standbys on so many others of them.
func tasksRun(ctx context.Context, t *testing.T, w *world, hosts map[string]bool, standbys int) *api.Cluster {
	t.Helper()
	var c *api.Cluster
	eventually(ctx, t, func() (err error) {
		if c, err = w.client.Cluster(ctx); err != nil {
			return err
		}
		if !c.Ready {
			return fmt.Errorf("not ready: %v", c.NotReady)
		}
		for _, q := range c.Queries {
			if len(q.Tasks) != 6 {
				return fmt.Errorf("%d tasks of %s", len(q.Tasks), q.ID)
			}
			for _, task := range q.Tasks {
				if task.State != api.TaskRunning || !hosts[task.Host] || task.Lag != 0 || len(task.Standbys) != standbys {
					return fmt.Errorf("%s: task %+v", q.ID, task)
				}
				for _, s := range task.Standbys {
					if s.Host == task.Host || !hosts[s.Host] || s.State != api.TaskStandby || s.LagMs == nil {
						return fmt.Errorf("%s: task %+v", q.ID, task)
					}
				}
			}
		}
		return nil
	})
	return c
}

// accounted wants a server to say that a query has read so many records, on all servers together.
func accounted(ctx context.Context, t *testing.T, w *world, want int) {
	t.Helper()
	eventually(ctx, t, func() error {
		e, err := w.client.Execute(ctx, client.Request{SQL: "DESCRIBE cities EXTENDED;"})
		if err != nil {
			return err
		}
		d := e[0].(*api.SourceDescriptionEntity).SourceDescription
		sum := 0
		for _, s := range d.ClusterStatistics {
			if strings.HasSuffix(s.Name, ".records-read") {
				sum += int(s.Value)
			}
		}
		offsets := 0
		for _, o := range d.QueryOffsetSummaries[0].TopicSummaries[0].Offsets {
			offsets += int(o.ConsumerOffset)
		}
		if sum != want || offsets != want {
			return fmt.Errorf("%d records were read by all servers together, up to offsets of %d in all; want %d: %+v", sum, offsets, want, d.ClusterStatistics)
		}
		return nil
	})
}

// TestClusterIsSeen stops one of three servers and drains another, and reads what is said of it.
func TestClusterIsSeen(t *testing.T) {
	t.Parallel()
	began := time.Now()
	lap := func(what string) { t.Logf("%5.1f s  %s", time.Since(began).Seconds(), what); began = time.Now() }
	bin := t.TempDir()
	if err := process.Build(bin, "cmd/ksqlgo"); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(bin, "ksqlgo")
	lap("built")
	ctx := within(t, 180*time.Second)
	list := servers(ctx, t, 3, map[string]string{"session.timeout.ms": "6000"})
	lap("servers run")
	list[0].execute(ctx, t, census)
	const n = 5
	if err := topics.Write(ctx, list[0].kafka(), inhabitants(cityCount, n)...); err != nil {
		t.Fatal(err)
	}
	spread(ctx, t, list, "CITIES", 6)
	hosts := map[string]bool{}
	for _, w := range list {
		hosts[hostOf(t, w)] = true
	}

	lap("tasks are shared")
	counts(ctx, t, list, map[string]int{"RUNNING": 3})
	for _, w := range list {
		tasksRun(ctx, t, w, hosts, 1)
		accounted(ctx, t, w, cityCount*n)
	}
	if code, out := command(ctx, t, binary, "cluster", "wait-ready", "--server", list[1].URL(), "--servers", "3", "--timeout", "30s"); code != 0 {
		t.Errorf("wait-ready: code %d, %s", code, out)
	}
	if code, out := command(ctx, t, binary, "cluster", "--server", list[1].URL()); code != 0 || strings.Count(out, "RUNNING") != 12 || strings.Count(out, "| UP ") != 3 {
		t.Errorf("ksqlgo cluster: code %d\n%s", code, out)
	}

	lap("all run")
	// One stops. Its tasks are told of as what they are: without an owner that answers.
	gone := hostOf(t, list[2])
	list[2].Close()
	counts(ctx, t, list[:2], map[string]int{"RUNNING": 2, "UNRESPONSIVE": 1})
	seen(ctx, t, list[0], binary, gone)

	lap("one is seen to be gone")
	// Then they move.
	delete(hosts, gone)
	counts(ctx, t, list[:2], map[string]int{"RUNNING": 2})
	for _, w := range list[:2] {
		tasksRun(ctx, t, w, hosts, 1)
		accounted(ctx, t, w, cityCount*n)
	}

	lap("its tasks have moved")
	// A drain gives what the second one has to the first.
	if code, out := command(ctx, t, binary, "cluster", "drain", "--server", list[1].URL(), "--timeout", "60s"); code != 0 || !strings.Contains(out, "may be stopped") {
		t.Fatalf("drain: code %d, %s", code, out)
	}
	drained := hostOf(t, list[1])
	delete(hosts, drained)
	c := tasksRun(ctx, t, list[0], hosts, 0)
	for _, h := range c.Hosts {
		if h.Draining != (h.Host == drained) || h.Host == drained && h.Active+h.Standby > 0 {
			t.Errorf("the server %+v", h)
		}
	}
	counts(ctx, t, list[:2], map[string]int{"RUNNING": 2})
	accounted(ctx, t, list[1], cityCount*n)

	lap("another one is drained")
	// The drain is taken back, and the tasks are shared again.
	if code, out := command(ctx, t, binary, "cluster", "drain", "--cancel", "--server", list[1].URL()); code != 0 {
		t.Errorf("drain --cancel: code %d, %s", code, out)
	}
	hosts[drained] = true
	spread(ctx, t, list[:2], "CITIES", 6)
	tasksRun(ctx, t, list[1], hosts, 1)
	lap("tasks are shared again")
}

// seen wants a server, and the command, to say that another one does not answer.
func seen(ctx context.Context, t *testing.T, w *world, binary, gone string) {
	t.Helper()
	c, err := w.client.Cluster(ctx)
	if err != nil {
		t.Fatal(err)
	}
	waiting := 0
	for _, q := range c.Queries {
		for _, task := range q.Tasks {
			if task.Host == gone && task.State == api.TaskUnresponsive {
				waiting++
			}
		}
	}
	if c.Ready || waiting == 0 || !strings.Contains(strings.Join(c.NotReady, "\n"), "The server "+gone+" does not answer") {
		t.Errorf("%d tasks wait, ready %v: %v", waiting, c.Ready, c.NotReady)
	}
	status, err := w.client.ClusterStatus(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for host, s := range status {
		if s.HostAlive == (host == gone) || len(s.ActiveStandbyPerQuery) != 2 || len(s.HostStoreLags.StateStoreLags) != 2 {
			text, _ := json.Marshal(s)
			t.Errorf("/clusterStatus of %s: %s", host, text)
		}
	}
	if len(status) != 3 {
		t.Errorf("/clusterStatus has %d servers", len(status))
	}
	e, err := w.client.Execute(ctx, client.Request{SQL: "EXPLAIN " + c.Queries[0].ID + ";"})
	if err != nil {
		t.Fatal(err)
	}
	d := e[0].(*api.QueryDescriptionEntity).QueryDescription
	if d.KsqlHostQueryStatus[gone] != api.QueryUnresponsive || len(d.KsqlHostQueryStatus) != 3 || len(d.UnresponsiveHosts) != 1 || d.UnresponsiveHosts[0].SilentMs == nil {
		t.Errorf("EXPLAIN: %v, %+v", d.KsqlHostQueryStatus, d.UnresponsiveHosts)
	}
	if code, out := command(ctx, t, binary, "cluster", "--server", w.URL()); code != 0 || !strings.Contains(out, "UNRESPONSIVE for") || !strings.Contains(out, "Not ready:") {
		t.Errorf("ksqlgo cluster: code %d\n%s", code, out)
	}
	if code, out := command(ctx, t, binary, "cluster", "wait-ready", "--server", w.URL(), "--timeout", "200ms"); code != 3 {
		t.Errorf("wait-ready: code %d, %s", code, out)
	}
}
