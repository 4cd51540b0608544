package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// formatGuess narrows down what format the bytes of one side of a topic are in: candidates that fail on any record drop
// out, as in ksqlDB's PRINT.
type formatGuess struct {
	// isKey adds the candidates of windowed keys.
	isKey bool
	// before and behind are the candidates before JSON and behind it whose schemas are in the registry.
	before, behind []printFormat
	begun          bool
	left           []printFormat
}

// printFormat is one candidate: its name and how it prints bytes; ok is false when they cannot be that.
type printFormat struct {
	name  string
	print func(b []byte) (text string, ok bool)
	// rank: a candidate is named only when none of a lower rank is left. 0 unless said otherwise.
	rank int
}

// printFormats lists the candidates in ksqlDB's order.
func (g *formatGuess) printFormats() []printFormat {
	numbers := []printFormat{{name: "KAFKA_INT", print: printInt}, {name: "KAFKA_BIGINT", print: printBigint}, {name: "KAFKA_DOUBLE", print: printDouble}}
	out := append(slices.Clone(g.before), printFormat{name: "JSON", print: printJSON})
	out = append(append(out, g.behind...), numbers...)
	if g.isKey {
		out = append(out, printFormat{name: "SESSION(KAFKA_STRING)", print: inSession(printString)},
			printFormat{name: "HOPPING(KAFKA_STRING)", print: inTimeWindow(printString)},
			printFormat{name: "TUMBLING(KAFKA_STRING)", print: inTimeWindow(printString)})
	}
	out = append(out, printFormat{name: "KAFKA_STRING", print: printText})
	if g.isKey {
		for _, f := range numbers {
			out = append(out, printFormat{name: "SESSION(" + f.name + ")", print: plausible(inSession(f.print)), rank: 1},
				printFormat{name: "HOPPING(" + f.name + ")", print: plausible(inTimeWindow(f.print)), rank: 1},
				printFormat{name: "TUMBLING(" + f.name + ")", print: plausible(inTimeWindow(f.print)), rank: 1})
		}
	}
	return append(out, printFormat{name: "UNRECOGNISED_BYTES", rank: 2,
		print: func(b []byte) (string, bool) { return strings.ToUpper(hex.EncodeToString(b)), true }})
}

// plausible refuses windows of times after the year 9999 (253402300799999 ms), of which each byte would be set: text.
func plausible(print func([]byte) (string, bool)) func([]byte) (string, bool) {
	return func(b []byte) (string, bool) {
		text, ok := print(b)
		return text, ok && binary.BigEndian.Uint64(b[len(b)-8:]) <= 253402300799999
	}
}

func printInt(b []byte) (string, bool) {
	if len(b) != 4 {
		return "", false
	}
	return fmt.Sprint(int32(binary.BigEndian.Uint32(b))), true
}

func printBigint(b []byte) (string, bool) {
	if len(b) != 8 {
		return "", false
	}
	return fmt.Sprint(int64(binary.BigEndian.Uint64(b))), true
}

func printDouble(b []byte) (string, bool) {
	if len(b) != 8 {
		return "", false
	}
	return types.FormatDouble(math.Float64frombits(binary.BigEndian.Uint64(b))), true
}

// printText takes whatever is UTF-8, as ksqlDB does.
func printText(b []byte) (string, bool) { return string(b), utf8.Valid(b) }

// printString is text without zero bytes: what may stand before a window.
func printString(b []byte) (string, bool) {
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return "", false
	}
	return string(b), true
}

// inTimeWindow prints a key of TUMBLING and HOPPING windows: the key, then 8 bytes of window start.
func inTimeWindow(inner func([]byte) (string, bool)) func([]byte) (string, bool) {
	return func(b []byte) (string, bool) {
		n := len(b) - 8
		if n <= 0 {
			return "", false
		}
		start := int64(binary.BigEndian.Uint64(b[n:]))
		key, ok := inner(b[:n])
		return fmt.Sprintf("[%s@%d/-]", key, start), ok && start >= 0
	}
}

// inSession prints a key of SESSION windows: the key, then 8 bytes each of end and start.
func inSession(inner func([]byte) (string, bool)) func([]byte) (string, bool) {
	return func(b []byte) (string, bool) {
		n := len(b) - 16
		if n <= 0 {
			return "", false
		}
		end, start := int64(binary.BigEndian.Uint64(b[n:])), int64(binary.BigEndian.Uint64(b[n+8:]))
		key, ok := inner(b[:n])
		return fmt.Sprintf("[%s@%d/%d]", key, start, end), ok && start >= 0 && end >= start
	}
}

// printJSON accepts objects and arrays, and bare values that read as JSON; they are printed as they are but for layout.
func printJSON(b []byte) (string, bool) {
	trimmed := bytes.TrimSpace(b)
	if len(trimmed) == 0 || !json.Valid(trimmed) {
		return "", false
	}
	var out bytes.Buffer
	if json.Compact(&out, trimmed) != nil {
		return "", false
	}
	return out.String(), true
}

// see narrows the candidates by one record's bytes; null says nothing.
func (g *formatGuess) see(b []byte) {
	if b == nil {
		return
	}
	if !g.begun {
		g.begun, g.left = true, g.printFormats()
	}
	kept := g.left[:0]
	for _, f := range g.left {
		if _, ok := f.print(b); ok {
			kept = append(kept, f)
		}
	}
	g.left = kept
}

// names lists what is left: "JSON or KAFKA_STRING".
func (g *formatGuess) names() string {
	if !g.begun {
		return "¯\\_(ツ)_/¯ - no data processed"
	}
	var names []string
	for _, f := range g.best() {
		names = append(names, f.name)
	}
	return strings.Join(names, " or ")
}

// best are the candidates of the lowest rank that is left.
func (g *formatGuess) best() []printFormat {
	var out []printFormat
	for _, f := range g.left {
		if len(out) > 0 && f.rank < out[0].rank {
			out = out[:0]
		}
		if len(out) == 0 || f.rank == out[0].rank {
			out = append(out, f)
		}
	}
	return out
}

// print prints bytes in the first format that is left.
func (g *formatGuess) print(b []byte) string {
	if b == nil {
		return "<null>"
	}
	for _, f := range g.best() {
		if text, ok := f.print(b); ok {
			return text
		}
	}
	return strings.ToUpper(hex.EncodeToString(b))
}
