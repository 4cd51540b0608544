// Package commandlog holds the ordered log of DDL: what a command is, how it is written at the head of the log after it
// was validated there, and how every server applies the log in offset order.
package commandlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// Version of the command format written by this build. A record with a higher one puts a reader into DEGRADED.
const Version = 1

// Action says what a command does.
type Action string

// The actions.
const (
	// CreateSource declares Source.
	CreateSource Action = "createSource"
	// AlterSource puts Source in place of the source of its name.
	AlterSource Action = "alterSource"
	// StartQuery starts Query with Plan; Source, if set, is declared as its result.
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
	// Skip takes the effect of the record at offset Target away, on every server, as if it had never been written.
	Skip Action = "skip"
	// Restored says that the topic was made anew from a backup, in place of the topics Former.
	Restored Action = "restored"
	// Filler has no effect. It keeps the offsets of a restored log what they were.
	Filler Action = "filler"
	// TerminateCluster ends the service: all queries end, DeleteTopics and the command topic are deleted. Nothing behind it
	// counts.
	TerminateCluster Action = "terminateCluster"
	// Begun says that the log begins anew after the logs of the topics Former were terminated.
	Begun Action = "begun"
)

// Command is one record of the log: all that a server needs to apply it without planning again. Immutable.
type Command struct {
	Version int    `json:"version"`
	Action  Action `json:"action"`
	// Statement is the canonical text.
	Statement string `json:"statement"`
	// Properties are those in force for the query when the statement was taken; secrets and what concerns one server alone are
	// not among them.
	Properties map[string]string `json:"properties,omitempty"`
	Source     *catalog.Source   `json:"source,omitempty"`
	Query      *catalog.Query    `json:"query,omitempty"`
	// Plan is the physical plan of Query as planner/physical encodes it.
	Plan        json.RawMessage `json:"plan,omitempty"`
	Name        string          `json:"name,omitempty"`
	Type        *types.Type     `json:"type,omitempty"`
	DeleteTopic bool            `json:"deleteTopic,omitempty"`
	// Topic of a dropped source, for the message. TopicID is the incarnation of it that DeleteTopic means, as
	// kafka.TopicID prints it: a server that is late must not delete a topic created since. Of a command that declares a
	// source it is catalog.Source.TopicID.
	Topic   string `json:"topic,omitempty"`
	TopicID string `json:"topicId,omitempty"`
	// DeleteTopics are the topics to delete with the service: only such as the service has created.
	DeleteTopics []TopicRef `json:"deleteTopics,omitempty"`
	// Target is the offset of the record that is skipped.
	Target *int64 `json:"target,omitempty"`
	// Former are the ids of the topics that a restored one stands for, as kafka.TopicID prints them.
	Former []string `json:"former,omitempty"`
}

// TopicRef names one incarnation of a topic.
type TopicRef struct {
	Name string `json:"name"`
	// ID is as kafka.TopicID prints it.
	ID string `json:"id"`
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
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var c Command
	err := d.Decode(&c)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more behind the command")
		}
	}
	if version := c.Version; err != nil || version != Version {
		// The fields of another version may be others: it is asked for alone.
		var v struct {
			Version int `json:"version"`
		}
		if json.Unmarshal(b, &v) == nil {
			version = v.Version
		}
		if version != Version {
			return nil, fmt.Errorf("the command has format version %d, this server knows %d", version, Version)
		}
		return nil, fmt.Errorf("the command cannot be read: %w", err)
	}
	return &c, c.check()
}

func (c *Command) check() error {
	missing := ""
	switch c.Action {
	case CreateSource, AlterSource:
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
	case Skip:
		if c.Target == nil || *c.Target < 0 {
			missing = "target"
		}
	case Restored, Begun:
		if len(c.Former) == 0 {
			missing = "former topics"
		}
	case TerminateCluster:
		for _, t := range c.DeleteTopics {
			if _, err := kafka.ParseTopicID(t.ID); err != nil || t.Name == "" {
				return fmt.Errorf("a %s command with the topic %q and the id %q", c.Action, t.Name, t.ID)
			}
		}
	case Filler:
	default:
		return fmt.Errorf("unknown action %q", c.Action)
	}
	if missing != "" {
		return fmt.Errorf("a %s command without its %s", c.Action, missing)
	}
	return nil
}

// All is the Name of a command that acts on every query.
const All = "ALL"

// Apply returns the catalog after the command. It is a pure function of its arguments, so that every server has the same
// catalog at the same offset.
func (c *Command) Apply(s *catalog.Snapshot) *catalog.Snapshot {
	d := s.Draft()
	c.Change(d)
	return d.Snapshot()
}

// Change is Apply on a draft. It returns the ids of the queries that ended with the command.
func (c *Command) Change(d *catalog.Draft) (ended []string) {
	switch c.Action {
	case CreateSource, AlterSource:
		d.PutSource(c.declared(d))
	case StartQuery:
		if c.Source != nil {
			d.PutSource(c.declared(d))
		}
		d.PutQuery(c.Query)
	case DropSource:
		if src, ok := d.Source(c.Name); ok && src.CreatedBy != "" {
			ended = []string{src.CreatedBy}
			d.RemoveQuery(src.CreatedBy)
		}
		d.RemoveSource(c.Name)
	case TerminateQuery:
		for _, q := range c.queries(d) {
			ended = append(ended, q.ID)
			d.RemoveQuery(q.ID)
		}
	case PauseQuery, ResumeQuery:
		for _, q := range c.queries(d) {
			changed := *q
			changed.Paused = c.Action == PauseQuery
			d.PutQuery(&changed)
		}
	case CreateType:
		d.PutType(c.Name, c.Type)
	case DropType:
		d.RemoveType(c.Name)
	case TerminateCluster:
		for _, q := range d.Queries() {
			ended = append(ended, q.ID)
		}
		d.Clear()
	case Skip, Restored, Begun, Filler:
	}
	return ended
}

// declared is the source of the command with the topic that was created for it, or for the one whose place it takes.
func (c *Command) declared(d *catalog.Draft) *catalog.Source {
	src := *c.Source
	src.TopicID = c.TopicID
	if old, ok := d.Source(src.Name); ok && src.TopicID == "" && old.Topic == src.Topic {
		src.TopicID = old.TopicID
	}
	return &src
}

// queries are those that the command acts on.
func (c *Command) queries(d *catalog.Draft) []*catalog.Query {
	if c.Name == All {
		return d.Queries()
	}
	if q, ok := d.Query(c.Name); ok {
		return []*catalog.Query{q}
	}
	return nil
}
