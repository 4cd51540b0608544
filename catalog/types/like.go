package types

import "unicode/utf8"

// Like matches texts against one LIKE pattern: % is any run of characters, _ any single one, and neither matches a line
// end, as in ksqlDB. Safe for concurrent use.
type Like struct {
	items []likeItem
}

type likeItem struct {
	// op is likeLiteral, likeAny (_) or likeRun (%).
	op   uint8
	char rune
}

const (
	likeLiteral = iota
	likeAny
	likeRun
)

// NewLike prepares a pattern. escape makes the next pattern character literal; 0 means no escape.
func NewLike(pattern string, escape rune) *Like {
	l := &Like{}
	escaped := false
	for _, c := range pattern {
		switch {
		case escaped:
			l.items = append(l.items, likeItem{likeLiteral, c})
			escaped = false
		case c == escape && escape != 0:
			escaped = true
		case c == '%':
			if n := len(l.items); n == 0 || l.items[n-1].op != likeRun {
				l.items = append(l.items, likeItem{op: likeRun})
			}
		case c == '_':
			l.items = append(l.items, likeItem{op: likeAny})
		default:
			l.items = append(l.items, likeItem{likeLiteral, c})
		}
	}
	return l
}

// Match reports whether the whole text fits the pattern. It goes back only to the last %, so its time is bounded by the
// product of the lengths and it never recurses.
func (l *Like) Match(text []byte) bool {
	at, item := 0, 0
	retryAt, retryItem := -1, 0
	for {
		if item < len(l.items) && l.items[item].op == likeRun {
			retryAt, retryItem = at, item
			item++
			continue
		}
		if at == len(text) {
			if item == len(l.items) {
				return true
			}
		} else if item < len(l.items) {
			c, size := utf8.DecodeRune(text[at:])
			it := l.items[item]
			if it.op == likeLiteral && it.char == c || it.op == likeAny && !isLineEnd(c) {
				at += size
				item++
				continue
			}
		}
		if retryAt < 0 || retryAt >= len(text) {
			return false
		}
		c, size := utf8.DecodeRune(text[retryAt:])
		if isLineEnd(c) {
			return false
		}
		retryAt += size
		at, item = retryAt, retryItem+1
	}
}

func isLineEnd(c rune) bool {
	return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029
}
