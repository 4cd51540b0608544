package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// isOutage says whether an error is none of the request: nobody answered, or one who is not able or not willing to for now. A
// registry that refuses this server is no reason to skip records, either.
func isOutage(err error) bool {
	if err == nil {
		return false
	}
	var answer *sr.ResponseError
	if !errors.As(err, &answer) {
		return true
	}
	switch answer.StatusCode {
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return false
	case http.StatusNotFound:
		// A registry says what it has not found. Who does not is none: a proxy, or a path that is wrong.
		return !isNotFound(answer)
	}
	return true
}

// isNotFound says whether a registry answers that it does not have something.
func isNotFound(answer *sr.ResponseError) bool { return answer.ErrorCode/100 == http.StatusNotFound }

// plain is an error without what the libraries put before it, which has the address twice.
func plain(err error) error {
	var answer *sr.ResponseError
	if errors.As(err, &answer) {
		message := answer.Message
		if message == "" {
			message = fmt.Sprintf("%.200q", answer.Raw)
		}
		if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden {
			message += " (who this server is, ksql.schema.registry.basic.auth.user.info says)"
		}
		return fmt.Errorf("HTTP %d: %s", answer.StatusCode, message)
	}
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}

// explain makes an error of the kinds that schemas.Registry has; what says what was not found.
func explain(err error, what string) error {
	var answer *sr.ResponseError
	switch {
	case err == nil || schemas.IsUnavailable(err) || !errors.As(err, &answer):
		return err
	case isNotFound(answer):
		return &schemas.NotFoundError{What: what}
	}
	return errors.New(answer.Error())
}
