package schemaregistry

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// schemaBody is a schema that was asked for by its number.
type schemaBody struct {
	SchemaType string          `json:"schemaType,omitempty"`
	Schema     string          `json:"schema"`
	References []referenceBody `json:"references,omitempty"`
	MaxID      int             `json:"maxId,omitempty"`
}

func (r *Registry) getSchemas(req *http.Request) (any, error) {
	prefix := req.URL.Query().Get("subjectPrefix")
	if prefix == ":*:" {
		prefix = ""
	}
	var out []versionBody
	for _, v := range r.state.all() {
		if !strings.HasPrefix(v.Subject, prefix) || v.Deleted && !flag(req, "deleted") {
			continue
		}
		if last := len(out) - 1; flag(req, "latestOnly") && last >= 0 && out[last].Subject == v.Subject {
			out = out[:last]
		}
		out = append(out, bodyOf(v))
	}
	return page(req, out), nil
}

// byID is the schema of the number that a request names.
func (r *Registry) byID(req *http.Request) (int, schemas.Schema, error) {
	id, err := strconv.ParseInt(req.PathValue("id"), 10, 32)
	if err != nil {
		return 0, schemas.Schema{}, &Error{http.StatusNotFound, "HTTP 404 Not Found"}
	}
	s, err := r.state.schemas.ByID(int(id))
	if err != nil {
		return 0, s, errorf(codeSchemaNotFound, "Schema %d not found", id)
	}
	return int(id), s, nil
}

func (r *Registry) getByID(req *http.Request) (any, error) {
	_, s, err := r.byID(req)
	if err != nil {
		return nil, err
	}
	body := schemaBody{SchemaType: typeText(s.Kind), References: referenceBodies(s.References)}
	if flag(req, "fetchMaxId") {
		body.MaxID = r.state.schemas.LastID()
	}
	body.Schema, err = r.formatted(req, s)
	return body, err
}

func (r *Registry) getByIDText(req *http.Request) (any, error) {
	_, s, err := r.byID(req)
	if err != nil {
		return nil, err
	}
	t, err := r.formatted(req, s)
	return text(t), err
}

// users are the versions with the number that a request names.
func (r *Registry) users(req *http.Request) ([]schemas.Version, error) {
	id, _, err := r.byID(req)
	if err != nil {
		return nil, err
	}
	subject := req.URL.Query().Get("subject")
	return slices.DeleteFunc(r.state.all(), func(v schemas.Version) bool {
		return v.ID != id || v.Deleted && !flag(req, "deleted") || subject != "" && v.Subject != subject
	}), nil
}

func (r *Registry) getByIDSubjects(req *http.Request) (any, error) {
	versions, err := r.users(req)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, v := range versions {
		names = append(names, v.Subject)
	}
	return page(req, slices.Compact(names)), nil
}

func (r *Registry) getByIDVersions(req *http.Request) (any, error) {
	versions, err := r.users(req)
	if err != nil {
		return nil, err
	}
	type subjectVersion struct {
		Subject string `json:"subject"`
		Version int    `json:"version"`
	}
	var out []subjectVersion
	for _, v := range versions {
		out = append(out, subjectVersion{v.Subject, v.Version})
	}
	return page(req, out), nil
}
