package none

import (
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/catalog/formats"
	"github.com/ksqlgo/ksqlgo/catalog/types"
)

func TestNoneHasNoColumns(t *testing.T) {
	spec := &formats.Spec{Columns: []types.Column{{Name: "K", Type: types.StringType}}, IsKey: true}
	err := New().Check(spec)
	if err == nil || !strings.Contains(err.Error(), "The 'NONE' format can only be used when no columns are defined. Got: [`K` STRING KEY]") {
		t.Errorf("%v", err)
	}
	enc, err := New().NewEncoder(&formats.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	if _, isNull, err := enc.Append(nil, nil); !isNull || err != nil {
		t.Error("a NONE side must be null bytes")
	}
}
