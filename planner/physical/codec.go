package physical

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/planner/expr"
)

// planDoc is the JSON form of a Plan.
type planDoc struct {
	Version         int                 `json:"version"`
	QueryID         string              `json:"queryId"`
	SQL             string              `json:"sql"`
	Stages          []*stageDoc         `json:"stages"`
	Sink            *SinkInfo           `json:"sink,omitempty"`
	Sources         []string            `json:"sources"`
	Materialization *materializationDoc `json:"materialization,omitempty"`
	Output          *Output             `json:"output,omitempty"`
}

type stageDoc struct {
	ID         int      `json:"id"`
	Partitions int      `json:"partitions"`
	Inputs     []*Input `json:"inputs"`
	Stores     []*Store `json:"stores,omitempty"`
	Root       *nodeDoc `json:"root"`
}

// materializationDoc refers to the aggregate by the name of its store.
type materializationDoc struct {
	Stage      int              `json:"stage"`
	Store      string           `json:"store"`
	Aggregate  bool             `json:"aggregate,omitempty"`
	Steps      []*nodeDoc       `json:"steps,omitempty"`
	Columns    []types.Column   `json:"columns"`
	Key        int              `json:"key"`
	Window     types.WindowType `json:"window,omitempty"`
	KeyFormat  FormatSpec       `json:"keyFormat"`
	KeyColumns []types.Column   `json:"keyColumns"`
	Partitions int              `json:"partitions"`
}

// nodeDoc is the JSON form of any node; which fields count depends on Type.
type nodeDoc struct {
	Type string     `json:"type"`
	Name string     `json:"name,omitempty"`
	In   []*nodeDoc `json:"in,omitempty"`
	Row  *RowType   `json:"row,omitempty"`

	Input      int               `json:"input,omitempty"`
	Columns    []SourceColumn    `json:"columns,omitempty"`
	Store      string            `json:"store,omitempty"`
	RightStore string            `json:"rightStore,omitempty"`
	OuterStore string            `json:"outerStore,omitempty"`
	Cond       json.RawMessage   `json:"cond,omitempty"`
	Exprs      []json.RawMessage `json:"exprs,omitempty"`
	Having     bool              `json:"having,omitempty"`
	Rekey      bool              `json:"rekey,omitempty"`
	Calls      []callDoc         `json:"calls,omitempty"`
	Window     *types.WindowSpec `json:"window,omitempty"`
	Table      bool              `json:"table,omitempty"`
	Join       JoinKind          `json:"join,omitempty"`
	BeforeMs   int64             `json:"beforeMs,omitempty"`
	AfterMs    int64             `json:"afterMs,omitempty"`
	GraceMs    int64             `json:"graceMs,omitempty"`
	GraceGiven bool              `json:"graceGiven,omitempty"`

	DropNullKey  bool             `json:"dropNullKey,omitempty"`
	Changes      bool             `json:"changes,omitempty"`
	Topic        string           `json:"topic,omitempty"`
	KeyColumns   []types.Column   `json:"keyColumns,omitempty"`
	ValueColumns []types.Column   `json:"valueColumns,omitempty"`
	KeyIndex     []int            `json:"keyIndex,omitempty"`
	ValueIndex   []int            `json:"valueIndex,omitempty"`
	KeyFormat    *FormatSpec      `json:"keyFormat,omitempty"`
	ValueFormat  *FormatSpec      `json:"valueFormat,omitempty"`
	Partitions   int              `json:"partitions,omitempty"`
	SinkWindow   types.WindowType `json:"sinkWindow,omitempty"`
	Timestamp    *Timestamp       `json:"timestamp,omitempty"`
	ForwardKey   bool             `json:"forwardKey,omitempty"`
}

type callDoc struct {
	Name     string            `json:"name"`
	Overload int               `json:"overload,omitempty"`
	Args     []json.RawMessage `json:"args,omitempty"`
	Literals []json.RawMessage `json:"literals,omitempty"`
	Type     *types.Type       `json:"type"`
}

