package state

// UpsertGroup is how many upserts an [Upserts] gathers.
const UpsertGroup = groupLen

// Upserts gathers upserts of one store and carries them out together, in the order in which they were added: the
// cache misses of their rows then overlap. What it has gathered is seen by nobody before [Upserts.Run]; run it before
// the store is read or visited, and before the commit. It takes no memory beyond its first keys.
type Upserts struct {
	view   *view
	n      int
	keys   []byte
	ends   [groupLen]int
	hashes [groupLen]uint64
	times  [groupLen]int64
}

// Upserts returns an empty gatherer.
func (s *KeyedStore) Upserts() *Upserts { return &Upserts{view: s.v} }

// Upserts returns an empty gatherer.
func (s *WindowStore) Upserts() *Upserts { return &Upserts{view: s.v} }

// Add adds the upsert of a row of a Keyed store. The gatherer must not be full; the key is copied.
func (u *Upserts) Add(key []byte, ts int64) {
	u.keys = append(u.keys, key...)
	u.added(ts)
}

// AddWindow adds the upsert of the row of a key's window and reports whether the window is still live; if not, nothing
// is added.
func (u *Upserts) AddWindow(key []byte, start, ts int64) (live bool) {
	if !u.view.admit(start) {
		return false
	}
	u.keys = appendWindowKey(u.keys, u.view.width, key, start)
	u.added(ts)
	return true
}

func (u *Upserts) added(ts int64) {
	u.hashes[u.n] = u.view.o.hash(u.key(u.n, len(u.keys)))
	u.ends[u.n], u.times[u.n] = len(u.keys), ts
	u.n++
}

// key returns the key that ends at end.
func (u *Upserts) key(i, end int) []byte {
	if i == 0 {
		return u.keys[:end]
	}
	return u.keys[u.ends[i-1]:end]
}

// Len is how many upserts are waiting.
func (u *Upserts) Len() int { return u.n }

// Full says that no more can be added.
func (u *Upserts) Full() bool { return u.n == groupLen }

// Drop forgets what is waiting.
func (u *Upserts) Drop() { u.n, u.keys = 0, u.keys[:0] }

// Run carries out what is waiting: fn gets the rows one after the other, numbered in the order in which they were
// added, as [KeyedStore.Upsert] gives them. An error ends the run and is returned; the rest is dropped.
func (u *Upserts) Run(size int, fn func(i int, value []byte, found bool) error) error {
	defer u.Drop()
	o := u.view.o
	o.near(u.hashes[:u.n])
	for i := range u.n {
		value, found, err := o.upsertHashed(u.hashes[i], u.key(i, u.ends[i]), size, u.times[i])
		if err != nil {
			return err
		}
		if err := fn(i, value, found); err != nil {
			return err
		}
	}
	return nil
}
