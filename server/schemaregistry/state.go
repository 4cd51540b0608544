package schemaregistry

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// state is what the records of the log come to. Methods are safe for concurrent use.
type state struct {
	// schemas has a lock of its own: they are looked up by number without ours.
	schemas schemas.Memory
	// mu makes the records of one change appear at once.
	mu sync.RWMutex
	// configs and modes are by subject; that of "" is everybody's.
	configs map[string]configValue
	modes   map[string]string
}

// apply takes in the records of a change. A record that cannot be read is left out, and is an error.
func (s *state) apply(records ...Record) (bad []error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		if err := s.one(r); err != nil {
			bad = append(bad, fmt.Errorf("record %.200q: %w", r.Key, err))
		}
	}
	return bad
}

func (s *state) one(r Record) error {
	key, err := r.key()
	if err != nil {
		return err
	}
	switch key.Keytype {
	case keySchema:
		if len(r.Value) == 0 {
			s.schemas.Remove(key.Subject, key.Version)
			return nil
		}
		v, err := r.version(key)
		if err != nil {
			return err
		}
		return s.schemas.Put(v)
	case keyConfig:
		return set(&s.configs, key.Subject, r.Value, func(v configValue) configValue { return v })
	case keyMode:
		return set(&s.modes, key.Subject, r.Value, func(v modeValue) string { return v.Mode })
	case keyDeleteSubject:
		if len(r.Value) > 0 {
			return s.schemas.Delete(key.Subject)
		}
	case keyClearSubject:
		for _, v := range s.schemas.Versions(key.Subject) {
			s.schemas.Remove(v.Subject, v.Version)
		}
	case keyNoop:
	default:
		return fmt.Errorf("the type %q is not known", key.Keytype)
	}
	return nil
}

// set keeps the value of a record under a subject, or removes what there is.
func set[V, T any](into *map[string]T, subject string, value []byte, of func(V) T) error {
	if len(value) == 0 {
		delete(*into, subject)
		return nil
	}
	var v V
	if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	if *into == nil {
		*into = map[string]T{}
	}
	(*into)[subject] = of(v)
	return nil
}

// config is what was configured for a subject, or for all.
func (s *state) config(subject string) (configValue, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.configs[subject]
	return c, ok
}

// configInForce is what counts for a subject.
func (s *state) configInForce(subject string) configValue {
	c, _ := s.config(subject)
	all, _ := s.config("")
	if c.CompatibilityLevel == "" {
		c.CompatibilityLevel = all.CompatibilityLevel
	}
	if c.CompatibilityLevel == "" {
		c.CompatibilityLevel = levelBackward
	}
	if c.Normalize == nil {
		c.Normalize = all.Normalize
	}
	return c
}

// mode is that of a subject, or of all; "" when it was not set.
func (s *state) mode(subject string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.modes[subject]
}

func (s *state) modeInForce(subject string) string {
	for _, m := range []string{s.mode(subject), s.mode("")} {
		if m != "" {
			return m
		}
	}
	return modeReadWrite
}

// versions are those of a subject, at one moment.
func (s *state) versions(subject string) []schemas.Version {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.schemas.Versions(subject)
}

// all are the versions of all subjects, at one moment.
func (s *state) all() []schemas.Version {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.schemas.All()
}
