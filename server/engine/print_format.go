package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// formatGuess narrows down what format the bytes of one side of a topic are in: candidates that fail on any record drop
// out, as in ksqlDB's PRINT.
type formatGuess struct {
	// isKey adds the candidates of windowed keys.
	isKey bool
	begun bool
	left  []printFormat
}

// printFormat is one candidate: its name and how it prints bytes; ok is false when they cannot be that.
type printFormat struct {
	name  string
	print func(b []byte) (text string, ok bool)
}

// printFormats lists the candidates in ksqlDB's order.
func printFormats(isKey bool) []printFormat {
	out := []printFormat{{"JSON", printJSON}}
	out = append(out, printFormat{"KAFKA_INT", printInt}, printFormat{"KAFKA_BIGINT", printBigint}, printFormat{"KAFKA_DOUBLE", printDouble})
	if isKey {
		out = append(out, printFormat{"SESSION(KAFKA_STRING)", inSession(printString)},
			printFormat{"HOPPING(KAFKA_STRING)", inTimeWindow(printString)}, printFormat{"TUMBLING(KAFKA_STRING)", inTimeWindow(printString)})
	}
	out = append(out, printFormat{"KAFKA_STRING", printString})
	if isKey {
		// Behind text, which they are told from by the zero bytes of a number and of a time.
		for _, f := range []printFormat{{"KAFKA_INT", printInt}, {"KAFKA_BIGINT", printBigint}, {"KAFKA_DOUBLE", printDouble}} {
			for _, w := range []printFormat{{"SESSION", inSession(f.print)}, {"HOPPING", inTimeWindow(f.print)}, {"TUMBLING", inTimeWindow(f.print)}} {
				out = append(out, printFormat{w.name + "(" + f.name + ")", plausible(w.print)})
			}
		}
	}
	return append(out, printFormat{"UNRECOGNISED_BYTES", func(b []byte) (string, bool) { return strings.ToUpper(hex.EncodeToString(b)), true }})
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
		g.begun, g.left = true, printFormats(g.isKey)
	}
	kept := g.left[:0]
	for _, f := range g.left {
		if _, ok := f.print(b); ok {
			kept = append(kept, f)
		}
	}
	g.left = kept
}

// names lists what is left: "JSON or KAFKA_STRING". Raw bytes are named only when nothing else is left.
func (g *formatGuess) names() string {
	if !g.begun {
		return "¯\\_(ツ)_/¯ - no data processed"
	}
	var names []string
	for _, f := range g.left {
		if f.name != "UNRECOGNISED_BYTES" || len(g.left) == 1 {
			names = append(names, f.name)
		}
	}
	return strings.Join(names, " or ")
}

// print prints bytes in the first format that is left.
func (g *formatGuess) print(b []byte) string {
	if b == nil {
		return "<null>"
	}
	for _, f := range g.left {
		if text, ok := f.print(b); ok {
			return text
		}
	}
	return strings.ToUpper(hex.EncodeToString(b))
}
