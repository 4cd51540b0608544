package planner

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/ast"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// The properties of WITH clauses.
const (
	withTopic           = "KAFKA_TOPIC"
	withPartitions      = "PARTITIONS"
	withReplicas        = "REPLICAS"
	withRetention       = "RETENTION_MS"
	withCleanup         = "CLEANUP_POLICY"
	withFormat          = "FORMAT"
	withKeyFormat       = "KEY_FORMAT"
	withValueFormat     = "VALUE_FORMAT"
	withWrap            = "WRAP_SINGLE_VALUE"
	withTimestamp       = "TIMESTAMP"
	withTimestampFormat = "TIMESTAMP_FORMAT"
	withWindowType      = "WINDOW_TYPE"
	withWindowSize      = "WINDOW_SIZE"
	withQueryID         = "QUERY_ID"
)

// formatProperties are handed to the formats, prefixed by KEY_ or VALUE_; the value is ksqlDB's name in messages.
var formatProperties = map[string]string{
	"DELIMITER":                        "delimiter",
	"SCHEMA_FULL_NAME":                 "fullSchemaName",
	"SCHEMA_ID":                        "schemaId",
	"PROTOBUF_NULLABLE_REPRESENTATION": "nullableRepresentation",
}

var (
	casProperties = []string{
		withTopic, withPartitions, withReplicas, withRetention, withCleanup, withFormat, withKeyFormat, withValueFormat, withWrap,
		withTimestamp, withTimestampFormat, "KEY_DELIMITER", "VALUE_DELIMITER", "KEY_SCHEMA_FULL_NAME", "VALUE_SCHEMA_FULL_NAME",
		"VALUE_AVRO_SCHEMA_FULL_NAME", "KEY_SCHEMA_ID", "VALUE_SCHEMA_ID", "KEY_PROTOBUF_NULLABLE_REPRESENTATION",
		"VALUE_PROTOBUF_NULLABLE_REPRESENTATION",
	}
	createProperties = append(slices.Clone(casProperties), withWindowType, withWindowSize, "SOURCED_BY_CONNECTOR", "SOURCE_CONNECTOR")
	insertProperties = []string{withQueryID}
)

// with is a checked WITH clause.
type with struct {
	at    diag.Span
	props []ast.Property // names in upper case
}

// parseWith checks the names of a WITH clause.
func parseWith(props []ast.Property, allowed []string) (*with, error) {
	w := &with{}
	var unknown []string
	for _, p := range props {
		w.at = w.at.Join(p.Span())
		p.Name = strings.ToUpper(p.Name)
		if !slices.Contains(allowed, p.Name) {
			unknown = append(unknown, p.Name)
			continue
		}
		if _, ok := w.get(p.Name); ok {
			return nil, diag.Errorf(diag.Duplicate, p.Span(), "Duplicate property in the WITH clause: %s", p.Name)
		}
		w.props = append(w.props, p)
	}
	if len(unknown) > 0 {
		err := diag.Errorf(diag.UnknownProperty, w.at, "Failed to prepare statement: Invalid config variable(s) in the WITH clause: %s", strings.Join(unknown, ","))
		if name, ok := diag.Suggest(unknown[0], allowed); ok {
			return nil, err.WithHint("Did you mean %s?", name)
		}
		return nil, err.WithHint("The properties are: %s.", strings.Join(allowed, ", "))
	}
	if p, ok := w.get(withCleanup); ok {
		return nil, diag.Errorf(diag.UnknownProperty, p.Span(), "Invalid config variable in the WITH clause: CLEANUP_POLICY.\n"+
			"The CLEANUP_POLICY config is automatically inferred based on the type of source (STREAM or TABLE).\n"+
			"Users can't set the CLEANUP_POLICY config manually.")
	}
	return w, w.formatsAgree()
}

func (w *with) formatsAgree() error {
	if _, ok := w.get(withFormat); !ok {
		return nil
	}
	for _, name := range []string{withKeyFormat, withValueFormat} {
		if p, ok := w.get(name); ok {
			return diag.Errorf(diag.InvalidValue, p.Span(), "Cannot supply both '%s' and 'FORMAT' properties, as 'FORMAT' sets both key and value formats. "+
				"Either use just 'FORMAT', or use 'KEY_FORMAT' and 'VALUE_FORMAT'.", name)
		}
	}
	return nil
}

func (w *with) get(name string) (ast.Property, bool) {
	for _, p := range w.props {
		if p.Name == name {
			return p, true
		}
	}
	return ast.Property{}, false
}

// text reads a property as text.
func (w *with) text(name string) (string, bool) {
	p, ok := w.get(name)
	if !ok {
		return "", false
	}
	switch v := p.Value.(type) {
	case *ast.StringLiteral:
		return v.Value, true
	case nil, *ast.NullLiteral:
		return "", false
	default:
		return exprText(v), true
	}
}

// name reads a property that holds the name of a column or topic: in back-quotes the case counts, else it is upper case.
func columnNameOf(text string) string {
	if n := len(text); n > 1 && (text[0] == '`' && text[n-1] == '`' || text[0] == '"' && text[n-1] == '"') {
		return text[1 : n-1]
	}
	return strings.ToUpper(text)
}

func (w *with) invalid(name, format string, args ...any) error {
	p, _ := w.get(name)
	return diag.Errorf(diag.InvalidValue, p.Span(), "Failed to prepare statement: Configuration %s is invalid: %s", name, fmt.Sprintf(format, args...))
}

