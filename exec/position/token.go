package position

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// TokenVersion is the version of the tokens that are written; others are refused.
const TokenVersion = 1

// MaxToken bounds the text that [Parse] reads, in bytes.
const MaxToken = 64 << 10

// maxTopicName is Kafka's limit.
const maxTopicName = 249

// token is what a token's text holds: the shape of ksqlDB's consistency tokens. There an offset is that of the last record
// contained, which version 0 stands for; here it is the next one, as everywhere in Kafka but in the answers to producers.
type token struct {
	Version      *int   `json:"version"`
	OffsetVector Vector `json:"offsetVector"`
}

// Token is the vector as opaque text that can stand in URLs, headers and JSON without escapes. Offsets of 0 ask for nothing
// and are left out. Equal vectors give equal tokens.
func (v Vector) Token() string {
	version := TokenVersion
	asked := Vector{}
	for topic, partitions := range v {
		for p, offset := range partitions {
			if offset > 0 {
				asked.Set(topic, p, offset)
			}
		}
	}
	b, err := json.Marshal(token{&version, asked})
	if err != nil {
		panic(err) // Maps of numbers can always be written.
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Parse reads what a client asks for: tokens, and positions given by hand as topic:partition:offset, with commas between
// them; of several for one partition the furthest counts. The JSON that a token holds is taken as well. Blank text is the
// empty vector. Errors say what is wrong with which part.
func Parse(text string) (Vector, error) {
	text = strings.TrimSpace(text)
	if len(text) > MaxToken {
		return nil, fmt.Errorf("the consistency token is longer than %d bytes", MaxToken)
	}
	if strings.HasPrefix(text, "{") {
		return decode([]byte(text))
	}
	all := Vector{}
	if text == "" {
		return all, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		read := parseToken
		if strings.Contains(part, ":") {
			read = parsePosition
		}
		v, err := read(part)
		if err != nil {
			return nil, fmt.Errorf("%q is neither a consistency token nor topic:partition:offset: %w", shorten(part), err)
		}
		all.Raise(v)
	}
	return all, nil
}

// String is the vector as it is given by hand, in order.
func (v Vector) String() string {
	var b strings.Builder
	for _, topic := range slices.Sorted(maps.Keys(v)) {
		for _, p := range slices.Sorted(maps.Keys(v[topic])) {
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%s:%d:%d", topic, p, v[topic][p])
		}
	}
	return b.String()
}

// shorten cuts what is quoted in an error.
func shorten(text string) string {
	if len(text) > 80 {
		return text[:80] + "…"
	}
	return text
}

// standard are the characters of the other base64 alphabet and the padding, which some clients put in.
var standard = strings.NewReplacer("+", "-", "/", "_", "=", "")

func parseToken(text string) (Vector, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(standard.Replace(text))
	if err != nil || len(b) == 0 {
		return nil, errors.New("it is not base64")
	}
	return decode(b)
}

func parsePosition(text string) (Vector, error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return nil, errors.New("it has not three parts")
	}
	partition, err := strconv.ParseInt(parts[1], 10, 32)
	if err != nil {
		return nil, fmt.Errorf("the partition %q is not a number", parts[1])
	}
	offset, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the offset %q is not a number", parts[2])
	}
	v := Vector{}
	v.Set(parts[0], int32(partition), offset)
	return v, v.check()
}

func decode(text []byte) (Vector, error) {
	var t token
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&t); err != nil {
		return nil, errors.New("it does not hold the JSON of a token")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more text behind its JSON")
	}
	switch {
	case t.Version == nil:
		return nil, errors.New("it names no version")
	case *t.Version != TokenVersion:
		return nil, fmt.Errorf("its version is %d; this server reads version %d", *t.Version, TokenVersion)
	case t.OffsetVector == nil:
		return nil, errors.New("it holds no offsetVector")
	}
	maps.DeleteFunc(t.OffsetVector, func(_ string, partitions map[int32]int64) bool { return len(partitions) == 0 })
	return t.OffsetVector, t.OffsetVector.check()
}

// check says what cannot be in a vector that comes from outside.
func (v Vector) check() error {
	for topic, partitions := range v {
		if !isTopicName(topic) {
			return fmt.Errorf("%q is not the name of a topic", shorten(topic))
		}
		for p, offset := range partitions {
			switch {
			case p < 0:
				return fmt.Errorf("topic %s has no partition %d", topic, p)
			case offset < 0:
				return fmt.Errorf("the offset %d of topic %s, partition %d is negative", offset, topic, p)
			}
		}
	}
	return nil
}

// isTopicName says whether Kafka lets a topic have the name.
func isTopicName(name string) bool {
	if name == "" || name == "." || name == ".." || len(name) > maxTopicName {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
