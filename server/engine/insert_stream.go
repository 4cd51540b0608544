package engine

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/properties"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/position"
	"github.com/ksqlgo/ksqlgo/server/api"
)

// Inserter checks the target of an /inserts-stream request and returns what takes its rows. tokens are those of the request,
// see Request.
func (e *Engine) Inserter(_ context.Context, target string, props map[string]string, tokens []string) (Inserter, error) {
	name := sourceName(target)
	src, ok := e.Catalog().Source(name)
	switch {
	case !ok:
		return nil, api.NewError(api.CodeBadStatement, "Cannot insert values into an unknown stream/table: `%s`", name)
	case src.ReadOnly:
		return nil, api.NewError(api.CodeBadRequest, "Cannot insert values into read-only %s: %s", kindName(src.Kind), name)
	case src.Kind == catalog.Table:
		return nil, api.NewError(api.CodeBadStatement, "Cannot insert into a table")
	case src.Window != types.NoWindow:
		return nil, api.NewError(api.CodeBadRequest, "Cannot insert into a windowed stream: %s", name)
	case props["ksql.insert.into.values.enabled"] == "false" || e.cfg.Properties["ksql.insert.into.values.enabled"] == "false":
		return nil, api.NewError(api.CodeBadRequest, "The server has disabled INSERT INTO ... VALUES functionality. ")
	}
	if err := e.checkDenied(slices.Collect(maps.Keys(props))...); err != nil {
		return nil, err
	}
	s := &session{e: e, overrides: map[string]string{}, tokens: tokens}
	for name, value := range props {
		s.overrides[properties.Normalize(name)] = value
	}
	c, err := s.consistency()
	if err != nil {
		return nil, err
	}
	w, err := e.newRecordWriter(src)
	if err != nil {
		return nil, api.NewError(api.CodeBadRequest, "%v", err)
	}
	return &inserter{w: w, src: src, written: c.want, tells: c.tells}, nil
}

// sourceName resolves a name given outside SQL: upper case unless in back-quotes.
func sourceName(text string) string {
	if n := len(text); n >= 2 && text[0] == '`' && text[n-1] == '`' {
		return text[1 : n-1]
	}
	return strings.ToUpper(text)
}

type inserter struct {
	w   *recordWriter
	src *catalog.Source
	// written are the positions of the rows so far, raised from those of the request; tells says that they are told.
	written position.Vector
	tells   bool
}

// Insert implements Inserter.
func (i *inserter) Insert(ctx context.Context, row map[string]json.RawMessage) (string, error) {
	fields := make(map[string]json.RawMessage, len(row))
	for name, value := range row {
		fields[columnName(name)] = value
	}
	key, err := i.side(i.src.Schema.Key, fields, true)
	if err != nil {
		return "", err
	}
	value, err := i.side(i.src.Schema.Value, fields, false)
	if err != nil {
		return "", err
	}
	if err := i.w.write(ctx, key, value, i.w.e.cfg.Now().UnixMilli(), i.written); err != nil {
		return "", api.NewError(api.CodeServerError, "%v", err)
	}
	if !i.tells {
		return "", nil
	}
	return i.written.Token(), nil
}

// columnName resolves a JSON field name: upper case unless the name itself is in quotes.
func columnName(text string) string {
	if n := len(text); n >= 2 && (text[0] == '`' && text[n-1] == '`' || text[0] == '"' && text[n-1] == '"') {
		return text[1 : n-1]
	}
	return strings.ToUpper(text)
}

func (i *inserter) side(columns []types.Column, fields map[string]json.RawMessage, required bool) ([]types.Slot, error) {
	out := make([]types.Slot, len(columns))
	for n, c := range columns {
		raw, ok := fields[c.Name]
		if !ok && required {
			return nil, api.NewError(api.CodeBadRequest, "Key field must be specified: %s", c.Name)
		}
		if !ok {
			out[n] = types.Slot{Null: true}
			continue
		}
		v, err := coerce(raw, c.Type)
		if err != nil {
			return nil, api.NewError(api.CodeBadRequest, "%v", err)
		}
		out[n] = types.Unbox(c.Type, v)
	}
	return out, nil
}

// coerce reads a JSON value as a boxed value of a type, strictly: numbers widen, DECIMAL takes text too, BYTES base64, the
// time types text.
func coerce(raw json.RawMessage, t *types.Type) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("Invalid JSON in inserts stream")
	}
	return coerceValue(v, t)
}

func coerceValue(v any, t *types.Type) (any, error) {
	refuse := func() error {
		return fmt.Errorf("Can't coerce a field of type %s into type %s", jsonKind(v), t)
	}
	switch x := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if t.Kind == types.Boolean {
			return x, nil
		}
	case json.Number:
		return coerceNumber(x.String(), t, refuse)
	case string:
		return coerceText(x, t, refuse)
	case []any:
		if t.Kind != types.Array {
			break
		}
		out := make([]any, len(x))
		for i, e := range x {
			var err error
			if out[i], err = coerceValue(e, t.Elem); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		return coerceObject(x, t, refuse)
	}
	return nil, refuse()
}

func coerceNumber(text string, t *types.Type, refuse func() error) (any, error) {
	switch t.Kind {
	case types.Int:
		if n, err := strconv.ParseInt(text, 10, 32); err == nil {
			return int32(n), nil
		}
	case types.Bigint:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	case types.Double:
		if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) {
			return f, nil
		}
	case types.Decimal:
		return coerceDecimal(text, t, refuse)
	}
	return nil, refuse()
}

func coerceDecimal(text string, t *types.Type, refuse func() error) (any, error) {
	d, err := types.ParseDecimal(text)
	if err != nil {
		return nil, refuse()
	}
	scaled := new(apd.Decimal)
	if err := types.SetScale(scaled, d, t.Scale, apd.RoundHalfUp, true); err != nil {
		return nil, err
	}
	if err := types.FitDecimal(scaled, t); err != nil {
		return nil, err
	}
	return scaled, nil
}

func coerceText(x string, t *types.Type, refuse func() error) (any, error) {
	switch t.Kind {
	case types.String:
		return x, nil
	case types.Decimal:
		return coerceDecimal(x, t, refuse)
	case types.Bytes:
		if b, err := base64.StdEncoding.DecodeString(x); err == nil {
			return b, nil
		}
	case types.Date, types.Time, types.Timestamp:
		cast, err := types.NewCaster(types.StringType, t)
		if err != nil {
			return nil, err
		}
		s, err := cast(types.Slot{B: []byte(x)})
		if err != nil {
			return nil, err
		}
		return s.Boxed(t), nil
	}
	return nil, refuse()
}

func coerceObject(x map[string]any, t *types.Type, refuse func() error) (any, error) {
	switch t.Kind {
	case types.Map:
		m := &types.MapValue{}
		for k, e := range x {
			v, err := coerceValue(e, t.Elem)
			if err != nil {
				return nil, err
			}
			m.Put(k, v)
		}
		return m, nil
	case types.Struct:
		out := make(types.StructValue, len(t.Fields))
		for i, f := range t.Fields {
			e, ok := x[f.Name]
			for k, candidate := range x {
				if !ok && columnName(k) == f.Name {
					e, ok = candidate, true
				}
			}
			v, err := coerceValue(e, f.Type)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	}
	return nil, refuse()
}

func jsonKind(v any) string {
	switch v.(type) {
	case bool:
		return "Boolean"
	case json.Number:
		return "Number"
	case string:
		return "String"
	case []any:
		return "Array"
	}
	return "Object"
}