// Encode writes a plan as versioned JSON. Equal plans give equal bytes.
func Encode(p *Plan) ([]byte, error) {
	d := planDoc{Version: p.Version, QueryID: p.QueryID, SQL: p.SQL, Sink: p.Sink, Sources: p.Sources, Output: p.Output}
	e := &encoder{}
	for _, s := range p.Stages {
		d.Stages = append(d.Stages, &stageDoc{ID: s.ID, Partitions: s.Partitions, Inputs: s.Inputs, Stores: s.Stores, Root: e.node(s.Root)})
	}
	if m := p.Materialization; m != nil {
		d.Materialization = &materializationDoc{
			Stage: m.Stage, Store: m.Store, Aggregate: m.Aggregate != nil, Columns: m.Columns, Key: m.Key, Window: m.Window,
			KeyFormat: m.KeyFormat, KeyColumns: m.KeyColumns, Partitions: m.Partitions,
		}
		for _, n := range m.Steps {
			d.Materialization.Steps = append(d.Materialization.Steps, e.node(n))
		}
	}
	if e.err != nil {
		return nil, fmt.Errorf("plan %s: %w", p.QueryID, e.err)
	}
	return json.Marshal(d)
}

// Decode reads what [Encode] wrote. A plan of a higher version, one that is damaged or whose parts do not fit together is
// an error.
func Decode(data []byte) (*Plan, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var d planDoc
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	if d.Version < 1 || d.Version > Version {
		return nil, fmt.Errorf("plan %s: version %d is unknown, this is version %d", d.QueryID, d.Version, Version)
	}
	p := &Plan{Version: d.Version, QueryID: d.QueryID, SQL: d.SQL, Sink: d.Sink, Sources: d.Sources, Output: d.Output}
	for _, s := range d.Stages {
		if s == nil {
			return nil, fmt.Errorf("plan %s: a stage is missing", d.QueryID)
		}
		st := &Stage{ID: s.ID, Partitions: s.Partitions, Inputs: s.Inputs, Stores: s.Stores}
		root, err := decodeNode(s.Root, 0, false)
		if err == nil {
			st.Root = root
			err = checkStage(st)
		}
		if err != nil {
			return nil, fmt.Errorf("plan %s: stage %d: %w", d.QueryID, s.ID, err)
		}
		p.Stages = append(p.Stages, st)
	}
	if len(p.Stages) == 0 {
		return nil, fmt.Errorf("plan %s: it has no stages", d.QueryID)
	}
	if d.Materialization != nil {
		m, err := decodeMaterialization(d.Materialization, p)
		if err != nil {
			return nil, fmt.Errorf("plan %s: materialization: %w", d.QueryID, err)
		}
		p.Materialization = m
	}
	return p, nil
}

func decodeMaterialization(d *materializationDoc, p *Plan) (*Materialization, error) {
	m := &Materialization{
		Stage: d.Stage, Store: d.Store, Columns: d.Columns, Key: d.Key, Window: d.Window,
		KeyFormat: d.KeyFormat, KeyColumns: d.KeyColumns, Partitions: d.Partitions,
	}
	if d.Stage < 0 || d.Stage >= len(p.Stages) {
		return nil, fmt.Errorf("there is no stage %d", d.Stage)
	}
	if d.Key < 0 || d.Key > len(d.Columns) {
		return nil, errors.New("its key is longer than its columns")
	}
	if d.Aggregate {
		walk(p.Stages[d.Stage].Root, func(n Node) {
			if a, ok := n.(*Aggregate); ok && a.Store == d.Store {
				m.Aggregate = a
			}
		})
		if m.Aggregate == nil {
			return nil, fmt.Errorf("there is no aggregate with store %s", d.Store)
		}
	}
	for _, s := range d.Steps {
		n, err := decodeNode(s, 0, true)
		if err != nil {
			return nil, err
		}
		m.Steps = append(m.Steps, n)
	}
	return m, nil
}

// walk visits a tree, parents first.
func walk(n Node, f func(Node)) {
	f(n)
	for _, c := range n.Children() {
		if c != nil {
			walk(c, f)
		}
	}
}

// exprs writes expressions.
func (e *encoder) exprs(xs []expr.Expr) []json.RawMessage {
	out := make([]json.RawMessage, len(xs))
	for i, x := range xs {
		out[i] = e.expr(x)
	}
	return out
}

type encoder struct{ err error }

func (e *encoder) expr(x expr.Expr) json.RawMessage {
	data, err := expr.Marshal(x)
	if err != nil && e.err == nil {
		e.err = err
	}
	return data
}
