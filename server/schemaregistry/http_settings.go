package schemaregistry

import (
	"errors"
	"net/http"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// configBody is what is configured; requests name the level in another way.
type configBody struct {
	Normalize          *bool  `json:"normalize,omitempty"`
	CompatibilityLevel string `json:"compatibilityLevel,omitempty"`
}

// configRequest says what is to be configured. Of what newer registries have besides, nothing is known here.
type configRequest struct {
	Normalize     *bool  `json:"normalize,omitempty"`
	Compatibility string `json:"compatibility,omitempty"`
}

type modeBody struct {
	Mode string `json:"mode"`
}

// scope is the subject that a request is about; "" for all.
func scope(req *http.Request) string {
	if s := req.PathValue("subject"); s != "__GLOBAL" {
		return s
	}
	return ""
}

func (r *Registry) getConfig(req *http.Request) (any, error) {
	subject := scope(req)
	c, ok := r.state.config(subject)
	switch {
	case subject == "" || flag(req, "defaultToGlobal"):
		c = r.state.configInForce(subject)
	case !ok:
		return nil, errorf(codeNoSubjectLevel, "Subject '%s' does not have subject-level compatibility configured", subject)
	}
	return configBody{c.Normalize, c.CompatibilityLevel}, nil
}

func (r *Registry) putConfig(req *http.Request) (any, error) {
	var body configRequest
	if err := decode(req, &body); err != nil {
		return nil, err
	}
	return body, r.setConfig(req.Context(), scope(req), configValue{Normalize: body.Normalize, CompatibilityLevel: body.Compatibility})
}

func (r *Registry) dropConfig(req *http.Request) (any, error) {
	c, err := r.deleteConfig(req.Context(), scope(req))
	if c.CompatibilityLevel == "" {
		c.CompatibilityLevel = levelBackward
	}
	return configBody{c.Normalize, c.CompatibilityLevel}, err
}

func (r *Registry) getMode(req *http.Request) (any, error) {
	subject := scope(req)
	mode := r.state.mode(subject)
	switch {
	case subject == "" || flag(req, "defaultToGlobal"):
		mode = r.state.modeInForce(subject)
	case mode == "":
		return nil, errorf(codeNoSubjectMode, "Subject '%s' does not have subject-level mode configured", subject)
	}
	return modeBody{mode}, nil
}

func (r *Registry) putMode(req *http.Request) (any, error) {
	var body modeBody
	if err := decode(req, &body); err != nil {
		return nil, err
	}
	return body, r.setMode(req.Context(), scope(req), body.Mode, flag(req, "force"))
}

func (r *Registry) dropMode(req *http.Request) (any, error) {
	mode, err := r.deleteMode(req.Context(), scope(req))
	return modeBody{mode}, err
}

// postCompatibility says whether a schema may come after a version of a subject, or after those that its level asks for.
func (r *Registry) postCompatibility(req *http.Request) (any, error) {
	g, err := r.registration(req)
	if err != nil {
		return nil, err
	}
	before, err := r.predecessors(req, g.subject)
	if err != nil {
		return nil, err
	}
	var problems []string
	p, err := r.parseNew(g.subject, g.schema, g.normalize)
	var known *Error
	switch {
	case err == nil:
		problems = r.incompatibilities(p, before, r.state.configInForce(g.subject).CompatibilityLevel)
	case flag(req, "verbose") && errors.As(err, &known) && known.Code == codeInvalidSchema:
		problems = []string{known.Message}
	default:
		return nil, err
	}
	answer := struct {
		IsCompatible bool     `json:"is_compatible"`
		Messages     []string `json:"messages,omitempty"`
	}{IsCompatible: len(problems) == 0}
	if flag(req, "verbose") {
		answer.Messages = problems
	}
	return answer, nil
}

// predecessors are the versions that a schema is to be compared with.
func (r *Registry) predecessors(req *http.Request, subject string) ([]schemas.Version, error) {
	if req.PathValue("version") == "" {
		var living []schemas.Version
		for _, v := range r.state.versions(subject) {
			if !v.Deleted {
				living = append(living, v)
			}
		}
		return living, nil
	}
	number, err := versionNumber(req.PathValue("version"))
	if err != nil {
		return nil, err
	}
	v, err := choose(r.state.versions(subject), subject, number, false)
	switch {
	case err != nil && number == latestVersion:
		return nil, nil
	case err != nil:
		return nil, versionNotFound(number)
	}
	return []schemas.Version{v}, nil
}
