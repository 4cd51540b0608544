package diag

import (
	"errors"
	"fmt"
)

// Code is a short stable name for a kind of error. The set is open: later
// phases add their own codes beside those listed here.
type Code string

// The codes of the grammar and of name and type analysis.
const (
	Syntax          Code = "Syntax"          // the text is no statement
	Limit           Code = "Limit"           // too deep, too long, too many
	Literal         Code = "Literal"         // a literal out of range or malformed
	ReservedWord    Code = "ReservedWord"    // a keyword where a name is expected
	UnknownSource   Code = "UnknownSource"   // no such stream or table
	UnknownColumn   Code = "UnknownColumn"   // no such column
	AmbiguousColumn Code = "AmbiguousColumn" // more than one such column
	UnknownFunction Code = "UnknownFunction" // no such function, or no overload for the arguments
	UnknownType     Code = "UnknownType"     // no such type
	UnknownProperty Code = "UnknownProperty" // no such property
	UnknownQuery    Code = "UnknownQuery"    // no such query id
	Duplicate       Code = "Duplicate"       // a name that is taken
	Type            Code = "Type"            // types that do not fit
	InvalidValue    Code = "InvalidValue"    // a property or argument out of its range
	NotSupported    Code = "NotSupported"    // understood and refused
	InvalidQuery    Code = "InvalidQuery"    // clauses that do not go together
	InvalidSource   Code = "InvalidSource"   // a definition that cannot stand
)

// Error is an error a user made in a text: what, where, and what to do.
// It is found with errors.As; the zero Span means that no place is known.
type Error struct {
	Code    Code
	Span    Span
	Message string // ksqlDB's text; the first line names the matter, more lines may follow
	Hint    string // what to do, or ""
	Cause   error  // or nil
}

// Error gives the message alone; use Render to show place and hint.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an error without a hint.
func Errorf(code Code, span Span, format string, args ...any) *Error {
	return &Error{Code: code, Span: span, Message: fmt.Sprintf(format, args...)}
}

// WithHint gives a copy of the error that carries the hint.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// As finds the Error in the chain of err.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
