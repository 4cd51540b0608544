package state

// Metrics are figures about one DB at one moment.
type Metrics struct {
	// DiskBytes is what the directory takes: tables and logs.
	DiskBytes uint64
	// MemTableBytes is what memtables take, flushed or not.
	MemTableBytes uint64
	// Level0Tables is how many tables wait in level 0.
	Level0Tables int64
	// CompactionDebtBytes estimates what compactions have yet to move.
	CompactionDebtBytes uint64
	// Flushes and Compactions count since Open.
	Flushes, Compactions int64
	// CacheHits and CacheMisses of the block cache, which may be shared by several DBs.
	CacheHits, CacheMisses int64
	// Commits counts batches committed since Open.
	Commits uint64
	// Snapshots is how many are open.
	Snapshots int
}

// Metrics returns current figures; of a DB that is closed or failed only Commits.
func (d *DB) Metrics() Metrics {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.wedged.Load() {
		return Metrics{Commits: d.commits.Load()}
	}
	m := d.pdb.Metrics()
	return Metrics{
		DiskBytes:           m.DiskSpaceUsage(),
		MemTableBytes:       m.MemTable.Size,
		Level0Tables:        m.Levels[0].TablesCount,
		CompactionDebtBytes: m.Compact.EstimatedDebt,
		Flushes:             m.Flush.Count,
		Compactions:         m.Compact.Count,
		CacheHits:           m.BlockCache.Hits,
		CacheMisses:         m.BlockCache.Misses,
		Commits:             d.commits.Load(),
		Snapshots:           len(d.snapshots),
	}
}
