package text

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ksqlgo/ksqlgo/catalog/functions"
)

func encode() *functions.Spec {
	return spec("ENCODE", "Re-encodes a text between hex, utf8, ascii and base64.", []functions.Scalar{
		functions.NewScalar("(STRING str, STRING inputEncoding, STRING outputEncoding) -> STRING", functions.TryTernary(reencode)),
	},
		"ENCODE('4578616d706C6521', 'hex', 'utf8')", `"Example!"`,
		"ENCODE('Example!', 'ascii', 'base64')", `"RXhhbXBsZSE="`,
		"ENCODE('0x0x', 'hex', 'ascii')", "error: hex",
		"ENCODE('a', 'utf8', 'utf8')", "error: must be different",
		"ENCODE('a', 'utf8', 'latin')", "error: Unsupported",
		"ENCODE(CAST(NULL AS STRING), 'hex', 'utf8')", "null",
	)
}

func reencode(s, from, to string) (string, error) {
	from, to = strings.ToLower(from), strings.ToLower(to)
	if from == to {
		return "", fmt.Errorf("the input and output encodings must be different, both are '%s'", from)
	}
	var raw []byte
	var err error
	switch from {
	case "hex":
		raw, err = decodeLooseHex(s)
	case "utf8":
		raw = []byte(s)
	case "ascii":
		raw = toASCII(s)
	case "base64":
		raw, err = decodeLooseBase64(s)
	default:
		err = fmt.Errorf("Supported input encodings are: hex, utf8, ascii, base64. Unsupported: '%s'", from)
	}
	if err != nil {
		return "", err
	}
	switch to {
	case "hex":
		return hex.EncodeToString(raw), nil
	case "utf8":
		return fromUTF8(raw), nil
	case "ascii":
		return fromASCII(raw), nil
	case "base64":
		return base64.StdEncoding.EncodeToString(raw), nil
	}
	return "", fmt.Errorf("Supported output encodings are: hex, utf8, ascii, base64. Unsupported: '%s'", to)
}

// decodeLooseHex reads plain hex, 0x… (an odd length gets a leading 0) and X'…'.
func decodeLooseHex(s string) ([]byte, error) {
	switch {
	case strings.HasPrefix(s, "0x"):
		s = s[2:]
		if len(s)%2 == 1 {
			s = "0" + s
		}
	case (strings.HasPrefix(s, "X'") || strings.HasPrefix(s, "x'")) && strings.HasSuffix(s[2:], "'"):
		s = s[2 : len(s)-1]
	}
	raw, err := hex.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("%q is no hex text: %w", s, err)
	}
	return raw, nil
}

// decodeLooseBase64 skips characters that base64 does not know and takes a missing padding as given.
func decodeLooseBase64(s string) ([]byte, error) {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c == '-':
			b.WriteByte('+')
		case c == '_':
			b.WriteByte('/')
		case c == '=':
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/':
			b.WriteByte(c)
		}
	}
	clean := b.String()
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	return base64.RawStdEncoding.DecodeString(clean)
}

// toASCII writes ? for every code unit that is not ASCII, as Java's getBytes.
func toASCII(s string) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r >= utf8.RuneSelf {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return out
}

// fromASCII reads bytes above 127 as U+FFFD.
func fromASCII(raw []byte) string {
	out := make([]byte, 0, len(raw))
	for _, c := range raw {
		if c >= utf8.RuneSelf {
			out = utf8.AppendRune(out, utf8.RuneError)
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

func fromUTF8(raw []byte) string { return strings.ToValidUTF8(string(raw), "\uFFFD") }

func fromBytes() *functions.Spec {
	return spec("FROM_BYTES", "A byte string as text in hex, utf8, ascii or base64.", []functions.Scalar{
		functions.NewScalar("(BYTES value, STRING encoding) -> STRING", functions.TryBinary(bytesToText)),
	},
		"FROM_BYTES(TO_BYTES('1ab2', 'hex'), 'hex')", `"1AB2"`,
		"FROM_BYTES(TO_BYTES('abc', 'utf8'), 'base64')", `"YWJj"`,
		"FROM_BYTES(TO_BYTES('abc', 'utf8'), 'x')", "error: Unknown encoding type 'x'. Supported formats are 'hex', 'utf8', 'ascii', and 'base64'.",
		"FROM_BYTES(CAST(NULL AS BYTES), 'hex')", "null",
	)
}

func unknownEncoding(name string) error {
	return fmt.Errorf("Unknown encoding type '%s'. Supported formats are 'hex', 'utf8', 'ascii', and 'base64'.", name)
}

func bytesToText(b []byte, encoding string) (string, error) {
	switch strings.ToLower(encoding) {
	case "hex":
		return strings.ToUpper(hex.EncodeToString(b)), nil
	case "utf8":
		return fromUTF8(b), nil
	case "ascii":
		return fromASCII(b), nil
	case "base64":
		return base64.StdEncoding.EncodeToString(b), nil
	}
	return "", unknownEncoding(encoding)
}

func toBytes() *functions.Spec {
	return spec("TO_BYTES", "A text in hex, utf8, ascii or base64 as a byte string.", []functions.Scalar{
		functions.NewScalar("(STRING value, STRING encoding) -> BYTES", functions.TryBinary(textToBytes)),
	},
		"TO_BYTES('616263', 'hex')", `"YWJj"`,
		"TO_BYTES('é', 'ascii')", `"Pw=="`,
		"TO_BYTES('6', 'hex')", "error: hex",
		"TO_BYTES('!', 'base64')", "error: base64",
		"TO_BYTES(CAST(NULL AS STRING), 'hex')", "null",
	)
}

func textToBytes(s, encoding string) ([]byte, error) {
	switch strings.ToLower(encoding) {
	case "hex":
		raw, err := hex.DecodeString(s)
		if err != nil {
			return nil, fmt.Errorf("%q is no hex text: %w", s, err)
		}
		return raw, nil
	case "utf8":
		return []byte(s), nil
	case "ascii":
		return toASCII(s), nil
	case "base64":
		raw, err := base64.StdEncoding.AppendDecode([]byte{}, []byte(s))
		if err != nil {
			return nil, fmt.Errorf("%q is no base64 text", s)
		}
		return raw, nil
	}
	return nil, unknownEncoding(encoding)
}
