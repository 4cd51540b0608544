package sqltest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// tolerance is how far DOUBLEs may differ.
const tolerance = 0.000001

// Compare tells how a JSON value differs from the expected one, both as [Parse] gives them; nil if it does not. t is the
// SQL type, nil if it is not known. Field names match as written or else in upper case; DECIMALs match with their scale
// and may be written as text; DOUBLEs may differ a little.
func Compare(want, got any, t *types.Type) error {
	if want == nil || got == nil {
		if want != got {
			return differ(want, got)
		}
		return nil
	}
	if t == nil {
		t = &types.Type{}
	}
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return differ(want, got)
		}
		return compareObjects(w, g, t)
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return differ(want, got)
		}
		for i := range w {
			if err := Compare(w[i], g[i], t.Elem); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return nil
	}
	return compareScalars(want, got, t)
}

func differ(want, got any) error { return fmt.Errorf("want %v, got %v", show(want), show(got)) }

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

func compareObjects(want, got map[string]any, t *types.Type) error {
	if len(want) != len(got) {
		return differ(want, got)
	}
	for name, w := range want {
		g, ok := got[name]
		if !ok {
			if g, ok = got[strings.ToUpper(name)]; !ok && w != nil {
				return fmt.Errorf("no field %s in %s", name, show(got))
			}
		}
		if err := Compare(w, g, fieldType(t, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// fieldType is the type of a field of a STRUCT, or of the values of a MAP.
func fieldType(t *types.Type, name string) *types.Type {
	if t.Kind == types.Map {
		return t.Elem
	}
	for i := range t.Fields {
		if t.Fields[i].Name == name || t.Fields[i].Name == strings.ToUpper(name) {
			return t.Fields[i].Type
		}
	}
	return nil
}

func compareScalars(want, got any, t *types.Type) error {
	w, wantNumber := numberText(want, t)
	g, gotNumber := numberText(got, t)
	if !wantNumber || !gotNumber {
		if want != got {
			return differ(want, got)
		}
		return nil
	}
	x, _, errX := apd.NewFromString(w)
	y, _, errY := apd.NewFromString(g)
	if errX != nil || errY != nil {
		if w != g {
			return differ(want, got)
		}
		return nil
	}
	switch t.Kind {
	case types.Decimal:
		if x.Cmp(y) == 0 && x.Exponent == y.Exponent {
			return nil
		}
	case types.Int, types.Bigint:
		if x.Cmp(y) == 0 {
			return nil
		}
	default:
		a, errA := x.Float64()
		b, errB := y.Float64()
		if errA == nil && errB == nil && (x.Cmp(y) == 0 || math.Abs(a-b) <= tolerance) {
			return nil
		}
	}
	return differ(want, got)
}

// numberText gives the text of a number; DECIMALs may be written as text.
func numberText(v any, t *types.Type) (string, bool) {
	switch x := v.(type) {
	case json.Number:
		return x.String(), true
	case string:
		return x, t.Kind == types.Decimal
	}
	return "", false
}
