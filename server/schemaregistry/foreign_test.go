package schemaregistry_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/ksqlgo/ksqlgo/server/schemaregistry"
)

// kept is a log that only keeps.
type kept struct{ records []schemaregistry.Record }

func (l *kept) Append(_ context.Context, records []schemaregistry.Record) (int64, error) {
	l.records = append(l.records, records...)
	return int64(len(l.records)), nil
}

func (l *kept) Settle(context.Context, int64, func(schemaregistry.Record) error) (int64, error) {
	return int64(len(l.records)), nil
}

func (l *kept) Close() {}

// TestClientOfOthers holds that a client library that was written for Confluent's registry understands this one.
func TestClientOfOthers(t *testing.T) {
	t.Parallel()
	r, err := schemaregistry.Open(t.Context(), schemaregistry.Config{Log: &kept{}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(r.Handler())
	t.Cleanup(s.Close)
	cl, err := sr.NewClient(sr.URLs(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	types, err := cl.SupportedTypes(ctx)
	must(err)
	if !slices.Contains(types, sr.TypeJSON) {
		t.Errorf("the types are %v", types)
	}
	part, err := cl.CreateSchema(ctx, "part/x", sr.Schema{Type: sr.TypeAvro, Schema: `{"type":"record","name":"P","fields":[]}`})
	must(err)
	whole, err := cl.CreateSchema(ctx, "whole", sr.Schema{Type: sr.TypeAvro, Schema: `{"type":"record","name":"W","fields":[{"name":"p","type":"P"}]}`,
		References: []sr.SchemaReference{{Name: "P", Subject: "part/x", Version: part.Version}}})
	must(err)
	if part.ID != 1 || whole.ID != 2 || whole.Version != 1 {
		t.Errorf("got %v and %v", part, whole)
	}
	users, err := cl.SchemaReferences(ctx, "part/x", 1)
	must(err)
	if len(users) != 1 || users[0].ID != whole.ID {
		t.Errorf("it is used by %v", users)
	}
	usages, err := cl.SchemaUsagesByID(ctx, whole.ID)
	must(err)
	if len(usages) != 1 || usages[0].Subject != "whole" {
		t.Errorf("it is under %v", usages)
	}
	all, err := cl.AllSchemas(ctx)
	must(err)
	if len(all) != 2 {
		t.Errorf("there are %v", all)
	}
	found, err := cl.LookupSchema(ctx, "whole", whole.Schema)
	must(err)
	if found.ID != whole.ID {
		t.Errorf("found %v", found)
	}
	for _, c := range cl.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFullTransitive}, "whole") {
		must(c.Err)
	}
	for _, c := range cl.Compatibility(ctx, "whole") {
		must(c.Err)
		if c.Level != sr.CompatFullTransitive {
			t.Errorf("the level is %v", c.Level)
		}
	}
	checked, err := cl.CheckCompatibility(sr.WithParams(ctx, sr.Verbose), "whole", -1, sr.Schema{Type: sr.TypeAvro, Schema: `"int"`})
	must(err)
	if checked.Is || len(checked.Messages) == 0 {
		t.Errorf("got %v", checked)
	}
	_, err = cl.CreateSchema(ctx, "whole", sr.Schema{Type: sr.TypeAvro, Schema: `"int"`})
	if answer, ok := errorAs(err); !ok || answer.StatusCode != http.StatusConflict {
		t.Errorf("an incompatible one: %v", err)
	}
	for _, c := range cl.ResetCompatibility(ctx, "whole") {
		must(c.Err)
	}
	for _, m := range cl.SetMode(ctx, sr.ModeReadOnly, "whole") {
		must(m.Err)
	}
	_, err = cl.DeleteSubject(ctx, "whole", sr.SoftDelete)
	if answer, ok := errorAs(err); !ok || answer.ErrorCode != 42205 {
		t.Errorf("a subject that must not be changed: %v", err)
	}
	for _, m := range cl.ResetMode(ctx, "whole") {
		must(m.Err)
	}
	must(cl.DeleteSchema(ctx, "whole", 1, sr.SoftDelete))
	must(cl.DeleteSchema(ctx, "whole", 1, sr.HardDelete))
	if _, err := cl.DeleteSubject(ctx, "part/x", sr.SoftDelete); err != nil {
		t.Error(err)
	}
	if _, err := cl.DeleteSubject(ctx, "part/x", sr.HardDelete); err != nil {
		t.Error(err)
	}
	subjects, err := cl.Subjects(sr.WithParams(ctx, sr.ShowDeleted))
	must(err)
	if len(subjects) != 0 {
		t.Errorf("left are %v", subjects)
	}
}

func errorAs(err error) (*sr.ResponseError, bool) {
	var answer *sr.ResponseError
	ok := errors.As(err, &answer)
	return answer, ok
}
