package schemaregistry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Media types of the REST API.
const (
	mediaRegistry = "application/vnd.schemaregistry.v1+json"
	mediaJSON     = "application/json"
)

// maxBodyBytes bounds the body of a request: a schema of the largest size, escaped.
const maxBodyBytes = 4 << 20

// text is an answer that is no JSON: the text of a schema.
type text string

// handle answers a request; the value is written as JSON.
type handle func(*http.Request) (any, error)

// Handler serves Confluent's REST API.
func (r *Registry) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range r.routes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) { r.answer(w, req, h) })
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, pattern := mux.Handler(req); pattern != "" {
			mux.ServeHTTP(w, req)
			return
		}
		// The multiplexer knows whether it is the path or the method, and says it in its own words.
		status := statusOf(mux, req)
		r.write(w, req, status, errorBody{status, "HTTP " + strconv.Itoa(status) + " " + http.StatusText(status)})
	})
}

// statusOf is the status that a handler answers with.
func statusOf(h http.Handler, req *http.Request) int {
	w := statusWriter{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(&w, req)
	return w.status
}

// statusWriter takes the status of an answer and nothing else.
type statusWriter struct {
	header http.Header
	status int
}

func (w *statusWriter) Header() http.Header         { return w.header }
func (w *statusWriter) WriteHeader(status int)      { w.status = status }
func (w *statusWriter) Write(b []byte) (int, error) { return len(b), nil }

// routes are the endpoints.
func (r *Registry) routes() map[string]handle {
	return map[string]handle{
		"GET /{$}":                                                func(*http.Request) (any, error) { return struct{}{}, nil },
		"GET /subjects":                                           r.getSubjects,
		"GET /subjects/{subject}/versions":                        r.getVersions,
		"POST /subjects/{subject}/versions":                       r.postVersion,
		"GET /subjects/{subject}/versions/{version}":              r.getVersion,
		"DELETE /subjects/{subject}/versions/{version}":           r.dropVersion,
		"GET /subjects/{subject}/versions/{version}/schema":       r.getVersionText,
		"GET /subjects/{subject}/versions/{version}/referencedby": r.getReferencedBy,
		"POST /subjects/{subject}":                                r.postLookup,
		"DELETE /subjects/{subject}":                              r.dropSubject,
		"GET /schemas":                                            r.getSchemas,
		"GET /schemas/types":                                      func(*http.Request) (any, error) { return []string{"JSON", "PROTOBUF", "AVRO"}, nil },
		"GET /schemas/ids/{id}":                                   r.getByID,
		"GET /schemas/ids/{id}/schema":                            r.getByIDText,
		"GET /schemas/ids/{id}/subjects":                          r.getByIDSubjects,
		"GET /schemas/ids/{id}/versions":                          r.getByIDVersions,
		"GET /config":                                             r.getConfig,
		"PUT /config":                                             r.putConfig,
		"DELETE /config":                                          r.dropConfig,
		"GET /config/{subject}":                                   r.getConfig,
		"PUT /config/{subject}":                                   r.putConfig,
		"DELETE /config/{subject}":                                r.dropConfig,
		"GET /mode":                                               r.getMode,
		"PUT /mode":                                               r.putMode,
		"DELETE /mode":                                            r.dropMode,
		"GET /mode/{subject}":                                     r.getMode,
		"PUT /mode/{subject}":                                     r.putMode,
		"DELETE /mode/{subject}":                                  r.dropMode,
		"POST /compatibility/subjects/{subject}/versions":         r.postCompatibility,
		"POST /compatibility/subjects/{subject}/versions/{version}": r.postCompatibility,
		"GET /contexts": func(*http.Request) (any, error) { return []string{"."}, nil },
	}
}

// errorBody is the answer to what could not be done.
type errorBody struct {
	Code    int    `json:"error_code"`
	Message string `json:"message"`
}

// answer writes what an endpoint says.
func (r *Registry) answer(w http.ResponseWriter, req *http.Request, h handle) {
	defer func() {
		if p := recover(); p != nil {
			r.cfg.Logger.Error("schema registry: panic in an endpoint", "path", req.URL.Path, "panic", p)
			r.write(w, req, http.StatusInternalServerError, errorBody{http.StatusInternalServerError, "Internal Server Error"})
		}
	}()
	req.Body = http.MaxBytesReader(w, req.Body, maxBodyBytes)
	v, err := r.serve(req, h)
	var known *Error
	switch {
	case err == nil:
		r.write(w, req, http.StatusOK, v)
	case errors.As(err, &known):
		r.write(w, req, known.Status(), errorBody{known.Code, known.Message})
	default:
		r.write(w, req, http.StatusInternalServerError, errorBody{codeStore, err.Error()})
	}
}

func (r *Registry) serve(req *http.Request, h handle) (any, error) {
	if err := checkContentType(req); err != nil {
		return nil, err
	}
	// Whoever asks is told what is so, not what was so before a change of unknown outcome.
	if err := r.certain(req.Context()); err != nil {
		return nil, err
	}
	return h(req)
}

// checkContentType wants JSON in bodies. Browsers send it to other hosts with those hosts' consent only.
func checkContentType(req *http.Request) error {
	if req.Method == http.MethodGet || req.ContentLength == 0 {
		return nil
	}
	t := req.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(t)
	if t == "" || err == nil && (media == mediaJSON || media == "application/octet-stream" || strings.HasPrefix(media, "application/vnd.schemaregistry")) {
		return nil
	}
	return &Error{http.StatusUnsupportedMediaType, "HTTP 415 Unsupported Media Type"}
}

// write writes an answer in the media type asked for.
func (r *Registry) write(w http.ResponseWriter, req *http.Request, status int, v any) {
	media := mediaRegistry
	if accept := req.Header.Get("Accept"); strings.Contains(accept, mediaJSON) && !strings.Contains(accept, mediaRegistry) {
		media = mediaJSON
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if t, ok := v.(text); ok {
		_, _ = w.Write([]byte(t))
		return
	}
	_, _ = w.Write(encode(v))
}

// encode writes a value of ours as JSON.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		// None of the types that are encoded can fail.
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// decode reads the body of a request.
func decode(req *http.Request, into any) error {
	d := json.NewDecoder(req.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var tooLarge *http.MaxBytesError
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return errorf(http.StatusBadRequest, "Invalid JSON in the request: %s is a %s", wrong.Field, wrong.Value)
	case errors.As(err, &tooLarge):
		return errorf(http.StatusRequestEntityTooLarge, "The request is larger than %d bytes", maxBodyBytes)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return errorf(codeUnsupported, "Unrecognized field: %s", strings.Trim(field, `"`))
	}
	return errorf(http.StatusBadRequest, "Invalid JSON in the request: %v", err)
}

// flag is a query parameter that is true or not.
func flag(req *http.Request, name string) bool {
	return strings.EqualFold(req.URL.Query().Get(name), "true")
}

// page cuts the part of a list that a request asks for.
func page[T any](req *http.Request, list []T) []T {
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(req.URL.Query().Get(name)); err == nil && n >= 0 {
			return n
		}
		return otherwise
	}
	list = list[min(number("offset", 0), len(list)):]
	list = list[:min(number("limit", len(list)), len(list))]
	if list == nil {
		// An empty list, not null.
		return []T{}
	}
	return list
}

// Serve answers on l until ctx ends; what is under way gets a moment then.
func (r *Registry) Serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{Handler: r.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(r.cfg.Logger.Handler(), slog.LevelDebug)}
	done := make(chan error, 1)
	go func() { done <- h.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
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
