// Package commandlog holds the ordered log of DDL: what a command is, how it is written at the head of the log after it
// was validated there, and how every server applies the log in offset order.
package commandlog

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Version of the command format written by this build. A record with a higher one puts a reader into DEGRADED.
const Version = 1

// Action says what a command does.
type Action string

// The actions.
const (
	// CreateSource declares Source.
	CreateSource Action = "createSource"
	// StartQuery starts Query with Plan; Source, if set, is declared as its sink.
	StartQuery Action = "startQuery"
	// DropSource removes the source Name and terminates the query that created it; DeleteTopic removes its topic too.
	DropSource Action = "dropSource"
	// TerminateQuery, PauseQuery and ResumeQuery act on the query Name, or on all when it is "ALL".
	TerminateQuery Action = "terminateQuery"
	PauseQuery     Action = "pauseQuery"
	ResumeQuery    Action = "resumeQuery"
	// CreateType and DropType act on the named type Name.
	CreateType Action = "createType"
	DropType   Action = "dropType"
)

// Command is one record of the log: all that a server needs to apply it without planning again. Immutable.
type Command struct {
	Version int    `json:"version"`
	Action  Action `json:"action"`
	// Statement is the canonical text.
	Statement string `json:"statement"`
	// Properties are those the client had set when it sent the statement.
	Properties map[string]string `json:"properties,omitempty"`
	Source     *catalog.Source   `json:"source,omitempty"`
	Query      *catalog.Query    `json:"query,omitempty"`
	// Plan is the physical plan of Query as planner/physical encodes it.
	Plan        json.RawMessage `json:"plan,omitempty"`
	Name        string          `json:"name,omitempty"`
	Type        *types.Type     `json:"type,omitempty"`
	DeleteTopic bool            `json:"deleteTopic,omitempty"`
	// Topic of a dropped source, for the message.
	Topic string `json:"topic,omitempty"`
}

// ID is what a command is about, as ksqlDB names it: stream/`ORDERS`/create. It is the record's key.
type ID struct {
	Type, Entity, Action string
}

// String gives type/entity/action.
func (id ID) String() string { return id.Type + "/" + id.Entity + "/" + id.Action }

// EncodeKey writes the record key: the id as JSON text, as ksqlDB does.
func EncodeKey(id ID) ([]byte, error) { return json.Marshal(id.String()) }

// DecodeKey reads a record key.
func DecodeKey(b []byte) (string, error) {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return "", fmt.Errorf("commandlog: record key: %w", err)
	}
	return s, nil
}

// Encode writes a command.
func Encode(c *Command) ([]byte, error) {
	c.Version = Version
	return json.Marshal(c)
}

// Decode reads a command. It refuses a newer version and anything incomplete: a command is never guessed at.
func Decode(b []byte) (*Command, error) {
	var v struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, fmt.Errorf("commandlog: %w", err)
	}
	if v.Version != Version {
		return nil, fmt.Errorf("commandlog: the command has format version %d, this server knows %d", v.Version, Version)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var c Command
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("commandlog: %w", err)
	}
	return &c, c.check()
}

func (c *Command) check() error {
	missing := ""
	switch c.Action {
	case CreateSource:
		if c.Source == nil || c.Source.Name == "" {
			missing = "source"
		}
	case StartQuery:
		switch {
		case c.Query == nil || c.Query.ID == "":
			missing = "query"
		case len(c.Plan) == 0:
			missing = "plan"
		}
	case DropSource, TerminateQuery, PauseQuery, ResumeQuery, DropType:
		if c.Name == "" {
			missing = "name"
		}
	case CreateType:
		if c.Name == "" || c.Type == nil {
			missing = "type"
		}
	default:
		return fmt.Errorf("commandlog: unknown action %q", c.Action)
	}
	if missing != "" {
		return fmt.Errorf("commandlog: a %s command without its %s", c.Action, missing)
	}
	return nil
}

// All is the Name of a command that acts on every query.
const All = "ALL"

// Apply returns the catalog after the command. It is a pure function of its arguments, so that every server has the same
// catalog at the same offset.
func (c *Command) Apply(s *catalog.Snapshot) *catalog.Snapshot {
	switch c.Action {
	case CreateSource:
		return s.WithSource(c.Source)
	case StartQuery:
		if c.Source != nil {
			s = s.WithSource(c.Source)
		}
		return s.WithQuery(c.Query)
	case DropSource:
		if src, ok := s.Source(c.Name); ok && src.CreatedBy != "" {
			s = s.WithoutQuery(src.CreatedBy)
		}
		return s.WithoutSource(c.Name)
	case TerminateQuery:
		for _, q := range c.queries(s) {
			s = s.WithoutQuery(q.ID)
		}
	case PauseQuery, ResumeQuery:
		for _, q := range c.queries(s) {
			changed := *q
			changed.Paused = c.Action == PauseQuery
			s = s.WithQuery(&changed)
		}
	case CreateType:
		return s.WithType(c.Name, c.Type)
	case DropType:
		return s.WithoutType(c.Name)
	}
	return s
}

func (c *Command) queries(s *catalog.Snapshot) []*catalog.Query {
	if c.Name == All {
		return s.Queries()
	}
	if q, ok := s.Query(c.Name); ok {
		return []*catalog.Query{q}
	}
	return nil
}
