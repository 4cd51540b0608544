package properties

import (
	"maps"
	"slices"
	"strings"
)

// Hidden stands for the value of a secret wherever properties are shown.
const Hidden = "[hidden]"

// telling are the parts of names by which a property that is in no row is taken for a secret.
var telling = []string{"password", "passphrase", "secret", "jaas", "credential", "user.info", "private", "api.key", "token"}

// IsSecret says whether the value of a property must not be shown, logged or written anywhere: a row says so, with whatever
// stands before its name, or the name of a property that is in no row sounds like it.
func IsSecret(name string) bool {
	if p, ok := Find(name); ok {
		return p.Secret
	}
	lower := strings.ToLower(Normalize(name))
	for _, p := range rows {
		if p.Secret && strings.HasSuffix(lower, "."+p.Name) {
			return true
		}
	}
	return slices.ContainsFunc(telling, func(part string) bool { return strings.Contains(lower, part) })
}

// Show gives the value of a property as it may be shown: Hidden in place of a secret that is set.
func Show(name, value string) string {
	if value != "" && IsSecret(name) {
		return Hidden
	}
	return value
}

// Shown is a copy of properties in which all values may be shown.
func Shown(values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for name, value := range values {
		out[name] = Show(name, value)
	}
	return out
}

// OfQuery gives those of the properties in force that go with a query wherever it runs: no secrets, and none that concern the
// server alone. values has normalised names.
func OfQuery(values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for name, value := range values {
		if p, ok := Find(name); ok && p.Scope != Query || IsSecret(name) {
			continue
		}
		out[name] = value
	}
	return out
}

// NormalizeAll gives properties under their normal names. Where a property stands several times, the one without a prefix
// counts, and of several with prefixes the first in the order of the names.
func NormalizeAll(values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		normal := Normalize(name)
		if _, have := out[normal]; !have || normal == name {
			out[normal] = values[name]
		}
	}
	return out
}
