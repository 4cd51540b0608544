package api

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// List is a slice that is written as [] when it is nil. ksqlDB's clients
// iterate over such fields without looking for null.
type List[T any] []T

// MarshalJSON writes the list as a JSON array.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if len(l) == 0 {
		return []byte("[]"), nil
	}
	return Encode([]T(l))
}

// Map is a string-keyed map that is written as {} when it is nil.
type Map[T any] map[string]T

// MarshalJSON writes the map as a JSON object with sorted keys.
func (m Map[T]) MarshalJSON() ([]byte, error) {
	if len(m) == 0 {
		return []byte("{}"), nil
	}
	return Encode(map[string]T(m))
}

// Properties are property overrides as a client sends them. Values decoded
// from JSON are string, bool, json.Number, nil, []any or map[string]any;
// numbers keep the text the client wrote.
type Properties map[string]any

// MarshalJSON writes the properties as a JSON object with sorted keys.
func (p Properties) MarshalJSON() ([]byte, error) {
	if len(p) == 0 {
		return []byte("{}"), nil
	}
	return Encode(map[string]any(p))
}

// UnmarshalJSON reads a JSON object, keeping numbers as written.
func (p *Properties) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return err
	}
	*p = m
	return nil
}

// Strings returns the properties with every value as text, as property parsers
// want them. A nil value becomes the empty string.
func (p Properties) Strings() map[string]string {
	out := make(map[string]string, len(p))
	for name, value := range p {
		switch v := value.(type) {
		case nil:
			out[name] = ""
		case string:
			out[name] = v
		case []any, map[string]any:
			text, err := json.Marshal(v)
			if err != nil {
				text = []byte(fmt.Sprint(v))
			}
			out[name] = string(text)
		default:
			out[name] = fmt.Sprint(v)
		}
	}
	return out
}
