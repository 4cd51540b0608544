package state

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Checkpoints returns the changelog checkpoints of a partition as of the last commit, by topic.
func (d *DB) Checkpoints(partition int32) []Checkpoint {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	var out []Checkpoint
	for _, c := range d.checkpoints {
		if c.Partition == partition {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Checkpoint) int { return cmp.Compare(a.Topic, b.Topic) })
	return out
}

// AllCheckpoints returns the changelog checkpoints of all partitions as of the last commit, by topic and partition. The map
// is the caller's.
func (d *DB) AllCheckpoints() map[string]map[int32]Checkpoint {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	out := map[string]map[int32]Checkpoint{}
	for _, c := range d.checkpoints {
		if out[c.Topic] == nil {
			out[c.Topic] = map[int32]Checkpoint{}
		}
		out[c.Topic][c.Partition] = c
	}
	return out
}

// Positions returns the committed source positions of a partition, by topic.
func (d *DB) Positions(partition int32) ([]Position, error) {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	if d.isClosed() {
		return nil, ErrClosed
	}
	return d.positions(d.committedRuns(), d.pdb, partition)
}

func (d *DB) positions(runs []*run, r pebble.Reader, partition int32) ([]Position, error) {
	var out []Position
	err := d.scanMeta(runs, r, &partition, func(_ uint32, tag byte, name string, v []byte) error {
		if tag != tagPosition {
			return nil
		}
		p := Position{Topic: name, Partition: partition}
		out = append(out, p)
		return out[len(out)-1].decode(v)
	})
	return out, err
}

// StreamTimes returns the committed named stream times of a partition, by name.
func (d *DB) StreamTimes(partition int32) ([]StreamTime, error) {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	if d.isClosed() {
		return nil, ErrClosed
	}
	var out []StreamTime
	err := d.scanMeta(d.committedRuns(), d.pdb, &partition, func(_ uint32, tag byte, name string, v []byte) error {
		if tag != tagStreamTime {
			return nil
		}
		t, err := decodeStreamTime(v)
		out = append(out, StreamTime{Partition: partition, Name: name, Time: t})
		return err
	})
	return out, err
}

// Meta returns a copy of a free-form entry.
func (d *DB) Meta(partition int32, name string) ([]byte, bool, error) {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	if d.isClosed() {
		return nil, false, ErrClosed
	}
	return d.getMeta(metaKey(nil, uint32(partition), tagUser, name))
}

// getMeta returns the payload of a meta entry.
func (d *DB) getMeta(key []byte) (payload []byte, ok bool, err error) {
	ok, err = d.getMetaInto(key, func(v []byte) error {
		p, err := openMeta(v)
		payload = slices.Clone(p)
		return err
	})
	return payload, ok, err
}

// getMetaInto hands the raw value of a meta entry to decode.
func (d *DB) getMetaInto(key []byte, decode func([]byte) error) (bool, error) {
	return d.getInto(d.committedRuns(), d.pdb, key, decode)
}

// scanMeta visits the meta entries of one partition, or of all.
func (d *DB) scanMeta(
	runs []*run, r pebble.Reader, partition *int32, visit func(partition uint32, tag byte, name string, v []byte) error,
) error {
	lower, upper := []byte{0, 0}, []byte{0, 1}
	if partition != nil {
		lower = metaKey(nil, uint32(*partition), 0, "")[:prefixLen]
		upper = prefixEnd(lower)
	}
	it, err := d.newBase(runs, r, lower, upper)
	if err != nil {
		return err
	}
	for ok := it.SeekGE(lower); ok; ok = it.Next() {
		k := it.Key()
		if len(k) < prefixLen+1 {
			err = fmt.Errorf("%w: %s: meta key of %d bytes", ErrCorrupt, d.dir, len(k))
			break
		}
		p := uint32(k[2])<<24 | uint32(k[3])<<16 | uint32(k[4])<<8 | uint32(k[5])
		if err = visit(p, k[prefixLen], string(k[prefixLen+1:]), it.Value()); err != nil {
			break
		}
	}
	return errors.Join(err, d.failure(errors.Join(it.Err(), it.Close())))
}
