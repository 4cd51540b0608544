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
	// isKey also considers keys with a window behind them.
	isKey bool
	begun bool
	left  []printFormat
}

// printFormat is one candidate: its name and how it prints bytes; ok is false when they cannot be that.
type printFormat struct {
	name  string
	print func(b []byte) (text string, ok bool)
}

// printFormats lists the candidates in ksqlDB's order: of those left the first prints.
func printFormats(isKey bool) []printFormat {
	plain := []printFormat{{"KAFKA_INT", printInt}, {"KAFKA_BIGINT", printBigint}, {"KAFKA_DOUBLE", printDouble}}
	text := printFormat{"KAFKA_STRING", printText}
	out := append([]printFormat{{"JSON", printJSON}}, plain...)
	if isKey {
		out = append(out, windowed(text, false)...)
	}
	out = append(out, text)
	if isKey {
		// Numbers with a window are not told from text by their length alone: the window must be one that could be.
		for _, p := range plain {
			out = append(out, windowed(p, true)...)
		}
	}
	return append(out, printFormat{"UNRECOGNISED_BYTES", func(b []byte) (string, bool) { return strings.ToUpper(hex.EncodeToString(b)), true }})
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

func printText(b []byte) (string, bool) {
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return "", false
	}
	return string(b), true
}

// latestWindow is the largest time, milliseconds, that a window is believed to have: the year 9999.
const latestWindow = 253402300799999

// windowed lists a format behind whose bytes stands a window: end and start of a session, or the start of a time window.
func windowed(f printFormat, plausible bool) []printFormat {
	at := func(b []byte) (ms int64, ok bool) {
		ms = int64(binary.BigEndian.Uint64(b))
		return ms, !plausible || ms >= 0 && ms <= latestWindow
	}
	session := func(b []byte) (string, bool) {
		n := len(b) - 16
		if n < 1 {
			return "", false
		}
		end, okEnd := at(b[n:])
		start, okStart := at(b[n+8:])
		key, ok := f.print(b[:n])
		return fmt.Sprintf("[%s@%d/%d]", key, start, end), ok && okEnd && okStart
	}
	timed := func(b []byte) (string, bool) {
		n := len(b) - 8
		if n < 1 {
			return "", false
		}
		start, okStart := at(b[n:])
		key, ok := f.print(b[:n])
		return fmt.Sprintf("[%s@%d/-]", key, start), ok && okStart
	}
	return []printFormat{{"SESSION(" + f.name + ")", session}, {"HOPPING(" + f.name + ")", timed}, {"TUMBLING(" + f.name + ")", timed}}
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
