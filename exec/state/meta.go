package state

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Checkpoint says how far one changelog partition is contained in the rows on disk.
type Checkpoint struct {
	// Topic is the changelog topic.
	Topic string
	// Partition is the partition of topic and task.
	Partition int32
	// TopicID tells a recreated topic from its predecessor.
	TopicID [16]byte
	// Offset is the next changelog offset to read: all below are contained.
	Offset int64
	// LeaderEpoch is the epoch of the last record contained, -1 if unknown.
	LeaderEpoch int32
	// WallClock is when the checkpoint was taken, Unix milliseconds.
	WallClock int64
}

// Position is the next offset to process of one source partition.
type Position struct {
	Topic     string
	Partition int32
	// Offset is the next offset to process.
	Offset int64
	// LeaderEpoch is the epoch of the last record processed, -1 if unknown.
	LeaderEpoch int32
}

// StreamTime is a named stream time of a partition: of an operator, or of a source partition.
type StreamTime struct {
	Partition int32
	Name      string
	// Time is in Unix milliseconds.
	Time int64
}

// Meta is a free-form entry of a partition. A nil Value deletes it.
type Meta struct {
	Partition int32
	Name      string
	Value     []byte
}

// Tags of meta entries; the byte after the partition.
const (
	tagCheckpoint = 'c'
	tagPosition   = 'p'
	tagStoreState = 's'
	tagStreamTime = 't'
	tagUser       = 'u'
	// The following live under globalPartition.
	tagFormat      = 'F'
	tagFingerprint = 'P'
	tagStoreSpec   = 'S'
)

// formatVersion is the version of key space and values; see docs/formats/state.md.
const formatVersion = 1

// metaVersion is the first byte of every meta value.
const metaVersion = 1

var crcTable = crc32.MakeTable(crc32.Castagnoli)

func metaKey(b []byte, partition uint32, tag byte, name string) []byte {
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, partition)
	b = append(b, tag)
	return append(b, name...)
}

func storeName(id StoreID) string {
	return string([]byte{byte(id >> 8), byte(id)})
}

// sealMeta appends version, payload and checksum.
func sealMeta(b []byte, payload func([]byte) []byte) []byte {
	start := len(b)
	b = payload(append(b, metaVersion))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], crcTable))
}

// openMeta checks version and checksum and returns the payload.
func openMeta(v []byte) ([]byte, error) {
	if len(v) < 5 {
		return nil, fmt.Errorf("%w: meta entry of %d bytes", ErrCorrupt, len(v))
	}
	body, sum := v[:len(v)-4], binary.LittleEndian.Uint32(v[len(v)-4:])
	if crc32.Checksum(body, crcTable) != sum {
		return nil, fmt.Errorf("%w: meta entry: checksum differs", ErrCorrupt)
	}
	if body[0] != metaVersion {
		return nil, fmt.Errorf("%w: meta entry of version %d", ErrVersion, body[0])
	}
	return body[1:], nil
}

func (c Checkpoint) append(b []byte) []byte {
	b = append(b, c.TopicID[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(c.Offset))
	b = binary.LittleEndian.AppendUint32(b, uint32(c.LeaderEpoch))
	return binary.LittleEndian.AppendUint64(b, uint64(c.WallClock))
}

func (c *Checkpoint) decode(v []byte) error {
	p, err := openMeta(v)
	if err != nil {
		return err
	}
	if len(p) != 36 {
		return fmt.Errorf("%w: checkpoint of %d bytes", ErrCorrupt, len(p))
	}
	copy(c.TopicID[:], p)
	c.Offset = int64(binary.LittleEndian.Uint64(p[16:]))
	c.LeaderEpoch = int32(binary.LittleEndian.Uint32(p[24:]))
	c.WallClock = int64(binary.LittleEndian.Uint64(p[28:]))
	return nil
}

func (p Position) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(p.Offset))
	return binary.LittleEndian.AppendUint32(b, uint32(p.LeaderEpoch))
}

func (p *Position) decode(v []byte) error {
	b, err := openMeta(v)
	if err != nil {
		return err
	}
	if len(b) != 12 {
		return fmt.Errorf("%w: position of %d bytes", ErrCorrupt, len(b))
	}
	p.Offset = int64(binary.LittleEndian.Uint64(b))
	p.LeaderEpoch = int32(binary.LittleEndian.Uint32(b[8:]))
	return nil
}

// storeState is what a store of one partition carries besides rows.
type storeState struct {
	// streamTime is the largest row time seen, noStreamTime before the first.
	streamTime int64
	// nextSeq is the next Buffer sequence number.
	nextSeq uint64
}

// noStreamTime stands for "nothing seen".
const noStreamTime = -1 << 63

func (s storeState) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(s.streamTime))
	return binary.LittleEndian.AppendUint64(b, s.nextSeq)
}

func (s *storeState) decode(v []byte) error {
	b, err := openMeta(v)
	if err != nil {
		return err
	}
	if len(b) != 16 {
		return fmt.Errorf("%w: store state of %d bytes", ErrCorrupt, len(b))
	}
	s.streamTime = int64(binary.LittleEndian.Uint64(b))
	s.nextSeq = binary.LittleEndian.Uint64(b[8:])
	return nil
}

// specRecord is what is recorded of a [StoreSpec].
type specRecord struct {
	kind  Kind
	width int64
}

func (s specRecord) append(b []byte) []byte {
	return binary.LittleEndian.AppendUint64(append(b, byte(s.kind)), uint64(s.width))
}

func (s *specRecord) decode(v []byte) error {
	b, err := openMeta(v)
	if err != nil {
		return err
	}
	if len(b) != 9 {
		return fmt.Errorf("%w: store declaration of %d bytes", ErrCorrupt, len(b))
	}
	s.kind, s.width = Kind(b[0]), int64(binary.LittleEndian.Uint64(b[1:]))
	if (s.kind == Keyed) != (s.width == 0) || s.width < 0 {
		return fmt.Errorf("%w: store declaration: kind %d with buckets of %d ms", ErrCorrupt, s.kind, s.width)
	}
	return nil
}

func appendStreamTime(b []byte, t int64) []byte {
	return binary.LittleEndian.AppendUint64(b, uint64(t))
}

func decodeStreamTime(v []byte) (int64, error) {
	b, err := openMeta(v)
	if err != nil {
		return 0, err
	}
	if len(b) != 8 {
		return 0, fmt.Errorf("%w: stream time of %d bytes", ErrCorrupt, len(b))
	}
	return int64(binary.LittleEndian.Uint64(b)), nil
}
