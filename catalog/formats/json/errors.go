package json

import (
	"fmt"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// fail records a syntax error at byte i and returns -1, the failed position.
func (d *decoder) fail(i int, what string) int {
	d.err = fmt.Errorf("invalid JSON at byte %d: %s", i, what)
	return -1
}

// unexpected records that something else stands at i than what was wanted.
func (d *decoder) unexpected(b []byte, i int, wanted string) int {
	if i >= len(b) {
		return d.fail(i, "the text ends, expected "+wanted)
	}
	return d.fail(i, fmt.Sprintf("unexpected %s, expected %s", excerpt(b[i:]), wanted))
}

func (d *decoder) tooDeep(i int) int {
	return d.fail(i, fmt.Sprintf("nested deeper than %d", MaxDepth))
}

// excerpt quotes the beginning of b for a message.
func excerpt(b []byte) string {
	const most = 16
	end := 1
	for end < len(b) && end < most && (b[end]|0x20 >= 'a' && b[end]|0x20 <= 'z' || b[end]-'0' < 10) {
		end++
	}
	return fmt.Sprintf("%q", b[:end])
}

// startError explains data that does not even begin like JSON in UTF-8.
func (d *decoder) startError(b []byte) error {
	s := string(b[:min(len(b), 4)])
	switch {
	case len(b) == 0:
		d.fail(0, "the record is empty")
	case strings.HasPrefix(s, "\xEF\xBB\xBF"):
		d.fail(0, "the text begins with a byte order mark; JSON must be plain UTF-8")
	case strings.HasPrefix(s, "\xFE\xFF"), strings.HasPrefix(s, "\xFF\xFE"), strings.IndexByte(s, 0) >= 0:
		d.fail(0, "the text is not UTF-8 (UTF-16 or UTF-32?)")
	default:
		d.unexpected(b, 0, "a value")
	}
	return d.err
}

// path is where in a record a value stands, as a chain from the value outwards; printed only for errors.
type path struct {
	outer *path
	// field is the name of a field, or index (when field is "") the place in an array.
	field string
	index int
}

// String prints ksqlDB's notation: $.F, $.A[2].
func (p *path) String() string {
	switch {
	case p == nil:
		return "$"
	case p.field == "":
		return fmt.Sprintf("%s[%d]", p.outer, p.index)
	default:
		return fmt.Sprintf("%s.%s", p.outer, p.field)
	}
}

// mismatch records that the value at i cannot become a t, in ksqlDB's words.
func (d *decoder) mismatch(b []byte, i int, t *types.Type, p *path) int {
	d.err = fmt.Errorf("Can't convert type. sourceType: %s, requiredType: %s, path: %s", nodeName(b, i), t, p)
	return -1
}

// outOfRange records that a number does not fit its type. ksqlDB cuts off bits here; an error is what a user can see.
func (d *decoder) outOfRange(text []byte, t *types.Type, p *path) int {
	if len(text) > 64 {
		text = append(text[:64:64], "..."...)
	}
	d.err = fmt.Errorf("Number out of range. value: %s, requiredType: %s, path: %s", text, t, p)
	return -1
}

// nodeName is what the JSON library of ksqlDB calls the kind of a value; clients match on it.
func nodeName(b []byte, i int) string {
	switch b[i] {
	case '"':
		return "TextNode"
	case '{':
		return "ObjectNode"
	case '[':
		return "ArrayNode"
	case 't', 'f':
		return "BooleanNode"
	case 'n':
		return "NullNode"
	}
	n := i
	for n < len(b) && strings.IndexByte("+-.eE0123456789", b[n]) >= 0 {
		n++
	}
	text := string(b[i:n])
	switch {
	case strings.ContainsAny(text, ".eE"):
		return "DecimalNode"
	case len(text) < 10:
		return "IntNode"
	case len(text) < 19:
		return "LongNode"
	default:
		return "BigIntegerNode"
	}
}
