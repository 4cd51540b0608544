package rest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/engine"
)

// Engine is what the endpoints need of the engine. All methods are safe for concurrent use; errors are
// api.ErrorBody values for the client, anything else is a bug and answered with 50000.
type Engine interface {
	Execute(ctx context.Context, r engine.Request) (engine.Result, error)
	Query(ctx context.Context, r engine.Request) (*engine.Answer, error)
	Print(ctx context.Context, r engine.Request) (engine.Printed, error)
	// IsPrint reports whether the request is a PRINT rather than a SELECT.
	IsPrint(sql string) bool
	Inserter(ctx context.Context, target string, properties map[string]string, tokens []string) (engine.Inserter, error)
	CloseQuery(id string) bool
	// TerminateCluster ends the service and deletes the topics that match and that it has created.
	TerminateCluster(ctx context.Context, topics []string) (api.Entities, error)
	// Refusal is the answer to requests that want something of a service that was terminated; nil as long as it was not.
	Refusal() error
	Info() api.ServerInfo
	Health() api.HealthCheckResponse
	CommandStatuses() map[string]api.CommandStatus
	ClusterStatus() api.ClusterStatusResponse
	Cluster(ctx context.Context) api.Cluster
	// Readiness may be called before the engine is ready.
	Readiness() api.Readiness
	// Drain gives all tasks of this server to others and calls progress whenever there is some; EndDrain ends that.
	Drain(ctx context.Context, progress func(api.DrainProgress)) error
	EndDrain()
	CheckProperty(name string) error
}

// Config is what a server is built from.
type Config struct {
	Engine Engine
	// Metrics serves /metrics.
	Metrics http.Handler
	Logger  *slog.Logger
	// HasInternal says that other servers have a listener of their own, so that they have no business here.
	HasInternal bool
	// MaxBodyBytes bounds the body of a request (of one line on /inserts-stream).
	MaxBodyBytes int64
}

// Server answers HTTP requests.
type Server struct {
	cfg   Config
	ready atomic.Bool
	// tookUp says that the server has been ready for its work once.
	tookUp atomic.Bool
	mux    *http.ServeMux
}

// New builds a server that answers 503 until [Server.Ready] is called.
func New(cfg Config) *Server {
	if cfg.MaxBodyBytes == 0 {
		cfg.MaxBodyBytes = 8 << 20
	}
	s := &Server{cfg: cfg, mux: http.NewServeMux()}
	for _, r := range s.Routes() {
		s.mux.HandleFunc(r.Pattern, s.guard(r))
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("Not Found"))
	})
	return s
}

// Ready lets the endpoints that need the engine answer.
func (s *Server) Ready() { s.ready.Store(true) }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Serve answers on l until ctx ends, then stops: open streams are ended, requests in hand get a moment.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	streams, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	h := &http.Server{
		Handler:           s,
		Protocols:         &protocols,
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    1 << 20,
		BaseContext:       func(net.Listener) context.Context { return streams },
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() { done <- h.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stop()
	grace, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := h.Shutdown(grace); err != nil {
		_ = h.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// guard answers 503 before the server is ready and after the service was terminated, bounds the body and turns a panic into error 50000.
func (s *Server) guard(r Route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				s.cfg.Logger.Error("rest: panic in an endpoint", "route", r.Pattern, "panic", p)
				s.fail(w, api.NewError(api.CodeServerError, "The server encountered an internal error: %v", p))
			}
		}()
		if r.json && negotiate(req.Header.Values("Accept"), api.MediaKsqlJSON, api.MediaJSON) == "" {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		if !r.early && !s.ready.Load() {
			w.Header().Set("Retry-After", "1")
			s.fail(w, api.NewError(api.CodeServerNotReady, "KSQL is not yet ready to serve requests."))
			return
		}
		if r.works {
			if err := s.cfg.Engine.Refusal(); err != nil {
				s.fail(w, err)
				return
			}
		}
		r.handle(w, req)
	}
}

// fail writes an error body. Errors that are not meant for clients are logged and answered with 50000.
func (s *Server) fail(w http.ResponseWriter, err error) {
	body := s.errorBody(err)
	if late, ok := body.(*api.GenericError); ok {
		tellToken(w, late.ConsistencyToken)
	}
	if body.ErrorCode().HTTPStatus() == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, body.ErrorCode().HTTPStatus(), body)
}

func (s *Server) errorBody(err error) api.ErrorBody {
	var body api.ErrorBody
	if errors.As(err, &body) {
		return body
	}
	s.cfg.Logger.Error("rest: an error without a code", "error", err)
	return api.NewError(api.CodeServerError, "%v", err)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := api.Encode(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"@type":"generic_error","error_code":50000,"message":"cannot encode the answer"}`)
	}
	w.Header().Set("Content-Type", api.MediaJSON)
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// readJSON reads a request body, whatever its content type says.
func (s *Server) readJSON(w http.ResponseWriter, r *http.Request, into any) error {
	r.Body = http.MaxBytesReader(w, r.Body, s.cfg.MaxBodyBytes)
	err := json.NewDecoder(r.Body).Decode(into)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return api.NewError(api.CodeBadRequest, "The request is larger than %d bytes.", s.cfg.MaxBodyBytes)
	}
	return api.NewError(api.CodeBadRequest, "Invalid JSON in request: %v", err)
}
