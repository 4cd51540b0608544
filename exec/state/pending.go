package state

// Changed visits the rows written since [Task.Changes] visited them last (for a store without changelog: since the last
// commit), in the order in which they first changed. deleted rows have no value. Slices are valid during the visit, in
// which nothing may be written to the store. An error of visit ends it and is returned.
func (s *KeyedStore) Changed(visit func(key, value []byte, ts int64, deleted bool) error) error {
	return s.v.o.pending(func(r record) error {
		return visit(r.key(), r.value(), r.timestamp(), r.has(flagAbsent))
	})
}

// Changed is [KeyedStore.Changed] by key and window start. Rows that have expired since they were written are visited too.
func (s *WindowStore) Changed(
	visit func(key []byte, start int64, value []byte, ts int64, deleted bool) error,
) error {
	return s.v.o.pending(func(r record) error {
		k, ok := ParseRowKey(Windowed, r.key())
		if !ok {
			return nil
		}
		return visit(k.Key, k.Start, r.value(), r.timestamp(), r.has(flagAbsent))
	})
}

// pending visits the dirty records that Changes has not visited, in order of their first change.
func (o *overlay) pending(visit func(record) error) error {
	if o.unlogged == 0 {
		return nil
	}
	for i, at := range o.dirty {
		if i%groupLen == 0 {
			o.cur.arena.bringClose(o.dirty[i:min(i+groupLen, len(o.dirty))])
		}
		if r := o.cur.arena.at(at); r.has(flagUnlogged) {
			if err := visit(r); err != nil {
				return err
			}
		}
	}
	return nil
}
