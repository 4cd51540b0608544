package rest

import (
	"errors"
	"io"
	"net/http"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/engine"
)

// query answers POST /query: as /query-stream, but the row-object format is the default.
func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	req, err := s.readRequest(w, r)
	if err != nil {
		s.fail(w, err)
		return
	}
	if s.cfg.Engine.IsPrint(req.SQL) {
		s.print(w, r, req)
		return
	}
	media := negotiate(r.Header.Values("Accept"), api.MediaKsqlJSON, api.MediaJSON, api.MediaDelimited, api.MediaProtobuf)
	if media == api.MediaJSON {
		media = api.MediaKsqlJSON
	}
	s.answer(w, r, req, media)
}

// queryStream answers POST /query-stream.
func (s *Server) queryStream(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 && r.ProtoMinor == 0 {
		s.fail(w, api.NewError(api.CodeBadRequest, "This endpoint is only available when using HTTP1.1 or HTTP2"))
		return
	}
	var body api.QueryStreamArgs
	if err := s.readJSON(w, r, &body); err != nil {
		s.fail(w, err)
		return
	}
	if body.SQL == nil {
		s.fail(w, api.NewError(api.CodeBadRequest, `"sql" field must be populated`))
		return
	}
	req := engine.Request{SQL: *body.SQL, Properties: body.Properties.Strings(), Variables: body.SessionVariables,
		RequestProperties: body.RequestProperties.Strings(), Tokens: tokens(r, body.RequestProperties)}
	media := negotiate(r.Header.Values("Accept"), api.MediaDelimited, api.MediaKsqlJSON, api.MediaJSON, api.MediaProtobuf)
	if s.cfg.Engine.IsPrint(req.SQL) {
		if media != api.MediaDelimited {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		s.print(w, r, req)
		return
	}
	s.answer(w, r, req, media)
}

// answer runs a SELECT and streams its rows in the format of media. The query ends with the request.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, req engine.Request, media string) {
	if media == "" {
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	answer, err := s.cfg.Engine.Query(r.Context(), req)
	if err != nil {
		s.fail(w, err)
		return
	}
	defer answer.Rows.Close()
	out, err := newRowWriter(w, media, answer)
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", media)
	out.header()
	for {
		row, ok := answer.Rows.TryNext()
		if !ok {
			// Rows of a pull query need not be waited for: what is there goes out with the end.
			if !answer.Pull && out.flush() != nil {
				return
			}
			if row, err = answer.Rows.Next(r.Context()); err != nil {
				break
			}
		}
		if err = out.encode(&row); err != nil {
			break
		}
		if out.row(&row) != nil {
			return
		}
		// A push row is its own flush: clients take one read for one row.
		if !answer.Pull && out.flush() != nil {
			return
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		if err := out.token(); err != nil {
			out.fail(s.errorBody(err))
			break
		}
		out.end(answer.Rows.LimitReached())
	case r.Context().Err() != nil:
		// The client has gone and nobody reads this, or the server stops.
		out.fail(api.NewError(api.CodeServerShuttingDown, "The server is shutting down"))
	default:
		out.fail(s.errorBody(err))
	}
	out.finish()
}

// print streams the lines of a PRINT.
func (s *Server) print(w http.ResponseWriter, r *http.Request, req engine.Request) {
	printed, err := s.cfg.Engine.Print(r.Context(), req)
	if err != nil {
		s.fail(w, err)
		return
	}
	defer printed.Close()
	w.Header().Set("Content-Type", api.MediaDelimited)
	flusher := http.NewResponseController(w)
	w.WriteHeader(http.StatusOK)
	_ = flusher.Flush()
	for {
		line, err := printed.Next(r.Context())
		if err != nil {
			return
		}
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return
		}
		if flusher.Flush() != nil {
			return
		}
	}
}
