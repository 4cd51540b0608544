package acceptance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ksqlgo/ksqlgo/grammar/token"
	"github.com/ksqlgo/ksqlgo/server"
)

var (
	buildOnce sync.Once
	builtAt   string
	errBuild  error
)

// buildConsole builds the console's binary, once for all tests.
func buildConsole() (string, error) {
	buildOnce.Do(func() {
		var dir string
		if dir, errBuild = os.MkdirTemp("", "acceptance"); errBuild != nil {
			return
		}
		builtAt = filepath.Join(dir, "ksqlgo-cli")
		if runtime.GOOS == "windows" {
			builtAt += ".exe"
		}
		out, err := exec.Command("go", "build", "-o", builtAt, "github.com/ksqlgo/ksqlgo/cmd/ksqlgo-cli").CombinedOutput()
		if err != nil {
			errBuild = fmt.Errorf("building the console: %w\n%s", err, out)
		}
	})
	return builtAt, errBuild
}

// console types into ksqlgo-cli, connected to a server of its own.
type console struct {
	server *server.Server
	binary string
	// settings are the SET statements typed so far: each run of the console starts with them.
	settings []string
}

func newConsole(ctx context.Context, binary string) (*console, error) {
	s, err := server.Start(ctx, server.Config{Listener: "http://127.0.0.1:0", BrokerListener: "127.0.0.1:0",
		// The logs show every update of a table: they were typed by hand, more slowly than any interval.
		Properties: map[string]string{"ksql.streams.commit.interval.ms": "20", "ksql.streams.cache.max.bytes.buffering": "0"}})
	if err != nil {
		return nil, err
	}
	return &console{server: s, binary: binary}, nil
}

func (c *console) close() { c.server.Close() }

// set keeps the SET statements of a text for all that is typed from now on, and gives the other statements.
func (c *console) set(text string) []string {
	var rest []string
	for _, p := range token.Split(text) {
		statement := strings.TrimSpace(p.Text)
		switch {
		case len(p.Tokens) == 0 || statement == "" || statement == ";":
		case p.Tokens[0].Keyword == "SET":
			c.settings = append(c.settings, statement)
		default:
			rest = append(rest, statement)
		}
	}
	return rest
}

// errConsole is what the console said when it failed.
type errConsole struct{ text string }

func (e *errConsole) Error() string { return e.text }

// queryTimeout bounds one run of the console: a query whose rows do not come is stopped then.
const queryTimeout = 8 * time.Second

// run types statements and gives what the console printed for them. width is that of a column of rows; 0 leaves it. A
// query without end is interrupted after a while, and gives what it has printed.
func (c *console) run(ctx context.Context, width int, statements ...string) (string, error) {
	return c.runWithin(ctx, queryTimeout, width, statements...)
}

// runWithin is run with a time limit of its own.
func (c *console) runWithin(ctx context.Context, limit time.Duration, width int, statements ...string) (string, error) {
	var script strings.Builder
	if width > 0 {
		script.WriteString("SET CLI COLUMN-WIDTH " + strconv.Itoa(width) + "\n")
	}
	for _, s := range append(slices.Clone(c.settings), statements...) {
		script.WriteString(strings.TrimSuffix(strings.TrimSpace(s), ";") + "\n;\n")
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.binary, "--history-file", "-", "-f", "-", c.server.URL())
	cmd.Stdin = strings.NewReader(script.String())
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Second
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if ctx.Err() != nil {
		return clean(out.String()), nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return clean(out.String()), &errConsole{strings.TrimSpace(clean(errOut.String()))}
	}
	return clean(out.String()) + clean(errOut.String()), err
}

// clean takes out what the console says of settings.
func clean(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "Successfully changed local property") {
			b.WriteString(line)
		}
	}
	return b.String()
}

var (
	times     = regexp.MustCompile(`\b\d{4}[-/]\d\d([-/]\d\d([ T]\d\d:\d\d:\d\d(\.\d+)?( Z)?)?)?\b|\b1[5-9]\d{11}\b`)
	generated = regexp.MustCompile(`\b(CSAS|CTAS|INSERTQUERY)((?:_[A-Z]\w*)?)_\d+\b`)
	rules     = regexp.MustCompile(`-{4,}`)
	digit     = regexp.MustCompile(`\d`)
	// mapValue is a MAP as the console prints it; its entries have no order.
	mapValue = regexp.MustCompile(`\{[^{}|=]+=[^{}|]*\}`)
	// listValue is an ARRAY; its entries have no order when rows of several partitions were collected.
	listValue = regexp.MustCompile(`\[[^\[\]{}|]*, [^\[\]{}|]*\]`)
	// double is a DOUBLE with all its digits; the last ones depend on the order of a sum.
	double = regexp.MustCompile(`\b\d+\.\d{12,}\b`)
)

// mask hides times and the numbers of generated names, and trims lines and cells. What has no order is sorted: maps, and
// lists too unless ordered.
func mask(text string, ordered bool) []string {
	text = times.ReplaceAllStringFunc(text, func(s string) string { return digit.ReplaceAllString(s, "#") })
	text = generated.ReplaceAllString(text, "${1}${2}_#")
	text = rules.ReplaceAllString(text, "----")
	text = double.ReplaceAllStringFunc(text, func(s string) string {
		if v, err := strconv.ParseFloat(s, 64); err == nil {
			return strconv.FormatFloat(v, 'g', 12, 64)
		}
		return s
	})
	text = mapValue.ReplaceAllStringFunc(text, sortEntries)
	if !ordered {
		text = listValue.ReplaceAllStringFunc(text, sortEntries)
	}
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \r\n")
		if strings.HasPrefix(line, "|") {
			cells := strings.Split(line, "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			line = strings.Join(cells, "|")
		}
		if line != "" {
			out = append(out, line)
		}
	}
	return out
}

// sortEntries sorts what stands between brackets.
func sortEntries(s string) string {
	entries := strings.Split(s[1:len(s)-1], ", ")
	slices.Sort(entries)
	return s[:1] + strings.Join(entries, ", ") + s[len(s)-1:]
}

// compare tells how two texts differ once masked; ordered says that lines must be in the same order.
func compare(want, got string, ordered bool) error {
	w, g := mask(want, ordered), mask(got, ordered)
	if !ordered {
		slices.Sort(w)
		slices.Sort(g)
	}
	if slices.Equal(w, g) {
		return nil
	}
	return fmt.Errorf("printed\n%s\nwant\n%s", strings.TrimRight(got, "\n"), strings.TrimRight(want, "\n"))
}

// boxWidth is the width of the columns in the log of a console, 0 if it shows no rows.
func boxWidth(log string) int {
	border, _, _ := strings.Cut(log, "\n")
	if !strings.HasPrefix(border, "+-") {
		return 0
	}
	width := 0
	for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(border), "+"), "+") {
		width = max(width, len(cell))
	}
	return width
}
