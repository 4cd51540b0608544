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
	// Terminated: the service was ended for good. No query runs, nothing is read or taken any more; a server that is started
	// anew after that begins with an empty log.
	Terminated State = "TERMINATED"
)

// Status is a log's state with its reason and place.
type Status struct {
	State State
	// Reason says why a log is degraded, corrupted or terminated, and what to do; empty otherwise.
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

// corruptedReason tells of a topic that cannot be trusted. backup is this server's copy of it, "" if it has none.
func corruptedReason(err error, backup string) string {
	reason := fmt.Sprintf("The command log is CORRUPTED: %v. No query is started and no statement that changes the catalog is taken. Stop the servers "+
		"and make the topic anew with \"ksqlgo command restore FILE\", FILE being the backup in a server's data directory or one made by "+
		"\"ksqlgo command backup\".", err)
	var broken *CorruptedError
	if !errors.As(err, &broken) || !broken.Gone {
		return reason
	}
	do := "start this server anew"
	if backup != "" {
		do = "stop this server, move " + backup + " away, and start it again"
	}
	return reason + " If the service was terminated (POST /ksql/terminate) while this server was down or out of reach, do not restore it: start a server " +
		"that took part in that, then this one goes on by itself; or " + do + "."
}

// terminatedReason tells of a service that was ended.
func terminatedReason() string {
	return "The service was terminated (POST /ksql/terminate). All queries have ended and no request is taken any more. Stop the server; if it is " +
		"started anew it begins with an empty service."
}
