package console

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/token"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// complaint is an error in the words of ksqlDB's console.
type complaint string

func (c complaint) Error() string { return string(c) }

func complain(format string, args ...any) error { return complaint(fmt.Sprintf(format, args...)) }

// local runs a statement that changes the session only: SET, UNSET, DEFINE,
// UNDEFINE, SHOW VARIABLES.
func (s *session) local(ctx context.Context, text string) error {
	text, err := token.Substitute(text, token.VariablesOf(s.variables))
	if err != nil {
		return err
	}
	tokens := token.Split(text)[0].Tokens
	switch tokens[0].Keyword {
	case "SET":
		return s.set(ctx, tokens)
	case "UNSET":
		return s.unset(tokens)
	case "DEFINE":
		return s.define(tokens)
	case "UNDEFINE":
		return s.undefine(tokens)
	}
	return s.showVariables(text)
}

// set is SET 'name' = 'value'; after the server has said that it may be.
func (s *session) set(ctx context.Context, tokens []token.Token) error {
	if err := shape(tokens, "SET 'property' = 'value';", token.String, "=", token.String); err != nil {
		return err
	}
	name, value := tokens[1].Value(), tokens[3].Value()
	if err := s.client.IsValidProperty(ctx, name); err != nil {
		return err
	}
	before, hadBefore := s.properties[name]
	s.properties[name] = value
	if hadBefore {
		s.printer.Note("Successfully changed local property '%s' from '%s' to '%s'.", name, before, value)
	} else {
		s.printer.Note("Successfully changed local property '%s' to '%s'. Use the UNSET command to revert your change.", name, value)
	}
	return nil
}

func (s *session) unset(tokens []token.Token) error {
	if err := shape(tokens, "UNSET 'property';", token.String); err != nil {
		return err
	}
	name := tokens[1].Value()
	before, found := s.properties[name]
	if !found {
		return complain("Cannot unset local property '%s' which was never set in the first place", name)
	}
	delete(s.properties, name)
	s.printer.Note("Successfully unset local property '%s' (value was '%s').", name, before)
	return nil
}

// define is DEFINE name = 'value'. Names are the same in any case.
func (s *session) define(tokens []token.Token) error {
	if err := shape(tokens, "DEFINE name = 'value';", token.Ident, "=", token.String); err != nil {
		return err
	}
	s.variables[strings.ToLower(tokens[1].Text)] = tokens[3].Value()
	return nil
}

func (s *session) undefine(tokens []token.Token) error {
	if err := shape(tokens, "UNDEFINE name;", token.Ident); err != nil {
		return err
	}
	name := strings.ToLower(tokens[1].Text)
	if _, found := s.variables[name]; !found {
		return complain("Cannot undefine variable '%s' which was never defined", tokens[1].Text)
	}
	delete(s.variables, name)
	return nil
}

func (s *session) showVariables(text string) error {
	list := &api.VariablesList{Base: api.Base{StatementText: text}}
	for _, name := range slices.Sorted(maps.Keys(s.variables)) {
		list.Variables = append(list.Variables, api.Variable{Name: name, Value: s.variables[name]})
	}
	return s.printer.Entities(api.Entities{list})
}

// shape compares what follows the first word with the kinds and operators
// that should, and says where it differs. A keyword may stand for a name.
func shape(tokens []token.Token, usage string, want ...any) error {
	for i, w := range append(want, token.EOF) {
		t := tokens[min(i+1, len(tokens)-1)]
		matches := false
		switch w := w.(type) {
		case string:
			matches = t.Is(w)
		case token.Kind:
			matches = t.Kind == w || w == token.Ident && (t.Kind == token.Keyword || t.Kind == token.QuotedIdent)
		}
		if !matches {
			return complain("line %s: Syntax Error\nThe statement should read: %s", t.Pos, usage)
		}
	}
	return nil
}
