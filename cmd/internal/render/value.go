package render

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Text is a JSON value as ksqlDB's console shows it: strings bare, arrays
// "[a, b]", structs and maps "{K=v}", null "null", numbers as written.
func Text(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "null"
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	case '[', '{':
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		var b strings.Builder
		if writeText(&b, dec) == nil {
			return b.String()
		}
	}
	return string(raw)
}

// writeText prints the next value of the decoder; fields keep their order.
func writeText(b *strings.Builder, dec *json.Decoder) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		return writeNested(b, dec, t)
	case string:
		b.WriteString(t)
	case json.Number:
		b.WriteString(t.String())
	case bool:
		if t {
			b.WriteString("true")
		} else {
			b.WriteString("false")
		}
	case nil:
		b.WriteString("null")
	}
	return nil
}

func writeNested(b *strings.Builder, dec *json.Decoder, open json.Delim) error {
	b.WriteByte(byte(open))
	for first := true; dec.More(); first = false {
		if !first {
			b.WriteString(", ")
		}
		if open == '{' {
			if err := writeText(b, dec); err != nil {
				return err
			}
			b.WriteByte('=')
		}
		if err := writeText(b, dec); err != nil {
			return err
		}
	}
	end, err := dec.Token()
	if err != nil {
		return err
	}
	b.WriteByte(byte(end.(json.Delim)))
	return nil
}

// printable keeps control characters of data from reaching the terminal, where
// they could move the cursor or worse; line breaks stay.
func printable(text string) string {
	clean := true
	for i := 0; i < len(text) && clean; i++ {
		clean = text[i] >= 0x20 && text[i] != 0x7f
	}
	if clean && !strings.ContainsRune(text, '\u009b') {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case r < 0x20, r == 0x7f, r >= 0x80 && r < 0xa0:
			return '\uFFFD'
		}
		return r
	}, text)
}
