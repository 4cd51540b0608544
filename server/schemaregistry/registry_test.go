package schemaregistry

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

func avroSchema(text string) schemas.Schema {
	return schemas.Schema{Kind: schemas.Avro, Text: text}
}

func TestForTheEngine(t *testing.T) {
	t.Parallel()
	log := &memoryLog{}
	r := open(t, log)
	id, err := r.Register("a", avroSchema(`{"type": "int"}`))
	if id != 1 || err != nil {
		t.Fatal(id, err)
	}
	if s, err := r.ByID(1); s.Text != `"int"` || err != nil {
		t.Errorf("got %v, %v", s, err)
	}
	if v, err := r.Latest("a"); v.Version != 1 || v.ID != 1 || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	for what, err := range map[string]error{"id": second(r.ByID(9)), "subject": second(r.Latest("b")), "version": second(r.Version("a", 2))} {
		if !schemas.IsNotFound(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := r.Register("a", avroSchema(`"string"`)); err == nil || schemas.IsUnavailable(err) || !strings.Contains(err.Error(), "incompatible") {
		t.Errorf("an incompatible schema: %v", err)
	}
	for range 2 {
		if err := r.Delete("a"); err != nil {
			t.Error(err)
		}
	}
	if err := r.Delete("none"); err != nil {
		t.Error(err)
	}
	if _, err := r.Latest("a"); !schemas.IsNotFound(err) {
		t.Errorf("a deleted one: %v", err)
	}
	if v, err := r.Version("a", 1); v.ID != 1 || err != nil {
		t.Errorf("a deleted version: %v, %v", v, err)
	}
	log.inject(lost, true)
	if _, err := r.Register("a", avroSchema(`"string"`)); !schemas.IsUnavailable(err) {
		t.Errorf("without a log: %v", err)
	}
	for what, err := range map[string]error{"id": second(r.ByID(9)), "subject": second(r.Latest("b")), "version": second(r.Version("a", 2)), "delete": r.Delete("b")} {
		if !schemas.IsUnavailable(err) {
			t.Errorf("without a log, %s: %v", what, err)
		}
	}
	if _, err := r.ByID(1); err != nil {
		t.Errorf("what is known does not need the log: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestManyRegister holds that whoever registers the same gets the same number, while the log fails now and then.
func TestManyRegister(t *testing.T) {
	t.Parallel()
	log := &memoryLog{}
	r := open(t, log)
	const workers, kinds = 8, 20
	ids := make([]map[string]int, workers)
	var all sync.WaitGroup
	for w := range workers {
		ids[w] = map[string]int{}
		all.Go(func() {
			for i := range kinds {
				subject := fmt.Sprint("s", i%5)
				text := fmt.Sprintf(`{"type":"record","name":"R","fields":[{"name":"f%d","type":"int","default":0}]}`, i)
				for {
					if w == 0 {
						log.inject([]fault{none, lost, none, late}[i%4], false)
					}
					id, err := r.Register(subject, avroSchema(text))
					log.inject(none, false)
					if err == nil {
						ids[w][text] = id
						break
					}
					if !schemas.IsUnavailable(err) {
						t.Error(err)
						return
					}
				}
				if _, err := r.ByID(ids[w][text]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for w := 1; w < workers; w++ {
		if !maps.Equal(ids[0], ids[w]) {
			t.Fatalf("worker %d was told %v, worker 0 %v", w, ids[w], ids[0])
		}
	}
	again := open(t, log)
	if have, want := fmt.Sprint(again.state.all()), fmt.Sprint(r.state.all()); have != want {
		t.Errorf("after a restart\n%s\nbefore\n%s", have, want)
	}
	numbers := slices.Sorted(maps.Values(ids[0]))
	if len(slices.Compact(numbers)) != kinds {
		t.Errorf("numbers are given twice: %v", numbers)
	}
}

// TestReadsOthersLogs reads records as Confluent's registry has written them over the years.
func TestReadsOthersLogs(t *testing.T) {
	t.Parallel()
	log := &memoryLog{}
	for _, r := range []string{
		`{"keytype":"CONFIG","subject":null,"magic":0}` + "\t" + `{"compatibilityLevel":"FULL"}`,
		`{"keytype":"NOOP","magic":0}` + "\t",
		`{"keytype":"SCHEMA","subject":"a","version":1,"magic":1}` + "\t" + `{"subject":"a","version":1,"id":7,"md5":"x","schema":"\"int\"","deleted":false}`,
		`{"keytype":"CONTEXT","tenant":"default","context":"c","magic":0}` + "\t" + `{"tenant":"default","context":"c"}`,
		`{"magic":1}` + "\t" + `{}`,
		`not JSON` + "\t" + `{}`,
		`{"keytype":"SCHEMA","subject":"a","version":2,"magic":1}` + "\t" + `not JSON`,
		`{"keytype":"SCHEMA","subject":"a","version":3,"magic":1}` + "\t" + `{"subject":"a","version":3,"id":7,"schema":"\"long\"","deleted":false}`,
		`{"keytype":"SCHEMA","subject":"b","version":1,"magic":1}` + "\t" + `{"subject":"b","version":1,"id":8,"schemaType":"PROTOBUF","metadata":null,"schema":"message A {}","deleted":true}`,
		`{"keytype":"MODE","subject":"b","magic":0}` + "\t" + `{"subject":"b","mode":"READONLY"}`,
		`{"keytype":"SCHEMA","subject":"c","version":1,"magic":1}` + "\t" + `{"subject":"c","version":1,"id":9,"schema":"\"null\""}`,
		`{"keytype":"CLEAR_SUBJECT","subject":"c","magic":0}` + "\t" + `{"subject":"c"}`,
	} {
		key, value, _ := strings.Cut(r, "\t")
		record := Record{Key: []byte(key)}
		if value != "" {
			record.Value = []byte(value)
		}
		log.records = append(log.records, record)
	}
	r := open(t, log)
	if c := r.state.configInForce("a").CompatibilityLevel; c != "FULL" {
		t.Errorf("the level is %s", c)
	}
	if m := r.state.modeInForce("b"); m != modeReadOnly {
		t.Errorf("the mode is %s", m)
	}
	const want = "[{{{AVRO \"int\" []} a 1 7} false} {{{PROTOBUF message A {} []} b 1 8} true}]"
	if have := fmt.Sprint(r.state.all()); have != want {
		t.Errorf("got %s", have)
	}
	if id, err := r.Register("d", avroSchema(`"long"`)); id != 10 || err != nil {
		t.Errorf("the next number is %d, %v", id, err)
	}
}

// FuzzRecords holds that no log keeps a registry from being opened, and that what it comes to is the same when it is read twice.
func FuzzRecords(f *testing.F) {
	f.Add(`{"keytype":"SCHEMA","subject":"a","version":1,"magic":1}`, `{"subject":"a","version":1,"id":7,"schema":"\"int\"","references":[{"name":"x","subject":"a","version":1}]}`)
	f.Add(`{"keytype":"DELETE_SUBJECT","subject":"a","magic":0}`, `{"subject":"a","version":1}`)
	f.Add(`{"keytype":"CONFIG","subject":null,"magic":0}`, `{"compatibilityLevel":"FULL"}`)
	f.Add(`{"keytype":"MODE","subject":"a","magic":0}`, `{"mode":"IMPORT"}`)
	f.Fuzz(func(t *testing.T, key, value string) {
		log := &memoryLog{records: []Record{{[]byte(`{"keytype":"SCHEMA","subject":"a","version":1,"magic":1}`), []byte(`{"id":1,"schema":"\"int\""}`)}, {[]byte(key), []byte(value)}, {[]byte(key), nil}, {[]byte(key), []byte(value)}}}
		once, again := open(t, log), open(t, log)
		if have, want := fmt.Sprint(once.state.all(), once.state.configs, once.state.modes), fmt.Sprint(again.state.all(), again.state.configs, again.state.modes); have != want {
			t.Errorf("%s and %s", have, want)
		}
		var refused *Error
		if _, err := once.Register("new", avroSchema(`"long"`)); err != nil && !errors.As(err, &refused) {
			t.Error(err)
		}
	})
}

// FuzzRequests holds that no body makes an endpoint panic or answer with an error of the server.
func FuzzRequests(f *testing.F) {
	f.Add("POST", "/subjects/a/versions", `{"schema":"\"int\"","schemaType":"AVRO","references":[{"name":"x","subject":"a","version":-1}]}`)
	f.Add("POST", "/compatibility/subjects/a/versions/latest?verbose=true", `{"schema":"{}","schemaType":"JSON"}`)
	f.Add("PUT", "/config/a?x=%zz", `{"compatibility":"FULL"}`)
	f.Add("PUT", "/mode?force=true", `{"mode":"IMPORT"}`)
	f.Add("DELETE", "/subjects/a%2Fb?permanent=true", ``)
	f.Fuzz(func(t *testing.T, method, target, body string) {
		r := open(t, &memoryLog{})
		if _, err := r.Register("a", avroSchema(`"int"`)); err != nil {
			t.Fatal(err)
		}
		if status, answer := send(r.Handler(), method, target, body); status >= 500 && status != 505 {
			t.Errorf("%d %s", status, answer)
		}
	})
}
