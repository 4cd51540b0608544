package console

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/cmd/internal/console/fakeksql"
	"github.com/ksqlgo/ksqlgo/cmd/internal/render"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/client"
)

// result is what a run of the console left.
type result struct {
	code     int
	out, err string
}

// syncBuffer can be read while it is written.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// script runs SQL text against a fake server.
func script(t *testing.T, server *fakeksql.Server, text string, change func(*Config)) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var out, errOut syncBuffer
	config := Config{
		Server: client.Config{URL: server.URL}, In: strings.NewReader(""), Out: &out, Err: &errOut,
		Execute: text, HistoryFile: "-", Version: "1.0",
	}
	if change != nil {
		change(&config)
	}
	code := Run(ctx, config)
	return result{code, out.String(), errOut.String()}
}

func start(t *testing.T) *fakeksql.Server {
	t.Helper()
	server := fakeksql.New()
	t.Cleanup(server.Close)
	return server
}

// TestConsistencyTokenOfTheSession: switched on, what the session has seen goes along with each request; a drop forgets it.
func TestConsistencyTokenOfTheSession(t *testing.T) {
	server := start(t)
	got := script(t, server, `INSERT INTO a VALUES (1); SELECT * FROM a;
		SET 'ksql.query.pull.consistency.token.enabled'='true';
		INSERT INTO a VALUES (2); SELECT * FROM a; SELECT * FROM a; DROP STREAM a; SELECT * FROM a;
		UNSET 'ksql.query.pull.consistency.token.enabled'; SELECT * FROM a;`, nil)
	if got.code != ExitOK {
		t.Fatalf("exit %d: %s", got.code, got.err)
	}
	if want := []string{"none", "none", "", "written", "read", "read", "", "none"}; !reflect.DeepEqual(server.Tokens(), want) {
		t.Errorf("sent %q with\n%q\nwant %q", server.Tokens(), server.SQL(), want)
	}
}

func TestStatementsGoInBatchesQueriesAlone(t *testing.T) {
	server := start(t)
	got := script(t, server, "CREATE STREAM a; CREATE STREAM b; SELECT * FROM a; show streams; PRINT x LIMIT 2; DROP STREAM a", nil)
	if got.code != ExitOK {
		t.Fatalf("exit %d: %s", got.code, got.err)
	}
	want := []string{"CREATE STREAM a;\nCREATE STREAM b;", "SELECT * FROM a;", "show streams;", "PRINT x LIMIT 2;", "DROP STREAM a;"}
	if !reflect.DeepEqual(server.SQL(), want) {
		t.Errorf("sent %q\nwant %q", server.SQL(), want)
	}
	for _, text := range []string{"Stream created", "|ORDER_ID ", "Query terminated", " ORDERS      | orders", "rowtime: 2024", "Topic printing ceased"} {
		if !strings.Contains(got.out, text) {
			t.Errorf("%q is missing in\n%s", text, got.out)
		}
	}
	if got.err != "" {
		t.Errorf("stderr: %s", got.err)
	}
}

func TestCommandSequenceNumber(t *testing.T) {
	server := start(t)
	script(t, server, "CREATE STREAM a; SELECT 1; request-pipelining ON\nSELECT 2;", nil)
	requests := server.Requests()
	if n := requests[0].CommandSequenceNumber; n != nil {
		t.Errorf("the first request waits for %d", *n)
	}
	if n := requests[1].CommandSequenceNumber; n == nil || *n != 1 {
		t.Errorf("the request after a command waits for %v", n)
	}
	if n := requests[2].CommandSequenceNumber; n != nil {
		t.Errorf("with pipelining the request waits for %d", *n)
	}
}

func TestSessionProperties(t *testing.T) {
	server := start(t)
	got := script(t, server, `SET 'auto.offset.reset' = 'earliest'; SELECT 1; SET 'auto.offset.reset'='latest'; UNSET 'auto.offset.reset'; SELECT 2;`, nil)
	want := "Successfully changed local property 'auto.offset.reset' to 'earliest'. Use the UNSET command to revert your change.\n"
	if !strings.HasPrefix(got.out, want) {
		t.Errorf("SET says %q", got.out)
	}
	for _, text := range []string{
		"Successfully changed local property 'auto.offset.reset' from 'earliest' to 'latest'.\n",
		"Successfully unset local property 'auto.offset.reset' (value was 'latest').\n",
	} {
		if !strings.Contains(got.out, text) {
			t.Errorf("%q is missing in\n%s", text, got.out)
		}
	}
	requests := server.Requests()
	if len(requests) != 2 || requests[0].StreamsProperties["auto.offset.reset"] != "earliest" || len(requests[1].StreamsProperties) != 0 {
		t.Errorf("requests %+v", requests)
	}
}

