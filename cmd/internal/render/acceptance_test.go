package render

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// expectedLogs finds the consoles' logs that the acceptance programs come with.
func expectedLogs(t *testing.T) []string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	root := os.Getenv("ACCEPTANCE_DIR")
	if root == "" {
		root = filepath.Join(filepath.Dir(here), "..", "..", "..", "..", "shared", "acceptance")
	}
	var logs []string
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".log") {
			logs = append(logs, path)
		}
		return nil
	})
	if len(logs) == 0 {
		t.Skip("no acceptance logs: ../shared/acceptance is absent and ACCEPTANCE_DIR is not set")
	}
	return logs
}

// TestRowTablesOfRealSessions reads the boxes that ksqlDB's console drew back
// into rows and expects the same boxes from them.
func TestRowTablesOfRealSessions(t *testing.T) {
	boxes := 0
	for _, path := range expectedLogs(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
		if !strings.HasPrefix(lines[0], "+-") {
			continue
		}
		boxes++
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			if uneven(lines[0]) {
				t.Skip("the log was edited by hand: its columns differ in width")
			}
			drawn, names, rows := readBox(t, lines)
			columns := len(names)
			cell := strings.Index(lines[0][1:], "+")
			var out strings.Builder
			p := &Printer{Out: &out, Notes: &out, Format: Tabular, Screen: func() int { return columns * (cell + 2) }}
			if err := p.BeginRows(names); err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				values := make([]json.RawMessage, len(row))
				for i := range row {
					values[i], _ = json.Marshal(row[i])
				}
				if err := p.Row(values, false); err != nil {
					t.Fatal(err)
				}
			}
			if out.String() != drawn {
				t.Errorf("got\n%s\nwant\n%s", out.String(), drawn)
			}
		})
	}
	if boxes < 30 {
		t.Errorf("only %d boxes found", boxes)
	}
}

func uneven(border string) bool {
	cells := strings.Split(strings.Trim(border, "+"), "+")
	for _, cell := range cells {
		if len(cell) != len(cells[0]) {
			return true
		}
	}
	return false
}

// readBox takes the box off the front of lines: as it was drawn, the column
// names, and the rows.
func readBox(t *testing.T, lines []string) (drawn string, names []string, rows [][]string) {
	t.Helper()
	border := lines[0]
	cell := strings.Index(border[1:], "+")
	columns := strings.Count(border, "+") - 1
	var b strings.Builder
	b.WriteString(border + "\n")
	var previous []string
	for _, line := range lines[1:] {
		if line == border {
			b.WriteString(border + "\n")
			names, rows, previous = rows[0], nil, nil
			continue
		}
		if !strings.HasPrefix(line, "|") {
			break
		}
		b.WriteString(line + "\n")
		pieces := make([]string, columns)
		runes := []rune(line)
		for i := range pieces {
			pieces[i] = string(runes[1+i*(cell+1) : (i+1)*(cell+1)])
		}
		if continues(previous, pieces) {
			last := rows[len(rows)-1]
			for i := range last {
				if strings.TrimSpace(pieces[i]) != "" {
					last[i] += strings.Repeat(" ", (cell-len([]rune(last[i]))%cell)%cell)
					last[i] += strings.TrimRight(pieces[i], " ")
				}
			}
		} else {
			row := make([]string, columns)
			for i := range row {
				row[i] = strings.TrimRight(pieces[i], " ")
			}
			rows = append(rows, row)
		}
		previous = pieces
	}
	return b.String(), names, rows
}

// continues says that pieces carry on the row of the previous line: some are
// empty, and those that are not follow one that is not empty.
func continues(previous, pieces []string) bool {
	if previous == nil {
		return false
	}
	empty := 0
	for i := range pieces {
		if strings.TrimSpace(pieces[i]) == "" {
			empty++
		} else if strings.TrimSpace(previous[i]) == "" {
			return false
		}
	}
	return empty > 0
}

