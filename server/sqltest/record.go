package sqltest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/ksqlgo/ksqlgo/catalog"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// Parse reads JSON without loss: numbers stay as they are written.
func Parse(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return v, nil
}

// isNull says whether a JSON text is absent or null.
func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(bytes.TrimSpace(raw)) == "null" }

// side is the key or the value of a topic.
type side struct {
	format  catalog.Format
	columns []types.Column
}

func sideOf(src *catalog.Source, isKey bool) side {
	switch {
	case src == nil && isKey:
		return side{catalog.Format{Name: "KAFKA"}, []types.Column{{Name: "KEY", Type: types.StringType}}}
	case src == nil:
		return side{format: catalog.Format{Name: "JSON"}}
	case isKey:
		return side{src.KeyFormat, src.Schema.Key}
	}
	return side{src.ValueFormat, src.Schema.Value}
}

// bytes gives the bytes that a JSON text of a test file stands for in the topic's own format; nil for null.
func (s side) bytes(raw json.RawMessage) ([]byte, error) {
	if isNull(raw) || s.format.Name == "NONE" {
		return nil, nil
	}
	v, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	switch s.format.Name {
	case "JSON":
		var out bytes.Buffer
		err := json.Compact(&out, raw)
		return out.Bytes(), err
	case "DELIMITED":
		return []byte(plainText(v, raw)), nil
	case "KAFKA":
		if len(s.columns) != 1 {
			return nil, fmt.Errorf("the KAFKA format with %d columns", len(s.columns))
		}
		return kafkaBytes(s.columns[0].Type, v, raw)
	case "PROTOBUF_NOSR":
		return s.binary(raw)
	}
	return nil, fmt.Errorf("format %s is not written by query tests", s.format.Name)
}

// plainText is a JSON string's content, or the text of any other JSON value.
func plainText(v any, raw []byte) string {
	if text, ok := v.(string); ok {
		return text
	}
	return string(bytes.TrimSpace(raw))
}

func kafkaBytes(t *types.Type, v any, raw []byte) ([]byte, error) {
	text := plainText(v, raw)
	switch t.Kind {
	case types.String:
		return []byte(text), nil
	case types.Bytes:
		return base64.StdEncoding.DecodeString(text)
	case types.Double:
		f, err := strconv.ParseFloat(text, 64)
		return binary.BigEndian.AppendUint64(nil, math.Float64bits(f)), err
	case types.Int:
		n, err := strconv.ParseInt(text, 10, 32)
		return binary.BigEndian.AppendUint32(nil, uint32(int32(n))), err
	case types.Bigint:
		n, err := strconv.ParseInt(text, 10, 64)
		return binary.BigEndian.AppendUint64(nil, uint64(n)), err
	}
	return nil, fmt.Errorf("the KAFKA format does not hold %s", t)
}

// text reads the bytes of a topic as JSON shows them, fields in their order; nil for null.
func (s side) text(b []byte) (json.RawMessage, error) {
	if b == nil {
		return nil, nil
	}
	switch s.format.Name {
	case "NONE":
		return nil, fmt.Errorf("the NONE format holds %q", b)
	case "JSON":
		return b, nil
	case "DELIMITED":
		return jsonText(string(b)), nil
	case "KAFKA":
		if len(s.columns) != 1 {
			return nil, fmt.Errorf("the KAFKA format with %d columns", len(s.columns))
		}
		v, err := kafkaValue(s.columns[0].Type, b)
		if err != nil {
			return nil, err
		}
		return jsonText(v), nil
	case "PROTOBUF_NOSR":
		return s.translate(s.format, s.asJSON(), b)
	}
	return nil, fmt.Errorf("format %s is not read by query tests", s.format.Name)
}

func kafkaValue(t *types.Type, b []byte) (any, error) {
	switch {
	case t.Kind == types.String:
		return string(b), nil
	case t.Kind == types.Bytes:
		return base64.StdEncoding.EncodeToString(b), nil
	case t.Kind == types.Int && len(b) == 4:
		return json.Number(strconv.FormatInt(int64(int32(binary.BigEndian.Uint32(b))), 10)), nil
	case t.Kind == types.Bigint && len(b) == 8:
		return json.Number(strconv.FormatInt(int64(binary.BigEndian.Uint64(b)), 10)), nil
	case t.Kind == types.Double && len(b) == 8:
		f := math.Float64frombits(binary.BigEndian.Uint64(b))
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), nil
	}
	return nil, fmt.Errorf("%d bytes are no KAFKA %s", len(b), t)
}

// shape is the type of the whole side as JSON shows it; nil when it is not known.
func (s side) shape() *types.Type {
	if s.format.Name == "DELIMITED" {
		return types.StringType
	}
	if len(s.columns) == 1 && (s.format.Unwrapped || s.format.Name == "KAFKA") {
		return s.columns[0].Type
	}
	if len(s.columns) == 0 {
		return nil
	}
	fields := make([]types.Field, len(s.columns))
	for i, c := range s.columns {
		fields[i] = types.Field(c)
	}
	return types.StructOf(fields...)
}
