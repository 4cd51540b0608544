package rest

import (
	"net/http"
	"strings"

	"github.com/ksqlgo/ksqlgo/server/api"
)

// tokens are the consistency tokens of a request: those of its headers and that of its request properties, where clients of
// ksqlDB put theirs. An empty one is one, too: it asks for a token in the answer.
func tokens(r *http.Request, properties api.Properties) []string {
	list := r.Header.Values(api.HeaderConsistencyToken)
	props := properties.Strings()
	if t, ok := props[api.RequestPullConsistencyToken]; ok {
		list = append(list, t)
	}
	if len(list) == 0 && strings.EqualFold(props[api.PropertyConsistencyTokens], "true") {
		list = []string{""}
	}
	return list
}

// tellToken puts a token into the headers of an answer, before its status is written.
func tellToken(w http.ResponseWriter, token string) {
	if token != "" {
		w.Header().Set(api.HeaderConsistencyToken, token)
	}
}
