package exec

// StatePartitions counts the changelog partitions of which there is local state.
func (x *Executor) StatePartitions(id string) (n int) {
	q, err := x.query(id)
	if err != nil {
		return 0
	}
	q.mu.Lock()
	db := q.db
	q.mu.Unlock()
	for _, partitions := range db.AllCheckpoints() {
		n += len(partitions)
	}
	return n
}
