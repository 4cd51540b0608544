package position_test

import (
	"testing"

	"github.com/ksqlgo/ksqlgo/exec/position"
)

func TestVector(t *testing.T) {
	t.Parallel()
	v := position.Vector{}
	v.Set("a", 0, 5)
	v.Set("a", 1, 7)
	for _, c := range []struct {
		name string
		want position.Vector
		ok   bool
	}{
		{"nothing", nil, true},
		{"as far", position.Vector{"a": {0: 5, 1: 7}}, true},
		{"less", position.Vector{"a": {0: 4}}, true},
		{"more", position.Vector{"a": {0: 6}}, false},
		{"another partition", position.Vector{"a": {2: 1}}, false},
		{"another topic", position.Vector{"b": {0: 1}}, false},
		{"the start of another topic", position.Vector{"b": {0: 0}}, true},
	} {
		if got := v.Covers(c.want); got != c.ok {
			t.Errorf("%s: covers %v: %v", c.name, c.want, got)
		}
	}
	other := v.Clone()
	other.Raise(position.Vector{"a": {0: 3, 1: 9}, "b": {4: 1}})
	if want := (position.Vector{"a": {0: 5, 1: 9}, "b": {4: 1}}); !other.Covers(want) || !want.Covers(other) {
		t.Errorf("raised to %v; wanted %v", other, want)
	}
	if at, _ := v.Get("a", 1); at != 7 {
		t.Errorf("raising a copy changed the vector: %v", v)
	}
}
