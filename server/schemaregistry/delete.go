package schemaregistry

import (
	"context"
	"strconv"
	"strings"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// deleteSubject deletes all versions of a subject, or removes those that are deleted for good, and returns their numbers.
func (r *Registry) deleteSubject(ctx context.Context, subject string, permanent bool) (numbers []int, err error) {
	err = r.change(ctx, func() ([]Record, error) {
		versions := r.state.versions(subject)
		if len(versions) == 0 {
			return nil, subjectNotFound(subject)
		}
		if !permanent && !exists(versions, false) {
			return nil, errorf(codeSubjectSoftDeleted, "Subject '%s' was soft deleted.Set permanent=true to delete permanently", subject)
		}
		if err := r.checkDeletable(subject); err != nil {
			return nil, err
		}
		for _, v := range versions {
			if !permanent && v.Deleted {
				continue
			}
			if err := r.checkUnused(v, permanent, subject); err != nil {
				return nil, err
			}
			if permanent && !v.Deleted {
				return nil, errorf(codeSubjectNotDeleted, "Subject '%s' was not deleted first before being permanently deleted", subject)
			}
			numbers = append(numbers, v.Version)
		}
		if !permanent {
			return []Record{newRecord(recordKey{Keytype: keyDeleteSubject, Subject: subject}, deleteValue{subject, numbers[len(numbers)-1]})}, nil
		}
		var records []Record
		for _, n := range numbers {
			records = append(records, newRecord(schemaKey(subject, n), nil))
		}
		return append(records, r.forgetSubject(subject)...), nil
	})
	return numbers, err
}

// deleteVersion deletes a version of a subject, or removes one that is deleted for good, and returns its number.
func (r *Registry) deleteVersion(ctx context.Context, subject, version string, permanent bool) (number int, err error) {
	if number, err = versionNumber(version); err != nil {
		return 0, err
	}
	err = r.change(ctx, func() ([]Record, error) {
		versions := r.state.versions(subject)
		if len(versions) == 0 {
			return nil, subjectNotFound(subject)
		}
		v, err := choose(versions, subject, number, true)
		if err != nil {
			return nil, err
		}
		number = v.Version
		switch {
		case !permanent && v.Deleted:
			return nil, errorf(codeVersionSoftDeleted, "Subject '%s' Version %d was soft deleted.Set permanent=true to delete permanently", subject, number)
		case permanent && !v.Deleted:
			return nil, errorf(codeVersionNotDeleted, "Subject '%s' Version %d was not deleted first before being permanently deleted", subject, number)
		}
		if err := r.checkDeletable(subject); err != nil {
			return nil, err
		}
		if err := r.checkUnused(v, permanent, ""); err != nil {
			return nil, err
		}
		if !permanent {
			v.Deleted = true
			return []Record{schemaRecord(v)}, nil
		}
		records := []Record{newRecord(schemaKey(subject, number), nil)}
		if len(versions) == 1 {
			records = append(records, r.forgetSubject(subject)...)
		}
		return records, nil
	})
	return number, err
}

// forgetSubject removes what was set for a subject.
func (r *Registry) forgetSubject(subject string) []Record {
	var records []Record
	if r.state.mode(subject) != "" {
		records = append(records, newRecord(recordKey{Keytype: keyMode, Subject: subject}, nil))
	}
	if _, ok := r.state.config(subject); ok {
		records = append(records, newRecord(recordKey{Keytype: keyConfig, Subject: subject}, nil))
	}
	return records
}

func (r *Registry) checkDeletable(subject string) error {
	if m := r.state.modeInForce(subject); m == modeReadOnly || m == modeReadOnlyOverride {
		return errorf(codeOperationNotPermitted, "Subject %s in context . is in read-only mode", subject)
	}
	return nil
}

// checkUnused refuses to delete what schemas of other subjects than one refer to; deleted ones count for what is removed for good.
func (r *Registry) checkUnused(v schemas.Version, permanent bool, but string) error {
	for _, user := range r.state.referring(v.Subject, v.Version, permanent) {
		if user.Subject != but {
			return errorf(codeReferenceExists, "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=%s,version=%d}.", v.Subject, v.Version)
		}
	}
	return nil
}

// latestVersion stands for the newest version of a subject.
const latestVersion = -1

// versionNumber reads the number of a version.
func versionNumber(text string) (int, error) {
	if strings.EqualFold(strings.TrimSpace(text), "latest") {
		return latestVersion, nil
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil || n < 1 && n != latestVersion {
		return 0, errorf(codeInvalidVersion, "The specified version '%s' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\"", text)
	}
	return int(n), nil
}

// choose finds a version of a list. The latest one is the latest that is not deleted, if there is one.
func choose(versions []schemas.Version, subject string, number int, deletedToo bool) (schemas.Version, error) {
	if !exists(versions, deletedToo) {
		return schemas.Version{}, subjectNotFound(subject)
	}
	var found *schemas.Version
	for i := range versions {
		v := &versions[i]
		switch {
		case v.Deleted && !deletedToo:
		case v.Version == number:
			found = v
		case number == latestVersion && (found == nil || found.Deleted || !v.Deleted):
			found = v
		}
	}
	if found == nil {
		return schemas.Version{}, versionNotFound(number)
	}
	return *found, nil
}
