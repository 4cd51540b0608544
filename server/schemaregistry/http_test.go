package schemaregistry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestHTTP runs the scripts in testdata/http. Their commands are
//
//	req [accept=…] [content=…]    METHOD PATH, and a body on the lines behind it: the status and the answer
//	restart                       the registry is made anew from its log
//	log                           the records that were written since the last time
//	fault lost|late|none [down]   what becomes of changes from now on, and whether the log can be read
//
// What a change says is the same after a restart.
func TestHTTP(t *testing.T) {
	datadriven.Walk(t, "testdata/http", func(t *testing.T, path string) {
		t.Parallel()
		log := &memoryLog{}
		registry := open(t, log)
		told := 0
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "req":
				return request(registry.Handler(), d)
			case "restart":
				registry = open(t, log)
				return ""
			case "log":
				var b strings.Builder
				for _, r := range log.records[told:] {
					value := "null"
					if r.Value != nil {
						value = string(r.Value)
					}
					fmt.Fprintf(&b, "%s %s\n", r.Key, value)
				}
				told = len(log.records)
				return b.String()
			case "fault":
				log.inject(map[string]fault{"none": none, "lost": lost, "late": late}[d.CmdArgs[0].Key], d.HasArg("down"))
				return ""
			}
			t.Fatalf("no such command: %s", d.Cmd)
			return ""
		})
	})
}

func open(t testing.TB, log Log) *Registry {
	t.Helper()
	r, err := Open(t.Context(), Config{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// request sends what a command says.
func request(h http.Handler, d *datadriven.TestData) string {
	line, body, _ := strings.Cut(d.Input, "\n")
	method, path, _ := strings.Cut(line, " ")
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "accept":
			req.Header.Set("Accept", a.Vals[0])
		case "content":
			req.Header.Set("Content-Type", a.Vals[0])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	out := fmt.Sprintf("%d %s", w.Code, w.Body)
	if d.HasArg("accept") {
		out = w.Header().Get("Content-Type") + " " + out
	}
	return out
}

// send sends a request; a target that is none is not sent.
func send(h http.Handler, method, target, body string) (int, string) {
	u, err := url.Parse(target)
	if err != nil || !strings.HasPrefix(target, "/") {
		return 0, ""
	}
	req, err := http.NewRequest(method, "http://registry/", strings.NewReader(body))
	if err != nil {
		return 0, ""
	}
	req.URL.Path, req.URL.RawPath, req.URL.RawQuery = u.Path, u.RawPath, u.RawQuery
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}
