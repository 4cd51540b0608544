package schemaregistry

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ksqlgo/ksqlgo/catalog/schemas"
)

// Record is a record of the log. A nil value removes what the key names.
type Record struct{ Key, Value []byte }

// The kinds of keys.
const (
	keySchema        = "SCHEMA"
	keyConfig        = "CONFIG"
	keyMode          = "MODE"
	keyDeleteSubject = "DELETE_SUBJECT"
	keyClearSubject  = "CLEAR_SUBJECT"
	keyNoop          = "NOOP"
)

// recordKey is what a key says. An empty subject stands for all.
type recordKey struct {
	Keytype string `json:"keytype"`
	Subject string `json:"subject,omitempty"`
	Version int    `json:"version,omitempty"`
	Magic   int    `json:"magic"`
}

// schemaValue is a version of a subject.
type schemaValue struct {
	Subject    string          `json:"subject"`
	Version    int             `json:"version"`
	ID         int             `json:"id"`
	SchemaType string          `json:"schemaType,omitempty"`
	References []referenceBody `json:"references,omitempty"`
	Schema     string          `json:"schema"`
	Deleted    bool            `json:"deleted"`
}

// referenceBody is a reference in records, requests and answers.
type referenceBody struct {
	Name    string `json:"name"`
	Subject string `json:"subject"`
	Version int    `json:"version"`
}

// configValue is a compatibility level with its scope.
type configValue struct {
	Subject            string `json:"subject,omitempty"`
	Normalize          *bool  `json:"normalize,omitempty"`
	CompatibilityLevel string `json:"compatibilityLevel,omitempty"`
}

type modeValue struct {
	Subject string `json:"subject,omitempty"`
	Mode    string `json:"mode"`
}

// deleteValue says that the versions of a subject up to one are deleted.
type deleteValue struct {
	Subject string `json:"subject"`
	Version int    `json:"version,omitempty"`
}

// newRecord makes a record; a nil value removes.
func newRecord(key recordKey, value any) Record {
	r := Record{Key: encode(key)}
	if value != nil {
		r.Value = encode(value)
	}
	return r
}

func schemaRecord(v schemas.Version) Record {
	return newRecord(schemaKey(v.Subject, v.Version), schemaValue{Subject: v.Subject, Version: v.Version, ID: v.ID, SchemaType: typeText(v.Kind),
		References: referenceBodies(v.References), Schema: v.Text, Deleted: v.Deleted})
}

func schemaKey(subject string, version int) recordKey {
	return recordKey{Keytype: keySchema, Subject: subject, Version: version, Magic: 1}
}

// typeText is a kind as it is written: Avro's is left out.
func typeText(k schemas.Kind) string {
	if k == schemas.Avro {
		return ""
	}
	return string(k)
}

func kindOf(text string) schemas.Kind {
	if text == "" {
		return schemas.Avro
	}
	return schemas.Kind(text)
}

func referenceBodies(list []schemas.Reference) []referenceBody {
	var out []referenceBody
	for _, r := range list {
		out = append(out, referenceBody(r))
	}
	return out
}

func references(list []referenceBody) []schemas.Reference {
	var out []schemas.Reference
	for _, r := range list {
		out = append(out, schemas.Reference(r))
	}
	return out
}

// version reads the value of a schema's record.
func (r Record) version(key recordKey) (schemas.Version, error) {
	var v schemaValue
	if err := json.Unmarshal(r.Value, &v); err != nil {
		return schemas.Version{}, err
	}
	if key.Subject == "" || key.Version < 1 || v.ID < 1 {
		return schemas.Version{}, fmt.Errorf("subject %q, version %d, id %d", key.Subject, key.Version, v.ID)
	}
	return schemas.Version{Deleted: v.Deleted, Registered: schemas.Registered{Subject: key.Subject, Version: key.Version, ID: v.ID,
		Schema: schemas.Schema{Kind: kindOf(v.SchemaType), Text: v.Schema, References: references(v.References)}}}, nil
}

// key reads the key.
func (r Record) key() (k recordKey, err error) {
	if err := json.Unmarshal(r.Key, &k); err != nil {
		return k, err
	}
	if k.Keytype == "" {
		return k, errors.New("the key has no type")
	}
	return k, nil
}
