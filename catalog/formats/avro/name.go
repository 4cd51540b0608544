package avro

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkName refuses what Avro takes for no name, in the words of its library.
func checkName(name string) error {
	if name == "" {
		return fmt.Errorf("Empty name")
	}
	first, size := utf8.DecodeRuneInString(name)
	if !unicode.IsLetter(first) && first != '_' {
		return fmt.Errorf("Illegal initial character: %s", name)
	}
	for _, r := range name[size:] {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
			return fmt.Errorf("Illegal character in: %s", name)
		}
	}
	return nil
}

// checkFullName checks all parts of the name of a record.
func checkFullName(name string) error {
	for part := range strings.SplitSeq(name, ".") {
		if err := checkName(part); err != nil {
			return err
		}
	}
	return nil
}

// fieldName is the name of a column's or field's place in a record.
func fieldName(name string) string { return strings.ReplaceAll(name, ".", "_") }

// match finds for each field of a record which of the wanted names it fills, -1 for none: the one that is exactly its name,
// or else the one that is its name in upper case, where ksqlDB's idea of case ends. Of several fields that fit a name only by
// case the last one counts.
func match(fields []field, wanted []string) []int {
	at := make(map[string]int, len(wanted))
	for i, name := range wanted {
		at[fieldName(name)] = i
	}
	owner := make([]int, len(wanted))
	exact := make([]bool, len(wanted))
	for i := range owner {
		owner[i] = -1
	}
	for i, f := range fields {
		if k, ok := at[f.name]; ok {
			owner[k], exact[k] = i, true
		}
	}
	for i, f := range fields {
		if _, ok := at[f.name]; ok {
			continue
		}
		if k, ok := at[strings.ToUpper(f.name)]; ok && !exact[k] {
			owner[k] = i
		}
	}
	out := make([]int, len(fields))
	for i := range out {
		out[i] = -1
	}
	for k, i := range owner {
		if i >= 0 {
			out[i] = k
		}
	}
	return out
}
