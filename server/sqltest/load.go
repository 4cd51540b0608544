package sqltest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The files of a RunnerTest in a folder.
const (
	statementsName = "statements.sql"
	inputName      = "input.json"
	outputName     = "output.json"
)

// Load finds the tests of files and of folders and all that is below them. A .sql file with directives is one of SQLTests; a folder
// with statements.sql and output.json (and maybe input.json) is a RunnerTest. Other .sql files of a folder are taken for scripts
// that tests run. An error says what cannot be read, or that a path holds no tests.
func Load(paths []string, opts Options) ([]Case, error) {
	var out []Case
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		var found []Case
		if info.IsDir() {
			found, err = loadFolder(p, opts)
		} else {
			found, err = loadFile(p, opts)
		}
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s holds no tests: they start with --@test: NAME in a .sql file, or are a folder with %s and %s", p, statementsName, outputName)
		}
		out = append(out, found...)
	}
	return out, nil
}

// IsTest says whether a file of statements is a test, or a part of one, as [Load] finds them: it is not to be applied to a server.
func IsTest(path, text string) bool {
	return len(directivesOf(text)) > 0 || filepath.Base(path) == statementsName && exists(filepath.Join(filepath.Dir(path), outputName))
}

func loadFolder(root string, opts Options) ([]Case, error) {
	var out []Case
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".sql" {
			return nil
		}
		found, err := loadFile(path, opts)
		out = append(out, found...)
		return err
	})
	return out, err
}

// loadFile reads a file; it holds no tests when the result is empty.
func loadFile(path string, opts Options) ([]Case, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	cases := ParseSQL(path, string(text), opts)
	if len(cases) > 0 || filepath.Base(path) != statementsName {
		return cases, nil
	}
	files := RunnerFiles{Statements: path, Output: filepath.Join(filepath.Dir(path), outputName)}
	if input := filepath.Join(filepath.Dir(path), inputName); exists(input) {
		files.Input = input
	}
	if !exists(files.Output) && (files.Input == "" || !opts.Update) {
		return nil, nil
	}
	t, err := LoadRunner(files, opts)
	if err != nil {
		return nil, err
	}
	return []Case{t}, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
