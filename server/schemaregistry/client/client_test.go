package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry/client"
	"github.com/ksqlgo/ksqlgo/tests/certificates"
)

// log is a log in memory without faults.
type log struct{ records []schemaregistry.Record }

func (l *log) Append(_ context.Context, records []schemaregistry.Record) (int64, error) {
	l.records = append(l.records, records...)
	return int64(len(l.records)), nil
}

func (l *log) Settle(context.Context, int64, func(schemaregistry.Record) error) (int64, error) {
	return int64(len(l.records)), nil
}

func (l *log) Close() {}

// world is a registry with a front that can be told to fail.
type world struct {
	registry *schemaregistry.Registry
	// front, unless nil, answers in place of the registry.
	front atomic.Pointer[http.HandlerFunc]
	asked atomic.Int64
}

func (w *world) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	w.asked.Add(1)
	if f := w.front.Load(); f != nil {
		(*f)(rw, req)
		return
	}
	w.registry.Handler().ServeHTTP(rw, req)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	r, err := schemaregistry.Open(t.Context(), schemaregistry.Config{Log: &log{}})
	if err != nil {
		t.Fatal(err)
	}
	return &world{registry: r}
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func dial(t *testing.T, cfg client.Config) *client.Client {
	t.Helper()
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func avro(text string) schemas.Schema { return schemas.Schema{Kind: schemas.Avro, Text: text} }

func second[T any](_ T, err error) error { return err }

func TestClientOfARegistry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := dial(t, client.Config{URLs: []string{serve(t, w)}})
	part := schemas.Schema{Kind: schemas.Protobuf, Text: "syntax = \"proto3\";\nmessage P {\n}\n"}
	whole := schemas.Schema{Kind: schemas.Protobuf, Text: "syntax = \"proto3\";\nimport \"p.proto\";\nmessage W {\n  P p = 1;\n}\n",
		References: []schemas.Reference{{Name: "p.proto", Subject: "a/part", Version: 1}}}
	for i, s := range []schemas.Schema{part, whole} {
		subject := []string{"a/part", "whole %"}[i]
		id, err := c.Register(subject, s)
		if id != i+1 || err != nil {
			t.Fatal(id, err)
		}
		want := schemas.Registered{Schema: s, Subject: subject, Version: 1, ID: id}
		latest, err := c.Latest(subject)
		if fmt.Sprint(latest) != fmt.Sprint(want) || err != nil {
			t.Errorf("got %v, %v", latest, err)
		}
		byID, err := c.ByID(id)
		if fmt.Sprint(byID) != fmt.Sprint(s) || err != nil {
			t.Errorf("got %v, %v", byID, err)
		}
	}
	imports, err := schemas.Imports(c, whole)
	if err != nil || imports["p.proto"].Text != part.Text {
		t.Errorf("got %v, %v", imports, err)
	}
	if id, err := c.Register("b", avro(`"int"`)); id != 3 || err != nil {
		t.Error(id, err)
	}
	if s, err := c.ByID(3); s.Kind != schemas.Avro || err != nil {
		t.Error(s, err)
	}
	for what, err := range map[string]error{"id": second(c.ByID(9)), "subject": second(c.Latest("x")), "version": second(c.Version("b", 2))} {
		if !schemas.IsNotFound(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for text, want := range map[string]string{`"string"`: "incompatible with an earlier schema", `{`: "Invalid schema"} {
		if _, err := c.Register("b", avro(text)); err == nil || schemas.IsUnavailable(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for range 2 {
		if err := c.Delete("b"); err != nil {
			t.Error(err)
		}
	}
	if err := c.Delete("never"); err != nil {
		t.Error(err)
	}
	if _, err := c.Latest("b"); !schemas.IsNotFound(err) {
		t.Errorf("a deleted one: %v", err)
	}
	if v, err := c.Version("b", 1); v.ID != 3 || err != nil {
		t.Errorf("a version that is deleted: %v, %v", v, err)
	}
	if id, err := c.Register("b", avro(`"int"`)); id != 3 || err != nil {
		t.Error(id, err)
	}
	if v, err := c.Latest("b"); v.Version != 2 || err != nil {
		t.Errorf("registered once more: %v, %v", v, err)
	}
}

// TestKept holds what is asked for once only, and what is asked for each time.
func TestKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := dial(t, client.Config{URLs: []string{serve(t, w)}})
	count := func(what string, want int64, f func() error) {
		t.Helper()
		before := w.asked.Load()
		for range 3 {
			if err := f(); err != nil && !schemas.IsNotFound(err) {
				t.Fatal(err)
			}
		}
		if n := w.asked.Load() - before; n != want {
			t.Errorf("%s: asked %d times, want %d", what, n, want)
		}
	}
	count("an id that is not known", 3, func() error { return second(c.ByID(1)) })
	count("register", 1, func() error { return second(c.Register("a", avro(`"int"`))) })
	count("an id", 1, func() error { return second(c.ByID(1)) })
	count("the latest", 3, func() error { return second(c.Latest("a")) })
}

// TestFaults holds which answers mean that the registry has to be asked again later.
func TestFaults(t *testing.T) {
	t.Parallel()
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = w.Write([]byte(body)) }
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { t.Errorf("%s was followed", req.URL) }))
	t.Cleanup(elsewhere.Close)
	huge := strings.Repeat(" ", 11<<20)
	for name, f := range map[string]struct {
		front http.HandlerFunc
		kind  string
		says  string
	}{
		"500":              {status(500, `{"error_code":50001,"message":"no store"}`), "unavailable", "HTTP 500: no store"},
		"503 without body": {status(503, ""), "unavailable", "HTTP 503"},
		"429":              {status(429, "slow down"), "unavailable", "slow down"},
		"401":              {status(401, `{"error_code":401,"message":"Unauthorized"}`), "unavailable", "basic.auth"},
		"403":              {status(403, ""), "unavailable", "HTTP 403"},
		"404 of a proxy":   {status(404, "<html>"), "unavailable", "<html>"},
		"404 of a path":    {status(404, `{"error_code":404,"message":"HTTP 404 Not Found"}`), "unavailable", "HTTP 404"},
		"404":              {status(404, `{"error_code":40403,"message":"Schema 5 not found"}`), "not found", "Schema 5 not found"},
		"409":              {status(409, `{"error_code":409,"message":"why"}`), "refused", "why"},
		"422":              {status(422, `{"error_code":42201,"message":"what"}`), "refused", "what"},
		"no JSON":          {status(200, "<html>"), "unavailable", ""},
		"too long":         {status(200, huge), "unavailable", "longer than"},
		"another host": {func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, elsewhere.URL+"/x", http.StatusFound)
		}, "unavailable", "another server"},
		"round and round": {func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, req.URL.Path+"/x", http.StatusFound)
		}, "unavailable", "redirects"},
		"a cut connection":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "unavailable", ""},
		"no answer in time": {func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }, "unavailable", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.front.Store(&f.front)
			c := dial(t, client.Config{URLs: []string{serve(t, w)}, Timeout: 300 * time.Millisecond})
			_, err := c.ByID(5)
			kind := "refused"
			switch {
			case err == nil:
				kind = "nothing"
			case schemas.IsUnavailable(err):
				kind = "unavailable"
			case schemas.IsNotFound(err):
				kind = "not found"
			}
			if kind != f.kind || err != nil && !strings.Contains(err.Error(), f.says) {
				t.Errorf("%s: %.300v", kind, err)
			}
			if f.kind != "unavailable" {
				return
			}
			// Nothing of it is remembered.
			w.front.Store(nil)
			if _, err := c.ByID(5); !schemas.IsNotFound(err) {
				t.Errorf("when the fault is over: %v", err)
			}
		})
	}
}

