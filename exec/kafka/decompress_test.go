package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/twmb/franz-go/pkg/kgo"
)

var codecs = map[string]kgo.CompressionCodec{
	"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func compress(t testing.TB, codec kgo.CompressionCodec, data []byte) ([]byte, uint16) {
	t.Helper()
	c, err := kgo.DefaultCompressor(codec)
	if err != nil {
		t.Fatal(err)
	}
	out, kind := c.Compress(new(bytes.Buffer), data)
	return bytes.Clone(out), uint16(kind)
}

func TestDecompressIsBounded(t *testing.T) {
	const limit = 1 << 20
	for name, codec := range codecs {
		t.Run(name, func(t *testing.T) {
			d := decompressor{limit: limit}
			for _, size := range []int{0, 1, 1000, limit} {
				want := bytes.Repeat([]byte("ab"), size)[:size]
				body, kind := compress(t, codec, want)
				for range 2 { // readers are used again
					if got, err := d.decompress(body, kind); err != nil || !bytes.Equal(got, want) {
						t.Errorf("%d bytes: got %d, %v", size, len(got), err)
					}
				}
			}
			bomb, kind := compress(t, codec, make([]byte, 16*limit))
			if got, err := d.decompress(bomb, kind); !errors.Is(err, errInflated) {
				t.Errorf("a bomb of %d bytes became %d: %v", len(bomb), len(got), err)
			}
		})
	}
}

func TestDecompressXerial(t *testing.T) {
	body := append(bytes.Clone(xerialMagic), 0, 0, 0, 1, 0, 0, 0, 1)
	for _, part := range []string{"one ", "two"} {
		block := s2.EncodeSnappy(nil, []byte(part))
		body = append(binary.BigEndian.AppendUint32(body, uint32(len(block))), block...)
	}
	d := decompressor{limit: 100}
	if got, err := d.decompress(body, codecSnappy); err != nil || string(got) != "one two" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := d.decompress(body[:len(body)-1], codecSnappy); err == nil {
		t.Error("a cut body was accepted")
	}
	d.limit = 5
	if _, err := d.decompress(body, codecSnappy); !errors.Is(err, errInflated) {
		t.Errorf("beyond the limit: %v", err)
	}
}

func FuzzDecompress(f *testing.F) {
	for _, codec := range codecs {
		body, kind := compress(f, codec, []byte("some records"))
		f.Add(body, kind)
	}
	f.Fuzz(func(t *testing.T, body []byte, codec uint16) {
		d := decompressor{limit: 1 << 16}
		if out, err := d.decompress(body, codec); err == nil && len(out) > d.limit {
			t.Errorf("%d bytes", len(out))
		}
	})
}
