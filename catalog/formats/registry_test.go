package formats_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/formats/builtin"
	"github.com/ksqlgo/ksqlgo/catalog/schemas"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

// moody is a registry that refuses or does not answer while err is set.
type moody struct {
	schemas.Memory
	err error
}

func (m *moody) Register(subject string, s schemas.Schema) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	return m.Memory.Register(subject, s)
}

func (m *moody) ByID(id int) (schemas.Schema, error) {
	if m.err != nil {
		return schemas.Schema{}, m.err
	}
	return m.Memory.ByID(id)
}

// TestContractRegistryFailures lets the registry fail formats that keep schemas: what no record could be written or read without is
// a failure of the registry, not of the record, and the next try may succeed.
func TestContractRegistryFailures(t *testing.T) {
	down := &schemas.UnavailableError{Cause: errors.New("down")}
	refused := errors.New("incompatible")
	columns := []types.Column{{Name: "A", Type: types.IntType}}
	layout := types.NewLayout(columns)
	tried := 0
	for _, name := range builtin.Registry(schemas.None{}).Names() {
		registry := &moody{}
		all := builtin.Registry(registry)
		f, _ := all.Lookup(name)
		if _, keeps := f.(formats.SchemaFormat); !keeps {
			continue
		}
		tried++
		t.Run(name, func(t *testing.T) {
			spec := &formats.Spec{Topic: "t", Columns: columns, Locs: layout.Locs}
			row := layout.NewRow()
			row.SetInt64(layout.Locs[0], 7)
			enc, err := f.NewEncoder(spec)
			if err != nil {
				t.Fatal(err)
			}
			for _, registry.err = range []error{refused, down} {
				if _, _, err := enc.Append(nil, row); !schemas.IsRegistryFailure(err) || !errors.Is(err, registry.err) {
					t.Errorf("writing while the registry says %v: %v", registry.err, err)
				}
			}
			registry.err = nil
			b, isNull, err := enc.Append(nil, row)
			if err != nil || isNull {
				t.Fatal(isNull, err)
			}
			dec, err := f.NewDecoder(spec)
			if err != nil {
				t.Fatal(err)
			}
			registry.err = down
			if err := dec.Decode(b, row); err != nil && !schemas.IsRegistryFailure(err) {
				t.Errorf("reading while the registry is down: %v", err)
			}
			registry.err = nil
			row.SetInt64(layout.Locs[0], 0)
			if err := dec.Decode(b, row); err != nil || row.I[layout.Locs[0].Slot] != 7 {
				t.Errorf("afterwards: %d, %v", row.I[layout.Locs[0].Slot], err)
			}
			missing := *spec
			missing.Properties = map[string]string{formats.PropertySchemaID: "99"}
			if enc, err = f.NewEncoder(&missing); err == nil {
				_, _, err = enc.Append(nil, row)
			}
			if !schemas.IsRegistryFailure(err) || !schemas.IsNotFound(err) || !strings.Contains(err.Error(), "99") {
				t.Errorf("a schema that is not there: %v", err)
			}
			if err := dec.Decode(append(schemas.AppendHeader(nil, 99), b[schemas.HeaderBytes:]...), row); schemas.IsRegistryFailure(err) {
				t.Errorf("a record of an unknown schema is its own fault: %v", err)
			}
		})
	}
	if tried != 3 {
		t.Errorf("%d formats keep schemas", tried)
	}
}
