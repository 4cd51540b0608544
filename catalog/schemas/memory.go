package schemas

import (
	"fmt"
	"slices"
	"sync"
)

// Memory is a registry in memory that takes every schema. The zero value is empty.
type Memory struct {
	mu       sync.Mutex
	byID     []Schema
	subjects map[string][]Registered
}

var _ Registry = (*Memory)(nil)

// ByID implements [Registry].
func (m *Memory) ByID(id int) (Schema, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id < 1 || id > len(m.byID) {
		return Schema{}, &NotFoundError{fmt.Sprintf("Schema %d", id)}
	}
	return m.byID[id-1], nil
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
	id := slices.IndexFunc(m.byID, s.same) + 1
	if id == 0 {
		m.byID = append(m.byID, s)
		id = len(m.byID)
	}
	list := m.subjects[subject]
	if slices.ContainsFunc(list, func(r Registered) bool { return r.ID == id }) {
		return id, nil
	}
	if m.subjects == nil {
		m.subjects = map[string][]Registered{}
	}
	m.subjects[subject] = append(list, Registered{Schema: s, Subject: subject, Version: len(list) + 1, ID: id})
	return id, nil
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
