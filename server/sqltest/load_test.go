package sqltest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"b.sql":                       "--@test: two\nX;\n--@test: three\nX;",
		"a/z.sql":                     "--@test: one\nX;",
		"a/script.sql":                "X;",
		"a/notes.txt":                 "--@test: no\nX;",
		".hidden/x.sql":               "--@test: no\nX;",
		"r/full/statements.sql":       "X;",
		"r/full/input.json":           "{}",
		"r/full/output.json":          "{}",
		"r/inserts/statements.sql":    "X;",
		"r/inserts/output.json":       "{}",
		"r/no_output/statements.sql":  "X;",
		"r/no_output/input.json":      "{}",
		"r/statements/statements.sql": "X;",
		"r/tests/statements.sql":      "--@test: four\nX;",
		"r/tests/output.json":         "{}",
		"scripts_only/x.sql":          "X;",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		paths  []string
		update bool
		want   string
		err    string
	}{
		{[]string{"."}, false, "one, two, three, full, inserts, four", ""},
		{[]string{"."}, true, "one, two, three, full, inserts, no_output, four", ""},
		{[]string{"b.sql", "a"}, false, "two, three, one", ""},
		{[]string{"r/full/statements.sql"}, false, "full", ""},
		{[]string{"a/script.sql"}, false, "", "script.sql holds no tests"},
		{[]string{"b.sql", "scripts_only"}, false, "", "scripts_only holds no tests"},
		{[]string{"nowhere"}, false, "", "nowhere"},
	} {
		paths := slices.Clone(c.paths)
		for i := range paths {
			paths[i] = filepath.Join(dir, paths[i])
		}
		cases, err := Load(paths, Options{Update: c.update})
		var names []string
		for _, x := range cases {
			names = append(names, x.Name())
		}
		if got := strings.Join(names, ", "); got != c.want || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v: %s, %v", c.paths, got, err)
		}
	}
}

func TestIsTest(t *testing.T) {
	t.Parallel()
	runner := writeRunner(t, "X;", "", "{}")
	for path, c := range map[string]struct {
		text string
		want bool
	}{
		"a.sql": {"X;", false}, "statements.sql": {"X;", false}, "b.sql": {"-- c\n--@test: x\nX;", true}, runner.Statements: {"X;", true},
		filepath.Join(filepath.Dir(runner.Statements), "c.sql"): {"X;", false},
	} {
		if got := IsTest(path, c.text); got != c.want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// Scripts are found beside the file that names them; those named from the root also below the folders above it.
func TestReadScript(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"a/b/near.sql": "near", "a/top.sql": "top"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	test := filepath.Join(dir, "a", "b", "test.sql")
	for path, want := range map[string]string{
		"near.sql": "near", "../top.sql": "top", "/top.sql": "top", "/b/near.sql": "near", filepath.Join(dir, "a", "top.sql"): "top", "top.sql": "", "/nowhere.sql": "",
	} {
		_, text, err := readScript(test, path)
		if string(text) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", path, text, err)
		}
	}
}
