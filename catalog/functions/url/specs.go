package url

import (
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Specs lists the URL functions.
func Specs() []*functions.Spec {
	return []*functions.Spec{
		decodeParam(), encodeParam(),
		part("FRAGMENT", "The fragment, decoded: what follows #.", func(u *uri) *string { return u.fragment },
			"http://www.test.com/?q#frag%20ment", `"frag ment"`, "http://www.test.com"),
		part("HOST", "The host.", func(u *uri) *string { return u.host },
			"http://test@confluent.io:8080/a?b", `"confluent.io"`, "mailto:a@b.c"),
		parameter(),
		part("PATH", "The path, decoded, with its leading slash; '' if it is empty.", func(u *uri) *string { return u.path },
			"http://www.test.com/a/b?q", `"/a/b"`, "mailto:a@b.c"),
		port(),
		part("PROTOCOL", "The scheme.", func(u *uri) *string { return u.scheme },
			"https://confluent.io", `"https"`, "www.confluent.io"),
		part("QUERY", "The query, decoded: what follows the question mark.", func(u *uri) *string { return u.query },
			"http://www.test.com/path?q1&q2=%26", `"q1&q2=&"`, "http://www.test.com/path"),
	}
}

func spec(name, description, signature string, construct functions.Constructor, examples ...string) *functions.Spec {
	return &functions.Spec{
		Name: name, Kind: functions.ScalarKind, Category: "URL", Description: description,
		Scalars:  []functions.Scalar{functions.NewScalar(signature, construct)},
		Examples: functions.Examples(examples...),
	}
}

// part describes the function that extracts one text of a URL; sample gives want, and lacking has no such part.
func part(name, description string, get func(*uri) *string, sample, want, lacking string) *functions.Spec {
	construct := functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if args[0].Null {
			return types.NullSlot, nil
		}
		u, err := parseURI(args[0].Text())
		if err != nil {
			return types.NullSlot, err
		}
		s := get(u)
		if s == nil {
			return types.NullSlot, nil
		}
		return types.StringSlot(decode(*s)), nil
	})
	name = "URL_EXTRACT_" + name
	return spec(name, description, "(STRING input) -> STRING", construct,
		name+"('"+sample+"')", want,
		name+"('"+lacking+"')", "null",
		name+"('http://a b')", "error: URL input has invalid syntax",
		name+"(CAST(NULL AS STRING))", "null")
}

func port() *functions.Spec {
	construct := functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if args[0].Null {
			return types.NullSlot, nil
		}
		u, err := parseURI(args[0].Text())
		if err != nil || u.port < 0 {
			return types.NullSlot, err
		}
		return types.IntSlot(int64(u.port)), nil
	})
	return spec("URL_EXTRACT_PORT", "The port, if the URL names one.", "(STRING input) -> INT", construct,
		"URL_EXTRACT_PORT('http://test@confluent.io:8080/a')", "8080",
		"URL_EXTRACT_PORT('http://confluent.io')", "null",
		"URL_EXTRACT_PORT('http://a b')", "error: URL input has invalid syntax",
		"URL_EXTRACT_PORT(CAST(NULL AS STRING))", "null")
}

func parameter() *functions.Spec {
	construct := functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if args[0].Null || args[1].Null {
			return types.NullSlot, nil
		}
		u, err := parseURI(args[0].Text())
		if err != nil || u.query == nil {
			return types.NullSlot, err
		}
		for _, p := range strings.Split(decode(*u.query), "&") {
			if name, value, _ := strings.Cut(p, "="); name == args[1].Text() {
				return types.StringSlot(value), nil
			}
		}
		return types.NullSlot, nil
	})
	return spec("URL_EXTRACT_PARAMETER", "The value of the first parameter of a name in the decoded query; '' if it has none.",
		"(STRING input, STRING paramToFind) -> STRING", construct,
		"URL_EXTRACT_PARAMETER('http://t.com/?one=a&two=b%20c&three', 'two')", `"b c"`,
		"URL_EXTRACT_PARAMETER('http://t.com/?one=a&two=b&three', 'three')", `""`,
		"URL_EXTRACT_PARAMETER('http://t.com/?one=a', 'two')", "null",
		"URL_EXTRACT_PARAMETER('http://t.com/', NULL)", "null")
}

func encodeParam() *functions.Spec {
	return spec("URL_ENCODE_PARAM", "Form encoding: letters, digits and -_.* stay, a blank becomes +, the rest %XX of its UTF-8.",
		"(STRING input) -> STRING", functions.Unary(formEncode),
		"URL_ENCODE_PARAM('?foo $bar')", `"%3Ffoo+%24bar"`,
		"URL_ENCODE_PARAM('é*-_.')", `"%C3%A9*-_."`,
		"URL_ENCODE_PARAM(CAST(NULL AS STRING))", "null")
}

func formEncode(s string) string {
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(s)+len(s)/2)
	for _, c := range []byte(s) {
		switch {
		case isAlnum(c) || strings.IndexByte("-_.*", c) >= 0:
			out = append(out, c)
		case c == ' ':
			out = append(out, '+')
		default:
			out = append(out, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(out)
}

func decodeParam() *functions.Spec {
	return spec("URL_DECODE_PARAM", "Form decoding: + becomes a blank, %XX the bytes of UTF-8.",
		"(STRING input) -> STRING", functions.TryUnary(formDecode),
		"URL_DECODE_PARAM('%3Ffoo+%24bar')", `"?foo $bar"`,
		"URL_DECODE_PARAM('%4')", "error: malformed escape",
		"URL_DECODE_PARAM(CAST(NULL AS STRING))", "null")
}

func formDecode(s string) (string, error) {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])) {
			return "", fmt.Errorf("malformed escape at index %d of '%s'", i, s)
		}
	}
	return decode(strings.ReplaceAll(s, "+", " ")), nil
}
