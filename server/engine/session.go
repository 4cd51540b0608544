package engine

import (
	"maps"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// session is what one request has set: properties and variables. SET and DEFINE last for the request.
type session struct {
	e *Engine
	// overrides are the client's properties by normalised name; variables by upper-case name.
	overrides map[string]string
	variables map[string]string
	// tokens are those of the request; written are the positions of the rows that it has inserted, nil before the first.
	tokens  []string
	written position.Vector
}

func newSession(e *Engine, r Request) (*session, error) {
	s := &session{e: e, overrides: map[string]string{}, variables: map[string]string{}, tokens: r.Tokens}
	if err := e.checkDenied(slices.Collect(maps.Keys(r.Properties))...); err != nil {
		return nil, err
	}
	for name, value := range r.Properties {
		normalised, value, err := properties.Override(name, value)
		if err != nil {
			return nil, api.NewError(api.CodeBadRequest, "%s", err)
		}
		s.overrides[normalised] = value
	}
	for name, value := range r.Variables {
		s.variables[strings.ToUpper(name)] = value
	}
	return s, nil
}

// properties are those in force: the server's, overridden by the client's.
func (s *session) properties() map[string]string {
	all := maps.Clone(s.e.cfg.Properties)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, s.overrides)
	return all
}

// parse substitutes variables and parses one statement of a request.
func (s *session) parse(p token.Piece, whole string) (statement, error) {
	if len(s.variables) == 0 || !strings.Contains(p.Text, "${") {
		st, err := grammar.ParsePiece(p, grammar.Options{})
		if st.Text == "" {
			st.Text = p.Text
		}
		return statement{Stmt: st, source: whole}, err
	}
	text, err := token.Substitute(p.Text, token.VariablesOf(s.variables))
	if err != nil {
		return statement{Stmt: grammar.Stmt{Text: p.Text}, source: whole}, err
	}
	st, err := grammar.ParseOne(text, grammar.Options{})
	if st.Text == "" {
		st.Text = text
	}
	return statement{Stmt: st, source: text}, err
}

// apply carries out SET, UNSET, DEFINE and UNDEFINE.
func (s *session) apply(n ast.Statement) error {
	switch n := n.(type) {
	case *ast.SetProperty:
		err := properties.CheckDenied(s.e.cfg.Properties, []string{n.Name.Value})
		var name, value string
		if err == nil {
			name, value, err = properties.Override(n.Name.Value, n.Value.Value)
		}
		if err != nil {
			return diag.Errorf(diag.InvalidValue, n.Span(), "%s", err)
		}
		s.overrides[name] = value
	case *ast.UnsetProperty:
		delete(s.overrides, properties.Normalize(n.Name.Value))
	case *ast.Define:
		s.variables[strings.ToUpper(n.Name.Name)] = n.Value.Value
	case *ast.Undefine:
		delete(s.variables, strings.ToUpper(n.Name.Name))
	default:
	}
	return nil
}

// CheckProperty says whether clients may set a property; the error is what /is_valid_property answers.
func (e *Engine) CheckProperty(name string) error {
	if err := e.checkDenied(name); err != nil {
		return err
	}
	if err := properties.CheckOverride(name); err != nil {
		return api.NewError(api.CodeBadRequest, "%s", err)
	}
	return nil
}

// checkDenied refuses properties that this server lets no client set; the error is for the client.
func (e *Engine) checkDenied(names ...string) error {
	if err := properties.CheckDenied(e.cfg.Properties, names); err != nil {
		return api.NewError(api.CodeBadRequest, "%s", err)
	}
	return nil
}
