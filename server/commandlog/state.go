package commandlog

import (
	"errors"
	"fmt"
)

// State says how the log is doing.
type State string

// The states of a log.
const (
	// Replaying: the log is being read for the first time.
	Replaying State = "REPLAYING"
	Running   State = "RUNNING"
	// Degraded: a record cannot be decoded. What runs goes on; no commands are applied or accepted until the record is
	// skipped, or the server is one that can read it.
	Degraded State = "DEGRADED"
	// Corrupted: the topic is not what it was. A server that starts so starts no query; one that runs lets its queries
	// run. No commands are applied or accepted until the topic is restored.
	Corrupted State = "CORRUPTED"
)

// Status is a log's state with its reason and place.
type Status struct {
	State State
	// Reason says why a log is degraded or corrupted, and what to do; empty otherwise.
	Reason string
	// Applied is the offset after the last command that is in force here, End where the log ended when last heard of.
	Applied, End int64
}

// ErrRefused is in the chain of every error of Append because of the log's state.
var ErrRefused = errors.New("commandlog: the log takes no commands")

// RefusedError says why a log takes no commands.
type RefusedError struct {
	State  State
	Reason string
}

func (e *RefusedError) Error() string { return e.Reason }

func (e *RefusedError) Unwrap() error { return ErrRefused }

// degradedReason tells of a record that cannot be decoded.
func degradedReason(offset int64, err error) string {
	return fmt.Sprintf("The command log is DEGRADED: the record at offset %d cannot be read (%v). Running queries go on; no statement that "+
		"changes the catalog is taken. Upgrade this server if a newer one wrote the record; otherwise take it out on all servers with "+
		"\"ksqlgo command skip %d\".", offset, err, offset)
}

// corruptedReason tells of a topic that cannot be trusted.
func corruptedReason(err error) string {
	return fmt.Sprintf("The command log is CORRUPTED: %v. No query is started and no statement that changes the catalog is taken. Stop the servers "+
		"and make the topic anew with \"ksqlgo command restore FILE\", FILE being the backup in a server's data directory or one made by "+
		"\"ksqlgo command backup\".", err)
}
