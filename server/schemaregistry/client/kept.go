package client

import "sync"

// kept remembers a bounded number of values: those put or asked for lately. Safe for concurrent use.
type kept[K comparable, V any] struct {
	mu sync.Mutex
	// max bounds each of the two halves; what is in none but the old one is forgotten when the new one is full.
	max      int
	now, old map[K]V
}

func newKept[K comparable, V any](size int) *kept[K, V] {
	return &kept[K, V]{max: max(size/2, 1), now: map[K]V{}}
}

func (k *kept[K, V]) get(key K) (V, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if v, ok := k.now[key]; ok {
		return v, true
	}
	v, ok := k.old[key]
	if ok {
		k.set(key, v)
	}
	return v, ok
}

func (k *kept[K, V]) put(key K, v V) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.set(key, v)
}

func (k *kept[K, V]) set(key K, v V) {
	if len(k.now) >= k.max {
		k.now, k.old = map[K]V{}, k.now
	}
	k.now[key] = v
}

func (k *kept[K, V]) clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now, k.old = map[K]V{}, nil
}
