package planner

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/grammar/diag"
	"github.com/ksqlgo/ksqlgo/planner/physical"
)

// none is the key format of keyless streams.
const noneFormat = "NONE"

// side describes the key or the value of a topic while its format is decided.
type side struct {
	key     bool
	topic   string
	columns []types.Column
	// wrap is WRAP_SINGLE_VALUE if it was given, or what the server's property says.
	wrap, wrapGiven bool
	// wrapByProperty: wrap came from ksql.persistence.wrap.single.values.
	wrapByProperty bool
	at             diag.Span
}

func (env *Env) format(name string, at diag.Span) (formats.Format, error) {
	if f, ok := env.Formats.Lookup(name); ok {
		return f, nil
	}
	err := diag.Errorf(diag.InvalidValue, at, "Unknown format: %s", name)
	if s, ok := diag.Suggest(name, env.Formats.Names()); ok {
		return nil, err.WithHint("Did you mean %s?", s)
	}
	return nil, err.WithHint("The formats are: %s.", strings.Join(env.Formats.Names(), ", "))
}

// sideFormat decides how a side is written and refuses columns or properties that the format cannot carry.
func (env *Env) sideFormat(s side, name string, props map[string]string) (catalog.Format, error) {
	f, err := env.format(name, s.at)
	if err != nil {
		return catalog.Format{}, err
	}
	if err := checkMapKeys(s); err != nil {
		return catalog.Format{}, err
	}
	if err := checkFormatProperties(f, props, s.at); err != nil {
		return catalog.Format{}, err
	}
	out := catalog.Format{Name: f.Name(), Properties: props}
	if out.Unwrapped, err = s.unwrapped(f); err != nil {
		return catalog.Format{}, err
	}
	if err := f.Check(s.spec(out)); err != nil {
		return catalog.Format{}, &diag.Error{Code: diag.InvalidSource, Span: s.at, Message: err.Error(), Cause: err}
	}
	return out, nil
}

func (s side) spec(f catalog.Format) *formats.Spec {
	return &formats.Spec{Topic: s.topic, IsKey: s.key, Columns: s.columns, Locs: types.NewLayout(s.columns).Locs, Unwrapped: f.Unwrapped, Properties: f.Properties}
}

// unwrapped says whether a single column is the whole key or value.
func (s side) unwrapped(f formats.Format) (bool, error) {
	single := len(s.columns) == 1
	if s.key {
		return single && f.Wrapping() == formats.WrapOptional, nil
	}
	if s.wrapGiven && !s.wrapByProperty {
		if s.wrap && f.Wrapping() == formats.WrapNever || !s.wrap && f.Wrapping() == formats.WrapAlways {
			return false, diag.Errorf(diag.InvalidValue, s.at, "Format '%s' does not support 'WRAP_SINGLE_VALUE' set to '%v'.", f.Name(), s.wrap)
		}
		if !single {
			return false, diag.Errorf(diag.InvalidValue, s.at, "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas")
		}
	}
	return single && s.wrapGiven && !s.wrap && f.Wrapping() == formats.WrapOptional, nil
}

func checkMapKeys(s side) error {
	if !s.key {
		return nil
	}
	for _, c := range s.columns {
		if containsMap(c.Type) {
			return diag.Errorf(diag.InvalidSource, s.at, "Map keys, including types that contain maps, are not supported as they may lead to unexpected behavior "+
				"due to inconsistent serialization. Key column name: %s. Column type: %s. See https://github.com/confluentinc/ksql/issues/6621 for more.",
				types.QuoteName(c.Name), c.Type)
		}
	}
	return nil
}

func containsMap(t *types.Type) bool {
	switch t.Kind {
	case types.Map:
		return true
	case types.Array:
		return containsMap(t.Elem)
	case types.Struct:
		return slices.ContainsFunc(t.Fields, func(f types.Field) bool { return containsMap(f.Type) })
	}
	return false
}

func checkFormatProperties(f formats.Format, props map[string]string, at diag.Span) error {
	var unknown []string
	for name := range props {
		if !slices.Contains(f.Properties(), name) {
			unknown = append(unknown, formatProperties[name])
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	sort.Strings(unknown)
	return diag.Errorf(diag.UnknownProperty, at, "%s does not support the following configs: [%s]", f.Name(), strings.Join(unknown, ", "))
}

// formatSpec is the format of a source as plans hold it.
func formatSpec(f catalog.Format) physical.FormatSpec {
	return physical.FormatSpec{Name: f.Name, Unwrapped: f.Unwrapped, Properties: maps.Clone(f.Properties)}
}

// wrapping reads WRAP_SINGLE_VALUE and the property that is its default.
func (env *Env) wrapping(w *with, s *side) error {
	v, ok, err := w.flag(withWrap)
	if err != nil {
		return err
	}
	if ok {
		p, _ := w.get(withWrap)
		s.wrap, s.wrapGiven, s.at = v, true, p.Span()
		return nil
	}
	if text := env.property("ksql.persistence.wrap.single.values"); text != "" {
		s.wrap, s.wrapGiven, s.wrapByProperty = strings.EqualFold(text, "true"), true, true
	}
	return nil
}

// missingFormat is the error for a side without a format.
func missingFormat(w *with, name, property string) error {
	return diag.Errorf(diag.InvalidSource, w.at, "%s",
		fmt.Sprintf("Statement is missing the '%s' property from the WITH clause. Either provide one or set a default via the '%s' config.", name, property))
}
