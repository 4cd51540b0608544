package commandlog

import (
	"slices"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/exec/kafka"
)

// reading is one reading of the log from its start: what the commands add up to. Until the log adopts it (see
// [Log.adopt]) it belongs to the goroutine that follows the topic; from then on what others see of it is in the log.
type reading struct {
	log    *Log
	header BackupHeader

	draft    *catalog.Draft
	live     map[string]*Command
	outcomes map[string]Outcome
	// applied is the offset after the last command that took effect.
	applied int64
	// next and end are those of Advance.
	next, end int64
	// bad is the first record that cannot be decoded and is not skipped. What comes behind it is looked through for skips
	// alone: applying it would fork the catalog from that of servers which could read the record.
	bad    error
	badAt  int64
	former []string
	// begun are those of former that were terminated.
	begun []string
	// ended are the queries that the log started and that are not live any more, skipped ones included.
	ended map[string]bool
	// dropped are the topics that were to be deleted with their sources, by id.
	dropped map[string]TopicRef
	// again is set when a record that was taken in turned out to be skipped.
	again   bool
	adopted bool
}

func (l *Log) newReading() *reading {
	return &reading{log: l, draft: catalog.Empty().Draft(), live: map[string]*Command{}, outcomes: map[string]Outcome{}, ended: map[string]bool{},
		dropped: map[string]TopicRef{}}
}

// Begin implements Follower.
func (r *reading) Begin(h BackupHeader) error {
	r.header = h
	r.log.beginning(h)
	if r.log.backup == nil {
		return nil
	}
	return r.log.backup.begin(h)
}

// Apply implements Follower.
func (r *reading) Apply(e Entry) error {
	if e.Err == nil && r.log.backup != nil {
		if err := r.log.backup.entry(e); err != nil {
			return err
		}
	}
	id, c, err := decodeEntry(e)
	switch {
	case err == nil && c.Action == Skip:
		// It stands even when it is skipped itself: what is out stays out.
		if err := r.skip(*c.Target, e.Offset); err != nil {
			return err
		}
	case r.log.skips[e.Offset]:
		if err == nil && c.Action == StartQuery {
			r.log.hasEnded(r, c.Query.ID)
		}
		return nil
	case err == nil && c.Action == TerminateCluster:
		return r.terminate(id, c, e.Offset)
	case err != nil && r.bad == nil:
		r.bad, r.badAt = err, e.Offset
		r.log.degraded(r)
	}
	switch {
	case err != nil:
		return nil
	case r.bad != nil:
		r.heed(id, c, e.Offset)
		return nil
	case c.Action == Restored:
		r.former = append(r.former, c.Former...)
	case c.Action == Begun:
		r.former, r.begun = append(r.former, c.Former...), append(r.begun, c.Former...)
	}
	r.take(id, c, e.Offset)
	return nil
}

func decodeEntry(e Entry) (id string, c *Command, err error) {
	if e.Err != nil {
		return "", nil, e.Err
	}
	if id, err = DecodeKey(e.Key); err == nil {
		c, err = Decode(e.Value)
	}
	return id, c, err
}

// skip takes note of a SKIP record that stands at offset at.
func (r *reading) skip(target, at int64) error {
	if target >= at || r.log.skips[target] {
		return nil
	}
	r.log.skips[target] = true
	if r.adopted {
		return errReadAgain
	}
	r.again = true
	return nil
}

// heed looks at a command behind a record that cannot be decoded. It does not take effect; but a query that it ends has
// ended for good, whatever that record is: its id does not come again.
func (r *reading) heed(id string, c *Command, offset int64) {
	if c.Action != TerminateQuery && c.Action != DropSource {
		return
	}
	before := r.draft.Snapshot()
	d := before.Draft()
	ended := c.Change(d)
	if !r.adopted {
		for _, query := range ended {
			delete(r.live, query)
		}
	} else if len(ended) > 0 {
		r.log.heedLive(AppliedCommand{Offset: offset, ID: id, Command: c}, before, d.Snapshot())
	}
}

// take lets a command take effect.
func (r *reading) take(id string, c *Command, offset int64) {
	if r.adopted {
		r.log.takeLive(r, id, c, offset)
		return
	}
	r.change(c)
	r.outcomes[id] = Outcome{Offset: offset, Command: c.outline()}
	r.applied = offset + 1
}

// change applies a command to the draft, and keeps those that started what lives.
func (r *reading) change(c *Command) {
	if c.Action == DropSource && c.DeleteTopic && c.TopicID != "" {
		r.dropped[c.TopicID] = TopicRef{Name: c.Topic, ID: c.TopicID}
	}
	for _, id := range c.Change(r.draft) {
		delete(r.live, id)
		r.ended[id] = true
	}
	if c.Action == StartQuery {
		r.live[c.Query.ID] = c
		delete(r.ended, c.Query.ID)
	}
}

// outline is a command without what is large: enough to say what became of it.
func (c *Command) outline() *Command {
	o := *c
	o.Plan, o.Properties = nil, nil
	return &o
}

// Advance implements Follower.
func (r *reading) Advance(next, end int64) error {
	r.next, r.end = next, max(end, next)
	if r.adopted {
		if r.log.backup != nil {
			r.log.backup.sync()
		}
		r.log.advanced(r)
	}
	return nil
}

// terminate ends the reading with the service, wherever it is: nothing behind the command counts. It takes effect also
// behind a record that cannot be decoded.
func (r *reading) terminate(id string, c *Command, offset int64) error {
	if !r.adopted {
		if err := r.verify(); err != nil {
			return err
		}
	} else if r.log.backup != nil {
		// A server that starts anew must find it there, when the topic is gone.
		r.log.backup.sync()
	}
	r.log.terminate(r, id, c, offset)
	return errTerminated
}

// CaughtUp implements Follower.
func (r *reading) CaughtUp() error {
	if r.again {
		return errReadAgain
	}
	if err := r.verify(); err != nil {
		return err
	}
	r.adopted = true
	r.log.adopt(r)
	return nil
}

// verify compares the topic read so far with what this server knows of it. The error is a *CorruptedError.
func (r *reading) verify() error {
	restored := func(id kafka.TopicID) bool { return slices.Contains(r.former, id.String()) }
	if r.log.backup != nil {
		if err := r.log.backup.caughtUp(restored); err != nil {
			return err
		}
	}
	if known := r.log.topicID; r.log.known && known != r.header.TopicID && !restored(known) {
		return gone("the command topic was made anew: its id is not %s any more", known)
	}
	return nil
}
