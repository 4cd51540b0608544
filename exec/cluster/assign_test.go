package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// TestAssign runs testdata/assign. A case names the stages as "number:partitions", with an s behind those with state, and
// lists the members:
//
//	assign stages=(0:4,1:4s) standbys=1
//	a zone=x gen=3 owns=0_0,1_0 state=1_2@500/90s
//	----
//
// state is the position, and its age where it is not 0; old is the same of what is no longer followed. What comes out is who does what; "+" behind a task says that it has
// moved there.
func TestAssign(t *testing.T) {
	datadriven.Walk(t, "testdata/assign", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			topology := Topology{PlanHash: 1}
			o := DefaultOptions()
			for _, arg := range d.CmdArgs {
				switch arg.Key {
				case "stages":
					for _, text := range arg.Vals {
						topology.Stages = append(topology.Stages, parseStage(t, text))
					}
				case "standbys":
					arg.Scan(t, 0, &o.Standbys)
				case "warmups":
					arg.Scan(t, 0, &o.Warmups)
				default:
					d.Fatalf(t, "no argument %s", arg.Key)
				}
			}
			var members []Member
			for line := range strings.Lines(d.Input) {
				members = append(members, parseMember(t, strings.Fields(line)))
			}
			plan := Assign(topology, members, o)
			var out strings.Builder
			if plan.Err != nil {
				fmt.Fprintln(&out, "error:", plan.Err)
			}
			for i, m := range plan.Members {
				fmt.Fprintf(&out, "%s: active%s", members[i].NodeID, taskList(m.Active, members[i].Claims))
				if len(m.Standby) > 0 {
					fmt.Fprintf(&out, " standby%s", taskList(m.Standby, m.Standby))
				}
				if len(m.Warmup) > 0 {
					fmt.Fprintf(&out, " warmup%s", taskList(m.Warmup, m.Warmup))
				}
				fmt.Fprintln(&out)
			}
			return out.String()
		})
	})
}

// taskList prints tasks, those that are not among had with a plus.
func taskList(tasks, had []TaskID) string {
	before := map[TaskID]bool{}
	for _, t := range had {
		before[t] = true
	}
	var out strings.Builder
	for _, t := range tasks {
		fmt.Fprintf(&out, " %s", t)
		if !before[t] {
			out.WriteByte('+')
		}
	}
	return out.String()
}

func parseStage(t *testing.T, text string) Stage {
	t.Helper()
	text, stateful := strings.CutSuffix(text, "s")
	id, partitions, ok := strings.Cut(text, ":")
	if !ok {
		t.Fatalf("stage %q", text)
	}
	return Stage{ID: int32(parseInt(t, id)), Partitions: int32(parseInt(t, partitions)), Stateful: stateful, Topics: []string{"topic" + id}}
}

func parseMember(t *testing.T, fields []string) Member {
	t.Helper()
	m := Member{Subscription: Subscription{NodeID: fields[0], PlanHash: 1, Version: version, MinVersion: oldest}}
	for _, f := range fields[1:] {
		key, value, _ := strings.Cut(f, "=")
		switch key {
		case "zone":
			m.Zone = value
		case "capacity":
			m.Capacity = uint32(parseInt(t, value))
		case "plan":
			m.PlanHash = uint64(parseInt(t, value))
		case "version":
			m.Version = int(parseInt(t, value))
		case "min":
			m.MinVersion = int(parseInt(t, value))
		case "gen":
			m.Generation = int32(parseInt(t, value))
		case "owns":
			for _, text := range strings.Split(value, ",") {
				m.Claims = append(m.Claims, parseTask(t, text))
			}
		case "state", "old":
			for _, text := range strings.Split(value, ",") {
				task, rest, _ := strings.Cut(text, "@")
				position, age, _ := strings.Cut(rest, "/")
				p := TaskPosition{TaskID: parseTask(t, task), Position: parseInt(t, position), Following: key == "state"}
				if age != "" {
					var err error
					if p.Age, err = time.ParseDuration(age); err != nil {
						t.Fatal(err)
					}
				}
				m.Positions = append(m.Positions, p)
			}
		default:
			t.Fatalf("member %v: no field %s", fields, key)
		}
	}
	return m
}

func parseTask(t *testing.T, text string) TaskID {
	t.Helper()
	stage, partition, _ := strings.Cut(text, "_")
	return TaskID{int32(parseInt(t, stage)), int32(parseInt(t, partition))}
}

func parseInt(t *testing.T, text string) int64 {
	t.Helper()
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
