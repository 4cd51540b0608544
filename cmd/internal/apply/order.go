// Package apply brings a server to what version-controlled query files say: it orders their statements by what they
// depend on, finds out which are in force already, and sends the others.
package apply

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/grammar/token"
)

// File is a query file.
type File struct {
	Name, SQL string
}

// Step is one statement to be brought into force.
type Step struct {
	// File and Line say where it stands.
	File string
	Line int
	SQL  string
	// Statement is its tree.
	Statement ast.Statement
	// Creates is the source it makes, Reads and Writes those it uses.
	Creates string
	Reads   []string
	Writes  string
	// Properties and Variables that SET and DEFINE before it, in its file, have put in force.
	Properties, Variables map[string]string
}

// Plan parses the files and orders their statements: a statement comes after those that make what it uses, otherwise in
// the order of the files and their lines. Statements that only read (SELECT, SHOW, DESCRIBE, PRINT, EXPLAIN) are returned
// as skipped.
func Plan(files []File) (steps, skipped []*Step, err error) {
	for _, f := range files {
		s, k, err := parse(f)
		if err != nil {
			return nil, nil, err
		}
		steps, skipped = append(steps, s...), append(skipped, k...)
	}
	ordered, err := order(steps)
	return ordered, skipped, err
}

// Error is a mistake in a file.
type Error struct {
	File   string
	Source string
	Err    error
}

func (e *Error) Error() string { return e.File + ": " + diag.Render(e.Err, e.Source) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func parse(f File) (steps, skipped []*Step, err error) {
	properties, variables := map[string]string{}, map[string]string{}
	for _, p := range token.Split(f.SQL) {
		text, err := token.Substitute(p.Text, token.VariablesOf(variables))
		if err != nil {
			return nil, nil, &Error{f.Name, f.SQL, err}
		}
		var st grammar.Stmt
		source := f.SQL
		if text == p.Text {
			st, err = grammar.ParsePiece(p, grammar.Options{})
		} else {
			st, err = grammar.ParseOne(text, grammar.Options{})
			source = text
		}
		if err != nil {
			return nil, nil, &Error{f.Name, source, err}
		}
		s := &Step{File: f.Name, Line: p.Span.Start.Line, SQL: st.Text, Statement: st.Statement,
			Properties: clone(properties), Variables: clone(variables)}
		switch n := st.Statement.(type) {
		case *ast.SetProperty:
			properties[n.Name.Value] = n.Value.Value
			continue
		case *ast.UnsetProperty:
			delete(properties, n.Name.Value)
			continue
		case *ast.Define:
			variables[n.Name.Name] = n.Value.Value
			continue
		case *ast.Undefine:
			delete(variables, n.Name.Name)
			continue
		case *ast.CreateSource:
			s.Creates = n.Name.Name
		case *ast.CreateAsSelect:
			s.Creates, s.Reads = n.Name.Name, readers(n.Select)
		case *ast.InsertSelect:
			s.Writes, s.Reads = n.Target.Name, readers(n.Select)
		case *ast.InsertValues:
			s.Writes = n.Target.Name
		case *ast.CreateType:
			s.Creates = "type " + n.Name.Name
		case *ast.DropSource, *ast.Terminate, *ast.DropType, *ast.Pause, *ast.Resume:
			return nil, nil, &Error{f.Name, source, diag.Errorf(diag.NotSupported, n.Span(),
				"Query files say what is to be there; a statement that takes something away cannot be applied twice.").
				WithHint("Run it in the console.")}
		default:
			skipped = append(skipped, s)
			continue
		}
		steps = append(steps, s)
	}
	return steps, skipped, nil
}

func clone(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

func readers(s *ast.Select) []string {
	var names []string
	for _, src := range ast.Sources(s.From) {
		names = append(names, src.Name.Name)
	}
	return names
}

// order sorts the steps so that each comes after those that make what it uses, keeping the given order otherwise.
func order(steps []*Step) ([]*Step, error) {
	makers := map[string]*Step{}
	for _, s := range steps {
		if s.Creates == "" {
			continue
		}
		if other := makers[s.Creates]; other != nil {
			return nil, fmt.Errorf("%s is created twice: %s:%d and %s:%d", s.Creates, other.File, other.Line, s.File, s.Line)
		}
		makers[s.Creates] = s
	}
	var out []*Step
	state := map[*Step]int{} // 1 under way, 2 done
	var visit func(s *Step, path []string) error
	visit = func(s *Step, path []string) error {
		switch state[s] {
		case 1:
			return fmt.Errorf("these statements need each other: %s", strings.Join(append(path, s.Creates), " -> "))
		case 2:
			return nil
		}
		state[s] = 1
		needs := slices.Clone(s.Reads)
		if s.Writes != "" {
			needs = append(needs, s.Writes)
		}
		for _, t := range typesOf(s.Statement) {
			needs = append(needs, "type "+t)
		}
		for _, name := range needs {
			if m := makers[name]; m != nil && m != s {
				if err := visit(m, append(path, s.Creates)); err != nil {
					return err
				}
			}
		}
		state[s] = 2
		out = append(out, s)
		return nil
	}
	for _, s := range steps {
		if err := visit(s, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// typesOf lists the named types a definition uses.
func typesOf(n ast.Statement) []string {
	var names []string
	switch n := n.(type) {
	case *ast.CreateSource:
		for _, c := range n.Columns {
			names = appendTypes(names, c.Type)
		}
	case *ast.CreateType:
		names = appendTypes(names, n.Type)
	default: // The others are not concerned.
	}
	return names
}

func appendTypes(names []string, t ast.TypeName) []string {
	switch t := t.(type) {
	case *ast.NamedType:
		return append(names, t.Name.Name)
	case *ast.ArrayType:
		return appendTypes(names, t.Elem)
	case *ast.MapType:
		return appendTypes(appendTypes(names, t.Key), t.Value)
	case *ast.StructType:
		for _, f := range t.Fields {
			names = appendTypes(names, f.Type)
		}
	default: // The others are not concerned.
	}
	return names
}
