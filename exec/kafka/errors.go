package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrorKind says what an error means for the caller's next step.
type ErrorKind int

const (
	// Other is an error without a rule of its own; treat as Fatal.
	Other ErrorKind = iota
	// Retriable: nothing happened, the same call may be made again.
	Retriable
	// Aborted: the transaction did not and will not commit. Abort it, drop the
	// interval's state and resynchronise.
	Aborted
	// Unknown: the commit may or may not have happened. Abort (which fences
	// what may still be open), drop the interval's state and resynchronise:
	// the committed offsets tell which it was.
	Unknown
	// Fenced: another producer took over the transactional id, or the group
	// took the member's partitions away. Nothing was committed. Close the
	// producer, open a new one, resynchronise.
	Fenced
	// Stale: the group member or its generation is no longer current. Nothing
	// was committed. Abort; the partitions will be reported as lost.
	Stale
	// OutOfRange: the position is not in the partition any more, or not yet.
	OutOfRange
	// TopicGone: the topic was deleted, or deleted and created again.
	TopicGone
	// TopicExists: a topic of that name exists.
	TopicExists
	// TooLarge: a record is larger than the topic takes. Not retriable.
	TooLarge
	// Denied: authentication or authorisation failed. Not retriable.
	Denied
	// Corrupt: a batch fails its checksum or cannot be decoded.
	Corrupt
	// Canceled: the caller's context ended first.
	Canceled
	// Closed: the client was closed.
	Closed
	// InUse: a group still has members.
	InUse
)

var kindNames = [...]string{
	"error", "retriable", "aborted", "unknown outcome", "fenced", "stale member", "out of range",
	"topic gone", "topic exists", "too large", "denied", "corrupt", "canceled", "closed", "in use",
}

func (k ErrorKind) String() string { return kindNames[k] }

// Error is every error this package returns from a broker or a connection.
type Error struct {
	Kind ErrorKind
	// Op is what was tried, as a phrase: "committing offsets".
	Op string
	// Topic and Partition are where, when the error is about one; Partition is
	// -1 when it is about a whole topic.
	Topic     string
	Partition int32
	// Err is the cause.
	Err error
}

func (e *Error) Error() string {
	switch {
	case e.Topic == "":
		return fmt.Sprintf("%s: %v", e.Op, e.Err)
	case e.Partition < 0:
		return fmt.Sprintf("%s: topic %s: %v", e.Op, e.Topic, e.Err)
	}
	return fmt.Sprintf("%s: topic %s partition %d: %v", e.Op, e.Topic, e.Partition, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, Canceled for a
// context's error, and Other for everything else.
func KindOf(err error) ErrorKind {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Canceled
	}
	return Other
}

// newError wraps a cause with the kind it has outside transactions.
func newError(op string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return &Error{Kind: classify(err), Op: op, Err: err}
}

func topicError(op, topic string, partition int32, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: classify(err), Op: op, Topic: topic, Partition: partition, Err: err}
}

// classify maps protocol errors to kinds, without regard to transactions.
func classify(err error) ErrorKind {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Canceled
	case errors.Is(err, kgo.ErrClientClosed):
		return Closed
	case errors.Is(err, kerr.OffsetOutOfRange):
		return OutOfRange
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.UnknownTopicID),
		errors.Is(err, kerr.InconsistentTopicID):
		return TopicGone
	case errors.Is(err, kerr.TopicAlreadyExists):
		return TopicExists
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge),
		errors.Is(err, kerr.InvalidRecord):
		return TooLarge
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.GroupAuthorizationFailed),
		errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.TransactionalIDAuthorizationFailed),
		errors.Is(err, kerr.SaslAuthenticationFailed):
		return Denied
	case errors.Is(err, kerr.NonEmptyGroup):
		return InUse
	case errors.Is(err, kerr.CorruptMessage):
		return Corrupt
	case errors.Is(err, kerr.UnknownMemberID), errors.Is(err, kerr.IllegalGeneration),
		errors.Is(err, kerr.StaleMemberEpoch), errors.Is(err, kerr.RebalanceInProgress),
		errors.Is(err, kerr.GroupIDNotFound):
		return Stale
	case errors.Is(err, kerr.ProducerFenced), errors.Is(err, kerr.InvalidProducerEpoch),
		errors.Is(err, kerr.FencedInstanceID), errors.Is(err, kerr.InvalidProducerIDMapping),
		errors.Is(err, kerr.TransactionCoordinatorFenced):
		return Fenced
	case kerr.IsRetriable(err), isConnectionError(err):
		return Retriable
	}
	return Other
}

// isConnectionError reports an error of the connection rather than of Kafka:
// the request may or may not have been executed.
func isConnectionError(err error) bool {
	var kafkaErr *kerr.Error
	return !errors.As(err, &kafkaErr)
}
