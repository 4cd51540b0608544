package render

import (
	"fmt"
	"strings"
)

// Format is how results are printed.
type Format string

// The formats. Tabular and JSON are ksqlDB's, the others our own.
const (
	Tabular Format = "TABULAR" // tables for people
	JSON    Format = "JSON"    // entities indented, one array a row
	NDJSON  Format = "NDJSON"  // one JSON object a line
	CSV     Format = "CSV"     // RFC 4180, column names first
)

// Formats lists all formats, the default first.
func Formats() []Format { return []Format{Tabular, JSON, NDJSON, CSV} }

// ParseFormat finds a format by name, in any case.
func ParseFormat(name string) (Format, error) {
	names := make([]string, 0, len(Formats()))
	for _, f := range Formats() {
		if strings.EqualFold(name, string(f)) {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fmt.Errorf("invalid output format '%s' (valid formats: %s)", name, strings.Join(names, ", "))
}

// Machine says that the format is for programs: people are told elsewhere.
func (f Format) Machine() bool { return f != Tabular }