func TestVariables(t *testing.T) {
	server := start(t)
	got := script(t, server, "DEFINE Topic = 'orders'; SHOW VARIABLES; SET 'p' = '${topic}-x'; SELECT '${env}'; UNDEFINE topic; SHOW VARIABLES;",
		func(c *Config) { c.Variables = map[string]string{"env": "dev"} })
	if got.code != ExitOK {
		t.Fatalf("exit %d: %s", got.code, got.err)
	}
	request := server.Requests()[0]
	if *request.SQL != "SELECT '${env}';" || !reflect.DeepEqual(map[string]string(request.SessionVariables), map[string]string{"env": "dev", "topic": "orders"}) {
		t.Errorf("request %+v", request)
	}
	if request.StreamsProperties["p"] != "orders-x" {
		t.Errorf("properties %v", request.StreamsProperties)
	}
	if !strings.Contains(got.out, " topic         | orders") || strings.Count(got.out, "orders") < 2 {
		t.Errorf("out: %s", got.out)
	}
}

func TestFailuresStopTheScript(t *testing.T) {
	tests := map[string]struct {
		text, message string
		sent          int
	}{
		"statement":       {"CREATE STREAM a;\nCREATE BAD x; SELECT 1;", "line 2:8: Syntax Error\nBAD is not allowed here\nline 2:8\n  CREATE BAD x;\n         ^^^\n", 1},
		"query":           {"SELECT BAD; SELECT 1;", "line 1:8: Syntax Error", 1},
		"print":           {"PRINT BAD; SELECT 1;", "line 1:7: Syntax Error", 1},
		"denied property": {"SET 'ksql.service.id'='x'; SELECT 1;", "prohibited by the KSQL server", 0},
		"never set":       {"UNSET 'a'; SELECT 1;", "Cannot unset local property 'a' which was never set in the first place", 0},
		"never defined":   {"UNDEFINE a; SELECT 1;", "Cannot undefine variable 'a' which was never defined", 0},
		"wrong SET":       {"SET x; SELECT 1;", "line 1:5: Syntax Error\nThe statement should read: SET 'property' = 'value';", 0},
		"wrong DEFINE":    {"DEFINE x 'y'; SELECT 1;", "line 1:10: Syntax Error", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := start(t)
			got := script(t, server, test.text, nil)
			if got.code != ExitFailed || !strings.Contains(got.err, test.message) || len(server.SQL()) != test.sent {
				t.Errorf("exit %d, sent %q\n%s", got.code, server.SQL(), got.err)
			}
		})
	}
	server := start(t)
	if got := script(t, server, "CREATE STREAM a; CREATE BAD x;", nil); !strings.Contains(got.out, "Stream created") {
		t.Errorf("the result of the statement before is lost: %s", got.out)
	}
}

func TestMachineOutputIsClean(t *testing.T) {
	server := start(t)
	text := "SET 'a'='b'; SELECT * FROM ORDERS EMIT CHANGES LIMIT 2; SHOW STREAMS;"
	got := script(t, server, text, func(c *Config) { c.Format = render.NDJSON })
	for line := range strings.Lines(got.out) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %q", line)
		}
	}
	if strings.Count(got.out, "\n") != 3 || !strings.Contains(got.err, "Query terminated") || !strings.Contains(got.err, "Limit Reached") {
		t.Errorf("out:\n%s\nerr:\n%s", got.out, got.err)
	}
	got = script(t, server, "SHOW STREAMS;", func(c *Config) { c.Format = render.JSON })
	var entities api.Entities
	if err := json.Unmarshal([]byte(got.out), &entities); err != nil || len(entities) != 1 {
		t.Errorf("JSON: %v\n%s", err, got.out)
	}
}

