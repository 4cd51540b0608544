package schemas

import (
	"fmt"
	"slices"
	"sync"
)

// Memory is a registry in memory that takes every schema. The zero value is empty.
type Memory struct {
	mu       sync.Mutex
	last     int
	byID     map[int]Schema
	subjects map[string][]Registered
}

var _ Registry = (*Memory)(nil)

// ByID implements [Registry].
func (m *Memory) ByID(id int) (Schema, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.byID[id]
	if !ok {
		return Schema{}, &NotFoundError{fmt.Sprintf("Schema %d", id)}
	}
	return s, nil
}

// Latest implements [Registry].
func (m *Memory) Latest(subject string) (Registered, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.subjects[subject]
	if len(list) == 0 {
		return Registered{}, &NotFoundError{fmt.Sprintf("Subject '%s'", subject)}
	}
	return list[len(list)-1], nil
}

// Version implements [Registry].
func (m *Memory) Version(subject string, version int) (Registered, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.subjects[subject]
	if version < 1 || version > len(list) {
		return Registered{}, &NotFoundError{fmt.Sprintf("Version %d of subject '%s'", version, subject)}
	}
	return list[version-1], nil
}

// Register implements [Registry].
func (m *Memory) Register(subject string, s Schema) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := 0
	for known, o := range m.byID {
		if o.same(s) && (id == 0 || known < id) {
			id = known
		}
	}
	if id == 0 {
		id = m.last + 1
	}
	m.put(subject, s, id)
	return id, nil
}

// RegisterAs is Register with a number that the schema shall have.
func (m *Memory) RegisterAs(subject string, s Schema, id int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(subject, s, id)
}

// put makes a schema of a number the newest version of a subject, unless it is a version already. m.mu is held.
func (m *Memory) put(subject string, s Schema, id int) {
	if m.byID == nil {
		m.byID, m.subjects = map[int]Schema{}, map[string][]Registered{}
	}
	m.byID[id], m.last = s, max(m.last, id)
	list := m.subjects[subject]
	if !slices.ContainsFunc(list, func(r Registered) bool { return r.ID == id }) {
		m.subjects[subject] = append(list, Registered{Schema: s, Subject: subject, Version: len(list) + 1, ID: id})
	}
}

// Delete implements [Registry].
func (m *Memory) Delete(subject string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.subjects, subject)
	return nil
}

// same says whether two schemas are written alike.
func (s Schema) same(o Schema) bool {
	return s.Kind == o.Kind && s.Text == o.Text && slices.Equal(s.References, o.References)
}
