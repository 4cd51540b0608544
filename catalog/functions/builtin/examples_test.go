package builtin_test

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/functions/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func TestExamples(t *testing.T) {
	registry := builtin.Registry()
	for _, s := range registry.Specs() {
		t.Run(s.Name, func(t *testing.T) {
			if len(s.Examples) < 2 {
				t.Errorf("%d examples; at least two are wanted", len(s.Examples))
			}
			for _, e := range s.Examples {
				c := &compiler{registry: registry, env: testEnv()}
				got, err := c.run(s, e)
				if want, ok := strings.CutPrefix(e.Want, "error: "); ok {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("%s\n  got  %s, error %v\n  want error %s", e.SQL, got, err, want)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s %v: %v", e.SQL, e.Rows, err)
				} else if got != e.Want {
					t.Errorf("%s %v\n  got  %s\n  want %s", e.SQL, e.Rows, got, e.Want)
				}
			}
		})
	}
}

func (c *compiler) run(s *functions.Spec, e functions.Example) (string, error) {
	n, err := readExample(e.SQL)
	if err != nil {
		return "", err
	}
	switch s.Kind {
	case functions.AggregateKind:
		return c.aggregate(s, n, e.Rows)
	case functions.TableKind:
		return c.table(s, n)
	}
	t, eval, err := c.compile(n, nil)
	if err != nil {
		return "", err
	}
	v, err := eval()
	if err != nil {
		return "", err
	}
	return c.json(t, v)
}

// rows gives the columns of an aggregate's example their types and values.
func (c *compiler) rows(columns []string, texts []string) ([]*types.Type, [][]types.Slot, error) {
	ts := make([]*types.Type, len(columns))
	values := make([][]types.Slot, len(texts))
	froms := make([][]*types.Type, len(texts))
	for r, text := range texts {
		cells, err := readList(text)
		if err != nil {
			return nil, nil, err
		}
		for i, cell := range cells {
			t, eval, err := c.compile(cell, nil)
			if err != nil {
				return nil, nil, err
			}
			v, err := eval()
			if err != nil {
				return nil, nil, err
			}
			values[r], froms[r] = append(values[r], functions.Keep(v)), append(froms[r], t)
			if t.Kind != types.Null && (ts[i] == nil || functions.CanCastImplicitly(ts[i], t)) {
				ts[i] = t
			}
		}
	}
	for i := range ts {
		if ts[i] == nil {
			ts[i] = types.StringType
		}
	}
	return ts, values, nil
}

func (c *compiler) aggregate(s *functions.Spec, n *node, texts []string) (string, error) {
	var columns []string
	for _, a := range n.args {
		if a.kind == "name" {
			columns = append(columns, a.text)
		}
	}
	columnTypes, values, err := c.rows(columns, texts)
	if err != nil {
		return "", err
	}
	args := make([]*types.Type, len(n.args))
	literals := make([]any, len(n.args))
	at := 0
	for i, a := range n.args {
		if a.kind == "name" {
			args[i] = columnTypes[at]
			at++
		} else {
			args[i], literals[i] = a.t, a.value
		}
	}
	res, err := s.ResolveAggregate(args)
	if err != nil {
		return "", err
	}
	o := s.Aggregates[res.Overload]
	agg, err := o.New(c.env, res.Args, literals)
	if err != nil {
		return "", err
	}
	stateTypes, err := o.State(res.Args)
	if err != nil {
		return "", err
	}
	state := make([]types.Slot, len(stateTypes))
	agg.Init(state)
	for _, row := range values {
		slots := make([]types.Slot, len(n.args))
		at := 0
		for i, a := range n.args {
			if a.kind == "name" {
				slots[i] = row[at]
				at++
			}
		}
		if err := agg.Add(state, slots); err != nil {
			return "", err
		}
	}
	v, err := agg.Result(state)
	if err != nil {
		return "", err
	}
	return c.json(res.Result, v)
}

func (c *compiler) table(s *functions.Spec, n *node) (string, error) {
	ts := make([]*types.Type, len(n.args))
	slots := make([]types.Slot, len(n.args))
	for i, a := range n.args {
		t, eval, err := c.compile(a, nil)
		if err != nil {
			return "", err
		}
		if slots[i], err = eval(); err != nil {
			return "", err
		}
		ts[i] = t
	}
	res, err := s.ResolveTable(ts)
	if err != nil {
		return "", err
	}
	f, err := s.Tables[res.Overload].New(c.env, res.Args, res.Result)
	if err != nil {
		return "", err
	}
	rows, err := f(nil, slots)
	if err != nil {
		return "", err
	}
	items := make([]any, len(rows))
	for i, r := range rows {
		items[i] = r.Boxed(res.Result)
	}
	return c.json(types.ArrayOf(res.Result), types.RefSlot(items))
}
