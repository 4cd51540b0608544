package catalog

import "testing"

// What a draft changes is not seen in the snapshot it came from, nor in those it gave out.
func TestDraftsLeaveSnapshotsAlone(t *testing.T) {
	t.Parallel()
	before := Empty().WithSource(&Source{Name: "A"})
	d := before.Draft()
	d.PutSource(&Source{Name: "B", CreatedBy: "CTAS_B_1", Materialized: true})
	d.PutQuery(&Query{ID: "CTAS_B_1", Sink: "B"})
	between := d.Snapshot()
	d.RemoveQuery("CTAS_B_1")
	d.RemoveSource("A")
	after := d.Snapshot()
	if len(before.Sources()) != 1 || len(before.Queries()) != 0 {
		t.Errorf("the snapshot before has %v and %v", before.Sources(), before.Queries())
	}
	if b, ok := between.Source("B"); !ok || b.CreatedBy != "CTAS_B_1" || !b.Materialized || len(between.Sources()) != 2 || len(between.Queries()) != 1 {
		t.Errorf("the snapshot between has %+v, %d sources and %d queries", b, len(between.Sources()), len(between.Queries()))
	}
	if b, ok := after.Source("B"); !ok || b.CreatedBy != "" || b.Materialized || len(after.Sources()) != 1 || len(after.Queries()) != 0 {
		t.Errorf("the snapshot after has %+v, %d sources and %d queries", b, len(after.Sources()), len(after.Queries()))
	}
	if before.Version >= between.Version || between.Version >= after.Version {
		t.Errorf("versions %d, %d, %d do not grow", before.Version, between.Version, after.Version)
	}
}

// The query of a source table has no sink; its result is the table, which stays without it.
func TestQueryOfASourceTable(t *testing.T) {
	t.Parallel()
	q := &Query{ID: "CST_A_1", Kind: CreateSourceQuery, Sources: []string{"A"}}
	insert := &Query{ID: "INSERTQUERY_2", Kind: InsertQuery, Sink: "B", Sources: []string{"A"}}
	if q.Result() != "A" || insert.Result() != "B" {
		t.Errorf("results %q and %q", q.Result(), insert.Result())
	}
	s := Empty().WithSource(&Source{Name: "A", ReadOnly: true, CreatedBy: q.ID, Materialized: true}).WithQuery(q).WithQuery(insert)
	if w, r := s.WritersOf("A"), s.ReadersOf("A"); len(w) != 0 || len(r) != 2 {
		t.Errorf("writers %v and readers %v", w, r)
	}
	after := s.WithoutQuery(insert.ID)
	if a, _ := after.Source("A"); a.CreatedBy != q.ID || !a.Materialized {
		t.Errorf("without another query the table is %+v", a)
	}
	after = after.WithoutQuery(q.ID)
	if a, ok := after.Source("A"); !ok || a.CreatedBy != "" || a.Materialized || !a.ReadOnly {
		t.Errorf("without its query the table is %+v", a)
	}
}
