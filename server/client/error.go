package client

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// Error is what the server answered instead of a result.
type Error struct {
	// HTTPStatus is the status of the answer, 0 for an error inside a stream.
	HTTPStatus int
	// Code is ksqlDB's error code; without one in the body, status times 100.
	Code api.Code
	// Message is for people; it may have several lines.
	Message string
	// StatementText is the statement at fault, empty when unknown.
	StatementText string
	// Entities are the results of statements that ran before it.
	Entities api.Entities
	// Token, with api.CodeStale, is the consistency token of what could be read when the time was up.
	Token string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// UnreachableError says that no answer came from the server at all.
type UnreachableError struct {
	URL string
	Err error
}

// Error names the server and the cause.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("Could not connect to the server at %s: %v", e.URL, e.Err)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// newError makes an Error of a failed answer.
func newError(status int, body []byte) *Error {
	if parsed, err := api.DecodeError(body); err == nil {
		return fromBody(status, parsed)
	}
	message := strings.TrimSpace(string(body))
	if message == "" {
		message = http.StatusText(status)
	}
	return &Error{HTTPStatus: status, Code: api.Code(status * 100), Message: message}
}

// fromBody makes an Error of an error body.
func fromBody(status int, body api.ErrorBody) *Error {
	e := &Error{HTTPStatus: status, Code: body.ErrorCode(), Message: body.Error()}
	if s, ok := body.(*api.StatementError); ok {
		e.StatementText, e.Entities = s.StatementText, s.Entities
	}
	if g, ok := body.(*api.GenericError); ok {
		e.Token = g.ConsistencyToken
	}
	return e
}
