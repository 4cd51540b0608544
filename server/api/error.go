package api

import (
	"encoding/json"
	"fmt"
)

// The "@type" values of error bodies.
const (
	TypeGenericError   = "generic_error"
	TypeStatementError = "statement_error"
)

// ErrorBody is the JSON body of a failed request, and the error object inside
// a stream. It is a sealed interface over *GenericError and *StatementError.
type ErrorBody interface {
	error
	// ErrorCode is ksqlDB's error code.
	ErrorCode() Code
	errorBody()
}

// GenericError is an error that belongs to no statement.
type GenericError struct {
	Code    Code   `json:"error_code"`
	Message string `json:"message"`
	// ConsistencyToken, with CodeStale, is how far it was when the time was up.
	ConsistencyToken string `json:"consistencyToken,omitempty"`
}

// NewError returns a GenericError with a formatted message.
func NewError(code Code, format string, args ...any) *GenericError {
	return &GenericError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Error returns the message alone, as consoles show it.
func (e *GenericError) Error() string { return e.Message }

// ErrorCode is ksqlDB's error code.
func (e *GenericError) ErrorCode() Code { return e.Code }

func (e *GenericError) errorBody() {}

// MarshalJSON adds the "@type".
func (e *GenericError) MarshalJSON() ([]byte, error) {
	type plain GenericError
	return tagged(TypeGenericError, (*plain)(e))
}

// StatementError is an error in one statement of a request.
type StatementError struct {
	Code          Code   `json:"error_code"`
	Message       string `json:"message"`
	StatementText string `json:"statementText"`
	// Entities are the results of the statements that ran before this one.
	Entities Entities `json:"entities"`
}

// NewStatementError returns a StatementError with CodeBadStatement.
func NewStatementError(statement, message string) *StatementError {
	return &StatementError{Code: CodeBadStatement, Message: message, StatementText: statement}
}

// Error returns the message alone, as consoles show it.
func (e *StatementError) Error() string { return e.Message }

// ErrorCode is ksqlDB's error code.
func (e *StatementError) ErrorCode() Code { return e.Code }

func (e *StatementError) errorBody() {}

// MarshalJSON adds the "@type".
func (e *StatementError) MarshalJSON() ([]byte, error) {
	type plain StatementError
	return tagged(TypeStatementError, (*plain)(e))
}

// DecodeError reads an error body. A body of another "@type" that carries
// error_code and message is read as a GenericError, as ksqlDB's clients do;
// anything else is an error of the decoding itself.
func DecodeError(data []byte) (ErrorBody, error) {
	var probe struct {
		Type    string `json:"@type"`
		Code    *Code  `json:"error_code"`
		Message string `json:"message"`
		Token   string `json:"consistencyToken"`
	}
	if err := json.Unmarshal(data, &probe); err != nil {
		return nil, fmt.Errorf("api: decode error body: %w", err)
	}
	if probe.Code == nil {
		return nil, fmt.Errorf("api: decode error body: no error_code")
	}
	if probe.Type != TypeStatementError {
		return &GenericError{Code: *probe.Code, Message: probe.Message, ConsistencyToken: probe.Token}, nil
	}
	body := &StatementError{}
	if err := json.Unmarshal(data, body); err != nil {
		return nil, fmt.Errorf("api: decode error body: %w", err)
	}
	return body, nil
}

// tagged marshals v, which must be written as an object, with "@type" first.
func tagged(name string, v any) ([]byte, error) {
	body, err := Encode(v)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(body)+len(name)+12)
	out = append(out, `{"@type":"`...)
	out = append(out, name...)
	out = append(out, '"')
	if len(body) > 2 {
		out = append(out, ',')
	}
	return append(out, body[1:]...), nil
}
