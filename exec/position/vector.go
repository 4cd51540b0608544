// Package position holds vectors of source positions: what of the topics an answer contains, and what a request wants it to
// contain.
package position

import "maps"

// Vector is a set of positions: by topic and partition the next offset, so that everything below it is contained. A partition
// that is not in it says nothing. It is the caller's; methods do not keep their arguments.
type Vector map[string]map[int32]int64

// Set notes the next offset of a partition, in place of what was there.
func (v Vector) Set(topic string, partition int32, offset int64) {
	if v[topic] == nil {
		v[topic] = map[int32]int64{}
	}
	v[topic][partition] = offset
}

// Get returns the next offset of a partition, false if it is not in the vector.
func (v Vector) Get(topic string, partition int32) (int64, bool) {
	offset, ok := v[topic][partition]
	return offset, ok
}

// Raise takes over the positions of other that are new or further than those in v.
func (v Vector) Raise(other Vector) {
	for topic, partitions := range other {
		for p, offset := range partitions {
			if have, ok := v.Get(topic, p); !ok || offset > have {
				v.Set(topic, p, offset)
			}
		}
	}
}

// Covers says whether everything that want asks for is contained. A partition that is not in v contains nothing.
func (v Vector) Covers(want Vector) bool {
	for topic, partitions := range want {
		for p, offset := range partitions {
			if have, ok := v.Get(topic, p); offset > 0 && (!ok || have < offset) {
				return false
			}
		}
	}
	return true
}

// Clone is a copy that shares nothing with v.
func (v Vector) Clone() Vector {
	out := make(Vector, len(v))
	for topic, partitions := range v {
		out[topic] = maps.Clone(partitions)
	}
	return out
}

// Of is the part of v that is of the topics.
func (v Vector) Of(topics ...string) Vector {
	out := Vector{}
	for _, t := range topics {
		if len(v[t]) > 0 {
			out[t] = maps.Clone(v[t])
		}
	}
	return out
}

// IsEmpty says whether v asks for nothing: it holds no offset above 0.
func (v Vector) IsEmpty() bool { return Vector(nil).Covers(v) }
