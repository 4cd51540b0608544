package operator

import (
	"encoding/binary"
	"errors"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/record"
)

// The value of a record on a repartition topic of a table aggregation carries a change, old and new row:
//
//	byte 0    flags: 1 new row present, 2 old row present, 4 new row is null bytes, 8 old row is null bytes,
//	          0x40 version 1 of this layout (always set)
//	uvarint   length of the new row's bytes
//	…         new row, then old row to the end, each in the topic's value format
const (
	changeNew     = 1
	changeOld     = 2
	changeNewNull = 4
	changeOldNull = 8
	changeVersion = 0x40
	changeKnown   = changeNew | changeOld | changeNewNull | changeOldNull | changeVersion
)

// changeSide is one row of a change as bytes.
type changeSide struct {
	present, null bool
	data          []byte
}

func appendChange(dst []byte, newSide, oldSide changeSide) []byte {
	flags := byte(changeVersion)
	if newSide.present {
		flags |= changeNew
		if newSide.null {
			flags |= changeNewNull
			newSide.data = nil
		}
	}
	if oldSide.present {
		flags |= changeOld
		if oldSide.null {
			flags |= changeOldNull
			oldSide.data = nil
		}
	}
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(len(newSide.data)))
	dst = append(dst, newSide.data...)
	return append(dst, oldSide.data...)
}

var errChange = errors.New("the value is not a change of a table")

func parseChange(b []byte) (newSide, oldSide changeSide, err error) {
	if len(b) < 2 || b[0]&changeVersion == 0 || b[0]&^changeKnown != 0 {
		return newSide, oldSide, errChange
	}
	flags := b[0]
	n, used := binary.Uvarint(b[1:])
	if used <= 0 || n > uint64(len(b)-1-used) {
		return newSide, oldSide, errChange
	}
	rest := b[1+used:]
	newSide = changeSide{flags&changeNew != 0, flags&changeNewNull != 0, rest[:n:n]}
	oldSide = changeSide{flags&changeOld != 0, flags&changeOldNull != 0, rest[n:]}
	return newSide, oldSide, nil
}

// changesDecoder reads changes of a table from a repartition topic into a source's record.
type changesDecoder struct {
	src *Source
	// value decodes old rows; the source's own decoder the new ones.
	value formats.Decoder
	old   *types.Row
	keys  moves
}

func newChangesDecoder(s *Source, layout *types.Layout) (*changesDecoder, error) {
	d := &changesDecoder{src: s, old: layout.NewRow()}
	for _, l := range s.keyLocs {
		if l.Class != types.ClassNone {
			d.keys.add(l, l)
		}
	}
	var err error
	d.value, err = s.ctx.decoder(s.spec.Topic, false, s.spec.Value, s.spec.ValueFormat, s.valueLocs)
	return d, err
}

func (d *changesDecoder) decode(value []byte, r *record.Record) error {
	newSide, oldSide, err := parseChange(value)
	if err != nil {
		return err
	}
	r.Tombstone = !newSide.present
	if err := d.side(newSide, d.src.value, d.src.row, r); err != nil {
		return err
	}
	if oldSide.present {
		d.keys.run(d.src.row, d.old)
		if err := d.side(oldSide, d.value, d.old, r); err != nil {
			return err
		}
		r.Old = d.old
	}
	return nil
}

func (d *changesDecoder) side(side changeSide, decoder formats.Decoder, row *types.Row, r *record.Record) error {
	if !side.present || side.null {
		setNull(row, d.src.valueLocs)
	} else if err := decoder.Decode(side.data, row); err != nil {
		return err
	}
	d.src.copies.run(row, row)
	d.src.setPseudo(r, row)
	return nil
}
