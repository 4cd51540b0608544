package formats

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Unsupported is the error of [Format.Check] for a schema that the format cannot carry, in ksqlDB's words: the side, the
// format, the schema as ksqlDB prints a persistence schema, the reason.
func Unsupported(format string, spec *Spec, reason string) error {
	side := "Value"
	if spec.IsKey {
		side = "Key"
	}
	return fmt.Errorf("%s format does not support schema.\nformat: %s\nschema: Persistence{columns=[%s], features=[%s]}\nreason: %s",
		side, format, Describe(spec), features(format, spec), reason)
}

func features(format string, spec *Spec) string {
	if spec.Unwrapped && (format == "JSON" || format == "JSON_SR" || format == "AVRO" || format == "PROTOBUF_NOSR") {
		return "UNWRAP_SINGLES"
	}
	return ""
}

// Describe lists the columns of a side as ksqlDB prints them: `K` STRING KEY, `K2` INTEGER KEY.
func Describe(spec *Spec) string {
	var b strings.Builder
	for i, c := range spec.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(types.QuoteName(c.Name) + " " + c.Type.String())
		if spec.IsKey {
			b.WriteString(" KEY")
		}
	}
	return b.String()
}

// CheckProperties refuses properties of spec that f does not know, with ksqlDB's text.
func CheckProperties(f Format, spec *Spec) error {
	var unknown []string
next:
	for name := range spec.Properties {
		for _, known := range f.Properties() {
			if name == known {
				continue next
			}
		}
		unknown = append(unknown, strings.ToLower(name))
	}
	if len(unknown) == 0 {
		return nil
	}
	sort.Strings(unknown)
	return fmt.Errorf("%s does not support the following configs: [%s]", f.Name(), strings.Join(unknown, ", "))
}

// CheckSpec refuses a spec whose parts do not fit together: a bug of the caller, not of the user.
func CheckSpec(spec *Spec) error {
	if len(spec.Locs) != len(spec.Columns) {
		return fmt.Errorf("formats: %d columns but %d places", len(spec.Columns), len(spec.Locs))
	}
	if spec.Unwrapped && len(spec.Columns) != 1 {
		return errors.New("formats: only a single column can be unwrapped")
	}
	return nil
}

// HasNonStringKeys says whether a type has a MAP whose keys are no STRINGs.
func HasNonStringKeys(t *types.Type) bool {
	switch t.Kind {
	case types.Array:
		return HasNonStringKeys(t.Elem)
	case types.Map:
		return t.Key.Kind != types.String || HasNonStringKeys(t.Elem)
	case types.Struct:
		return slices.ContainsFunc(t.Fields, func(f types.Field) bool { return HasNonStringKeys(f.Type) })
	}
	return false
}