// TestNextAddress holds that an address that does not answer is passed over at once, and not tried first any more.
func TestNextAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var broken atomic.Int64
	dead := httptest.NewServer(nil)
	dead.Close()
	bad := serve(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { broken.Add(1); rw.WriteHeader(http.StatusBadGateway) }))
	c := dial(t, client.Config{URLs: []string{dead.URL, bad, serve(t, w)}})
	for i := range 3 {
		if id, err := c.Register(fmt.Sprint("s", i), avro(`"int"`)); id != 1 || err != nil {
			t.Fatal(id, err)
		}
	}
	if n := broken.Load(); n != 1 {
		t.Errorf("the broken one was asked %d times", n)
	}
	c = dial(t, client.Config{URLs: []string{dead.URL, bad}})
	_, err := c.Latest("x")
	if !schemas.IsUnavailable(err) || !strings.Contains(err.Error(), dead.URL) || !strings.Contains(err.Error(), bad) {
		t.Errorf("none answers: %v", err)
	}
}

// TestWhoWeAre holds what the registry is shown, and that no error says it.
func TestWhoWeAre(t *testing.T) {
	t.Parallel()
	var seen atomic.Pointer[string]
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		s := req.Header.Get("Authorization")
		seen.Store(&s)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	withUser := strings.Replace(url, "http://", "http://us:se%20cret@", 1)
	for _, c := range []struct {
		url        string
		properties map[string]string
		want       string
	}{
		{url, nil, ""},
		{withUser, nil, "Basic dXM6c2UgY3JldA=="},
		{url, map[string]string{"ksql.schema.registry.basic.auth.credentials.source": "USER_INFO", "ksql.schema.registry.basic.auth.user.info": "us:se cret"}, "Basic dXM6c2UgY3JldA=="},
		{withUser, map[string]string{"schema.registry.basic.auth.credentials.source": "user_info", "schema.registry.basic.auth.user.info": "a:b:c"}, "Basic YTpiOmM="},
		{url, map[string]string{"ksql.schema.registry.bearer.auth.credentials.source": "STATIC_TOKEN", "ksql.schema.registry.bearer.auth.token": "secret"}, "Bearer secret"},
	} {
		cfg, err := client.Read(c.url, c.properties, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = dial(t, cfg).Latest("a")
		if got := *seen.Load(); got != c.want {
			t.Errorf("%v: shown %q, want %q", c.properties, got, c.want)
		}
		if err == nil || strings.Contains(err.Error(), "cret") {
			t.Errorf("%v", err)
		}
	}
	if have, want := client.Shown([]string{withUser, " http://x/y", ":"}), url+",http://x/y,[hidden]"; have != want {
		t.Errorf("shown as %s, want %s", have, want)
	}
}

func TestPropertiesThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url        string
		properties map[string]string
		want       string
	}{
		{"", nil, "no address"},
		{"us:secret@host:8081", nil, "no URL"},
		{"ftp://secret", nil, "no URL"},
		{"http://h", map[string]string{"ksql.schema.registry.basic.auth.credentials.source": "SASL_INHERIT"}, "none of"},
		{"http://h", map[string]string{"ksql.schema.registry.basic.auth.credentials.source": "USER_INFO"}, "user:password"},
		{"http://h", map[string]string{"ksql.schema.registry.basic.auth.credentials.source": "USER_INFO", "ksql.schema.registry.basic.auth.user.info": "secret"}, "user:password"},
		{"http://h", map[string]string{"ksql.schema.registry.bearer.auth.credentials.source": "STATIC_TOKEN"}, "is missing"},
		{"http://h", map[string]string{"ksql.schema.registry.bearer.auth.credentials.source": "OAUTHBEARER"}, "STATIC_TOKEN"},
		{"https://h", map[string]string{"ksql.schema.registry.ssl.truststore.location": "/nowhere"}, "ksql.schema.registry.ssl.truststore.location"},
	} {
		cfg, err := client.Read(c.url, c.properties, nil)
		if err == nil {
			_, err = client.New(cfg)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s %v: %v", c.url, c.properties, err)
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	ca, other := certificates.New(t, "ca"), certificates.New(t, "other")
	w := newWorld(t)
	s := httptest.NewUnstartedServer(w)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{ca.IssueFor(t, "registry", "127.0.0.1").TLS()}}
	s.StartTLS()
	t.Cleanup(s.Close)
	for name, c := range map[string]struct {
		by   *certificates.Authority
		want bool
	}{"signed by the one that is trusted": {ca, true}, "signed by another": {other, false}} {
		cfg, err := client.Read(s.URL, map[string]string{"ksql.schema.registry.ssl.ca.location": certificates.Write(t, "ca.pem", c.by.PEM())}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = dial(t, cfg).Register("a", avro(`"int"`))
		if (err == nil) != c.want || err != nil && !schemas.IsUnavailable(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManyAsk holds that one client serves many.
func TestManyAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := dial(t, client.Config{URLs: []string{serve(t, w)}})
	errs := make(chan error, 16)
	for i := range cap(errs) {
		go func() {
			id, err := c.Register(fmt.Sprint("s", i%4), avro(`"int"`))
			errs <- errors.Join(err, second(c.ByID(max(id, 1))), second(c.Latest(fmt.Sprint("s", i%4))))
		}()
	}
	var all []error
	for range cap(errs) {
		all = append(all, <-errs)
	}
	if i := slices.IndexFunc(all, func(err error) bool { return err != nil }); i >= 0 {
		t.Error(all[i])
	}
}
