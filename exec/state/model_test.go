package state

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// modelRow and modelStore are what a store is supposed to hold: rows by row key.
type modelRow struct {
	value string
	ts    int64
}

type modelStore struct {
	spec       StoreSpec
	rows       map[string]modelRow
	streamTime int64
	nextSeq    uint64
}

func (m *modelStore) clone() *modelStore {
	c := *m
	c.rows = maps.Clone(m.rows)
	return &c
}

func (m *modelStore) minLive() int64 {
	if m.spec.Retention <= 0 || m.streamTime == math.MinInt64 {
		return math.MinInt64
	}
	return m.streamTime - m.spec.Retention.Milliseconds() + 1
}

// show lists the rows that are visible and wanted, in order of row keys unless by says otherwise.
func (m *modelStore) show(want func(RowKey) bool) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m.rows)) {
		rk, _ := ParseRowKey(m.spec.Kind, []byte(k))
		if m.spec.Kind != Keyed && rowTime(m.spec.Kind, []byte(k)) < m.minLive() || !want(rk) {
			continue
		}
		r := m.rows[k]
		out = append(out, fmt.Sprintf("%s %d/%d/%d=%s@%d", rk.Key, rk.Start, rk.End, rk.Time, r.value, r.ts))
	}
	return out
}

// partitionModel is one task's stores, and what its changelog holds.
type partitionModel struct {
	stores, saved map[StoreID]*modelStore
	changelog     map[StoreID]map[string]modelRow
	position      int64
}

func newPartitionModel() *partitionModel {
	p := &partitionModel{stores: map[StoreID]*modelStore{}, changelog: map[StoreID]map[string]modelRow{}}
	for _, s := range testSpecs() {
		p.stores[s.ID] = &modelStore{spec: s, rows: map[string]modelRow{}, streamTime: math.MinInt64}
		p.changelog[s.ID] = map[string]modelRow{}
	}
	p.save()
	return p
}

func (p *partitionModel) save() {
	p.saved = map[StoreID]*modelStore{}
	for id, s := range p.stores {
		p.saved[id] = s.clone()
	}
}

func (p *partitionModel) abort() {
	p.stores = map[StoreID]*modelStore{}
	for id, s := range p.saved {
		p.stores[id] = s.clone()
	}
}
