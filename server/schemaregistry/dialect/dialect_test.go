package dialect_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry/dialect"
)

// TestDialects runs the scripts in testdata/scripts. Their commands are
//
//	schema <name> kind=<kind> [refs=(<name of a schema>, …)] [normalize]   the text as it is kept, or what is wrong with it
//	reads <reader> <writer>                                                 what keeps one from reading the other
//	change kind=<kind>                                                      both directions between two texts with --- between
//	serialized <name>                                                       the base64 form, read again
//
// References have the name of the schema that they refer to.
func TestDialects(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		t.Parallel()
		known := map[string]*dialect.Parsed{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "schema":
				s := schemas.Schema{Kind: kindOf(d), Text: d.Input}
				imports := map[string]schemas.Schema{}
				for _, a := range d.CmdArgs {
					for _, name := range a.Vals {
						if a.Key == "refs" {
							s.References = append(s.References, schemas.Reference{Name: name, Subject: name, Version: 1})
							imports[name] = known[name].Schema
						}
					}
				}
				for _, i := range imports {
					for _, r := range i.References {
						imports[r.Name] = known[r.Name].Schema
					}
				}
				p, err := dialect.Parse(s, imports, dialect.Options{Normalize: d.HasArg("normalize")})
				if err != nil {
					return "error: " + err.Error()
				}
				known[d.CmdArgs[0].Key] = p
				return p.Text
			case "reads":
				return verdict(known[d.CmdArgs[0].Key], known[d.CmdArgs[1].Key])
			case "change":
				was, is, _ := strings.Cut(d.Input, "\n---\n")
				before, after := parse(t, kindOf(d), was), parse(t, kindOf(d), is)
				return "backward: " + verdict(after, before) + "\nforward: " + verdict(before, after)
			case "serialized":
				p := known[d.CmdArgs[0].Key]
				b, err := p.Serialized()
				if err != nil {
					return "error: " + err.Error()
				}
				return parse(t, p.Kind, base64.StdEncoding.EncodeToString(b)).Text
			}
			t.Fatalf("no such command: %s", d.Cmd)
			return ""
		})
	})
}

func kindOf(d *datadriven.TestData) schemas.Kind {
	for _, a := range d.CmdArgs {
		if a.Key == "kind" {
			return schemas.Kind(a.Vals[0])
		}
	}
	return ""
}

func parse(t *testing.T, kind schemas.Kind, text string) *dialect.Parsed {
	t.Helper()
	p, err := dialect.Parse(schemas.Schema{Kind: kind, Text: text}, nil, dialect.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

func verdict(reader, writer *dialect.Parsed) string {
	problems := reader.Reads(writer)
	if len(problems) == 0 {
		return "yes"
	}
	return "no\n  " + strings.Join(problems, "\n  ")
}

// FuzzParse holds that texts of any kind end in a schema or an error, that what is kept is kept again as it is, and that every
// schema reads itself.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`"string"`, `{"type":"record","name":"a.R","fields":[{"name":"x","type":["null",{"type":"map","values":"R"}],"default":null}]}`,
		`{"type":"object","properties":{"a":{"$ref":"#/definitions/b"}},"definitions":{"b":{"anyOf":[{"type":"null"},{"$ref":"#"}]}},"required":["a"]}`,
		`{"type":"array","items":[{"type":"integer","minimum":1,"multipleOf":2}],"additionalItems":false,"not":{"const":1}}`,
		"syntax = \"proto3\"; import \"google/type/date.proto\"; message A { optional A b = 1; map<string, google.type.Date> c = 2; oneof o { int32 d = 3; E e = 4; } enum E { X = 0; } }",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []schemas.Kind{schemas.Avro, schemas.JSON, schemas.Protobuf} {
			for _, normalize := range []bool{false, true} {
				o := dialect.Options{Normalize: normalize}
				p, err := dialect.Parse(schemas.Schema{Kind: kind, Text: text}, nil, o)
				if err != nil {
					continue
				}
				again, err := dialect.Parse(p.Schema, nil, o)
				if err != nil {
					t.Fatalf("%s: %q was kept as %q, which is no schema: %v", kind, text, p.Text, err)
				}
				if again.Text != p.Text {
					t.Fatalf("%s: %q was kept as %q, and that as %q", kind, text, p.Text, again.Text)
				}
				if problems := again.Reads(p); len(problems) > 0 && !strings.Contains(problems[0], "too large") {
					t.Fatalf("%s: %q does not read itself: %q", kind, text, problems)
				}
			}
		}
	})
}
