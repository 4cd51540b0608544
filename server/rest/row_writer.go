package rest

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/formats/protobuf"
	"github.com/ksqlgo/ksqlgo/catalog/types"
	"github.com/ksqlgo/ksqlgo/server/api"
	"github.com/ksqlgo/ksqlgo/server/engine"
)

// rowWriter writes an answer in one of the four formats. Bytes gather in buf until flush.
type rowWriter struct {
	w      http.ResponseWriter
	flushW *http.ResponseController
	media  string
	// objects says that the answer is an array of api.StreamedRow, one a line.
	objects bool
	answer  *engine.Answer
	buf     []byte
	// messages is how rows are written in the protobuf format, nil in the others; message is scratch for one.
	messages *protobuf.Rows
	message  []byte
}

// newRowWriter makes the writer of an answer. The error is for the client: the format cannot carry the columns.
func newRowWriter(w http.ResponseWriter, media string, answer *engine.Answer) (*rowWriter, error) {
	o := &rowWriter{w: w, flushW: http.NewResponseController(w), media: media, answer: answer,
		objects: media == api.MediaKsqlJSON || media == api.MediaProtobuf}
	if media != api.MediaProtobuf {
		return o, nil
	}
	var err error
	if o.messages, err = protobuf.NewRows(answer.Columns); err != nil {
		return nil, api.NewError(api.CodeBadRequest, "The rows of this query cannot be written as %s: %v. Ask with 'Accept: %s' instead.",
			media, err, api.MediaKsqlJSON)
	}
	return o, nil
}

// flushBytes is how much a pull query gathers before it is sent.
const flushBytes = 16 << 10

func (o *rowWriter) flush() error {
	if len(o.buf) == 0 {
		return nil
	}
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	if err != nil {
		return err
	}
	return o.flushW.Flush()
}

// finish sends what is left. The end of the answer follows at once, so that a short one is a single write.
func (o *rowWriter) finish() {
	if len(o.buf) > 0 {
		_, _ = o.w.Write(o.buf) // A client that has gone needs no answer.
	}
}

func (o *rowWriter) header() {
	a := o.answer
	if o.objects {
		h := api.RowHeader{QueryID: a.QueryID, Schema: headerSchema(a)}
		if o.messages != nil {
			h.ProtoSchema = o.messages.Schema()
		}
		o.buf = append(o.buf, '[')
		o.object(api.StreamedRow{Header: &h})
		o.separate()
		return
	}
	meta := api.QueryResponseMetadata{QueryID: a.QueryID}
	for _, c := range a.Columns {
		meta.ColumnNames = append(meta.ColumnNames, c.Name)
		meta.ColumnTypes = append(meta.ColumnTypes, c.Type.String())
	}
	if o.media == api.MediaJSON {
		o.buf = append(o.buf, '[')
		o.object(meta)
		return
	}
	o.object(meta)
	o.buf = append(o.buf, '\n')
}

// separate ends an object of the row-object format. A push row is followed by its comma at once, since the line must be
// whole when the client reads it; pull answers put the comma before the next row so that the array can close.
func (o *rowWriter) separate() {
	if !o.answer.Pull {
		o.buf = append(o.buf, ",\n"...)
	}
}

func (o *rowWriter) object(v any) {
	b, err := api.Encode(v)
	if err != nil {
		b = []byte("null")
	}
	o.buf = append(o.buf, b...)
}

// encode makes the message of a row in the protobuf format, which row then writes; in the others there is nothing to do.
func (o *rowWriter) encode(r *engine.Row) error {
	if o.messages == nil || r.Tombstone {
		return nil
	}
	var err error
	if o.message, err = o.messages.Append(o.message[:0], r.Values); err != nil {
		return api.NewError(api.CodeServerError, "A row cannot be written as %s: %v", o.media, err)
	}
	return nil
}

// row writes a row; the error is one of the connection.
func (o *rowWriter) row(r *engine.Row) error {
	switch {
	case o.objects:
		if o.answer.Pull {
			o.buf = append(o.buf, ",\n"...)
		}
		switch {
		case r.Tombstone:
			// A message could not tell the columns that are not there from those of the key: ksqlDB writes no messages here.
			o.buf = append(o.buf, `{"row":{"columns":`...)
			o.values(r)
			o.buf = append(o.buf, `,"tombstone":true}}`...)
		case o.messages != nil:
			o.buf = append(o.buf, `{"row":{"protobufBytes":"`...)
			o.buf = base64.StdEncoding.AppendEncode(o.buf, o.message)
			o.buf = append(o.buf, `"}}`...)
		default:
			o.buf = append(o.buf, `{"row":{"columns":`...)
			o.values(r)
			o.buf = append(o.buf, "}}"...)
		}
		o.separate()
	case r.Tombstone:
		return nil
	case o.media == api.MediaJSON:
		o.buf = append(o.buf, ',')
		o.values(r)
	default:
		o.values(r)
		o.buf = append(o.buf, '\n')
	}
	if len(o.buf) >= flushBytes {
		return o.flush()
	}
	return nil
}

func (o *rowWriter) values(r *engine.Row) {
	o.buf = append(o.buf, '[')
	for i, v := range r.Values {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		o.buf = appendValue(o.buf, o.answer.Columns[i].Type, v)
	}
	o.buf = append(o.buf, ']')
}

// token writes the consistency token of the rows, if one is to be told. Clients of ksqlDB know it as an object of its own
// behind the rows.
func (o *rowWriter) token() error {
	if o.answer.Token == nil {
		return nil
	}
	text, err := o.answer.Token()
	if err != nil {
		return err
	}
	token := api.ConsistencyToken{Token: text}
	switch {
	case o.objects:
		if o.answer.Pull {
			o.buf = append(o.buf, ",\n"...)
		}
		o.object(api.StreamedRow{ConsistencyToken: &token})
		o.separate()
	case o.media == api.MediaJSON:
		o.buf = append(o.buf, ',')
		o.object(token)
	default:
		o.object(token)
		o.buf = append(o.buf, '\n')
	}
	return nil
}

// end closes the answer.
func (o *rowWriter) end(limitReached bool) {
	switch {
	case o.media == api.MediaDelimited:
	case o.objects && !o.answer.Pull:
		final := api.FinalQueryCompleted
		if limitReached {
			final = api.FinalLimitReached
		}
		o.object(api.StreamedRow{FinalMessage: &final})
		o.buf = append(o.buf, ']')
	default:
		o.buf = append(o.buf, ']')
	}
}

// fail closes the answer with an error.
func (o *rowWriter) fail(body api.ErrorBody) {
	switch {
	case o.objects:
		if o.answer.Pull {
			o.buf = append(o.buf, ",\n"...)
		}
		o.object(api.StreamedRow{ErrorMessage: body})
		o.buf = append(o.buf, ']')
	case o.media == api.MediaJSON:
		o.buf = append(o.buf, ',')
		o.object(body)
		o.buf = append(o.buf, ']')
	default:
		o.object(body)
		o.buf = append(o.buf, '\n')
	}
}

// headerSchema lists the columns as SQL; pull queries mark their key columns.
func headerSchema(a *engine.Answer) string {
	isKey := make([]bool, len(a.Columns))
	if a.Pull {
		for _, p := range a.KeyPositions {
			isKey[p] = true
		}
	}
	var b strings.Builder
	for i, c := range a.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(types.QuoteName(c.Name) + " " + c.Type.String())
		if isKey[i] {
			b.WriteString(" KEY")
		}
	}
	return b.String()
}
