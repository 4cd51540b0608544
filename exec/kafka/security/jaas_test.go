package security

import (
	"maps"
	"strings"
	"testing"
)

func TestParseJAAS(t *testing.T) {
	t.Parallel()
	const module = "org.apache.kafka.common.security.plain.PlainLoginModule"
	for _, c := range []struct {
		text string
		want map[string]string
		err  string
	}{
		{text: ` required username="alice" password="s3cret";`, want: map[string]string{"username": "alice", "password": "s3cret"}},
		{text: " REQUIRED\n  username=alice\n  password=s3cret-1.$_ü ; ", want: map[string]string{"username": "alice", "password": "s3cret-1.$_ü"}},
		{text: ` required password = 'it is "quoted"' ;`, want: map[string]string{"password": `it is "quoted"`}},
		{text: ` required password="a\"b\\c\'d\te\n\é";`, want: map[string]string{"password": "a\"b\\c'd\te\né"}},
		{text: ` required password="\101\60\0478\400";`, want: map[string]string{"password": "A0'8 0"}},
		{text: ` required password="a;b=c//d/*e*/";`, want: map[string]string{"password": "a;b=c//d/*e*/"}},
		{text: " /* one */ required // two\n username=\"u\"/**/password=1234;", want: map[string]string{"username": "u", "password": "1234"}},
		{text: ` required username="" ;`, want: map[string]string{"username": ""}},
		{text: ` required;`, want: map[string]string{}},
		{text: ``, err: "want required"},
		{text: ` needed username="u";`, err: "want required after the class"},
		{text: ` required username="secret"`, err: "want ; at the end"},
		{text: ` required username="secret`, err: "a quote is not closed"},
		{text: " required username=\"secret\n\";", err: "a line ends within quotes"},
		{text: ` required username;`, err: "want = after the name of an option"},
		{text: ` required username=;`, err: "want a value"},
		{text: ` required secret!`, err: "put in quotes"},
		{text: ` required password=sec/ret;`, err: "put in quotes"},
		{text: ` required password=sec=ret;`, err: "want the name of an option"},
		{text: ` required a=1 a=2;`, err: "twice"},
		{text: ` required a=1; ` + module + ` required;`, err: "only one module"},
		{text: ` required /* secret`, err: "a comment has no end"},
	} {
		got, err := parseJAAS(module + c.text)
		switch {
		case c.err == "" && (err != nil || got.module != module || !maps.Equal(got.options, c.want)):
			t.Errorf("%q: %+v, %v; want %q", c.text, got, err, c.want)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "sec")):
			t.Errorf("%q: error %v, want %q and nothing of the text", c.text, err, c.err)
		}
	}
	if _, err := parseJAAS(""); err == nil || !strings.Contains(err.Error(), "class of a login module") {
		t.Errorf("nothing: %v", err)
	}
}

// Whatever the text is, reading ends; and what was read, written with quotes, is read again as the same.
func FuzzParseJAAS(f *testing.F) {
	f.Add(`a.B required username="x\"\101" password='y' ; // end`)
	f.Add("a.B optional /* c */ k=v;")
	f.Add(`a required k="\`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseJAAS(text)
		if err != nil {
			return
		}
		again := `"` + quoteJAAS(got.module) + `" required`
		for _, k := range sorted(got.options) {
			again += ` "` + quoteJAAS(k) + `"="` + quoteJAAS(got.options[k]) + `"`
		}
		second, err := parseJAAS(again + ";")
		if err != nil || second.module != got.module || !maps.Equal(second.options, got.options) {
			t.Errorf("%q was read as %q, and that, as %q, as %q: %v", text, got, again, second, err)
		}
	})
}

func quoteJAAS(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(text)
}
