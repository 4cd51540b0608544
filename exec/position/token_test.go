package position_test

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/exec/position"
)

// encoded is the token that holds a text.
func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// equal says whether two vectors ask for the same.
func equal(a, b position.Vector) bool { return a.Covers(b) && b.Covers(a) }

func TestTokens(t *testing.T) {
	t.Parallel()
	for _, v := range []position.Vector{nil, {}, {"orders": {0: 43}}, {"a.b_c-D": {0: 0, 11: math.MaxInt64}, "z": {math.MaxInt32: 1}}} {
		text := v.Token()
		if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			t.Errorf("%v: %s cannot stand in a URL", v, text)
		}
		if got, err := position.Parse(text); err != nil || !equal(got, v) {
			t.Errorf("%v came back as %v, %v", v, got, err)
		}
	}
	if got, want := (position.Vector{"z": {0: 1}, "a": {10: 4, 9: 0}}).String(), "a:9:0,a:10:4,z:0:1"; got != want {
		t.Errorf("by hand %s; wanted %s", got, want)
	}
	if got, want := (position.Vector{"orders": {1: 7, 0: 43, 2: 0}, "none": {0: 0}}).Token(), encoded(`{"version":1,"offsetVector":{"orders":{"0":43,"1":7}}}`); got != want {
		t.Errorf("token %s; wanted %s", got, want)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	orders := position.Vector{"orders": {0: 43}}
	padded := base64.StdEncoding.EncodeToString([]byte(`{"version":1,"offsetVector":{"orders":{"0":43}},"more":[1] }`))
	for _, c := range []struct {
		name, text string
		want       position.Vector
		err        string
	}{
		{name: "nothing", text: " ", want: position.Vector{}},
		{name: "by hand", text: "orders:0:43", want: orders},
		{name: "several by hand", text: "orders:0:12, orders:0:43,orders:0:4 ,a:2:1", want: position.Vector{"orders": {0: 43}, "a": {2: 1}}},
		{name: "the alphabet with padding", text: padded, want: orders},
		{name: "tokens and by hand", text: orders.Token() + ",a:2:1", want: position.Vector{"orders": {0: 43}, "a": {2: 1}}},
		{name: "JSON", text: `{"version":1,"offsetVector":{"orders":{"0":43}}}`, want: orders},
		{name: "two parts", text: "orders:43", err: `"orders:43" is neither a consistency token nor topic:partition:offset: it has not three parts`},
		{name: "no number", text: "orders:x:43", err: `the partition "x" is not a number`},
		{name: "no offset", text: "orders:0:", err: `the offset "" is not a number`},
		{name: "negative partition", text: "orders:-1:43", err: "topic orders has no partition -1"},
		{name: "negative offset", text: "orders:0:-2", err: "the offset -2 of topic orders, partition 0 is negative"},
		{name: "no topic", text: ":0:43", err: `"" is not the name of a topic`},
		{name: "bad topic", text: "ord ers:0:43", err: `"ord ers" is not the name of a topic`},
		{name: "long topic", text: strings.Repeat("x", 250) + ":0:43", err: "is not the name of a topic"},
		{name: "not base64", text: "$$$", err: "it is not base64"},
		{name: "an empty part", text: "orders:0:43,", err: "it is not base64"},
		{name: "no JSON", text: encoded("hello"), err: "it does not hold the JSON of a token"},
		{name: "two values", text: encoded(`{"version":1,"offsetVector":{}}{}`), err: "there is more text behind its JSON"},
		{name: "no version", text: encoded(`{"offsetVector":{}}`), err: "it names no version"},
		{name: "ksqlDB's version", text: encoded(`{"version":0,"offsetVector":{}}`), err: "its version is 0; this server reads version 1"},
		{name: "no vector", text: encoded(`{"version":1}`), err: "it holds no offsetVector"},
		{name: "an offset that is no whole number", text: encoded(`{"version":1,"offsetVector":{"a":{"0":1.5}}}`), err: "it does not hold the JSON of a token"},
		{name: "a partition that is none", text: encoded(`{"version":1,"offsetVector":{"a":{"3000000000":1}}}`), err: "it does not hold the JSON of a token"},
		{name: "negative inside", text: encoded(`{"version":1,"offsetVector":{"a":{"0":-1}}}`), err: "is negative"},
		{name: "too long", text: strings.Repeat("A", position.MaxToken+1), err: "the consistency token is longer than 65536 bytes"},
	} {
		got, err := position.Parse(c.text)
		switch {
		case c.err == "" && (err != nil || !equal(got, c.want)):
			t.Errorf("%s: %v, %v; wanted %v", c.name, got, err, c.want)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v, error %v; wanted %q", c.name, got, err, c.err)
		}
	}
}

// FuzzParse: any text gives a vector that holds what may be asked for and survives its own token, or an error.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "orders:0:43", "a:0:1,b:1:2", position.Vector{"orders": {0: 43}}.Token(), `{"version":1,"offsetVector":{"orders":{"0":43}}}`,
		encoded(`{"version":1,"offsetVector":{"a":{"0":-1}}}`), encoded(`{"version":1,"offsetVector":{"a":null}}`), "a:b:c", "====", ",,",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := position.Parse(text)
		if err != nil {
			return
		}
		for topic, partitions := range v {
			if topic == "" {
				t.Errorf("%q gave a topic without a name", text)
			}
			for p, offset := range partitions {
				if p < 0 || offset < 0 {
					t.Errorf("%q gave %s:%d:%d", text, topic, p, offset)
				}
			}
		}
		token := v.Token()
		if len(token) > position.MaxToken {
			return // A long list by hand can make a token that is longer still.
		}
		if again, err := position.Parse(token); err != nil || !equal(again, v) {
			t.Errorf("%q gave %v, its token %v, %v", text, v, again, err)
		}
	})
}