// number reads a property as an integer.
func (w *with) number(name string) (int64, bool, error) {
	text, ok := w.text(name)
	if !ok {
		return 0, false, nil
	}
	v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, false, w.invalid(name, "Invalid value %s for configuration %s: Not a number of type INT", text, name)
	}
	return v, true, nil
}

// flag reads a property as a boolean.
func (w *with) flag(name string) (value, ok bool, err error) {
	text, ok := w.text(name)
	if !ok {
		return false, false, nil
	}
	switch strings.ToLower(text) {
	case "true":
		return true, true, nil
	case "false":
		return false, true, nil
	}
	return false, false, w.invalid(name, "Invalid value %s for configuration %s: Expected value to be either true or false", text, name)
}

// topicCounts reads PARTITIONS and REPLICAS; 0 where one is absent (REPLICAS -1 is absent too).
func (w *with) topicCounts() (partitions, replicas int, err error) {
	p, _, err := w.number(withPartitions)
	if err != nil {
		return 0, 0, err
	}
	if _, given := w.get(withPartitions); given && (p < 1 || p > maxPartitions) {
		return 0, 0, w.invalid(withPartitions, "Invalid number of partitions: %d", p)
	}
	r, _, err := w.number(withReplicas)
	if err != nil {
		return 0, 0, err
	}
	if _, given := w.get(withReplicas); given && (r == 0 || r < -1 || r > 1<<15-1) {
		return 0, 0, w.invalid(withReplicas, "Invalid number of replicas: %d", r)
	}
	return int(p), int(max(r, 0)), nil
}

// maxPartitions bounds the partitions of one topic: each is a task.
const maxPartitions = 10_000

// formatName reads the format of a side: FORMAT, or KEY_FORMAT or VALUE_FORMAT; "" when none is given.
func (w *with) formatName(side string) (string, diag.Span) {
	for _, name := range []string{side + "_FORMAT", withFormat} {
		if text, ok := w.text(name); ok {
			p, _ := w.get(name)
			return strings.ToUpper(strings.TrimSpace(text)), p.Span()
		}
	}
	return "", w.at
}

// formatProps collects the properties for the format of a side (KEY or VALUE).
func (w *with) formatProps(side string) (map[string]string, error) {
	var out map[string]string
	for name := range formatProperties {
		full := side + "_" + name
		text, ok := w.text(full)
		if !ok && full == "VALUE_SCHEMA_FULL_NAME" {
			text, ok = w.text("VALUE_AVRO_SCHEMA_FULL_NAME")
		}
		if !ok {
			continue
		}
		if name == "DELIMITER" {
			if err := w.checkDelimiter(full, text); err != nil {
				return nil, err
			}
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = text
	}
	return out, nil
}

func (w *with) checkDelimiter(name, text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return w.invalid(name, "Delimiter cannot be empty, if you meant to have a tab or space for delimiter, please use the special values 'TAB' or 'SPACE'\nExample valid value: ';'")
	case utf8.RuneCountInString(text) != 1 && !strings.EqualFold(text, "TAB") && !strings.EqualFold(text, "SPACE"):
		return w.invalid(name, "Invalid delimiter value: '%s'. Delimiter must be a single character or TAB,SPACE\nExample valid value: ';'", text)
	}
	return nil
}

// window reads WINDOW_TYPE and WINDOW_SIZE.
func (w *with) window() (types.WindowType, int64, error) {
	kind, hasKind := w.text(withWindowType)
	size, hasSize := w.text(withWindowSize)
	if !hasKind {
		if hasSize {
			return 0, 0, w.invalid(withWindowSize, "'WINDOW_SIZE' should only be set together with 'WINDOW_TYPE'.")
		}
		return types.NoWindow, 0, nil
	}
	var t types.WindowType
	switch strings.ToUpper(strings.TrimSpace(kind)) {
	case "SESSION":
		if hasSize {
			p, _ := w.get(withWindowSize)
			return 0, 0, diag.Errorf(diag.InvalidValue, p.Span(), "'WINDOW_SIZE' should not be set for SESSION windows.")
		}
		return types.Session, 0, nil
	case "TUMBLING":
		t = types.Tumbling
	case "HOPPING":
		t = types.Hopping
	default:
		return 0, 0, w.invalid(withWindowType, "Invalid value %s for configuration WINDOW_TYPE: String must be one of: SESSION, HOPPING, TUMBLING, null", kind)
	}
	if !hasSize {
		return 0, 0, diag.Errorf(diag.InvalidValue, w.at, "%s windows require 'WINDOW_SIZE' to be provided in the WITH clause. For example: 'WINDOW_SIZE'='10 SECONDS'", t)
	}
	ms, err := parseDuration(size)
	if err != nil {
		return 0, 0, w.invalid(withWindowSize, "%v", err)
	}
	return t, ms, nil
}

// parseDuration reads text such as 30 SECONDS as milliseconds.
func parseDuration(text string) (int64, error) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return 0, fmt.Errorf("Invalid duration: '%s'. Expected: <size> <unit>", text)
	}
	size, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || size < 1 {
		return 0, fmt.Errorf("Invalid duration: '%s'. Size must be a positive integer: '%s'", text, fields[0])
	}
	unit, ok := ast.TimeUnitOf(strings.ToUpper(fields[1]))
	if !ok {
		return 0, fmt.Errorf("Invalid duration: '%s'. Unknown time unit: '%s'", text, strings.ToUpper(fields[1]))
	}
	ms, ok := ast.Interval{Value: size, Unit: unit}.Millis()
	if !ok {
		return 0, fmt.Errorf("Invalid duration: '%s'. The duration is too long", text)
	}
	return ms, nil
}
