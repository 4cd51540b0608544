// Package url holds the functions on URLs.
package url

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// uri is a text parsed by RFC 2396 as java.net.URI does. A nil part is absent.
type uri struct {
	scheme, host, path, query, fragment *string
	// port is -1 when there is none.
	port int
}

func syntaxError(text, why string) error {
	return fmt.Errorf("URL input has invalid syntax: %s: %s", why, text)
}

// parseURI splits a URI into its parts, still encoded.
func parseURI(text string) (*uri, error) {
	u := &uri{port: -1}
	rest := text
	if at := strings.IndexByte(rest, '#'); at >= 0 {
		fragment := rest[at+1:]
		if !legal(fragment, uricExtra) {
			return nil, syntaxError(text, "Illegal character in fragment")
		}
		u.fragment, rest = &fragment, rest[:at]
	}
	if at := strings.IndexAny(rest, ":/?"); at >= 0 && rest[at] == ':' {
		scheme := rest[:at]
		if !isScheme(scheme) {
			return nil, syntaxError(text, "Illegal character in scheme name")
		}
		u.scheme, rest = &scheme, rest[at+1:]
		if rest == "" {
			return nil, syntaxError(text, "Expected scheme-specific part")
		}
		if rest[0] != '/' {
			if !legal(rest, uricExtra) {
				return nil, syntaxError(text, "Illegal character in opaque part")
			}
			return u, nil
		}
	}
	if at := strings.IndexByte(rest, '?'); at >= 0 {
		query := rest[at+1:]
		if !legal(query, uricExtra) {
			return nil, syntaxError(text, "Illegal character in query")
		}
		u.query, rest = &query, rest[:at]
	}
	if authority, ok := strings.CutPrefix(rest, "//"); ok {
		rest = ""
		if at := strings.IndexByte(authority, '/'); at >= 0 {
			authority, rest = authority[:at], authority[at:]
		}
		if authority == "" && rest == "" {
			return nil, syntaxError(text, "Expected authority")
		}
		if err := u.setAuthority(text, authority); err != nil {
			return nil, err
		}
	}
	if !legal(rest, pathExtra) {
		return nil, syntaxError(text, "Illegal character in path")
	}
	u.path = &rest
	return u, nil
}

const (
	marks     = "-_.!~*'()"
	pathExtra = marks + ":@&=+$,;/"
	uricExtra = pathExtra + "?[]"
)

// legal reports whether s holds letters, digits, escapes, the extra characters and printable ones beyond ASCII only.
func legal(s, extra string) bool {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
			i += 3
		case c < utf8.RuneSelf:
			if !isAlnum(c) && strings.IndexByte(extra, c) < 0 {
				return false
			}
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if unicode.IsControl(r) || unicode.IsSpace(r) {
				return false
			}
			i += size
		}
	}
	return true
}

func isAlnum(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func isScheme(s string) bool {
	if s == "" || s[0]|0x20 < 'a' || s[0]|0x20 > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if !isAlnum(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// setAuthority reads [user@]host[:port]. An authority of another shape is legal and has no host.
func (u *uri) setAuthority(text, authority string) error {
	if !legal(authority, pathExtra+"[]") {
		return syntaxError(text, "Illegal character in authority")
	}
	host := authority
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	port := ""
	if at := strings.LastIndexByte(host, ':'); at > strings.LastIndexByte(host, ']') {
		host, port = host[:at], host[at+1:]
	}
	number := -1
	for _, c := range []byte(port) {
		if c < '0' || c > '9' || number > 100_000_000 {
			return nil
		}
		number = max(number, 0)*10 + int(c-'0')
	}
	if !isHost(host) {
		return nil
	}
	u.host, u.port = &host, number
	return nil
}

// isHost accepts IPv6 addresses in brackets, IPv4 addresses, and names of labels of which the last starts with a letter.
func isHost(h string) bool {
	if strings.HasPrefix(h, "[") {
		return strings.HasSuffix(h, "]") && strings.Trim(h[1:len(h)-1], "0123456789abcdefABCDEF:.%") == "" && len(h) > 4
	}
	labels := strings.Split(strings.TrimSuffix(h, "."), ".")
	for _, l := range labels {
		if l == "" || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, c := range []byte(l) {
			if !isAlnum(c) && c != '-' {
				return false
			}
		}
	}
	last := labels[len(labels)-1]
	return last[0] > '9' || len(labels) == 4
}

// decode replaces %XX by the bytes they stand for; what is no UTF-8 reads U+FFFD.
func decode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return strings.ToValidUTF8(string(out), "\uFFFD")
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
