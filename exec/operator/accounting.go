package operator

// Accounting says what became of the records that were read. Each record read has exactly one fate:
//
//	Read = Emitted + Filtered + Merged + Late + NullKey + Errors
type Accounting struct {
	// Read counts records taken from input partitions.
	Read int64
	// Emitted: at least one record or row left the stage because of it.
	Emitted int64
	// Filtered: dropped by a condition, or it had nothing to say (a join without a match, a null value that aggregations
	// and joins ignore, an unchanged table row).
	Filtered int64
	// Merged into state: aggregated, kept as a table's row or in a join's buffer, emitting nothing of its own at once.
	Merged int64
	// Late: its windows had closed.
	Late int64
	// NullKey: skipped because the operator needs a key (or grouping columns) and it was null.
	NullKey int64
	// Errors: could not be read or processed; each has a RecordError with Skipped.
	Errors int64

	// Outputs counts records produced and rows handed to subscribers, RecordErrors the record errors, of all fates.
	Outputs, RecordErrors int64
}

// Closed reports whether every record read is accounted for.
func (a *Accounting) Closed() bool {
	return a.Read == a.Emitted+a.Filtered+a.Merged+a.Late+a.NullKey+a.Errors
}

// Add adds b to a.
func (a *Accounting) Add(b *Accounting) {
	a.Read += b.Read
	a.Emitted += b.Emitted
	a.Filtered += b.Filtered
	a.Merged += b.Merged
	a.Late += b.Late
	a.NullKey += b.NullKey
	a.Errors += b.Errors
	a.Outputs += b.Outputs
	a.RecordErrors += b.RecordErrors
}

// fate is what became of the record in hand. When several things happen to it, the highest counts.
type fate uint8

const (
	fateNone fate = iota
	fateFiltered
	fateNullKey
	fateLate
	fateError
	// fateKept: in a table's or join's store.
	fateKept
	fateEmitted
	// fateAggregated stands above fateEmitted so that the figures do not depend on the record cache.
	fateAggregated
)
