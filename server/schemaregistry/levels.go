package schemaregistry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/server/schemaregistry/dialect"
)

// The levels of compatibility: with which of the versions before a schema has to get along, and who reads whom.
const (
	levelNone               = "NONE"
	levelBackward           = "BACKWARD"
	levelBackwardTransitive = "BACKWARD_TRANSITIVE"
	levelForward            = "FORWARD"
	levelForwardTransitive  = "FORWARD_TRANSITIVE"
	levelFull               = "FULL"
	levelFullTransitive     = "FULL_TRANSITIVE"
)

var levels = []string{levelNone, levelBackward, levelBackwardTransitive, levelForward, levelForwardTransitive, levelFull, levelFullTransitive}

// The modes: what may be done to subjects.
const (
	modeReadWrite        = "READWRITE"
	modeReadOnly         = "READONLY"
	modeReadOnlyOverride = "READONLY_OVERRIDE"
	modeImport           = "IMPORT"
)

var modes = []string{modeReadWrite, modeReadOnly, modeReadOnlyOverride, modeImport}

// incompatibilities says why a schema may not come after versions of its subject, oldest first; nothing when it may. Confluent's
// clients are told in the same way.
func (r *Registry) incompatibilities(s *dialect.Parsed, before []schemas.Version, level string) []string {
	direction, _ := strings.CutSuffix(level, "_TRANSITIVE")
	if !strings.HasSuffix(level, "_TRANSITIVE") && len(before) > 1 {
		before = before[len(before)-1:]
	}
	if direction == levelNone {
		return nil
	}
	for _, v := range slices.Backward(before) {
		var problems []string
		old, err := r.parse(v.Schema, dialect.Options{Registered: true})
		switch {
		case err != nil:
			problems = []string{fmt.Sprintf("the version cannot be read: %v", err)}
		default:
			if direction != levelForward {
				problems = append(problems, s.Reads(old)...)
			}
			if direction != levelBackward {
				problems = append(problems, old.Reads(s)...)
			}
		}
		if len(problems) > 0 {
			return append(problems, fmt.Sprintf("{oldSchemaVersion: %d}", v.Version), fmt.Sprintf("{oldSchema: '%s'}", v.Text),
				fmt.Sprintf("{compatibility: '%s'}", level))
		}
	}
	return nil
}
