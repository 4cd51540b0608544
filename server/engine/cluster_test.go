package engine

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/exec"
	"github.com/ksqlgo/ksqlgo/exec/cluster"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
	"github.com/ksqlgo/ksqlgo/planner/physical"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/peers"
	"github.com/ksqlgo/ksqlgo/server/peers/details"
)

// twoTasks is a plan of one stage with a store, over two partitions.
var twoTasks = &physical.Plan{QueryID: "Q", Stages: []*physical.Stage{{ID: 0, Partitions: 2,
	Inputs: []*physical.Input{{Topic: "t"}}, Stores: []*physical.Store{{ID: 1, Name: "S", Changelog: "t-changelog"}}}}}

func owned(partition int32, state exec.TaskState, lag int64, lagTime time.Duration) peers.Task {
	return peers.Task{TaskSummary: exec.TaskSummary{Partition: partition, State: state, Inputs: []exec.Progress{{Position: 10, End: 10 + lag}},
		Stores: []exec.Progress{{Position: 5, End: 5}}, LagTime: lagTime}}
}

func followed(partition int32, lag int64, lagTime time.Duration) peers.Task {
	return peers.Task{TaskSummary: exec.TaskSummary{Partition: partition, State: exec.TaskStandby, Stores: []exec.Progress{{Position: 3, End: 3 + lag}}, LagTime: lagTime}}
}

// host is a server that told of the query Q.
func host(name string, alive bool, state exec.QueryState, tasks ...peers.Task) peers.Host {
	return peers.Host{Node: peers.Node{ID: "node-" + name, Endpoint: name + ":9"}, Alive: alive, LastSeen: time.Now().Add(-3 * time.Second),
		Status: &peers.Status{Host: name + ":8088", Applied: 7, Queries: []peers.Query{{ID: "Q", State: state, Tasks: tasks}}}}
}

// brief writes the rows of tasks: task, host, state, lag, and standbys with their lags.
func brief(rows []api.TaskInfo) []string {
	ms := func(v *int64) string {
		if v == nil {
			return "?"
		}
		return time.Duration(*v * int64(time.Millisecond)).String()
	}
	var out []string
	for _, r := range rows {
		text, _ := json.Marshal(r.Lag)
		line := r.TaskID + " " + r.Host + " " + r.State + " " + string(text) + " " + ms(r.LagMs)
		for _, s := range r.Standbys {
			text, _ := json.Marshal(s.Lag)
			line += " | " + s.Host + " " + s.State + " " + string(text) + " " + ms(s.LagMs)
		}
		out = append(out, line)
	}
	return out
}

