package security

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// prefixes may stand before the names of clients' properties, several of them in a row: ksql.streams.producer.
var prefixes = []string{"ksql.streams.", "consumer.", "main.consumer.", "restore.consumer.", "global.consumer.", "producer.", "admin."}

// names are the properties that have an effect here.
var names = []string{
	"security.protocol",
	"sasl.mechanism", "sasl.mechanisms", "sasl.jaas.config", "sasl.username", "sasl.password",
	"ssl.truststore.location", "ssl.truststore.password", "ssl.truststore.type", "ssl.truststore.certificates", "ssl.ca.location",
	"ssl.keystore.location", "ssl.keystore.password", "ssl.keystore.type", "ssl.keystore.certificate.chain", "ssl.keystore.key",
	"ssl.certificate.location", "ssl.key.location", "ssl.key.password",
	"ssl.endpoint.identification.algorithm", "ssl.enabled.protocols",
}

// plain takes the prefixes off a name.
func plain(name string) string {
	name = strings.TrimSpace(name)
	for again := true; again; {
		again = false
		for _, p := range prefixes {
			if rest, ok := strings.CutPrefix(name, p); ok && rest != "" {
				name, again = rest, true
			}
		}
	}
	return name
}

// isOurs says whether a plain name is about the security of connections to Kafka, known or not.
func isOurs(name string) bool {
	return name == "security.protocol" || strings.HasPrefix(name, "sasl.") || strings.HasPrefix(name, "ssl.")
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// values are the properties of this package by their plain names, and what is to be said about them.
type values struct {
	set map[string]string
	// written is the name as it stands in the properties, for messages.
	written  map[string]string
	warnings []string
}

// collect finds our properties among all. Blanks around values do not count.
func collect(properties map[string]string) *values {
	v := &values{set: map[string]string{}, written: map[string]string{}}
	var unknown []string
	same := map[string][]string{}
	for _, name := range sorted(properties) {
		switch p := plain(name); {
		case !isOurs(p):
		case slices.Contains(names, p):
			same[p] = append(same[p], name)
		default:
			unknown = append(unknown, name)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(same)) {
		counts := same[p][0]
		if slices.Contains(same[p], p) {
			counts = p
		}
		v.set[p], v.written[p] = strings.TrimSpace(properties[counts]), counts
		for _, other := range same[p] {
			if strings.TrimSpace(properties[other]) != v.set[p] {
				v.warn("%s and %s have different values; all connections use that of %[1]s", counts, other)
			}
		}
	}
	if len(unknown) > 0 {
		v.warn("without effect on connections to Kafka: %s", strings.Join(unknown, ", "))
	}
	return v
}

func (v *values) warn(format string, args ...any) {
	v.warnings = append(v.warnings, fmt.Sprintf(format, args...))
}

// get is the value of a property; empty when it is not set.
func (v *values) get(name string) string { return v.set[name] }

// has says whether a property is set to something.
func (v *values) has(name string) bool { return v.set[name] != "" }

// called is the name of a property as it stands in the properties, for messages.
func (v *values) called(name string) string {
	if w, ok := v.written[name]; ok {
		return w
	}
	return name
}

// errorf makes an error about a property.
func (v *values) errorf(name, format string, args ...any) error {
	return fmt.Errorf("%s: %w", v.called(name), fmt.Errorf(format, args...))
}

// given lists those of the properties that are set and begin with a prefix, as they are written.
func (v *values) given(prefix string) []string {
	var out []string
	for _, name := range sorted(v.set) {
		if strings.HasPrefix(name, prefix) && v.has(name) {
			out = append(out, v.called(name))
		}
	}
	return out
}

// provided is what Java's configuration providers replace: ${file:/path:key}.
var provided = regexp.MustCompile(`^\$\{[A-Za-z][A-Za-z0-9_.-]*:.*\}$`)

// checkLiterals refuses values that a configuration provider was to replace: as they stand they would be sent as passwords.
func (v *values) checkLiterals() error {
	for _, name := range sorted(v.set) {
		if provided.MatchString(v.set[name]) {
			return v.errorf(name, "the value is to come from a configuration provider (${…:…}), of which there are none here; write the value itself")
		}
	}
	return nil
}
