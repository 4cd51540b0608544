package api

import (
	"encoding/json"
	"fmt"
)

// StreamedRow is one object of a streamed query answer in the
// application/vnd.ksql.v1+json format. Exactly one of Header, Row,
// ErrorMessage, FinalMessage and the tokens is set.
type StreamedRow struct {
	Header            *RowHeader         `json:"header,omitempty"`
	Row               *DataRow           `json:"row,omitempty"`
	ErrorMessage      ErrorBody          `json:"errorMessage,omitempty"`
	FinalMessage      *string            `json:"finalMessage,omitempty"`
	ContinuationToken *ContinuationToken `json:"continuationToken,omitempty"`
	ConsistencyToken  *ConsistencyToken  `json:"consistencyToken,omitempty"`
	// SourceHost is the server a row came from, on debug requests.
	SourceHost *HostInfo `json:"sourceHost,omitempty"`
}

// Texts of StreamedRow.FinalMessage.
const (
	FinalLimitReached   = "Limit Reached"
	FinalQueryCompleted = "Query Completed"
)

// UnmarshalJSON reads one object of the stream.
func (r *StreamedRow) UnmarshalJSON(data []byte) error {
	type plain StreamedRow
	aux := struct {
		*plain
		ErrorMessage json.RawMessage `json:"errorMessage"`
	}{plain: (*plain)(r)}
	if err := json.Unmarshal(data, &aux); err != nil {
		return err
	}
	if len(aux.ErrorMessage) == 0 || string(aux.ErrorMessage) == "null" {
		return nil
	}
	body, err := DecodeError(aux.ErrorMessage)
	if err != nil {
		return err
	}
	r.ErrorMessage = body
	return nil
}

// RowHeader starts a streamed answer.
type RowHeader struct {
	QueryID string `json:"queryId"`
	// Schema lists the columns as SQL: names in back-quotes, key columns of
	// pull queries followed by KEY.
	Schema string `json:"schema"`
	// ProtoSchema is the text of the .proto file whose first message the rows are, in the protobuf format.
	ProtoSchema string `json:"protoSchema,omitempty"`
}

// DataRow is one row: each column is kept as the JSON text the server wrote,
// so that decimals and doubles lose nothing.
type DataRow struct {
	Columns []json.RawMessage `json:"columns,omitempty"`
	// Tombstone says that the row of this key was deleted; the columns that
	// are not part of the key are null.
	Tombstone bool `json:"tombstone,omitempty"`
	// ProtobufBytes is a message of RowHeader.ProtoSchema and replaces Columns in the protobuf format, but for tombstones. A
	// message of nothing but defaults and nulls has no bytes: nil alone means that there is none.
	ProtobufBytes []byte `json:"protobufBytes,omitzero"`
}

// ContinuationToken lets a scalable push query go on elsewhere.
type ContinuationToken struct {
	Token string `json:"continuationToken"`
}

// ConsistencyToken says how far the data of a pull query reached.
type ConsistencyToken struct {
	Token string `json:"consistencyToken"`
}

// QueryResponseMetadata is the first line of the delimited and of the plain
// JSON answer of /query-stream.
type QueryResponseMetadata struct {
	QueryID     string       `json:"queryId"`
	ColumnNames List[string] `json:"columnNames"`
	// ColumnTypes are SQL types: "BIGINT", "DECIMAL(4, 2)", "ARRAY<STRING>".
	ColumnTypes List[string] `json:"columnTypes"`
}

// HostInfo names a server.
type HostInfo struct {
	Host string
	Port int
}

// String returns host:port.
func (h HostInfo) String() string { return fmt.Sprintf("%s:%d", h.Host, h.Port) }

// MarshalText writes host:port.
func (h HostInfo) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads host:port.
func (h *HostInfo) UnmarshalText(text []byte) error {
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] != ':' {
			continue
		}
		h.Host = string(text[:i])
		_, err := fmt.Sscanf(string(text[i+1:]), "%d", &h.Port)
		return err
	}
	return fmt.Errorf("api: %q is not host:port", text)
}
