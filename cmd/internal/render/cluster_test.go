package render

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
)

func span(ms int64) *int64 { return &ms }

// sampleCluster has a server in each state, and tasks in most of theirs.
func sampleCluster() *api.Cluster {
	return &api.Cluster{ServiceID: "shop_", NotReady: []string{"The server b:8088 does not answer: no connection.", "The task 0_2 of CTAS_T_1 is restoring on c:8088: 40 of about 100 rows."},
		Hosts: []api.ClusterHost{
			{Node: "0b2c4d5e-1111-2222-3333-444455556666", Host: "a:8088", Zone: "east", Self: true, Alive: true, Active: 2, Standby: 1, MaxLag: 12, MaxLagMs: span(65_000)},
			{Node: "b", Host: "b:8088", SilentMs: span(3_200), Reason: "no connection", Active: 1},
			{Node: "c", Host: "c:8088", Alive: true, Draining: true, Active: 1, Restoring: 1, RestoredRows: 40, RestoreTotal: 100},
			{Node: "d", Host: "d:8088", Alive: true, Draining: true, MaxLagMs: span(0)},
			{Node: "e", Host: "e:9", Reason: "it has not been reached yet"},
		},
		Queries: []api.ClusterQuery{
			{ID: "CTAS_T_1", State: "RUNNING", Tasks: []api.TaskInfo{
				{TaskID: "0_0", Host: "a:8088", State: api.TaskRunning, Lag: 12, LagMs: span(65_000), RestoredRows: 7, Standbys: []api.StandbyInfo{
					{Host: "b:8088", State: api.TaskUnresponsive, LagMs: span(0)}, {Host: "c:8088", State: api.TaskStandby, Lag: 5, LagMs: span(1_500)}}},
				{TaskID: "0_1", Host: "b:8088", State: api.TaskUnresponsive, Lag: 3, LagMs: span(0), Standbys: []api.StandbyInfo{
					{Host: "a:8088", State: api.TaskStandby, Warmup: true, Lag: 70}, {Host: "d:8088", State: api.TaskStandby, LagMs: span(0)}}},
				{TaskID: "0_2", Host: "c:8088", State: api.TaskRestoring, Lag: 60, RestoredRows: 40, RestoreTotal: 100},
				{TaskID: "0_3", State: api.TaskUnassigned},
			}},
			{ID: "CSAS_S_3", State: "PAUSED", Tasks: []api.TaskInfo{{TaskID: "0_0", Host: "a:8088", State: api.TaskPaused, LagMs: span(7_200_000)}}},
		}}
}

func TestClusterPage(t *testing.T) {
	p, out, _ := newPrinter(Tabular)
	if err := p.Cluster(sampleCluster(), ""); err != nil {
		t.Fatal(err)
	}
	golden(t, "cluster.txt", out.String())

	p, out, _ = newPrinter(Tabular)
	if err := p.Cluster(&api.Cluster{ServiceID: "default_", Ready: true, Hosts: []api.ClusterHost{{Node: "n", Host: "a:8088", Alive: true, Self: true}}}, ""); err != nil {
		t.Fatal(err)
	}
	golden(t, "cluster_empty.txt", out.String())
}

func TestClusterOfOneQuery(t *testing.T) {
	for f, want := range map[Format][]string{
		Tabular: {"CSAS_S_3", "1 query, 1 task"},
		JSON:    {`"id": "CSAS_S_3"`, `"serviceId": "shop_"`},
		NDJSON:  {`"id":"CSAS_S_3"`},
		CSV:     {"Query,Task,Server,State,Lag,Lag Time,Restored,Standbys\nCSAS_S_3,0_0,a:8088,PAUSED,0,2 h,,\n"},
	} {
		p, out, _ := newPrinter(f)
		c := sampleCluster()
		if err := p.Cluster(c, "CSAS_S_3"); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%s: %q is missing in\n%s", f, text, out)
			}
		}
		if strings.Contains(out.String(), `CTAS_T_1"`) || len(c.Queries) != 2 {
			t.Errorf("%s: the other query is still there, or gone for good:\n%s", f, out)
		}
	}
}

// TestStatesAreColoured wants each state in its colour, and columns as wide as without colours.
func TestStatesAreColoured(t *testing.T) {
	plain, out, _ := newPrinter(Tabular)
	if err := plain.Cluster(sampleCluster(), ""); err != nil {
		t.Fatal(err)
	}
	p, coloured, _ := newPrinter(Tabular)
	p.Style = Colors(true)
	if err := p.Cluster(sampleCluster(), ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x1b[32mRUNNING ", "\x1b[31mUNRESPONSIVE", "\x1b[33mRESTORING", "\x1b[31mUNASSIGNED", "\x1b[33mDRAINED", "\x1b[32mUP ", "\x1b[33mNot ready:\x1b[0m"} {
		if !strings.Contains(coloured.String(), want) {
			t.Errorf("%q is missing in\n%q", want, coloured)
		}
	}
	bare := coloured.String()
	for _, code := range []string{"0", "1", "2", "31", "32", "33"} {
		bare = strings.ReplaceAll(bare, "\x1b["+code+"m", "")
	}
	if bare != out.String() {
		t.Errorf("without the colours\n%s\nwant\n%s", bare, out)
	}
}

func TestStatisticsOfSeveralServersAreSummed(t *testing.T) {
	p := &page{}
	stat := func(host string, value float64) api.QueryHostStat {
		return api.QueryHostStat{Host: api.HostInfo{Host: host, Port: 8088}, Name: "Q.records-read", Value: value, Timestamp: 1_700_000_000_000}
	}
	p.hostStatistics([]api.QueryHostStat{stat("b", 3), stat("a", 4)})
	rows := p.tables()[0].rows
	if len(rows) != 3 || rows[2][0] != "(all)" || rows[2][2] != "7" {
		t.Errorf("rows %v", rows)
	}
	p = &page{}
	p.hostStatistics([]api.QueryHostStat{stat("a", 4)})
	if rows := p.tables()[0].rows; len(rows) != 1 {
		t.Errorf("rows of one server %v", rows)
	}
}

func TestLagText(t *testing.T) {
	for want, ms := range map[string]*int64{"?": nil, "0": span(0), "0.1 s": span(100), "119.0 s": span(119_000), "2 min": span(120_000), "2 h": span(7_200_000), "2 d": span(48 * 3_600_000)} {
		if have := lagText(ms); have != want {
			t.Errorf("%q, want %q", have, want)
		}
	}
}
