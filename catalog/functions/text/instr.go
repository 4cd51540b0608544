package text

import (
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func instr() *functions.Spec {
	find := functions.Slots(func(args []types.Slot) (types.Slot, error) {
		if args[0].Null || args[1].Null {
			return types.IntSlot(0), nil
		}
		pos, occurrence := 1, 1
		if len(args) > 2 {
			pos = int(args[2].I)
		}
		if len(args) > 3 {
			occurrence = int(args[3].I)
		}
		return types.IntSlot(int64(position(args[0].Text(), args[1].Text(), pos, occurrence))), nil
	})
	return spec("INSTR", "The position of a text in a string, from a position on (a negative one searches backwards), of the n-th occurrence; 0 if there is none.", []functions.Scalar{
		functions.NewScalar("(STRING str, STRING substring) -> INT", find),
		functions.NewScalar("(STRING str, STRING substring, INT position) -> INT", functions.RefuseNull(find, 2)),
		functions.NewScalar("(STRING str, STRING substring, INT position, INT occurrence) -> INT", functions.RefuseNull(find, 2, 3)),
	},
		"INSTR('corporate floor', 'or')", "2",
		"INSTR('corporate floor', 'or', 4)", "5",
		"INSTR('corporate floor', 'or', -4)", "5",
		"INSTR('corporate floor', 'or', 1, 3)", "14",
		"INSTR('corporate floor', 'x')", "0",
		"INSTR(CAST(NULL AS STRING), 'x')", "0",
		"INSTR('a', 'a', CAST(NULL AS INT))", "error: must not be null",
	)
}

// position finds the n-th occurrence of sub in s, searching from pos; occurrences may overlap.
func position(s, sub string, pos, n int) int {
	length := units(s)
	if pos == 0 || pos > length || -pos > length || n < 1 {
		return 0
	}
	if pos < 0 {
		return positionBackwards(s, sub, length+pos, n)
	}
	at := byteAt(s, pos-1)
	for {
		i := strings.Index(s[at:], sub)
		if i < 0 {
			return 0
		}
		at += i
		if n--; n == 0 {
			return units(s[:at]) + 1
		}
		if at >= len(s) {
			return 0
		}
		at += byteAt(s[at:], 1)
	}
}

// positionBackwards finds the n-th occurrence that starts at code unit from or before it.
func positionBackwards(s, sub string, from, n int) int {
	limit := byteAt(s, from)
	for {
		i := strings.LastIndex(s[:min(limit+len(sub), len(s))], sub)
		if i < 0 {
			return 0
		}
		if n--; n == 0 {
			return units(s[:i]) + 1
		}
		if i == 0 {
			return 0
		}
		limit = i - 1
	}
}
