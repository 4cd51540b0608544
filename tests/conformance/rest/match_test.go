package rest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// tolerance is how far DOUBLEs may differ.
const tolerance = 0.000001

// match tells how a JSON value differs from the expected one; nil if it does not. Objects match when the fields written
// match; a name that ends with |STARTS_WITH matches a prefix. exact wants objects to have no other fields.
func match(want, got any, exact bool) error {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return differ(want, got)
		}
		return matchObjects(w, g, exact)
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return differ(want, got)
		}
		for i := range w {
			if err := match(w[i], g[i], exact); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return nil
	case json.Number:
		g, ok := got.(json.Number)
		if !ok || !sameNumber(w.String(), g.String()) {
			return differ(want, got)
		}
		return nil
	}
	if want != got {
		return differ(want, got)
	}
	return nil
}

func matchObjects(want, got map[string]any, exact bool) error {
	if exact && len(want) != len(got) {
		return differ(want, got)
	}
	for name, w := range want {
		plain, operator, _ := strings.Cut(name, "|")
		g, ok := got[plain]
		if !ok {
			return fmt.Errorf("no field %s in %s", plain, show(got))
		}
		if strings.EqualFold(operator, "starts_with") {
			prefix, isText := w.(string)
			text, gotText := g.(string)
			if !isText || !gotText || !strings.HasPrefix(text, prefix) {
				return fmt.Errorf("%s: want something that starts with %s, got %s", plain, show(w), show(g))
			}
			continue
		}
		if err := match(w, g, exact || plain == "columns"); err != nil {
			return fmt.Errorf("%s: %w", plain, err)
		}
	}
	return nil
}

func sameNumber(a, b string) bool {
	x, _, errX := apd.NewFromString(a)
	y, _, errY := apd.NewFromString(b)
	if errX != nil || errY != nil {
		return a == b
	}
	if x.Cmp(y) == 0 {
		return true
	}
	if x.Exponent >= 0 && y.Exponent >= 0 {
		return false
	}
	f, errF := x.Float64()
	g, errG := y.Float64()
	return errF == nil && errG == nil && math.Abs(f-g) <= tolerance
}

// matchRows compares the rows of a query: the header is first, the rest is a bag unless ordered.
func matchRows(want, got []any, ordered bool) error {
	for i, w := range want {
		if i >= len(got) {
			return fmt.Errorf("%d objects, want %d; the first missing is %s", len(got), len(want), show(w))
		}
		if !ordered && !isHeader(w) {
			break
		}
		if err := match(w, got[i], false); err != nil {
			return fmt.Errorf("object %d: %w", i+1, err)
		}
	}
	if len(want) != len(got) {
		return fmt.Errorf("%d objects, want %d: %s", len(got), len(want), show(got))
	}
	if ordered {
		return nil
	}
	left := append([]any(nil), got...)
next:
	for _, w := range want {
		for i, g := range left {
			if match(w, g, false) == nil {
				left = append(left[:i], left[i+1:]...)
				continue next
			}
		}
		return fmt.Errorf("no %s in %s", show(w), show(left))
	}
	return nil
}

func isHeader(v any) bool {
	m, ok := v.(map[string]any)
	_, header := m["header"]
	return ok && header
}

func differ(want, got any) error { return fmt.Errorf("want %s, got %s", show(want), show(got)) }

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(b) > 1000 {
		b = append(b[:1000], "…"...)
	}
	return string(b)
}
