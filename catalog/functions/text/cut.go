package text

import (
	"bytes"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func length() *functions.Spec {
	return spec("LEN", "The length of a string in UTF-16 code units, or of a byte string in bytes.", []functions.Scalar{
		functions.NewScalar("(STRING input) -> INT", functions.Unary(func(s string) int32 { return int32(units(s)) })),
		functions.NewScalar("(BYTES input) -> INT", functions.Unary(func(b []byte) int32 { return int32(len(b)) })),
	},
		"LEN('stream')", "6",
		"LEN('𝄞')", "2",
		"LEN(TO_BYTES('abc', 'utf8'))", "3",
		"LEN(CAST(NULL AS STRING))", "null",
	)
}

func substring() *functions.Spec {
	return spec("SUBSTRING", "The part from a position, 1 being the first and -1 the last, of a length or to the end.", []functions.Scalar{
		functions.NewScalar("(STRING str, INT pos) -> STRING", functions.Binary(func(s string, pos int32) string {
			return s[byteAt(s, startAt(int(pos), func() int { return units(s) })):]
		})),
		functions.NewScalar("(STRING str, INT pos, INT length) -> STRING", functions.Ternary(func(s string, pos, n int32) string {
			s = s[byteAt(s, startAt(int(pos), func() int { return units(s) })):]
			return s[:byteAt(s, int(n))]
		})),
		functions.NewScalar("(BYTES bytes, INT pos) -> BYTES", functions.Binary(func(b []byte, pos int32) []byte {
			return b[min(startAt(int(pos), func() int { return len(b) }), len(b)):]
		})),
		functions.NewScalar("(BYTES bytes, INT pos, INT length) -> BYTES", functions.Ternary(func(b []byte, pos, n int32) []byte {
			b = b[min(startAt(int(pos), func() int { return len(b) }), len(b)):]
			return b[:min(max(int(n), 0), len(b))]
		})),
	},
		"SUBSTRING('stream', 4)", `"eam"`,
		"SUBSTRING('stream', 2, 3)", `"tre"`,
		"SUBSTRING('stream', -3)", `"eam"`,
		"SUBSTRING('stream', 0, 2)", `"st"`,
		"SUBSTRING('stream', 9)", `""`,
		"SUBSTRING('stream', 2, -1)", `""`,
		"SUBSTRING('stream', NULL)", "null",
	)
}

// startAt gives the distance from the start that a position means; a negative one counts from the end.
func startAt(pos int, length func() int) int {
	switch {
	case pos > 0:
		return pos - 1
	case pos < 0:
		return max(length()+pos, 0)
	}
	return 0
}

func trim() *functions.Spec {
	return spec("TRIM", "Removes blanks and control characters (up to U+0020) at both ends.", []functions.Scalar{
		functions.NewScalar("(STRING input) -> STRING", functions.Unary(func(s string) string {
			return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
		})),
	},
		"TRIM('  both ends ')", `"both ends"`,
		"TRIM(CAST(NULL AS STRING))", "null",
	)
}

func lpad() *functions.Spec {
	return spec("LPAD", "Pads on the left to a length, or cuts to it.", padOverloads(true),
		"LPAD('foo', 7, 'Bar')", `"BarBfoo"`,
		"LPAD('foo', 2, 'Bar')", `"fo"`,
		"LPAD('foo', 7, '')", "null",
		"LPAD('foo', -1, 'x')", "null",
		"LPAD(CAST(NULL AS STRING), 3, 'x')", "null",
	)
}

func rpad() *functions.Spec {
	return spec("RPAD", "Pads on the right to a length, or cuts to it.", padOverloads(false),
		"RPAD('foo', 7, 'Bar')", `"fooBarB"`,
		"RPAD('foo', 2, 'Bar')", `"fo"`,
		"RPAD('foo', 5, CAST(NULL AS STRING))", "null",
	)
}

// maxPadded bounds the result of LPAD and RPAD in bytes: one call must not eat the memory.
const maxPadded = 64 << 20

func padOverloads(left bool) []functions.Scalar {
	texts := func(args []types.Slot) (types.Slot, error) {
		if args[0].Null || args[1].Null || args[2].Null || args[1].I < 0 || len(args[2].B) == 0 {
			return types.NullSlot, nil
		}
		s, n, pad := args[0].Text(), int(args[1].I), args[2].Text()
		missing := n - units(s)
		if missing <= 0 {
			return types.StringSlot(s[:byteAt(s, n)]), nil
		}
		if missing > maxPadded/max(len(pad)/units(pad), 1) {
			return types.NullSlot, errTooLong
		}
		width := units(pad)
		filling := strings.Repeat(pad, missing/width) + pad[:byteAt(pad, missing%width)]
		if left {
			return types.StringSlot(filling + s), nil
		}
		return types.StringSlot(s + filling), nil
	}
	binary := func(args []types.Slot) (types.Slot, error) {
		if args[0].Null || args[1].Null || args[2].Null || args[1].I < 0 || len(args[2].B) == 0 {
			return types.NullSlot, nil
		}
		b, n, pad := args[0].B, int(args[1].I), args[2].B
		missing := n - len(b)
		if missing <= 0 {
			return types.BytesSlot(b[:n]), nil
		}
		if missing > maxPadded {
			return types.NullSlot, errTooLong
		}
		filling := bytes.Repeat(pad, missing/len(pad)+1)[:missing]
		if left {
			return types.BytesSlot(append(filling, b...)), nil
		}
		return types.BytesSlot(append(append(make([]byte, 0, n), b...), filling...)), nil
	}
	return []functions.Scalar{
		functions.NewScalar("(STRING input, INT targetLen, STRING padding) -> STRING", functions.Slots(texts)),
		functions.NewScalar("(BYTES input, INT targetLen, BYTES padding) -> BYTES", functions.Slots(binary)),
	}
}
