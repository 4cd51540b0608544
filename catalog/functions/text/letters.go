package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func replaceAll(s, old, by string) string { return strings.ReplaceAll(s, old, by) }

func lcase() *functions.Spec {
	return spec("LCASE", "Lower case.", []functions.Scalar{
		functions.NewScalar("(STRING input) -> STRING", newCase(unicode.ToLower, lower)),
	},
		"LCASE('MiXeD')", `"mixed"`,
		"LCASE('ÄÖ')", `"äö"`,
		"LCASE(CAST(NULL AS STRING))", "null",
	)
}

func ucase() *functions.Spec {
	return spec("UCASE", "Upper case.", []functions.Scalar{
		functions.NewScalar("(STRING input) -> STRING", newCase(unicode.ToUpper, upper)),
	},
		"UCASE('MiXeD')", `"MIXED"`,
		"UCASE('straße')", `"STRASSE"`,
		"UCASE(CAST(NULL AS STRING))", "null",
	)
}

// newCase makes a case conversion that writes ASCII into its own buffer and leaves the rest to whole.
func newCase(letter func(rune) rune, whole func(string) string) functions.Constructor {
	var table [utf8.RuneSelf]byte
	for i := range table {
		table[i] = byte(letter(rune(i)))
	}
	return func(*functions.Env, []*types.Type, *types.Type) (functions.Call, error) {
		buf := make([]byte, 0, 64)
		return func(args []types.Slot) (types.Slot, error) {
			if args[0].Null {
				return types.NullSlot, nil
			}
			buf = buf[:0]
			for _, c := range args[0].B {
				if c >= utf8.RuneSelf {
					return types.StringSlot(whole(args[0].Text())), nil
				}
				buf = append(buf, table[c])
			}
			return types.BytesSlot(buf), nil
		}, nil
	}
}

// upper is Java's toUpperCase: ß becomes SS.
func upper(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "ß", "SS")) }

// lower is Java's toLowerCase: İ becomes i with a combining dot.
func lower(s string) string { return strings.ToLower(strings.ReplaceAll(s, "İ", "i̇")) }

func initcap() *functions.Spec {
	return spec("INITCAP", "Upper case for the first letter of each word, lower case for the rest. White space before the first word is lost.", []functions.Scalar{
		functions.NewScalar("(STRING str) -> STRING", functions.Unary(capitalize)),
	},
		"INITCAP('the   quick fOx')", `"The   Quick Fox"`,
		"INITCAP('  a b ')", `"A B "`,
		"INITCAP(CAST(NULL AS STRING))", "null",
	)
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func capitalize(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	var b strings.Builder
	for s != "" {
		end := 0
		for end < len(s) && !isSpace(s[end]) {
			end++
		}
		_, size := utf8.DecodeRuneInString(s)
		b.WriteString(upper(s[:size]))
		b.WriteString(lower(s[size:end]))
		start := end
		for end < len(s) && isSpace(s[end]) {
			end++
		}
		b.WriteString(s[start:end])
		s = s[end:]
	}
	return b.String()
}

func chr() *functions.Spec {
	return spec("CHR", "The character of a code point, or of an escape text such as \\u004b.", []functions.Scalar{
		functions.NewScalar("(INT decimalCode) -> STRING", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			if args[0].Null || args[0].I < 0 || args[0].I > unicode.MaxRune {
				return types.NullSlot, nil
			}
			return types.StringSlot(string(rune(args[0].I))), nil
		})),
		functions.NewScalar("(STRING utf16Code) -> STRING", functions.Slots(func(args []types.Slot) (types.Slot, error) {
			if args[0].Null || len(args[0].B) < 6 || !strings.HasPrefix(args[0].Text(), `\u`) {
				return types.NullSlot, nil
			}
			s, ok := unescape(args[0].Text())
			if !ok {
				return types.NullSlot, nil
			}
			return types.StringSlot(s), nil
		})),
	},
		"CHR(75)", `"K"`,
		`CHR('\u004b')`, `"K"`,
		"CHR('K')", "null",
		"CHR(-1)", "null",
		"CHR(CAST(NULL AS INT))", "null",
	)
}

// unescape replaces the \uXXXX of a text, joining pairs of surrogates.
func unescape(s string) (string, bool) {
	var b strings.Builder
	for s != "" {
		if !strings.HasPrefix(s, `\u`) {
			b.WriteByte(s[0])
			s = s[1:]
			continue
		}
		r, ok := hexUnit(s)
		if !ok {
			return "", false
		}
		s = s[6:]
		if r >= 0xD800 && r < 0xDC00 {
			if low, ok := hexUnit(s); ok && low >= 0xDC00 && low < 0xE000 {
				r = (r-0xD800)<<10 + low - 0xDC00 + 0x10000
				s = s[6:]
			}
		}
		b.WriteRune(r)
	}
	return b.String(), true
}

// hexUnit reads the \uXXXX at the start of s.
func hexUnit(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
