package conformance

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/server/sqltest"
	"github.com/ksqlgo/ksqlgo/tests/ratchet"
)

// TestSQLTests runs the files of ksqlDB's tester of SQL files, as ksqlgo test does.
func TestSQLTests(t *testing.T) {
	const folder = "sql-tests"
	dir := ratchet.Folder(t, "CONFORMANCE_DIR", "conformance", folder)
	cases, err := sqltest.Load([]string{dir}, sqltest.Options{Functions: allFunctions, Scripts: readResource})
	if err != nil {
		t.Fatal(err)
	}
	list := ratchet.Open(t, filepath.Join("testdata", "failing-"+folder+".txt"), "conformance "+folder, *update)
	for _, c := range cases {
		file, err := filepath.Rel(dir, c.File())
		if err != nil {
			t.Fatal(err)
		}
		id := strings.TrimSuffix(filepath.ToSlash(file), ".sql") + "/" + c.Name()
		t.Run(id, func(t *testing.T) { list.Case(t, id, errorOf(c.Run(t.Context()))) })
	}
}

// readResource finds the scripts that are not beside the cases: the suite names them by their place among its resources.
func readResource(_, path string) (string, []byte, error) {
	name := filepath.Join("testdata", "scripts", path)
	text, err := os.ReadFile(name)
	return name, text, err
}

// errorOf keeps a nil *Failure from becoming an error that is not nil.
func errorOf(f *sqltest.Failure) error {
	if f == nil {
		return nil
	}
	return f
}

// wrongs are what ksqlDB's test runner says of its incorrect cases, as far as it does not speak of Java.
var wrongs = map[string]string{
	"empty_input":                 "Inputs cannot be empty.",
	"empty_output":                "Outputs cannot be empty.",
	"expected_mismatch":           `Topic 'S1', message 0: Expected <"1001", "101"> with timestamp=0 and headers=[] but was <"101", "101"> with timestamp=0 and headers=[]`,
	"incorrect_input_format":      "input.json:1: The file is no JSON: invalid character '{'",
	"insert_values":               "Failed to insert values into 'TEST'.",
	"missing_field_in_output":     "No 'outputs' field in the output file.",
	"second_of_three_stmts_fails": "Failed to insert values into 'TEST'.",
}

// TestRunner runs the cases of ksqlDB's test runner: correct ones pass, incorrect ones fail and say what is wrong.
func TestRunner(t *testing.T) {
	const folder = "test-runner"
	dir := ratchet.Folder(t, "CONFORMANCE_DIR", "conformance", folder)
	list := ratchet.Open(t, filepath.Join("testdata", "failing-"+folder+".txt"), "conformance "+folder, *update)
	for _, kind := range []string{"correct", "incorrect"} {
		entries, err := os.ReadDir(filepath.Join(dir, kind))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			id := kind + "/" + e.Name()
			t.Run(id, func(t *testing.T) {
				cases, err := sqltest.Load([]string{filepath.Join(dir, kind, e.Name())}, sqltest.Options{Functions: allFunctions})
				if err != nil {
					t.Fatal(err)
				}
				failure := errorOf(cases[0].Run(t.Context()))
				if kind == "incorrect" {
					failure = expectWrong(failure, wrongs[e.Name()])
				}
				list.Case(t, id, failure)
			})
		}
	}
}

// expectWrong turns a failure that says what is expected of it into a pass.
func expectWrong(failure error, want string) error {
	switch {
	case failure == nil:
		return errWrongPassed
	case !strings.Contains(failure.Error(), want):
		return failure
	}
	return nil
}

var errWrongPassed = errors.New("an incorrect test passes")
