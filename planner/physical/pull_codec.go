package physical

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// pullVersion is the version of encoded pull plans.
const pullVersion = 1

// pullDoc is the JSON form of a Pull, without what the plan of its query tells.
type pullDoc struct {
	Version      int               `json:"version"`
	QueryID      string            `json:"queryId"`
	Source       string            `json:"source"`
	Lookups      []lookupDoc       `json:"lookups"`
	Where        json.RawMessage   `json:"where,omitempty"`
	Exprs        []json.RawMessage `json:"exprs"`
	Columns      []types.Column    `json:"columns"`
	KeyPositions []int             `json:"keyPositions,omitempty"`
	Limit        int64             `json:"limit"`
}

type lookupDoc struct {
	Key           []json.RawMessage `json:"key,omitempty"`
	From          json.RawMessage   `json:"from,omitempty"`
	To            json.RawMessage   `json:"to,omitempty"`
	FromInclusive bool              `json:"fromInclusive,omitempty"`
	ToInclusive   bool              `json:"toInclusive,omitempty"`
	StartMin      *int64            `json:"startMin,omitempty"`
	StartMax      *int64            `json:"startMax,omitempty"`
	EndMin        *int64            `json:"endMin,omitempty"`
	EndMax        *int64            `json:"endMax,omitempty"`
}

// EncodePull writes a pull plan as versioned JSON. Its materialization is not written: the reader has the plan of the query.
func EncodePull(p *Pull) ([]byte, error) {
	e := &encoder{}
	d := pullDoc{Version: pullVersion, QueryID: p.QueryID, Source: p.Source, Exprs: e.exprs(p.Exprs), Columns: p.Columns,
		KeyPositions: p.KeyPositions, Limit: p.Limit}
	if p.Where != nil {
		d.Where = e.expr(p.Where)
	}
	for i := range p.Lookups {
		l := &p.Lookups[i]
		out := lookupDoc{From: e.literal(l.From), To: e.literal(l.To), FromInclusive: l.FromInclusive, ToInclusive: l.ToInclusive,
			StartMin: l.StartMin, StartMax: l.StartMax, EndMin: l.EndMin, EndMax: l.EndMax}
		for _, k := range l.Key {
			out.Key = append(out.Key, e.expr(k))
		}
		d.Lookups = append(d.Lookups, out)
	}
	if e.err != nil {
		return nil, fmt.Errorf("pull plan of %s: %w", p.QueryID, e.err)
	}
	return json.Marshal(d)
}

// literal writes a literal; nothing for nil.
func (e *encoder) literal(l *expr.Literal) json.RawMessage {
	if l == nil {
		return nil
	}
	return e.expr(l)
}

// DecodePull reads what [EncodePull] wrote, for the plan of the query it reads. A plan of another version or query, one that
// is damaged, or whose keys are not those of the table, is an error.
func DecodePull(data []byte, plan *Plan) (*Pull, error) {
	var d pullDoc
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("pull plan: %w", err)
	}
	switch {
	case d.Version != pullVersion:
		return nil, fmt.Errorf("pull plan: version %d is unknown, this is version %d", d.Version, pullVersion)
	case d.QueryID != plan.QueryID:
		return nil, fmt.Errorf("pull plan: it reads %s, not %s", d.QueryID, plan.QueryID)
	case plan.Materialization == nil:
		return nil, fmt.Errorf("pull plan: %s keeps no table", plan.QueryID)
	case len(d.Exprs) != len(d.Columns):
		return nil, fmt.Errorf("pull plan: %d expressions for %d columns", len(d.Exprs), len(d.Columns))
	}
	p := &Pull{QueryID: d.QueryID, Source: d.Source, Materialization: plan.Materialization, Columns: d.Columns,
		KeyPositions: d.KeyPositions, Limit: d.Limit}
	var err error
	if p.Exprs, err = decodeExprs(d.Exprs); err == nil && len(d.Where) > 0 {
		p.Where, err = expr.Unmarshal(d.Where)
	}
	for i := range d.Lookups {
		var l Lookup
		if err == nil {
			l, err = d.Lookups[i].decode(plan.Materialization)
		}
		p.Lookups = append(p.Lookups, l)
	}
	for _, c := range d.Columns {
		if c.Type == nil && err == nil {
			err = fmt.Errorf("the column %s has no type", c.Name)
		}
	}
	for _, k := range d.KeyPositions {
		if (k < 0 || k >= len(d.Columns)) && err == nil {
			err = fmt.Errorf("there is no column %d", k)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("pull plan of %s: %w", d.QueryID, err)
	}
	return p, nil
}

func (d *lookupDoc) decode(m *Materialization) (Lookup, error) {
	l := Lookup{FromInclusive: d.FromInclusive, ToInclusive: d.ToInclusive, StartMin: d.StartMin, StartMax: d.StartMax,
		EndMin: d.EndMin, EndMax: d.EndMax}
	if len(d.Key) > 0 && len(d.Key) != m.Key {
		return l, fmt.Errorf("a key of %d columns; the table's has %d", len(d.Key), m.Key)
	}
	for i, data := range d.Key {
		k, err := decodeLiteral(data, m.Columns[i].Type)
		if err != nil {
			return l, err
		}
		l.Key = append(l.Key, k)
	}
	if len(d.From) == 0 && len(d.To) == 0 {
		return l, nil
	}
	if m.Key != 1 {
		return l, errors.New("a range over a key of several columns")
	}
	var err error
	if len(d.From) > 0 {
		if l.From, err = decodeLiteral(d.From, m.Columns[0].Type); err != nil {
			return l, err
		}
	}
	if len(d.To) > 0 {
		l.To, err = decodeLiteral(d.To, m.Columns[0].Type)
	}
	return l, err
}

// decodeLiteral reads a literal that is not null and of the type of a key column.
func decodeLiteral(data json.RawMessage, t *types.Type) (*expr.Literal, error) {
	x, err := expr.Unmarshal(data)
	if err != nil {
		return nil, err
	}
	l, ok := x.(*expr.Literal)
	switch {
	case !ok || l.Value == nil:
		return nil, errors.New("a key that is no constant")
	case l.T.String() != t.String():
		return nil, fmt.Errorf("a key of type %s; the column's is %s", l.T, t)
	}
	return l, nil
}