func TestQueryLimits(t *testing.T) {
	server := start(t)
	got := script(t, server, "SELECT * FROM ORDERS EMIT CHANGES; SHOW TABLES;", func(c *Config) { c.RowLimit = 2 })
	if got.code != ExitOK || strings.Contains(got.out, "|3 ") || !strings.Contains(got.out, "Limit Reached\nQuery terminated\n") || !strings.Contains(got.out, "USERS") {
		t.Errorf("row limit: exit %d\n%s%s", got.code, got.out, got.err)
	}
	got = script(t, server, "SELECT * FROM ORDERS EMIT CHANGES; PRINT x; SHOW TABLES;", func(c *Config) { c.QueryTimeout = 50 * time.Millisecond })
	if got.code != ExitOK || !strings.Contains(got.out, "Topic printing ceased") || !strings.Contains(got.out, "USERS") {
		t.Errorf("timeout: exit %d\n%s%s", got.code, got.out, got.err)
	}
}

func TestInterruptEndsAScript(t *testing.T) {
	server := start(t)
	interrupted := make(chan os.Signal, 1)
	done := make(chan result)
	go func() {
		done <- script(t, server, "SELECT * FROM ORDERS EMIT CHANGES; SHOW TABLES;", func(c *Config) { c.Interrupted = interrupted })
	}()
	poll(t, func() bool { return len(server.SQL()) == 1 })
	interrupted <- os.Interrupt
	got := <-done
	if got.code != ExitInterrupted || len(server.SQL()) != 1 {
		t.Errorf("exit %d, sent %q, err %s", got.code, server.SQL(), got.err)
	}
	<-server.Left()
}

// poll waits until a condition holds.
func poll(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not come about")
		}
	}
}

func TestQuietPushQueryGetsOneHint(t *testing.T) {
	server := start(t)
	count := func(text, offset string) int {
		got := script(t, server, text, func(c *Config) {
			c.QueryTimeout = quietTime + 300*time.Millisecond
			if offset != "" {
				c.Properties = map[string]string{"auto.offset.reset": offset}
			}
		})
		if strings.Contains(got.out, "Hint") {
			t.Errorf("the hint is on stdout: %s", got.out)
		}
		return strings.Count(got.err, "'auto.offset.reset'='earliest'")
	}
	tests := []struct {
		text, offset string
		want         int
	}{
		{"SELECT * FROM QUIET EMIT CHANGES;", "", 1},
		{"SELECT * FROM QUIET EMIT CHANGES;", "earliest", 0},
		{"SELECT * FROM ORDERS EMIT CHANGES;", "latest", 0},
	}
	var wait sync.WaitGroup
	for _, test := range tests {
		wait.Go(func() {
			if n := count(test.text, test.offset); n != test.want {
				t.Errorf("%+v: %d hints", test, n)
			}
		})
	}
	wait.Wait()
}

