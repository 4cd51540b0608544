package render

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Cluster prints the servers of a service and the tasks of its queries: of the query named, or of all when it is empty.
func (p *Printer) Cluster(c *api.Cluster, query string) error {
	if query != "" {
		only := *c
		only.Queries = slices.DeleteFunc(slices.Clone(c.Queries), func(q api.ClusterQuery) bool { return q.ID != query })
		c = &only
	}
	switch p.Format {
	case JSON:
		return p.writeIndented(c)
	case NDJSON:
		return p.writeLine(c)
	case CSV:
		page := &page{}
		page.clusterTasks(c.Queries)
		return p.writeCSV(page)
	}
	page := &page{}
	page.cluster(c)
	var b strings.Builder
	page.write(&b, p.Style)
	_, err := io.WriteString(p.Out, b.String())
	return err
}

// unreadyShown is how many reasons are listed.
const unreadyShown = 10

func (p *page) cluster(c *api.Cluster) {
	tasks := 0
	for i := range c.Queries {
		tasks += len(c.Queries[i].Tasks)
	}
	p.line("Service %s: %s, %s, %s.", c.ServiceID, count(len(c.Hosts), "server", "servers"), count(len(c.Queries), "query", "queries"),
		count(tasks, "task", "tasks"))
	p.line("")
	p.hosts(c.Hosts)
	if tasks > 0 {
		p.line("")
		p.clusterTasks(c.Queries)
	}
	p.line("")
	if c.Ready {
		p.painted(Style.Good, "Ready: all servers answer, all tasks run, all standbys are complete.")
		return
	}
	p.painted(Style.Warn, "Not ready:")
	for i, reason := range c.NotReady {
		if i == unreadyShown {
			p.line("  and %d more", len(c.NotReady)-i)
			break
		}
		p.line("  %s", reason)
	}
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (p *page) hosts(hosts []api.ClusterHost) {
	t := newTable("Server", "Node", "Zone", "State", "Tasks", "Standbys", "Restoring", "Max Lag", "Lag Time")
	for i := range hosts {
		h := &hosts[i]
		name := h.Host
		if h.Self {
			name += " *"
		}
		lag, lagTime := strconv.FormatInt(h.MaxLag, 10), lagText(h.MaxLagMs)
		if !h.Alive || h.Active == 0 {
			lag, lagTime = "", ""
		}
		t.row(name, shortNode(h.Node), h.Zone, hostState(h), strconv.Itoa(h.Active), strconv.Itoa(h.Standby), hostRestoring(h), lag, lagTime)
	}
	t.paint(3, paintState)
	p.add(t)
	p.line("* the server that was asked")
}

// shortNode is the start of a node id that was made up.
func shortNode(id string) string {
	if len(id) == 36 && strings.Count(id, "-") == 4 {
		return id[:8]
	}
	return id
}

func hostState(h *api.ClusterHost) string {
	switch {
	case !h.Alive && h.SilentMs == nil:
		return "UNRESPONSIVE"
	case !h.Alive:
		return "UNRESPONSIVE for " + lagText(h.SilentMs)
	case h.Draining && h.Active > 0:
		return "DRAINING"
	case h.Draining:
		return "DRAINED"
	}
	return "UP"
}

func hostRestoring(h *api.ClusterHost) string {
	if h.Restoring == 0 {
		return ""
	}
	return fmt.Sprintf("%d (%s)", h.Restoring, progressText(h.RestoredRows, h.RestoreTotal))
}

// progressText is how much of a restore is done.
func progressText(rows, total int64) string {
	if total <= 0 {
		return "0 %"
	}
	return fmt.Sprintf("%d %%", min(100*rows/total, 100))
}

// clusterTasks is a table of the tasks of all queries.
func (p *page) clusterTasks(queries []api.ClusterQuery) {
	t := newTable("Query", "Task", "Server", "State", "Lag", "Lag Time", "Restored", "Standbys")
	for i := range queries {
		q := &queries[i]
		for j := range q.Tasks {
			t.row(append([]string{q.ID}, taskCells(&q.Tasks[j])...)...)
		}
	}
	t.paint(3, paintState)
	p.add(t)
}

// taskTable is the tasks of one query.
func (p *page) taskTable(tasks []api.TaskInfo) {
	p.section("Tasks", "-----")
	t := newTable("Task", "Server", "State", "Lag", "Lag Time", "Restored", "Standbys")
	for i := range tasks {
		t.row(taskCells(&tasks[i])...)
	}
	t.paint(2, paintState)
	p.add(t)
}

func (p *page) taskInputs(tasks []api.TaskInfo) {
	t := newTable("Task", "Topic", "Partition", "End Offset", "Committed Offset", "Lag", "Lag Time")
	for i := range tasks {
		for _, in := range tasks[i].Inputs {
			t.row(tasks[i].TaskID, in.Topic, strconv.Itoa(in.Partition), strconv.FormatInt(in.EndOffset, 10),
				strconv.FormatInt(in.CommittedOffset, 10), strconv.FormatInt(in.Lag, 10), lagText(in.LagMs))
		}
	}
	if len(t.rows) > 0 {
		p.section("Inputs", "------")
		p.add(t)
	}
}

func taskCells(t *api.TaskInfo) []string {
	restored := ""
	switch {
	case t.State == api.TaskRestoring:
		restored = fmt.Sprintf("%s of %d", progressText(t.RestoredRows, t.RestoreTotal), t.RestoreTotal)
	case t.RestoredRows > 0:
		restored = strconv.FormatInt(t.RestoredRows, 10)
	}
	if t.State == api.TaskUnassigned || t.State == api.TaskUnresponsive {
		// Nobody tells how far it is.
		return []string{t.TaskID, t.Host, t.State, "", "", "", standbysText(t.Standbys)}
	}
	return []string{t.TaskID, t.Host, t.State, strconv.FormatInt(t.Lag, 10), lagText(t.LagMs), restored, standbysText(t.Standbys)}
}

func standbysText(list []api.StandbyInfo) string {
	parts := make([]string, len(list))
	for i := range list {
		parts[i] = standbyText(&list[i])
	}
	return strings.Join(parts, ", ")
}

func standbyText(s *api.StandbyInfo) string {
	var notes []string
	if s.State != api.TaskStandby {
		notes = append(notes, s.State)
	}
	if s.Warmup {
		notes = append(notes, "warming up")
	}
	switch {
	case s.LagMs == nil:
		notes = append(notes, fmt.Sprintf("%d records to go", s.Lag))
	case s.Lag > 0 || *s.LagMs > 0:
		notes = append(notes, fmt.Sprintf("%d records, %s", s.Lag, lagText(s.LagMs)))
	}
	if len(notes) == 0 {
		return s.Host
	}
	return s.Host + " (" + strings.Join(notes, "; ") + ")"
}

// lagText is a span of milliseconds, "?" when it is not known.
func lagText(ms *int64) string {
	switch {
	case ms == nil:
		return "?"
	case *ms == 0:
		return "0"
	case *ms < 120_000:
		return fmt.Sprintf("%.1f s", float64(*ms)/1000)
	case *ms < 2*3600_000:
		return fmt.Sprintf("%d min", *ms/60_000)
	case *ms < 48*3600_000:
		return fmt.Sprintf("%d h", *ms/3600_000)
	}
	return fmt.Sprintf("%d d", *ms/86_400_000)
}

func silenceText(ms *int64) string {
	if ms == nil {
		return "never heard"
	}
	return "last heard " + lagText(ms) + " ago"
}

func reasonText(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// paintState colours a state.
func paintState(style Style, text, padded string) string {
	word, _, _ := strings.Cut(text, " ")
	switch word {
	case api.TaskRunning, "UP", api.TaskStandby:
		return style.Good(padded)
	case api.TaskError, api.TaskUnresponsive, api.TaskUnassigned:
		return style.Bad(padded)
	}
	return style.Warn(padded)
}
