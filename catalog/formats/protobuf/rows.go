package protobuf

import (
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Rows writes rows that are in no topic, such as those of a query's answer, as messages of a schema that is told beside them.
// It belongs to no registry: messages have no header. Immutable, safe for concurrent use.
type Rows struct {
	schema  string
	message *message
}

// NewRows is how rows of columns are written. The error says which column no message can carry.
func NewRows(columns []types.Column) (*Rows, error) {
	fields := make([]types.Field, len(columns))
	for i, c := range columns {
		if reason := unsupported(c.Type, false); reason != "" {
			return nil, fmt.Errorf("column %s: %s", types.QuoteName(c.Name), reason)
		}
		fields[i] = types.Field(c)
	}
	if reason := unnamable(columns); reason != "" {
		return nil, errors.New(reason)
	}
	return &Rows{schema: schemaText(fields, "", asDefault), message: numbered(fields, asDefault)}, nil
}

// Schema is the text of the .proto file whose first message the rows are.
func (r *Rows) Schema() string { return r.schema }

// Append appends one row, given as boxed values in the order of the columns, and returns dst. Nulls are left out, and so is
// what is the default of its type; the message of a row of nothing else has no bytes.
func (r *Rows) Append(dst []byte, values []any) ([]byte, error) { return r.message.append(dst, values) }
