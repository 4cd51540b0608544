package conformance

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/ksqlgo/ksqlgo/tests/ratchet"
)

var update = flag.Bool("update", false, "take the cases that pass off the list of those that fail")

func TestQueryValidation(t *testing.T) {
	const folder = "query-validation-tests"
	cases, err := loadCases(ratchet.Folder(t, "CONFORMANCE_DIR", "conformance", folder))
	if err != nil {
		t.Fatal(err)
	}
	list := ratchet.Open(t, filepath.Join("testdata", "failing-"+folder+".txt"), "conformance "+folder, *update)
	for i := range cases {
		c := &cases[i]
		if c.Enabled != nil && !*c.Enabled {
			list.Skip()
			continue
		}
		t.Run(c.id, func(t *testing.T) { list.Case(t, c.id, c.run()) })
	}
}
