// Package state holds the local stores of a query: one Pebble database a query, an in-memory overlay of
// uncommitted writes a task, and read-only snapshots of what was committed.
//
// Keys and values are bytes; exec/state/rowcodec gives order-preserving keys and compact rows. What is on
// disk is described to the byte in docs/formats/state.md. This is the only package that imports Pebble.
//
// # Who may call what
//
// A [DB] is safe for concurrent use: snapshots may be taken and read, and [DB.Sync] may run, while a
// commit is under way. A [Task] and everything obtained from it belongs to one goroutine at a time; during
// [DB.Commit] and [DB.Abort] the tasks named there must be at rest (all of them at a record boundary).
//
// # Order of one interval
//
//  1. The task's operators read and write through the store handles ([KeyedStore], [WindowStore],
//     [SessionStore], [BufferStore]). Writes stay in memory; reads see them over what Pebble holds.
//  2. [Task.Changes] visits what changed since the last visit, sorted by store and key, expired rows
//     last: the changelog records of the interval.
//  3. After the transaction committed, [DB.Commit] takes the overlays of all tasks, checkpoints, source
//     positions and stream times over as one atomic whole, then empties the overlays. If the transaction
//     failed, [DB.Abort] drops them instead. Readers see the commit from here on.
//  4. Commits gather in memory and go to Pebble as one batch, with [DB.Sync] each second at the latest.
//
// A reader therefore sees committed rows only, and the positions in its [Snapshot] belong to exactly
// those rows.
//
// # When the disk fails
//
// The first failed write freezes the directory: nothing is written to it any more, so that what is there
// stays a consistent earlier state, and every later call returns an error that is [ErrDisk] (or
// [ErrCorrupt]). Close the DB and open it again to go on. The process is never ended from here.
package state
