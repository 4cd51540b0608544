package pull

import (
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/exec/state/rowcodec"
)

// Decoder reads rows that [Rows.AppendNext] wrote on another server. It belongs to one goroutine.
type Decoder struct {
	layout *types.Layout
	row    *types.Row
	codec  *rowcodec.ValueCodec
}

// NewDecoder makes a decoder of rows with these columns; rows of other columns are refused.
func NewDecoder(columns []types.Column) (*Decoder, error) {
	d := &Decoder{layout: types.NewLayout(columns)}
	d.row = d.layout.NewRow()
	var err error
	d.codec, err = rowcodec.NewValueCodec(columns, d.layout.Locs)
	return d, err
}

// Decode reads a row as boxed values, which belong to the caller and share nothing with b.
func (d *Decoder) Decode(b []byte) ([]any, error) {
	d.row.Reset()
	if err := d.codec.DecodeRow(b, d.row); err != nil {
		return nil, err
	}
	values := make([]any, len(d.layout.Columns))
	for i, c := range d.layout.Columns {
		values[i] = d.row.Boxed(d.layout.Locs[i], c.Type)
	}
	return values, nil
}
