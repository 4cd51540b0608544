package schemas

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Version is a version of a subject with what a registry knows of it besides.
type Version struct {
	Registered
	// Deleted versions are none that Latest finds, nor do they count when it is looked whether a schema is registered: they are
	// there for those who have their number or refer to them.
	Deleted bool
}

// Memory is a registry in memory that takes every schema: the state of the embedded registry, which looks at schemas before
// they get here, and a registry for tests. The zero value is empty.
type Memory struct {
	mu   sync.RWMutex
	byID map[int]Schema
	// ids are the numbers of the schemas by how they are written.
	ids map[string]int
	// last is the highest number there ever was.
	last     int
	subjects map[string][]Version
}

var _ Registry = (*Memory)(nil)

// ByID implements [Registry].
func (m *Memory) ByID(id int) (Schema, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.byID[id]
	if !ok {
		return Schema{}, &NotFoundError{fmt.Sprintf("Schema %d", id)}
	}
	return s, nil
}

// Latest implements [Registry].
func (m *Memory) Latest(subject string) (Registered, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, v := range slices.Backward(m.subjects[subject]) {
		if !v.Deleted {
			return v.Registered, nil
		}
	}
	return Registered{}, &NotFoundError{fmt.Sprintf("Subject '%s'", subject)}
}

// Version implements [Registry].
func (m *Memory) Version(subject string, version int) (Registered, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if i, ok := find(m.subjects[subject], version); ok {
		return m.subjects[subject][i].Registered, nil
	}
	return Registered{}, &NotFoundError{fmt.Sprintf("Version %d of subject '%s'", version, subject)}
}

// Register implements [Registry].
func (m *Memory) Register(subject string, s Schema) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, known := m.ids[s.identity()]
	if !known {
		id = m.last + 1
	}
	return id, m.add(subject, s, id)
}

// RegisterAs is Register with a number that the schema shall have, whatever had it before. The error is always nil.
func (m *Memory) RegisterAs(subject string, s Schema, id int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if have, ok := m.byID[id]; ok && have.identity() != s.identity() {
		m.drop(id)
	}
	// The number is free, which is all that could be wrong.
	_ = m.add(subject, s, id)
	return nil
}

// add makes a schema of a number the newest version of a subject, unless it is a version already. m.mu is held.
func (m *Memory) add(subject string, s Schema, id int) error {
	list := m.subjects[subject]
	if slices.ContainsFunc(list, func(v Version) bool { return v.ID == id && !v.Deleted }) {
		return nil
	}
	next := 1
	if len(list) > 0 {
		next = list[len(list)-1].Version + 1
	}
	return m.put(Version{Registered: Registered{Schema: s, Subject: subject, Version: next, ID: id}})
}

// Delete implements [Registry].
func (m *Memory) Delete(subject string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.subjects[subject] {
		m.subjects[subject][i].Deleted = true
	}
	return nil
}

// Put sets a version with its number, in place of what there was. It is an error when the number is another schema's.
func (m *Memory) Put(v Version) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.put(v)
}

func (m *Memory) put(v Version) error {
	if have, ok := m.byID[v.ID]; ok && have.identity() != v.identity() {
		return fmt.Errorf("version %d of subject '%s' has the number %d, which is another schema's", v.Version, v.Subject, v.ID)
	}
	if m.subjects == nil {
		m.byID, m.ids, m.subjects = map[int]Schema{}, map[string]int{}, map[string][]Version{}
	}
	// The number may be the same schema's as one of before, which then stays the one that is found.
	if _, ok := m.ids[v.identity()]; !ok {
		m.ids[v.identity()] = v.ID
	}
	m.byID[v.ID] = v.Schema
	m.last = max(m.last, v.ID)
	list := m.subjects[v.Subject]
	if i, ok := find(list, v.Version); ok {
		before := list[i].ID
		list[i] = v
		m.forget(before)
		return nil
	}
	i, _ := find(list, v.Version)
	m.subjects[v.Subject] = slices.Insert(list, i, v)
	return nil
}

// Remove removes a version for good, and its schema when it was the only version with it. Its number is not given again.
func (m *Memory) Remove(subject string, version int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.subjects[subject]
	i, ok := find(list, version)
	if !ok {
		return
	}
	id := list[i].ID
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(m.subjects, subject)
	} else {
		m.subjects[subject] = list
	}
	m.forget(id)
}

// forget removes the schema of a number that no version has any more.
func (m *Memory) forget(id int) {
	for _, list := range m.subjects {
		if slices.ContainsFunc(list, func(v Version) bool { return v.ID == id }) {
			return
		}
	}
	m.drop(id)
}

// drop takes a number from its schema, which may have another one. m.mu is held.
func (m *Memory) drop(id int) {
	identity := m.byID[id].identity()
	delete(m.byID, id)
	if m.ids[identity] != id {
		return
	}
	delete(m.ids, identity)
	for other, s := range m.byID {
		if s.identity() == identity && (m.ids[identity] == 0 || other < m.ids[identity]) {
			m.ids[identity] = other
		}
	}
}

// Subjects are the names of all subjects, also of those whose versions are all deleted, sorted.
func (m *Memory) Subjects() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Sorted(maps.Keys(m.subjects))
}

// Versions are the versions of a subject in their order, deleted ones too. The list is the caller's.
func (m *Memory) Versions(subject string) []Version {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.subjects[subject])
}

// All are the versions of all subjects, ordered by subject and version, deleted ones too. The list is the caller's.
func (m *Memory) All() []Version {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []Version
	for _, subject := range slices.Sorted(maps.Keys(m.subjects)) {
		out = append(out, m.subjects[subject]...)
	}
	return out
}

// IDOf is the number of a schema that is written like this one.
func (m *Memory) IDOf(s Schema) (id int, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	id, ok = m.ids[s.identity()]
	return id, ok
}

// LastID is the highest number that a schema ever had.
func (m *Memory) LastID() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.last
}

// find gives the place of a version in a list, or where it belongs.
func find(list []Version, version int) (int, bool) {
	return slices.BinarySearchFunc(list, version, func(v Version, n int) int { return cmp.Compare(v.Version, n) })
}

// identity is the same for two schemas that are written alike.
func (s Schema) identity() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\x00%s", s.Kind, s.Text)
	for _, r := range s.References {
		fmt.Fprintf(&b, "\x00%s\x00%s\x00%d", r.Name, r.Subject, r.Version)
	}
	return b.String()
}
