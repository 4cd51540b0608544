package schemaregistry

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// Error is an answer of the registry that says why something was not done, with the code of Confluent's REST API.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { return e.Message }

// Status is the HTTP status of the code.
func (e *Error) Status() int {
	if e.Code >= 10_000 {
		return e.Code / 100
	}
	return e.Code
}

// Codes of Confluent's REST API.
const (
	codeSubjectNotFound       = 40401
	codeVersionNotFound       = 40402
	codeSchemaNotFound        = 40403
	codeSubjectSoftDeleted    = 40404
	codeSubjectNotDeleted     = 40405
	codeVersionSoftDeleted    = 40406
	codeVersionNotDeleted     = 40407
	codeNoSubjectLevel        = 40408
	codeNoSubjectMode         = 40409
	codeIncompatible          = http.StatusConflict
	codeInvalidSchema         = 42201
	codeInvalidVersion        = 42202
	codeInvalidCompatibility  = 42203
	codeInvalidMode           = 42204
	codeOperationNotPermitted = 42205
	codeReferenceExists       = 42206
	codeInvalidSubject        = 42208
	codeTooLarge              = 42209
	codeUnsupported           = http.StatusUnprocessableEntity
	codeStore                 = 50001
)

func errorf(code int, format string, args ...any) error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

func subjectNotFound(subject string) error {
	return errorf(codeSubjectNotFound, "Subject '%s' not found.", subject)
}

func versionNotFound(version int) error {
	return errorf(codeVersionNotFound, "Version %d not found.", version)
}

// codeOf is the code of an error, of the store's for those that have none.
func codeOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return codeStore
}

// forEngine makes an error of the kinds that schemas.Registry has.
func forEngine(err error) error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e) || e.Status() >= http.StatusInternalServerError:
		return &schemas.UnavailableError{Cause: err}
	}
	return err
}
