package commandlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// Entry is one record of the command topic.
type Entry struct {
	Offset int64
	// Timestamp is when it was written, in milliseconds since 1970.
	Timestamp  int64
	Key, Value []byte
	// Err is set, instead of key and value, when the topic has something at Offset that no reader can decode.
	Err error
}

// Topic is the command topic: one partition, written by one server at a time. Append may be called at any time; Follow
// has one caller.
type Topic interface {
	// Append lets w write a record at the head of the log. No other server's record can come in between what w was shown
	// and its record; a server that loses the race tries again for a while (see [ContendedError]). Errors of w are returned
	// as they are, and nothing is written then. After an [UnknownOutcomeError] the record may have been written.
	Append(ctx context.Context, w Writer) (offset int64, err error)
	// Follow reads the topic from its start and on, until ctx ends (the error is nil then), f returns an error, which is
	// returned as it is, or reading fails. Brokers that are out of reach for a while end nothing. The error is a
	// *CorruptedError when the topic is gone, or not what it was.
	Follow(ctx context.Context, f Follower) error
	// End is where the topic ends now, open transactions counted.
	End(ctx context.Context) (int64, error)
	// Identify asks which incarnation of the topic there is, and where it ends for readers; false when there is none.
	Identify(ctx context.Context) (id kafka.TopicID, end int64, exists bool, err error)
}

// Writer makes a record for the head of the log. Its methods may be called several times.
type Writer interface {
	// Await waits until everything below offset is applied. The error is ctx's when it ends first; any other ends the Append.
	Await(ctx context.Context, offset int64) error
	// Build makes the record that will stand at offset if nobody else's does.
	Build(ctx context.Context, offset int64) (key, value []byte, err error)
}

// Follower is told what a topic holds, by one goroutine, in offset order. An error of any method ends the following.
type Follower interface {
	// Begin comes first: which topic it is.
	Begin(h BackupHeader) error
	// Apply takes a record in; its bytes are valid until it returns.
	Apply(e Entry) error
	// Advance says that everything below next has been delivered; end is where the log ended then.
	Advance(next, end int64) error
	// CaughtUp comes once, when everything has been delivered that was there at Begin.
	CaughtUp() error
}

// CorruptedError says that the command topic cannot be trusted: it was made anew, cut off or changed.
type CorruptedError struct {
	Reason string
	// Gone says that there is no topic, or another one: that the service was terminated would explain it.
	Gone bool
}

func (e *CorruptedError) Error() string { return e.Reason }

func corrupted(format string, args ...any) error {
	return &CorruptedError{Reason: fmt.Sprintf(format, args...)}
}

// gone is the error of a topic that does not exist any more.
func gone(format string, args ...any) error {
	return &CorruptedError{Reason: fmt.Sprintf(format, args...), Gone: true}
}

// ContendedError says that a record was not written because other servers kept writing. Nothing was written.
type ContendedError struct{ Err error }

func (e *ContendedError) Error() string {
	return fmt.Sprintf("the command was not written, since other servers kept writing commands (%v). Try again in a moment", e.Err)
}

func (e *ContendedError) Unwrap() error { return e.Err }

// UnknownOutcomeError says that a record may have been written or not: Kafka could not be asked.
type UnknownOutcomeError struct{ Err error }

func (e *UnknownOutcomeError) Error() string {
	return fmt.Sprintf("it is not known whether the command was written, since Kafka does not answer (%v). Look whether it took effect before you try again", e.Err)
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// errTerminated ends a reading whose service has ended.
var errTerminated = errors.New("commandlog: the service was terminated")

// errReadAgain ends a reading that has to be made once more.
var errReadAgain = errors.New("commandlog: a record that was applied is skipped")
