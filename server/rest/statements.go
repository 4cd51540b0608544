package rest

import (
	"net/http"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/engine"
)

// statements answers POST /ksql: one entity for each statement that has a result.
func (s *Server) statements(w http.ResponseWriter, r *http.Request) {
	req, err := s.readRequest(w, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	result, err := s.cfg.Engine.Execute(r.Context(), req)
	tellToken(w, result.Token)
	if err != nil {
		s.fail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, result.Entities)
}

// readRequest reads the body of /ksql and /query.
func (s *Server) readRequest(w http.ResponseWriter, r *http.Request) (engine.Request, error) {
	var body api.KsqlRequest
	if err := s.readJSON(w, r, &body); err != nil {
		return engine.Request{}, err
	}
	if body.SQL == nil {
		return engine.Request{}, api.NewError(api.CodeBadRequest, `"ksql" field must be populated`)
	}
	return engine.Request{
		SQL:                   *body.SQL,
		Properties:            body.StreamsProperties.Strings(),
		RequestProperties:     body.RequestProperties.Strings(),
		Variables:             body.SessionVariables,
		CommandSequenceNumber: body.CommandSequenceNumber,
		Tokens:                tokens(r, body.RequestProperties),
	}, nil
}
