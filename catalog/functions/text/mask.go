package text

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// masks are the characters that replace upper-case letters, lower-case letters, digits and all others; -1 keeps them.
type masks [4]rune

var defaultMasks = masks{'X', 'x', 'n', '-'}

func (m *masks) of(r rune) rune {
	class := 3
	switch {
	case unicode.IsUpper(r):
		class = 0
	case unicode.IsLower(r):
		class = 1
	case unicode.Is(unicode.Nd, r):
		class = 2
	}
	if m[class] < 0 {
		return r
	}
	return m[class]
}

// masksFrom reads four arguments; a null keeps the class as it is.
func masksFrom(args []types.Slot) (masks, error) {
	m := defaultMasks
	for i, a := range args {
		if a.Null {
			m[i] = -1
			continue
		}
		r, size := utf8.DecodeRune(a.B)
		if size == 0 || size != len(a.B) || r > 0xFFFF {
			return m, fmt.Errorf("Invalid mask character. Must be only single character, but was '%s'", a.B)
		}
		m[i] = r
	}
	return m, nil
}

func mask() *functions.Spec {
	call := newMask(func(int, int) (int, int) { return 0, 1 << 30 }, 1, "")
	return spec("MASK", "Replaces each character by a mask of its class: X upper case, x lower case, n digit, - other; masks of one's own are possible, NULL keeps a class.", []functions.Scalar{
		functions.NewScalar("(STRING input) -> STRING", call),
		functions.NewScalar("(STRING input, STRING upper, STRING lower, STRING digit, STRING other) -> STRING", call),
	},
		"MASK('My Test $123')", `"Xx-Xxxx--nnn"`,
		"MASK('My Test $123', '*', NULL, '1', NULL)", `"*y *est $111"`,
		"MASK('a', 'xx', 'x', 'x', 'x')", "error: Invalid mask character.",
		"MASK(CAST(NULL AS STRING))", "null",
	)
}

func maskLeft() *functions.Spec {
	return maskSpec("MASK_LEFT", "Masks the first n characters only.",
		func(n, _ int) (int, int) { return 0, n },
		`"xx"`, "MASK_LEFT('My Test $123', 4)", `"Xx-Xest $123"`)
}

func maskRight() *functions.Spec {
	return maskSpec("MASK_RIGHT", "Masks the last n characters only.",
		func(n, length int) (int, int) { return length - n, length },
		`"xx"`, "MASK_RIGHT('My Test $123', 4)", `"My Test -nnn"`)
}

func maskKeepLeft() *functions.Spec {
	return maskSpec("MASK_KEEP_LEFT", "Masks all but the first n characters.",
		func(n, length int) (int, int) { return n, length },
		`"ab"`, "MASK_KEEP_LEFT('My Test $123', 4)", `"My Txxx--nnn"`)
}

func maskKeepRight() *functions.Spec {
	return maskSpec("MASK_KEEP_RIGHT", "Masks all but the last n characters.",
		func(n, length int) (int, int) { return 0, length - n },
		`"ab"`, "MASK_KEEP_RIGHT('My Test $123', 4)", `"Xx-Xxxx-$123"`)
}

// maskSpec describes one of the four that take a number; beyond is what 10 characters of 'ab' become.
func maskSpec(name, description string, span func(n, length int) (from, to int), beyond string, examples ...string) *functions.Spec {
	call := functions.RefuseNull(newMask(span, 2, name), 1)
	examples = append(examples,
		name+"('ab', 10)", beyond,
		name+"('ab', -1)", "error: requires a non-negative number of characters to mask or skip",
		name+"(CAST(NULL AS STRING), 1)", "null",
	)
	return spec(name, description, []functions.Scalar{
		functions.NewScalar("(STRING input, INT numChars) -> STRING", call),
		functions.NewScalar("(STRING input, INT numChars, STRING upper, STRING lower, STRING digit, STRING other) -> STRING", call),
	}, examples...)
}

// newMask masks the code units that span names. The mask characters start at argument masksAt.
func newMask(span func(n, length int) (from, to int), masksAt int, name string) functions.Constructor {
	return functions.Slots(func(args []types.Slot) (types.Slot, error) {
		m := defaultMasks
		if len(args) > masksAt {
			var err error
			if m, err = masksFrom(args[masksAt:]); err != nil {
				return types.NullSlot, err
			}
		}
		n := 0
		if masksAt == 2 {
			if n = int(args[1].I); n < 0 {
				return types.NullSlot, fmt.Errorf("function %s requires a non-negative number of characters to mask or skip", lower(name))
			}
		}
		if args[0].Null {
			return types.NullSlot, nil
		}
		s := args[0].Text()
		from, to := span(n, units(s))
		return types.BytesSlot(applyMask(s, from, to, &m)), nil
	})
}

func applyMask(s string, from, to int, m *masks) []byte {
	out := make([]byte, 0, len(s))
	at := 0
	for _, r := range s {
		width := 1
		if r > 0xFFFF {
			width = 2
		}
		switch {
		case at < from || at >= to || m.of(r) == r:
			out = utf8.AppendRune(out, r)
		default:
			for range width {
				out = utf8.AppendRune(out, m.of(r))
			}
		}
		at += width
	}
	return out
}
