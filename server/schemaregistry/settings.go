package schemaregistry

import (
	"context"
	"slices"
	"strings"
)

// setConfig sets the level of a subject, or of all when subject is "". What is not given stays as it is.
func (r *Registry) setConfig(ctx context.Context, subject string, c configValue) error {
	if subject != "" {
		if err := checkSubject(subject); err != nil {
			return err
		}
	}
	c.CompatibilityLevel = strings.ToUpper(c.CompatibilityLevel)
	if c.CompatibilityLevel != "" && !slices.Contains(levels, c.CompatibilityLevel) {
		return errorf(codeInvalidCompatibility, "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive")
	}
	return r.change(ctx, func() ([]Record, error) {
		if err := r.checkDeletable(subject); err != nil {
			return nil, err
		}
		before, _ := r.state.config(subject)
		if c.CompatibilityLevel == "" {
			c.CompatibilityLevel = before.CompatibilityLevel
		}
		if c.Normalize == nil {
			c.Normalize = before.Normalize
		}
		c.Subject = subject
		return []Record{newRecord(recordKey{Keytype: keyConfig, Subject: subject}, c)}, nil
	})
}

// deleteConfig removes what was configured for a subject, or for all, and returns it.
func (r *Registry) deleteConfig(ctx context.Context, subject string) (before configValue, err error) {
	err = r.change(ctx, func() ([]Record, error) {
		if err := r.checkDeletable(subject); err != nil {
			return nil, err
		}
		var ok bool
		if before, ok = r.state.config(subject); !ok {
			if subject != "" {
				return nil, subjectNotFound(subject)
			}
			return nil, nil
		}
		return []Record{newRecord(recordKey{Keytype: keyConfig, Subject: subject}, nil)}, nil
	})
	return before, err
}

// setMode sets the mode of a subject, or of all when subject is "".
func (r *Registry) setMode(ctx context.Context, subject, mode string, force bool) error {
	if subject != "" {
		if err := checkSubject(subject); err != nil {
			return err
		}
	}
	mode = strings.ToUpper(mode)
	if !slices.Contains(modes, mode) {
		return errorf(codeInvalidMode, "Invalid mode. Valid values are READWRITE, READONLY, and IMPORT.")
	}
	return r.change(ctx, func() ([]Record, error) {
		if mode == modeImport && !force && r.state.modeInForce(subject) != modeImport {
			for _, v := range r.state.all() {
				if subject == "" || v.Subject == subject {
					return nil, errorf(codeOperationNotPermitted, "Cannot import since found existing subjects")
				}
			}
		}
		return []Record{newRecord(recordKey{Keytype: keyMode, Subject: subject}, modeValue{Subject: subject, Mode: mode})}, nil
	})
}

// deleteMode removes the mode of a subject, or of all, and returns it.
func (r *Registry) deleteMode(ctx context.Context, subject string) (before string, err error) {
	err = r.change(ctx, func() ([]Record, error) {
		if before = r.state.mode(subject); before == "" {
			if subject != "" {
				return nil, subjectNotFound(subject)
			}
			before = modeReadWrite
			return nil, nil
		}
		return []Record{newRecord(recordKey{Keytype: keyMode, Subject: subject}, nil)}, nil
	})
	return before, err
}
