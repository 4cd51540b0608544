package kafka

import "testing"

// The hashes are those of Java's Utils.murmur2, from Kafka's own tests.
func TestPartitionForKey(t *testing.T) {
	for key, hash := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(key))); got != hash {
			t.Errorf("murmur2(%q) = %d, want %d", key, got, hash)
		}
		for _, n := range []int32{1, 2, 7, 50} {
			if got, want := PartitionForKey([]byte(key), n), (hash&0x7fffffff)%n; got != want {
				t.Errorf("partition of %q in %d = %d, want %d", key, n, got, want)
			}
		}
	}
}