func TestPipeAndFile(t *testing.T) {
	server := start(t)
	text := "-- a comment\noutput json\nCREATE STREAM a\n  (x INT);\nSELECT 1;\n"
	got := script(t, server, "", func(c *Config) { c.In = strings.NewReader(text) })
	if want := []string{"CREATE STREAM a\n  (x INT);", "SELECT 1;"}; got.code != ExitOK || !reflect.DeepEqual(server.SQL(), want) {
		t.Errorf("pipe: exit %d, sent %q, %s", got.code, server.SQL(), got.err)
	}
	if !strings.Contains(got.out, "[1,1.5]\n") {
		t.Errorf("the command had no effect: %s", got.out)
	}

	dir := t.TempDir()
	inner, outer := filepath.Join(dir, "inner.sql"), filepath.Join(dir, "outer.sql")
	write(t, inner, "SHOW TABLES;")
	write(t, outer, "SHOW STREAMS;\nRUN SCRIPT '"+inner+"';\nexit\nSELECT 9;")
	server = start(t)
	got = script(t, server, "", func(c *Config) { c.File = outer })
	if want := []string{"SHOW STREAMS;", "SHOW TABLES;"}; got.code != ExitOK || !reflect.DeepEqual(server.SQL(), want) {
		t.Errorf("file: exit %d, sent %q, %s", got.code, server.SQL(), got.err)
	}
	if got = script(t, server, "", func(c *Config) { c.File = filepath.Join(dir, "none.sql") }); got.code != ExitUsage {
		t.Errorf("missing file: exit %d", got.code)
	}
	write(t, inner, "RUN SCRIPT '"+inner+"';")
	if got = script(t, server, "", func(c *Config) { c.File = inner }); got.code == ExitOK || !strings.Contains(got.err, "deep") {
		t.Errorf("a script that runs itself: exit %d, %s", got.code, got.err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCommands(t *testing.T) {
	server := start(t)
	other := start(t)
	spool := filepath.Join(t.TempDir(), "spool.txt")
	tests := []struct {
		text, want string
		code       int
	}{
		{"help", "request-pipelining [ON|OFF]", ExitOK},
		{"HELP spool;", "Write all results", ExitOK},
		{"help me", "no command 'me'", ExitOK},
		{"version", "Version: 1.0", ExitOK},
		{"output", "Current output format: TABULAR", ExitOK},
		{"output xml", "", ExitUsage},
		{"server", server.URL, ExitOK},
		{"server " + other.URL + "\nserver", "Server now: " + other.URL + "\n" + other.URL, ExitOK},
		{"server http://127.0.0.1:1", "", ExitUsage},
		{"server ftp://x", "", ExitUsage},
		{"SET CLI WRAP OFF;\nset cli column-width 6\nSELECT 1;", "|ORD...|AMOUNT|\n", ExitOK},
		{"set cli wrap maybe", "", ExitUsage},
		{"set cli column-width x", "", ExitUsage},
		{"request-pipelining", "Current request-pipelining value: OFF", ExitOK},
		{"spool " + spool + "\nSHOW STREAMS;\nspool off", "Session will be spooled", ExitOK},
		{"spool", "", ExitUsage},
		{"history", "", ExitOK},
		{"clear", "", ExitOK},
		{"exit;\nSELECT 1;", "", ExitOK},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got := script(t, server, test.text, nil)
			if got.code != test.code || !strings.Contains(got.out, test.want) {
				t.Errorf("exit %d\n%s%s", got.code, got.out, got.err)
			}
			if test.code != ExitOK && got.err == "" {
				t.Error("nothing was said of the failure")
			}
		})
	}
	if text, err := os.ReadFile(spool); err != nil || !strings.Contains(string(text), "ORDERS") {
		t.Errorf("spool: %v %s", err, text)
	}
}

func TestUnreachableServer(t *testing.T) {
	server := fakeksql.New()
	server.Close()
	got := script(t, server, "SHOW STREAMS;", nil)
	if got.code != ExitUsage || !strings.Contains(got.err, "Could not connect to the server at "+server.URL) || got.out != "" {
		t.Errorf("exit %d, out %q, err %q", got.code, got.out, got.err)
	}
}

func TestParts(t *testing.T) {
	tests := map[string][]part{
		"":                                  nil,
		"-- nothing\n;;":                    nil,
		"a; b":                              {{serverStatement, "a;"}, {serverStatement, "b;"}},
		"select 1; PRINT x; list variables": {{query, "select 1;"}, {printTopic, "PRINT x;"}, {local, "list variables;"}},
		"SELECT 'it":                        {{query, "SELECT 'it"}},
		"help\nSELECT 1;":                   {{command, "help"}, {query, "SELECT 1;"}},
		"run script 'a b.sql'; X;":          {{command, "run script 'a b.sql';"}, {serverStatement, "X;"}},
		"set cli wrap on\nset 'a'='b'":      {{command, "set cli wrap on"}, {local, "set 'a'='b';"}},
		"INSERT INTO s VALUES (';');":       {{serverStatement, "INSERT INTO s VALUES (';');"}},
	}
	for text, want := range tests {
		if got := parts(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q\n got %v\nwant %v", text, got, want)
		}
	}
}

func FuzzParts(f *testing.F) {
	f.Add("help\nSELECT 1; SET 'a'='b'")
	f.Add("exit\nexit;\n-- x")
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range parts(text) {
			if strings.TrimSpace(p.text) == "" {
				t.Errorf("an empty part of %q", text)
			}
		}
	})
}

func TestTooOld(t *testing.T) {
	for version, want := range map[string]bool{"7.9.0": false, "0.29.0": false, "0.9.0": true, "5.5.1": true, "6.0.0": false, "x": false} {
		if tooOld(version) != want {
			t.Errorf("%s: %v", version, !want)
		}
	}
}