func TestTasksOfAllServers(t *testing.T) {
	tests := map[string]struct {
		hosts []peers.Host
		count map[string]int
		state string
		rows  []string
	}{
		"all is well": {
			[]peers.Host{host("b", true, exec.Running, owned(1, exec.TaskRunning, 0, 0), followed(0, 0, 0)),
				host("a", true, exec.Running, owned(0, exec.TaskRunning, 4, time.Second), followed(1, 2, exec.UnknownLag))},
			map[string]int{"RUNNING": 2}, "RUNNING",
			[]string{"0_0 a:8088 RUNNING 4 1s | b:8088 STANDBY 0 0s", "0_1 b:8088 RUNNING 0 0s | a:8088 STANDBY 2 ?"},
		},
		"one is down, its task waits": {
			[]peers.Host{host("a", false, exec.Running, owned(0, exec.TaskRunning, 4, time.Second)), host("b", true, exec.Running, owned(1, exec.TaskRunning, 0, 0))},
			map[string]int{"RUNNING": 1, "UNRESPONSIVE": 1}, "RUNNING",
			[]string{"0_0 a:8088 UNRESPONSIVE 4 1s", "0_1 b:8088 RUNNING 0 0s"},
		},
		"one is down, its task was taken over": {
			[]peers.Host{host("a", false, exec.Running, owned(0, exec.TaskRunning, 4, time.Second), followed(1, 0, 0)),
				host("b", true, exec.Restoring, owned(0, exec.TaskRestoring, 0, exec.UnknownLag), owned(1, exec.TaskRunning, 0, 0))},
			map[string]int{"RUNNING": 1, "UNRESPONSIVE": 1}, "RUNNING",
			[]string{"0_0 b:8088 RESTORING 0 ?", "0_1 b:8088 RUNNING 0 0s | a:8088 UNRESPONSIVE 0 0s"},
		},
		"one task is nowhere": {
			[]peers.Host{host("a", true, exec.Running, owned(0, exec.TaskRunning, 0, 0))}, map[string]int{"RUNNING": 1}, "RUNNING",
			[]string{"0_0 a:8088 RUNNING 0 0s", "0_1  UNASSIGNED 0 ?"},
		},
		"failed on one": {
			[]peers.Host{host("a", true, exec.Failed, owned(0, exec.TaskError, 9, time.Minute)), host("b", true, exec.Running, owned(1, exec.TaskRunning, 0, 0))},
			map[string]int{"RUNNING": 1, "ERROR": 1}, "ERROR",
			[]string{"0_0 a:8088 ERROR 0 1m0s", "0_1 b:8088 RUNNING 0 0s"},
		},
		"paused": {
			[]peers.Host{host("a", true, exec.Paused, owned(0, exec.TaskRunning, 0, 0), owned(1, exec.TaskRunning, 0, 0))},
			map[string]int{"PAUSED": 1}, "PAUSED", []string{"0_0 a:8088 PAUSED 0 0s", "0_1 a:8088 PAUSED 0 0s"},
		},
		"all are down": {
			[]peers.Host{host("a", false, exec.Running), {Node: peers.Node{ID: "n", Endpoint: "b:9"}}}, map[string]int{"UNRESPONSIVE": 2}, "UNRESPONSIVE",
			[]string{"0_0  UNASSIGNED 0 ?", "0_1  UNASSIGNED 0 ?"},
		},
		"one has not heard of the query": {
			[]peers.Host{host("a", true, exec.Running, owned(0, exec.TaskRunning, 0, 0), owned(1, exec.TaskRunning, 0, 0)),
				{Node: peers.Node{ID: "n", Endpoint: "b:9"}, Alive: true, Status: &peers.Status{Host: "b:8088"}}},
			map[string]int{"RUNNING": 1}, "RUNNING", []string{"0_0 a:8088 RUNNING 0 0s", "0_1 a:8088 RUNNING 0 0s"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := heard(tt.hosts, "Q")
			count, state := statusCount(list)
			if !reflect.DeepEqual(map[string]int(count), tt.count) || state != tt.state {
				t.Errorf("states %v, %s; want %v, %s", count, state, tt.count, tt.state)
			}
			if rows := brief(taskRows(twoTasks, list)); !reflect.DeepEqual(rows, tt.rows) {
				t.Errorf("tasks\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(tt.rows, "\n"))
			}
		})
	}
}

// TestToldByServers describes a query of what servers told when they were asked; one fails to answer although it is alive.
func TestToldByServers(t *testing.T) {
	t.Parallel()
	theirs := time.Now().Add(-time.Hour) // the clock of the other server is behind
	reports := []details.Report{
		{Server: host("a", true, exec.Running), At: theirs, Queries: []exec.QueryStatus{{ID: "Q", State: exec.Running,
			Errors: []exec.QueryError{{At: theirs, Message: "disk full", Class: exec.SystemError}},
			Tasks: []exec.TaskStatus{{State: exec.TaskRunning, Inputs: []exec.InputStatus{{TopicPartition: kafka.TopicPartition{Topic: "t"},
				Committed: 4, End: 9, Reached: theirs.Add(-2 * time.Second), StreamTime: 77}}}}}}},
		{Server: host("b", true, exec.Running, owned(1, exec.TaskRunning, 0, 0)), Err: errors.New("reset by peer")},
	}
	list := told(reports, "Q")
	count, _ := statusCount(list)
	if want := (api.Map[int]{"RUNNING": 1, "UNRESPONSIVE": 1}); !reflect.DeepEqual(count, want) {
		t.Errorf("states %v, want %v", count, want)
	}
	rows := taskRows(twoTasks, list)
	if have, want := brief(rows), []string{"0_0 a:8088 RUNNING 5 2s", "0_1 b:8088 UNRESPONSIVE 0 0s"}; !reflect.DeepEqual(have, want) {
		t.Errorf("tasks %v, want %v", have, want)
	}
	two := int64(2000)
	if want := (api.List[api.TaskInput]{{TopicPartition: api.TopicPartition{Topic: "t"}, CommittedOffset: 4, EndOffset: 9, Lag: 5, LagMs: &two, StreamTime: 77}}); !reflect.DeepEqual(rows[0].Inputs, want) {
		t.Errorf("inputs %+v, want %+v", rows[0].Inputs, want)
	}
	quiet := silent(list, time.Now())
	if len(quiet) != 1 || quiet[0].Host != "b:8088" || quiet[0].SilentMs == nil || *quiet[0].SilentMs < 3000 {
		t.Errorf("silent servers %+v", quiet)
	}
	var d api.QueryDescription
	addTold(&d, &list[0])
	if len(d.QueryErrors) != 1 || d.QueryErrors[0].Host != "a:8088" || d.QueryErrors[0].Type != "SYSTEM" || len(d.TasksMetadata) != 1 {
		t.Errorf("errors %+v, tasks %+v", d.QueryErrors, d.TasksMetadata)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	now := time.Now()
	tests := map[string]peers.Host{
		"The server a:9 has not answered yet.":                                             {Node: peers.Node{ID: "n", Endpoint: "a:9"}},
		"The server n does not answer; it was last heard 2.5s ago: no connection.":         {Node: peers.Node{ID: "n"}, LastSeen: now.Add(-2500 * time.Millisecond), Reason: "no connection"},
		"The server x:8088 does not answer; it was last heard 1m0s ago: connection reset.": {Node: peers.Node{ID: "n"}, LastSeen: now.Add(-time.Minute), Reason: "connection reset", Status: &peers.Status{Host: "x:8088"}},
	}
	for want, h := range tests {
		if have := silence(&h, now); have != want {
			t.Errorf("%q, want %q", have, want)
		}
	}
	if list := silenceWarnings([]peers.Host{host("a", true, exec.Running), host("b", false, exec.Running)}, now); len(list) != 1 {
		t.Errorf("warnings %v", list)
	}
}

// assigned is a runtime that knows who should stand by.
type assigned struct {
	Runtime
	a *cluster.Assignment
}

func (r assigned) Assignment(string) (*cluster.Assignment, bool) { return r.a, r.a != nil }

func TestStandbysUnready(t *testing.T) {
	t.Parallel()
	a := &cluster.Assignment{Hosts: []cluster.Host{{NodeID: "node-a"}, {NodeID: "node-b"}},
		Standbys: map[cluster.TaskID][]int{{Partition: 0}: {1}, {Partition: 1}: {0}}}
	e := &Engine{cfg: Config{Runtime: assigned{a: a}}}
	tests := map[string]struct {
		b    []peers.Task
		want []string
	}{
		"complete":        {[]peers.Task{followed(0, 0, 0)}, nil},
		"behind a little": {[]peers.Task{followed(0, 5, time.Second)}, nil},
		"far behind":      {[]peers.Task{followed(0, 5, time.Minute)}, []string{"The standby of the task 0_0 of Q on b:8088 is 5 records behind."}},
		"in its first go": {[]peers.Task{followed(0, 5, exec.UnknownLag)}, []string{"The standby of the task 0_0 of Q on b:8088 is 5 records behind."}},
		"not there":       {nil, []string{"The server b:8088 does not stand by for the task 0_0 of Q yet."}},
		"owner meanwhile": {[]peers.Task{owned(0, exec.TaskRunning, 0, 0)}, nil},
	}
	for name, tt := range tests {
		hosts := []peers.Host{host("a", true, exec.Running, followed(1, 0, 0)), host("b", true, exec.Running, tt.b...)}
		if have := e.standbysUnready(hosts, "Q"); !reflect.DeepEqual(have, tt.want) {
			t.Errorf("%s: %v, want %v", name, have, tt.want)
		}
	}
}

func TestQueryUnready(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		state exec.QueryState
		tasks []peers.Task
		want  []string
	}{
		"runs":             {exec.Running, []peers.Task{owned(0, exec.TaskRunning, 100, time.Hour), followed(1, 3, time.Second)}, nil},
		"has no task":      {exec.Running, nil, nil},
		"starts":           {exec.Starting, nil, []string{"The query Q is starting."}},
		"waits":            {exec.Restoring, nil, []string{"The query Q is waiting for its tasks."}},
		"restores":         {exec.Restoring, []peers.Task{owned(0, exec.TaskRestoring, 0, -1)}, []string{"The task 0_0 of Q is restoring on a:8088: 0 of about 0 rows."}},
		"goes back":        {exec.Running, []peers.Task{owned(0, exec.TaskSuspended, 0, -1)}, []string{"The task 0_0 of Q is SUSPENDED on a:8088."}},
		"standby is young": {exec.Running, []peers.Task{followed(1, 3, exec.UnknownLag)}, []string{"The standby of the task 0_1 of Q has not caught up yet: 3 records are left."}},
		"failed":           {exec.Failed, []peers.Task{owned(0, exec.TaskError, 0, -1)}, nil},
		"paused":           {exec.Paused, []peers.Task{owned(0, exec.TaskCreated, 0, -1)}, nil},
	}
	for name, tt := range tests {
		h := host("a", true, tt.state, tt.tasks...)
		if have := queryUnready(&h, &h.Status.Queries[0]); !reflect.DeepEqual(have, tt.want) {
			t.Errorf("%s: %v, want %v", name, have, tt.want)
		}
	}
}

func TestClusterHost(t *testing.T) {
	t.Parallel()
	restoring := owned(1, exec.TaskRestoring, 0, exec.UnknownLag)
	restoring.RestoredRows, restoring.RestoreTotal = 30, 100
	h := host("a", true, exec.Running, owned(0, exec.TaskRunning, 4, 2*time.Second), restoring, followed(2, 9, time.Hour))
	h.Status.Draining = true
	have := clusterHost(&h, time.Now())
	if have.Active != 2 || have.Restoring != 1 || have.Standby != 1 || have.MaxLag != 4 || have.MaxLagMs == nil || *have.MaxLagMs != 2000 ||
		have.RestoredRows != 30 || have.RestoreTotal != 100 || !have.Draining || have.Applied != 7 || have.Host != "a:8088" {
		t.Errorf("%+v", have)
	}
}

// TestStoresOfServers looks at ksqlDB's form.
func TestStoresOfServers(t *testing.T) {
	t.Parallel()
	e := &Engine{cfg: Config{ServiceID: "s_"}}
	h := host("a", true, exec.Running, owned(0, exec.TaskRunning, 0, 0), followed(1, 2, 0))
	s := api.HostStatus{ActiveStandbyPerQuery: api.Map[api.ActiveStandby]{}, HostStoreLags: api.HostStoreLags{StateStoreLags: api.Map[api.StateStoreLags]{}}}
	e.addStores(&s, twoTasks, &h, "Q")
	text, err := api.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"hostAlive":false,"lastStatusUpdateMs":0,"activeStandbyPerQuery":{"Q":{"activeStores":["S"],"activePartitions":[{"topic":"t","partition":0}],` +
		`"standByStores":["S"],"standByPartitions":[{"topic":"t","partition":1}]}},"hostStoreLags":{"stateStoreLags":{"_confluent-ksql-s_query_Q#S":{` +
		`"lagByPartition":{"0":{"currentOffsetPosition":5,"endOffsetPosition":5,"offsetLag":0},"1":{"currentOffsetPosition":3,"endOffsetPosition":5,"offsetLag":2}},` +
		`"size":2}},"updateTimeMs":0}}`
	if string(text) != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
}
