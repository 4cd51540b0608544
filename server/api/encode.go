package api

import (
	"bytes"
	"encoding/json"
)

// Encode writes a value as JSON the way ksqlDB's server does: "<", ">" and "&" stand for themselves, so that types such as
// ARRAY<STRING> can be read by people too. There is no newline at the end.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
