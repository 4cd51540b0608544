package engine

import (
	"encoding/binary"
	"testing"
)

func TestPrintGuessesFormats(t *testing.T) {
	window := func(key string, times ...uint64) string {
		b := []byte(key)
		for _, at := range times {
			b = binary.BigEndian.AppendUint64(b, at)
		}
		return string(b)
	}
	for _, test := range []struct {
		name    string
		isKey   bool
		records []string
		formats string
		last    string
	}{
		{"text", true, []string{"ada"}, "KAFKA_STRING", "ada"},
		{"int", true, []string{"\x00\x00\x07\xe3"}, "KAFKA_INT", "2019"},
		{"long text may be windowed", true, []string{"George R. R. Martin"},
			"SESSION(KAFKA_STRING) or HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING) or KAFKA_STRING",
			"[Geo@3323741605926824302/8243668832417095762]"},
		{"tumbling", true, []string{window("Die Hard", 1562630400000)}, "HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING)",
			"[Die Hard@1562630400000/-]"},
		{"tumbling by a number", true, []string{window("\x00\x00\x00\x07", 1562652000000)}, "HOPPING(KAFKA_INT) or TUMBLING(KAFKA_INT)",
			"[7@1562652000000/-]"},
		{"tumbling by text as long as a number", true, []string{window("Die Hard", 1562630400000), window("Die", 1562630400000)},
			"HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING)", "[Die@1562630400000/-]"},
		{"json text", true, []string{`"10.0.0.1"`}, "JSON or HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING) or KAFKA_STRING", `"10.0.0.1"`},
		{"objects", false, []string{`{"A": 10}`, `{"A": 20}`}, "JSON or KAFKA_STRING", `{"A":20}`},
		{"candidates drop out", false, []string{`12`, `x`}, "KAFKA_STRING", "x"},
		{"bytes", false, []string{"\xff\xfe\x00"}, "UNRECOGNISED_BYTES", "FFFE00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := formatGuess{isKey: test.isKey}
			for _, r := range test.records {
				g.see([]byte(r))
			}
			if got := g.names(); got != test.formats {
				t.Errorf("formats %q, want %q", got, test.formats)
			}
			if got := g.print([]byte(test.records[len(test.records)-1])); got != test.last {
				t.Errorf("printed %q, want %q", got, test.last)
			}
		})
	}
}
