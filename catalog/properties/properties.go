// Package properties lists every property of the server and every one that SET may change: name, type, default, scope
// and what it is for.
package properties

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/grammar/diag"
)

// Kind is the type of a property's value. Values are text everywhere; the kind says which texts are valid.
type Kind uint8

// The kinds of values.
const (
	Text Kind = iota
	Integer
	Boolean
	// Choice is one of Property.Choices.
	Choice
)

// Scope says who may set a property.
type Scope uint8

// The scopes.
const (
	// Query: SET changes it for the statements that follow.
	Query Scope = iota
	// Server: only the server's configuration sets it.
	Server
)

// Property is one row. Immutable.
type Property struct {
	// Name without the ksql.streams. prefix.
	Name    string
	Kind    Kind
	Default string
	Scope   Scope
	// Doc says in a sentence what it does; units included.
	Doc string
	// Choices of a Choice, in lower case.
	Choices []string
	// Min of an Integer.
	Min int64
	// Secret says that the value is never shown, logged or written anywhere; see [IsSecret].
	Secret bool
}

// Editable says whether SET may change it.
func (p Property) Editable() bool { return p.Scope == Query }

// Level is the scope as SHOW PROPERTIES prints it.
func (p Property) Level() string {
	if p.Scope == Query {
		return "QUERY"
	}
	return "SERVER"
}

// prefixes may stand before the names of stream, consumer and producer settings.
var prefixes = []string{"ksql.streams.", "consumer.", "producer.", "main.consumer."}

// Normalize takes the prefixes off a name: ksql.streams.auto.offset.reset is auto.offset.reset.
func Normalize(name string) string {
	name = strings.TrimSpace(name)
	for again := true; again; {
		again = false
		for _, p := range prefixes {
			if rest, ok := strings.CutPrefix(name, p); ok && rest != "" {
				name, again = rest, true
			}
		}
	}
	if alias, ok := aliases[name]; ok {
		return alias
	}
	return name
}

// aliases are later names of the same setting in Kafka Streams.
var aliases = map[string]string{"statestore.cache.max.bytes": "cache.max.bytes.buffering"}

// Find looks a property up by its name, with or without a prefix.
func Find(name string) (Property, bool) {
	name = Normalize(name)
	i := slices.IndexFunc(rows, func(p Property) bool { return p.Name == name })
	if i < 0 {
		return Property{}, false
	}
	return rows[i], true
}

// All lists all properties by name.
func All() []Property {
	out := slices.Clone(rows)
	slices.SortFunc(out, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Override checks what SET is given: the name without its prefix and the value as it is kept, or why it cannot be set.
func Override(name, value string) (normalised, checked string, err error) {
	if err := CheckOverride(name); err != nil {
		return "", "", err
	}
	normalised = Normalize(name)
	checked, err = Check(normalised, value)
	return normalised, checked, err
}

// CheckOverride says why a property cannot be set by SET; nil when it can.
func CheckOverride(name string) error {
	p, ok := Find(name)
	switch {
	case !ok:
		return unknown(name)
	case p.Scope != Query:
		return fmt.Errorf("Cannot override property '%s'", p.Name)
	}
	return nil
}

func unknown(name string) error {
	text := fmt.Sprintf("Not recognizable as ksql, streams, consumer, or producer property: '%s'", name)
	names := make([]string, len(rows))
	for i, p := range rows {
		names[i] = p.Name
	}
	if s, ok := diag.Suggest(Normalize(name), names); ok {
		text += "\nDid you mean '" + s + "'?"
	}
	return fmt.Errorf("%s", text)
}

// Check checks a value, for SET and for the server's configuration, and gives it in its canonical form.
func Check(name, value string) (string, error) {
	p, ok := Find(name)
	if !ok {
		return "", unknown(name)
	}
	trimmed := strings.TrimSpace(value)
	invalid := func(want string) error {
		return fmt.Errorf("Invalid value %s for configuration %s: %s", value, p.Name, want)
	}
	switch p.Kind {
	case Integer:
		v, err := strconv.ParseInt(trimmed, 10, 64)
		if err != nil {
			return "", invalid("Not a number of type LONG")
		}
		if v < p.Min {
			return "", invalid(fmt.Sprintf("Value must be at least %d", p.Min))
		}
		return strconv.FormatInt(v, 10), nil
	case Boolean:
		switch strings.ToLower(trimmed) {
		case "true", "false":
			return strings.ToLower(trimmed), nil
		}
		return "", invalid("Expected value to be either true or false")
	case Choice:
		lower := strings.ToLower(trimmed)
		if slices.Contains(p.Choices, lower) {
			return lower, nil
		}
		return "", invalid("String must be one of: " + strings.Join(p.Choices, ", "))
	}
	return value, nil
}

// Value reads a property in force: what is set in values (names without prefix), else its default.
func Value(values map[string]string, name string) string {
	name = Normalize(name)
	if v, ok := values[name]; ok {
		return v
	}
	p, _ := Find(name)
	return p.Default
}

// Int reads an Integer property in force; a value that is no number counts as the default.
func Int(values map[string]string, name string) int64 {
	if v, err := strconv.ParseInt(Value(values, name), 10, 64); err == nil {
		return v
	}
	p, _ := Find(name)
	v, _ := strconv.ParseInt(p.Default, 10, 64)
	return v
}

// Bool reads a Boolean property in force.
func Bool(values map[string]string, name string) bool {
	return strings.EqualFold(Value(values, name), "true")
}

// CheckDenied says which of the names are on the server's ksql.properties.overrides.denylist; nil when none is. server
// holds the server's properties.
func CheckDenied(server map[string]string, names []string) error {
	var denied []string
	for _, d := range strings.Split(server["ksql.properties.overrides.denylist"], ",") {
		if d = Normalize(d); d == "" {
			continue
		}
		for _, n := range names {
			if Normalize(n) == d {
				denied = append(denied, n)
			}
		}
	}
	if len(denied) == 0 {
		return nil
	}
	slices.Sort(denied)
	return fmt.Errorf("One or more properties overrides set locally are prohibited by the KSQL server (use UNSET to reset their default value): [%s]",
		strings.Join(denied, ", "))
}
