package cluster

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"
)

// Subscription is what a member tells the group when it joins.
type Subscription struct {
	// Version is the newest version of the assignment protocol the member has, MinVersion the oldest it can be given. Encode
	// sets them.
	Version, MinVersion int
	// NodeID is the server, the same over restarts; Incarnation is one life of it.
	NodeID      string
	Incarnation uint64
	// Endpoint is where other servers reach it.
	Endpoint string
	// Zone is where it stands; a standby goes to another one than the active task. Empty where there are no zones.
	Zone string
	// Tags are further properties of the server, by name; reserved for rules that spread by several of them.
	Tags map[string]string
	// PlanHash is the plan it runs.
	PlanHash uint64
	// CommandOffset is how far it has applied the command log.
	CommandOffset int64
	// Capacity weighs the members' shares; 0 means 1.
	Capacity uint32
	// Draining members give up what they have: nothing is assigned to them as long as there are others.
	Draining bool
	// Joins counts the member's joins: brokers rebalance for a member that asks for it only when what it says has changed
	// (KIP-568).
	Joins uint64
	// Positions are the stateful tasks of which it has local state.
	Positions []TaskPosition
}

// TaskPosition says how far local state of a task reaches.
type TaskPosition struct {
	TaskID
	// Position is the sum of the offsets up to which the changelogs of the task have been applied.
	Position int64
	// Age is how long ago, by the member's own clock, Position was seen to be the end of the changelogs: the lag in time. The
	// owner's is 0.
	Age time.Duration
	// Following says that the member keeps the state up to date: as owner, standby or warm-up.
	Following bool
}

// maxPositionBytes bounds the positions in a subscription. The group's record holds the data of all members, and 50 of them
// share 1 MiB.
const maxPositionBytes = 9_000

// maxAgeMillis and maxCapacity bound what is written: more makes no difference.
const maxAgeMillis, maxCapacity = 1<<30 - 1, 1 << 20

// Numbers of the fields.
const (
	subNodeID = iota + 1
	subIncarnation
	subEndpoint
	subZone
	subTags
	subPlanHash
	subCommandOffset
	subCapacity
	subPositions
	subJoins
	subDraining
)

// Encode writes the subscription in the version of this code. Positions that would make it too long are left out, the most
// outdated first: their tasks are treated as if the member had no state.
func (s Subscription) Encode() []byte {
	w := newFrame(version, oldest)
	w.field(subNodeID, []byte(s.NodeID))
	w.number(subIncarnation, s.Incarnation)
	w.field(subEndpoint, []byte(s.Endpoint))
	w.field(subZone, []byte(s.Zone))
	w.field(subTags, appendTags(nil, s.Tags))
	w.number(subPlanHash, s.PlanHash)
	w.number(subCommandOffset, uint64(max(s.CommandOffset, 0)))
	w.number(subCapacity, uint64(min(s.Capacity, maxCapacity)))
	w.field(subPositions, appendPositions(s.Positions))
	w.number(subJoins, s.Joins)
	if s.Draining {
		w.number(subDraining, 1)
	}
	return w.seal()
}

func appendTags(b []byte, tags map[string]string) []byte {
	names := make([]string, 0, len(tags))
	for name := range tags {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b = appendString(appendString(b, name), tags[name])
	}
	return b
}

// appendPositions writes as many positions as fit.
func appendPositions(positions []TaskPosition) []byte {
	list := slices.Clone(positions)
	for {
		slices.SortFunc(list, func(a, b TaskPosition) int { return a.Compare(b.TaskID) })
		var b []byte
		last := int32(0)
		for _, p := range list {
			b = appendTask(b, p.TaskID, &last)
			b = binary.AppendUvarint(b, uint64(max(p.Position, 0)))
			age := uint64(min(max(p.Age.Milliseconds(), 0), maxAgeMillis)) << 1
			if p.Following {
				age |= 1
			}
			b = binary.AppendUvarint(b, age)
		}
		if len(b) <= maxPositionBytes {
			return b
		}
		slices.SortFunc(list, func(a, b TaskPosition) int {
			return cmp.Or(cmp.Compare(a.Age, b.Age), a.Compare(b.TaskID))
		})
		list = list[:len(list)*maxPositionBytes/len(b)]
	}
}

// DecodeSubscription reads a subscription of any version that this code understands. The error is ErrCorrupt or a
// *VersionError.
func DecodeSubscription(b []byte) (Subscription, error) {
	s := Subscription{}
	writer, err := openFrame(b, func(number uint64, r *reader) {
		switch number {
		case subNodeID:
			s.NodeID = string(r.buf)
		case subIncarnation:
			s.Incarnation = r.uvarint()
		case subEndpoint:
			s.Endpoint = string(r.buf)
		case subZone:
			s.Zone = string(r.buf)
		case subTags:
			s.Tags = map[string]string{}
			for len(r.buf) > 0 {
				name := string(r.bytes())
				s.Tags[name] = string(r.bytes())
			}
		case subPlanHash:
			s.PlanHash = r.uvarint()
		case subCommandOffset:
			s.CommandOffset = r.number63()
		case subCapacity:
			s.Capacity = uint32(r.number31())
		case subDraining:
			s.Draining = r.uvarint() != 0
		case subJoins:
			s.Joins = r.uvarint()
		case subPositions:
			last := int32(0)
			for len(r.buf) > 0 {
				p := TaskPosition{TaskID: r.task(&last), Position: r.number63()}
				age := r.number31()
				p.Age, p.Following = time.Duration(age>>1)*time.Millisecond, age&1 == 1
				if r.err == nil {
					s.Positions = append(s.Positions, p)
				}
			}
		}
	})
	if err != nil {
		return Subscription{}, err
	}
	s.Version, s.MinVersion = writer, int(b[1])
	return s, nil
}
