package schemaregistry

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry/dialect"
)

// schemaRequest is a schema that a client sends.
type schemaRequest struct {
	Schema     string          `json:"schema"`
	SchemaType string          `json:"schemaType"`
	References []referenceBody `json:"references"`
	ID         int             `json:"id"`
	Version    int             `json:"version"`
	// What clients send in a lookup and is in the path as well.
	Subject string `json:"subject"`
	Deleted bool   `json:"deleted"`
	// What newer registries keep with schemas, and this one does not.
	Metadata            json.RawMessage `json:"metadata"`
	RuleSet             json.RawMessage `json:"ruleSet"`
	GUID                json.RawMessage `json:"guid"`
	TagsToAdd           json.RawMessage `json:"schemaTagsToAdd"`
	TagsToRemove        json.RawMessage `json:"schemaTagsToRemove"`
	PropagateSchemaTags bool            `json:"propagateSchemaTags"`
}

// registration reads a schema that is sent for a subject.
func (r *Registry) registration(req *http.Request) (registration, error) {
	var body schemaRequest
	if err := decode(req, &body); err != nil {
		return registration{}, err
	}
	for name, v := range map[string]json.RawMessage{"metadata": body.Metadata, "ruleSet": body.RuleSet, "schemaTagsToAdd": body.TagsToAdd, "schemaTagsToRemove": body.TagsToRemove} {
		if len(v) > 0 && string(v) != "null" {
			return registration{}, errorf(codeUnsupported, "This registry keeps no %s with schemas", name)
		}
	}
	// Clients say in both ways that they want no particular number.
	return registration{subject: req.PathValue("subject"), normalize: flag(req, "normalize"), id: max(body.ID, 0), version: max(body.Version, 0),
		schema: schemas.Schema{Kind: kindOf(body.SchemaType), Text: body.Schema, References: references(body.References)}}, nil
}

// versionBody is a version of a subject in answers.
type versionBody struct {
	Subject    string          `json:"subject"`
	Version    int             `json:"version"`
	ID         int             `json:"id"`
	SchemaType string          `json:"schemaType,omitempty"`
	References []referenceBody `json:"references,omitempty"`
	Schema     string          `json:"schema"`
}

func bodyOf(v schemas.Version) versionBody {
	return versionBody{v.Subject, v.Version, v.ID, typeText(v.Kind), referenceBodies(v.References), v.Text}
}

// formatted writes the text of a schema in the format that a request asks for.
func (r *Registry) formatted(req *http.Request, s schemas.Schema) (string, error) {
	switch format := req.URL.Query().Get("format"); format {
	case "", "default":
		return s.Text, nil
	case "serialized":
		p, err := r.parse(s, dialect.Options{Registered: true})
		if err != nil {
			return "", errorf(codeInvalidSchema, "%v", err)
		}
		b, err := p.Serialized()
		if err != nil {
			return "", errorf(codeUnsupported, "Unsupported format %q: %v", format, err)
		}
		return base64.StdEncoding.EncodeToString(b), nil
	default:
		return "", errorf(codeUnsupported, "Unsupported format %q", format)
	}
}

// wanted says whether a request wants versions that are deleted, or not.
func wanted(req *http.Request, v schemas.Version) bool {
	if flag(req, "deletedOnly") {
		return v.Deleted
	}
	return !v.Deleted || flag(req, "deleted")
}

func (r *Registry) getSubjects(req *http.Request) (any, error) {
	prefix := req.URL.Query().Get("subjectPrefix")
	if prefix == ":*:" {
		// All contexts, of which there is one.
		prefix = ""
	}
	var names []string
	living := map[string]bool{}
	all := r.state.all()
	for _, v := range all {
		living[v.Subject] = living[v.Subject] || !v.Deleted
	}
	for _, v := range all {
		isDeleted := !living[v.Subject]
		v.Deleted = isDeleted
		if strings.HasPrefix(v.Subject, prefix) && wanted(req, v) {
			names = append(names, v.Subject)
		}
	}
	return page(req, slices.Compact(names)), nil
}

func (r *Registry) getVersions(req *http.Request) (any, error) {
	subject := req.PathValue("subject")
	versions := r.state.versions(subject)
	if !exists(versions, flag(req, "deleted") || flag(req, "deletedOnly")) {
		return nil, subjectNotFound(subject)
	}
	numbers := []int{}
	for _, v := range versions {
		switch {
		case flag(req, "deletedAsNegative") && v.Deleted:
			numbers = append(numbers, -v.Version)
		case flag(req, "deletedAsNegative") || wanted(req, v):
			numbers = append(numbers, v.Version)
		}
	}
	return page(req, numbers), nil
}

func (r *Registry) postVersion(req *http.Request) (any, error) {
	g, err := r.registration(req)
	if err != nil {
		return nil, err
	}
	id, err := r.register(req.Context(), g)
	return struct {
		ID int `json:"id"`
	}{id}, err
}

// version is the one that a request names.
func (r *Registry) version(req *http.Request, deletedToo bool) (schemas.Version, error) {
	number, err := versionNumber(req.PathValue("version"))
	if err != nil {
		return schemas.Version{}, err
	}
	subject := req.PathValue("subject")
	return choose(r.state.versions(subject), subject, number, deletedToo)
}

func (r *Registry) getVersion(req *http.Request) (any, error) {
	v, err := r.version(req, flag(req, "deleted"))
	if err != nil {
		return nil, err
	}
	v.Text, err = r.formatted(req, v.Schema)
	return bodyOf(v), err
}

func (r *Registry) getVersionText(req *http.Request) (any, error) {
	v, err := r.version(req, flag(req, "deleted"))
	if err != nil {
		return nil, err
	}
	s, err := r.formatted(req, v.Schema)
	return text(s), err
}

func (r *Registry) dropVersion(req *http.Request) (any, error) {
	return r.deleteVersion(req.Context(), req.PathValue("subject"), req.PathValue("version"), flag(req, "permanent"))
}

func (r *Registry) getReferencedBy(req *http.Request) (any, error) {
	v, err := r.version(req, true)
	if err != nil {
		return nil, err
	}
	var ids []int
	for _, user := range r.state.referring(v.Subject, v.Version, flag(req, "deleted")) {
		if !slices.Contains(ids, user.ID) {
			ids = append(ids, user.ID)
		}
	}
	return page(req, ids), nil
}

func (r *Registry) postLookup(req *http.Request) (any, error) {
	g, err := r.registration(req)
	if err != nil {
		return nil, err
	}
	v, err := r.lookup(req.Context(), g, flag(req, "deleted"))
	if err != nil {
		return nil, err
	}
	v.Text, err = r.formatted(req, v.Schema)
	return bodyOf(v), err
}

func (r *Registry) dropSubject(req *http.Request) (any, error) {
	return r.deleteSubject(req.Context(), req.PathValue("subject"), flag(req, "permanent"))
}
