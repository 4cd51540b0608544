package json

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		` {"a" : [1, 2.50, -0.0e1, true, null, "x"]} rest`: `{"a":[1,2.50,0,true,null,"x"]}`,
		`{"b":1,"a":2,"b":3}`:                              `{"b":3,"a":2}`,
		`"\u0041\n\ud834\udd1e\/\ud800"`:                   `"A\n` + "𝄞/\uFFFD" + `"`,
		`1e2`:                                              `100`,
		`123456789012345678901234567890`:                   `123456789012345678901234567890`,
		`[]`:                                               `[]`,
		`{}`:                                               `{}`,
		`"` + "\x7f" + `"`:                                 `"` + "\x7f" + `"`,
	} {
		v, err := parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := v.json(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{
		"", " ", "{", "[1", "[1,]", `{"a"}`, `{"a":}`, `{a:1}`, "01", "1.", ".5", "-", "1e", "tru", "nullx", "'a'", `"a`,
		"\"\n\"", `"\x"`, `"\u12"`, "NaN", "1x", strings.Repeat("[", 100_000),
	} {
		if v, err := parse(text); err == nil {
			t.Errorf("%.20q was read as %s", text, v.json())
		}
	}
}

func TestLargeObjects(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"k":1`)
	for range 100_000 {
		b.WriteString(`,"`)
		b.WriteString(strings.Repeat("x", b.Len()%50))
		b.WriteString(`":2`)
	}
	b.WriteString(`,"k":3}`)
	v, err := parse(b.String())
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := v.member("k"); !ok || k.text != "3" || v.names[0] != "k" {
		t.Errorf("got %v, %v", k, ok)
	}
	if _, ok := v.member("none"); ok {
		t.Error("found what is not there")
	}
}

func TestPath(t *testing.T) {
	doc := `{"a":{"b c":[10,{"@type":"x","n:s":"y"}]},"":5,"q\"\\":6,"0":7}`
	for text, want := range map[string]string{
		`$.a["b c"][0]`: "10", `$.a["b c"][1].@type`: "x", `$["a"]["b c"][1].n:s`: "y", `$["q\"\\"]`: "6", `$[0]`: "7",
		`$.a.x.y`: "none", `$.a["b c"][7]`: "none", `$.a["b c"][-1]`: "none", `$.a["b c"].x`: "none", `$.0.x`: "none", `$[""]`: "5",
	} {
		p, err := parsePath(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := "none"
		v, found, err := p.extract(doc)
		if err != nil {
			t.Error(err)
		} else if found {
			got = v.plain()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if p, err := parsePath("$.a"); err != nil {
		t.Error(err)
	} else if v, found, err := p.extract(`{"a":1,"b":{"a":2},"a":[3]}`); err != nil || !found || v.json() != "[3]" {
		t.Errorf("of two members the last counts: got %s, %v", v.json(), err)
	} else if _, _, err := p.extract(`{"a":1,"b":}`); err == nil {
		t.Error("what is broken behind the value went unseen")
	}
	for _, text := range []string{"", "a", "$a", "$.", "$..a", "$[", "$[]", "$[0", `$["a`, `$["a"`, "$.a b", "$.*", "$[*]", `$["\x"]`} {
		if _, err := parsePath(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"a":[1,2.50e3,"\u0041"],"b":null}`)
	f.Add(`"x" y`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parse(text)
		if err != nil {
			// Whatever the standard library takes as a whole must be read, but for what is broken UTF-8 or too deep.
			if json.Valid([]byte(text)) && strings.Count(text, "[")+strings.Count(text, "{") < maxDepth {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		printed := v.json()
		again, err := parse(printed)
		if err != nil || again.json() != printed {
			t.Errorf("%q printed %q and was read as %q, %v", text, printed, again.json(), err)
		}
	})
}

func FuzzPath(f *testing.F) {
	f.Add(`$.a["b\"c"][0]`, `{"a":{"b\"c":[1]}}`)
	f.Fuzz(func(t *testing.T, text, doc string) {
		p, err := parsePath(text)
		if err != nil {
			return
		}
		v, err := parse(doc)
		got, found, extractErr := p.extract(doc)
		if (err == nil) != (extractErr == nil) {
			t.Fatalf("%q: parse says %v, extract %v", doc, err, extractErr)
		}
		if err != nil {
			return
		}
		want, there := lookUp(p, v)
		if found != there || found && got.json() != want.json() {
			t.Errorf("%q of %q: got %s, %v, want %s, %v", text, doc, got.json(), found, want.json(), there)
		}
	})
}

// lookUp follows a path in a parsed value.
func lookUp(p path, v value) (value, bool) {
	for _, name := range p {
		switch v.kind {
		case arrayKind:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v.items) {
				return value{}, false
			}
			v = v.items[i]
		case objectKind:
			m, ok := v.member(name)
			if !ok {
				return value{}, false
			}
			v = m
		default:
			return value{}, false
		}
	}
	return v, true
}

func BenchmarkExtract(b *testing.B) {
	p, err := parsePath("$.user.name")
	if err != nil {
		b.Fatal(err)
	}
	doc := `{"id":17,"user":{"name":"ada","tags":["x","y"]},"at":"2024-05-01T00:00:00Z"}`
	b.ReportAllocs()
	for b.Loop() {
		if _, found, err := p.extract(doc); err != nil || !found {
			b.Fatal(found, err)
		}
	}
}