// TestDescriptionsOfRealSessions holds DESCRIBE, DESCRIBE EXTENDED, DESCRIBE
// FUNCTION and the message table against what ksqlDB's console printed. The
// logs have blank lines where rules were, and no blanks at line ends.
func TestDescriptionsOfRealSessions(t *testing.T) {
	schema := func(sqlType string) api.SchemaInfo { return api.SchemaInfo{Type: sqlType} }
	group := func(id string) api.QueryOffsetSummary {
		return api.QueryOffsetSummary{GroupID: "_confluent-ksql-default_query_" + id}
	}
	query := func(id, sql string) api.RunningQuery {
		return api.RunningQuery{ID: id, State: "RUNNING", QueryString: sql}
	}
	want := map[string]api.Entity{
		"merging/expected-description.log": &api.SourceDescriptionEntity{SourceDescription: api.SourceDescription{
			Name: "ALL_SONGS", Type: "STREAM", Extended: true, KeyFormat: "KAFKA", ValueFormat: "AVRO",
			Topic: "all_songs", Partitions: 1, Replication: 1,
			Statement: "CREATE STREAM ALL_SONGS (ARTIST STRING, TITLE STRING, GENRE STRING) WITH (KAFKA_TOPIC='all_songs', KEY_FORMAT='KAFKA', PARTITIONS=1, VALUE_FORMAT='AVRO');",
			Fields:    []api.FieldInfo{{Name: "ARTIST", Schema: schema("STRING")}, {Name: "TITLE", Schema: schema("STRING")}, {Name: "GENRE", Schema: schema("STRING")}},
			WriteQueries: []api.RunningQuery{
				query("INSERTQUERY_5", "INSERT INTO all_songs SELECT artist, title, 'rock' AS genre FROM rock_songs;"),
				query("INSERTQUERY_7", "INSERT INTO all_songs\n  SELECT artist, title, 'classical' AS genre FROM classical_songs;"),
			},
			QueryOffsetSummaries: []api.QueryOffsetSummary{group("INSERTQUERY_7"), group("INSERTQUERY_5")},
		}},
		"rekeying/expected-describe.log": &api.SourceDescriptionEntity{SourceDescription: api.SourceDescription{
			Name: "RATINGS_REKEYED", Type: "STREAM",
			Fields: []api.FieldInfo{{Name: "ID", Schema: schema("INTEGER"), Type: api.FieldKey}, {Name: "OLD", Schema: schema("INTEGER")}, {Name: "RATING", Schema: schema("DOUBLE")}},
		}},
		"rekeying-function/expected-describe-function.log": &api.FunctionDescriptionList{
			Name: "REGEXREPLACE", Description: "Replace string using a regex", Kind: "SCALAR", Path: "/etc/ksqldb/ext/rekey-with-function-0.0.1.jar",
			Functions: []api.FunctionInfo{{ReturnType: "VARCHAR", Description: "regexReplace string using a regex", Arguments: []api.ArgumentInfo{
				{Name: "input", Type: "VARCHAR", Description: "If null, then function returns null."},
				{Name: "regex", Type: "VARCHAR", Description: "If null, then function returns null."},
				{Name: "replacement", Type: "VARCHAR", Description: "If null, then function returns null."},
			}}},
		},
		"multi-joins/expected-multi-way-join.log": &api.CommandStatusEntity{
			CommandStatus: api.CommandStatus{Message: "Created query with ID CSAS_ORDERS_ENRICHED_0"},
		},
	}
	found := 0
	for _, path := range expectedLogs(t) {
		name := filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
		e, ok := want[name]
		if !ok {
			continue
		}
		found++
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p, out, _ := newPrinter(Tabular)
			if err := p.Entities(api.Entities{e}); err != nil {
				t.Fatal(err)
			}
			if got, want := bare(out.String(), string(text)), bare(string(text), string(text)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
	if found != len(want) {
		t.Errorf("only %d of %d logs found", found, len(want))
	}
}

// bare drops blanks at line ends, and rules that the log does not have.
func bare(text, log string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
		if strings.Trim(lines[i], "-") == "" && !strings.Contains(log, "\n"+lines[i]+"\n") {
			lines[i] = ""
		}
	}
	return strings.Join(lines, "\n")
}
