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

// Positions returns the committed source positions of a partition, by topic.
func (d *DB) Positions(partition int32) ([]Position, error) {
	d.commitMu.Lock()
	defer d.commitMu.Unlock()
	if d.isClosed() {
		return nil, ErrClosed
	}
	return d.positions(d.pdb, partition)
}

func (d *DB) positions(r pebble.Reader, partition int32) ([]Position, error) {
	var out []Position
	err := d.scanMeta(r, &partition, func(_ uint32, tag byte, name string, v []byte) error {
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
	err := d.scanMeta(d.pdb, &partition, func(_ uint32, tag byte, name string, v []byte) error {
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
	return getInto(d, d.pdb, key, decode)
}

// getInto reads one key of r and hands its value to decode, which must not keep it.
func getInto(d *DB, r pebble.Reader, key []byte, decode func([]byte) error) (bool, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, d.failure(err)
	}
	err = decode(v)
	return true, errors.Join(err, closer.Close())
}

// scanMeta visits the meta entries of one partition, or of all.
func (d *DB) scanMeta(
	r pebble.Reader, partition *int32, visit func(partition uint32, tag byte, name string, v []byte) error,
) error {
	lower, upper := []byte{0, 0}, []byte{0, 1}
	if partition != nil {
		lower = metaKey(nil, uint32(*partition), 0, "")[:prefixLen]
		upper = prefixEnd(lower)
	}
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return d.failure(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		k := it.Key()
		if len(k) < prefixLen+1 {
			err = fmt.Errorf("%w: %s: meta key of %d bytes", ErrCorrupt, d.dir, len(k))
			break
		}
		v, verr := it.ValueAndErr()
		if verr != nil {
			err = d.failure(verr)
			break
		}
		p := uint32(k[2])<<24 | uint32(k[3])<<16 | uint32(k[4])<<8 | uint32(k[5])
		if err = visit(p, k[prefixLen], string(k[prefixLen+1:]), v); err != nil {
			break
		}
	}
	return errors.Join(err, d.failure(it.Close()))
}
