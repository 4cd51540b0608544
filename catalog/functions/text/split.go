package text

import (
	"bytes"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func split() *functions.Spec {
	return spec("SPLIT", "Splits at a delimiter, keeping empty pieces; an empty delimiter splits into single characters or bytes.", []functions.Scalar{
		functions.NewScalar("(STRING string, STRING delimiter) -> ARRAY<STRING>", functions.Binary(splitText)),
		functions.NewScalar("(BYTES bytes, BYTES delimiter) -> ARRAY<BYTES>", functions.Binary(splitBytes)),
	},
		"SPLIT('a,,b', ',')", `["a","","b"]`,
		"SPLIT('abc', '')", `["a","b","c"]`,
		"SPLIT('', ',')", `[""]`,
		"SPLIT(CAST(NULL AS STRING), ',')", "null",
	)
}

func splitText(s, delimiter string) []any {
	if s == "" {
		return []any{""}
	}
	pieces := strings.Split(strings.Clone(s), delimiter)
	out := make([]any, len(pieces))
	for i, p := range pieces {
		out[i] = p
	}
	return out
}

func splitBytes(b, delimiter []byte) []any {
	if len(b) == 0 {
		return []any{[]byte{}}
	}
	b = bytes.Clone(b)
	if len(delimiter) == 0 {
		out := make([]any, len(b))
		for i := range b {
			out[i] = b[i : i+1 : i+1]
		}
		return out
	}
	var out []any
	for _, p := range bytes.Split(b, delimiter) {
		out = append(out, p[:len(p):len(p)])
	}
	return out
}

func splitToMap() *functions.Spec {
	s := spec("SPLIT_TO_MAP", "Splits into entries at one delimiter and each into key and value at another; a later key wins.", []functions.Scalar{
		functions.NewScalar("(STRING input, STRING entryDelimiter, STRING kvDelimiter) -> MAP<STRING, STRING>", functions.Ternary(splitEntries)),
	},
		"SPLIT_TO_MAP('a=1;b=2;;c', ';', '=')", `{"a":"1","b":"2"}`,
		"SPLIT_TO_MAP('a=1', '', '=')", "null",
		"SPLIT_TO_MAP('a=1', '=', '=')", "null",
		"SPLIT_TO_MAP(CAST(NULL AS STRING), ';', '=')", "null",
	)
	s.Category = "MAP"
	return s
}

func splitEntries(s, entryDelimiter, kvDelimiter string) *types.MapValue {
	if entryDelimiter == "" || kvDelimiter == "" || entryDelimiter == kvDelimiter {
		return nil
	}
	m := &types.MapValue{}
	for _, entry := range strings.Split(strings.Clone(s), entryDelimiter) {
		pieces := strings.Split(entry, kvDelimiter)
		if entry == "" || len(pieces) < 2 {
			continue
		}
		m.Put(pieces[0], pieces[1])
	}
	return m
}
