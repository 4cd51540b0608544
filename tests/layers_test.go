// Package tests holds what is tested over the whole tree: the rules of its layers here, whole programs in the folders below.
package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

const module = "github.com/ksqlgo/ksqlgo"

// layers says what each part of the tree may import of this module. A name stands for the package and for all below it; of
// several that fit a package the longest decides. A package may always import what lies below its own rule's name. Tests
// beside the code may import more, to build what they need.
var layers = map[string][]string{
	"grammar/diag":   {},
	"grammar/token":  {"grammar/diag"},
	"grammar/ast":    {"grammar/diag"},
	"grammar/format": {"grammar"},
	"grammar":        {},

	"catalog/types":     {},
	"catalog/schemas":   {},
	"catalog/functions": {"catalog/types"},
	"catalog/formats":   {"catalog/types", "catalog/schemas"},
	// Suggestions ("did you mean") are those of the diagnostics; the grammar itself is not known.
	"catalog/properties": {"grammar/diag"},
	"catalog":            {},

	"planner/expr":     {"catalog"},
	"planner/physical": {"catalog", "planner/expr"},
	"planner/logical":  {"catalog", "planner/expr", "planner/physical"},
	"planner":          {"catalog", "grammar"},

	// Plans are data: exec takes nothing else from the planner.
	"exec/record": {"catalog/types"},
	"exec/eval":   {"catalog", "planner/expr", "planner/physical", "exec/record"},
	"exec/state":  {"catalog/types"},
	"exec/kafka":  {"exec/record"},
	// How connections are secured is read from properties; the rest of exec/kafka is given it.
	"exec/kafka/security": {"exec/kafka"},
	// How topics feed each other is in the plans.
	"exec/position": {"planner/physical"},
	"exec/cluster":  {"exec/kafka"},
	"exec/operator": {"catalog", "planner/expr", "planner/physical", "exec/record", "exec/eval", "exec/state"},
	"exec/task":     {"catalog", "planner/expr", "planner/physical", "exec/record", "exec/eval", "exec/state", "exec/operator"},
	"exec":          {"catalog", "planner/expr", "planner/physical"},

	"server/api":            {},
	"server/client":         {"server/api"},
	"server/broker":         {},
	"server/schemaregistry": {"catalog/schemas", "exec/kafka"},
	"server/commandlog":     {"catalog", "exec/kafka"},
	"server/engine":         {"grammar", "catalog", "planner", "exec", "server/api", "server/commandlog", "server/peers", "server/session"},
	"server/rest":           {"catalog/types", "catalog/formats/protobuf", "server/api", "server/engine"},
	// Servers among each other: who is there, what they know of their queries, and pull queries over all of them.
	"server/peers/wire":    {},
	"server/peers/forward": {"catalog", "exec", "planner/physical", "server/peers"},
	"server/peers/details": {"exec", "server/peers"},
	"server/peers":         {"exec"},
	"server/sqltest":       {"grammar", "catalog", "planner", "exec"},
	"server":               {"grammar", "catalog", "planner", "exec"},

	"queries": {"grammar"},

	"cmd/internal/render": {"grammar/diag", "grammar/token", "server/api"},
	"cmd/internal/repl":   {"grammar/token"},
	// Property files of clients and servers are read in the same way.
	"cmd/internal/console": {"cmd/internal", "grammar", "catalog/properties", "server/api", "server/client"},
	"cmd/internal":         {"grammar", "server/api", "server/client"},
	"cmd/ksqlgo-cli":       {"cmd/internal", "grammar", "server/api", "server/client"},
	"cmd/ksqlgo":           {"cmd/internal", "grammar", "catalog", "planner", "exec", "server", "queries"},

	// Whole programs are tested from the outside and from the inside.
	"tests": {"cmd", "grammar", "catalog", "planner", "exec", "server", "queries"},
}

// fences names the only places that import a big dependency, tests included.
var fences = map[string][]string{
	"github.com/alecthomas/participle": {"grammar"},
	"github.com/cockroachdb/pebble":    {"exec/state"},
	// The tests below tests/ write and read topics with a client of their own, to depend on nothing they test.
	"github.com/twmb/franz-go":    {"exec/kafka", "server/broker", "server/schemaregistry", "tests"},
	"github.com/c-bata/go-prompt": {"cmd/internal/repl"},
	// The compiler of .proto files.
	"github.com/bufbuild/protocompile": {"catalog/schemas/protofile"},
	// Its printer.
	"github.com/jhump/protoreflect": {"server/schemaregistry/dialect"},
	// Files of keys and certificates.
	"software.sslmate.com/src/go-pkcs12":      {"exec/kafka/security"},
	"github.com/pavlo-v-chernykh/keystore-go": {"exec/kafka/security"},
	"github.com/youmark/pkcs8":                {"exec/kafka/security"},
}

// strangers names what a part of the tree, tests apart, must not import from anywhere.
var strangers = map[string][]string{
	"exec/task":     {"net"},
	"exec/operator": {"net"},
	"exec/eval":     {"net"},
	"planner":       {"net", "os"},
	"grammar":       {"net", "os"},
	"catalog":       {"net", "os"},
	// The engine can be driven without HTTP.
	"server/engine": {"net/http"},
	"exec":          {"net/http"},
}

// deterministic are the packages in which the same inputs give the same effects: no clock, no goroutine.
var deterministic = []string{"exec/task", "exec/operator", "exec/eval"}

// folders and files are what the top level consists of.
var (
	folders = []string{".ci", "catalog", "cmd", "docs", "exec", "grammar", "planner", "queries", "server", "tests"}
	files   = []string{
		".gitattributes", ".gitignore", ".golangci.yml", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md",
		"go.mod", "go.sum",
	}
	// generated is what builds and runs leave behind (see .gitignore), and the version control's own.
	generated = []string{".git", ".ksqlgo", "bin"}
)

// namesOfNothing are package names that say nothing about what a package holds.
var namesOfNothing = []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "base", "pkg", "lib"}

// goFile is one parsed file of the tree.
type goFile struct {
	path    string // Slash-separated, from the top.
	pkg     string // The folder.
	isTest  bool
	fset    *token.FileSet
	syntax  *ast.File
	imports []string
}

// at is the position of a node for messages.
func (f *goFile) at(n ast.Node) string {
	return f.path + ":" + strconv.Itoa(f.fset.Position(n.Pos()).Line)
}

// tree parses all Go files.
func tree(t *testing.T) []*goFile {
	t.Helper()
	var out []*goFile
	top := os.DirFS("..")
	err := fs.WalkDir(top, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || name != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains(generated, name))):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := fs.ReadFile(top, name)
		if err != nil {
			return err
		}
		f := &goFile{path: name, pkg: path.Dir(name), isTest: strings.HasSuffix(name, "_test.go"), fset: token.NewFileSet()}
		if f.syntax, err = parser.ParseFile(f.fset, name, text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return err
		}
		for _, i := range f.syntax.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, p)
		}
		out = append(out, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 100 {
		t.Fatalf("only %d Go files found: the walk is broken", len(out))
	}
	return out
}

// below says whether name is parent or lies below it.
func below(name, parent string) bool { return name == parent || strings.HasPrefix(name, parent+"/") }

func belowAny(name string, parents []string) bool {
	return slices.ContainsFunc(parents, func(p string) bool { return below(name, p) })
}

// layerOf finds the rule of a package: the longest name that fits.
func layerOf(pkg string) (name string, ok bool) {
	for _, candidate := range slices.Sorted(maps.Keys(layers)) {
		if below(pkg, candidate) && len(candidate) > len(name) {
			name, ok = candidate, true
		}
	}
	return name, ok
}

func TestLayers(t *testing.T) {
	for _, f := range tree(t) {
		if f.isTest {
			continue
		}
		layer, ok := layerOf(f.pkg)
		if !ok {
			t.Errorf("%s: package %s has no rule in layers", f.path, f.pkg)
			continue
		}
		for _, i := range f.imports {
			name, ours := strings.CutPrefix(i, module+"/")
			if ours && !below(name, layer) && !belowAny(name, layers[layer]) {
				t.Errorf("%s imports %s; %s may import %v only", f.path, name, layer, layers[layer])
			}
		}
	}
}

func TestFences(t *testing.T) {
	for _, f := range tree(t) {
		for _, i := range f.imports {
			for dependency, owners := range fences {
				if below(i, dependency) && !belowAny(f.pkg, owners) {
					t.Errorf("%s imports %s; only %v may", f.path, i, owners)
				}
			}
			if f.isTest {
				continue
			}
			for pkg, banned := range strangers {
				if below(f.pkg, pkg) && belowAny(i, banned) {
					t.Errorf("%s imports %s; %s may not import %v", f.path, i, pkg, banned)
				}
			}
		}
	}
}

func TestDeterministicCore(t *testing.T) {
	for _, f := range tree(t) {
		if f.isTest || !belowAny(f.pkg, deterministic) {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a go statement in the deterministic core", f.at(n))
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				if ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, n.Sel.Name) {
					t.Errorf("%s: time.%s in the deterministic core", f.at(n), n.Sel.Name)
				}
				if ok && x.Name == "rand" {
					t.Errorf("%s: rand.%s in the deterministic core", f.at(n), n.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch {
		case slices.Contains(generated, e.Name()):
		case e.IsDir() && !slices.Contains(folders, e.Name()):
			t.Errorf("folder %s at the top level; it has %v only", e.Name(), folders)
		case !e.IsDir() && !slices.Contains(files, e.Name()) && !ignored(e.Name()):
			t.Errorf("file %s at the top level; it has %v only", e.Name(), files)
		}
	}
}

// ignored says whether version control leaves a file out.
func ignored(name string) bool {
	return slices.Contains([]string{".test", ".prof"}, filepath.Ext(name))
}

func TestPackagesHaveNamesAndComments(t *testing.T) {
	documented, seen := map[string]bool{}, map[string]bool{}
	for _, f := range tree(t) {
		if slices.Contains(namesOfNothing, path.Base(f.pkg)) {
			t.Errorf("package %s: the name says nothing about what it holds", f.pkg)
		}
		// A folder of tests alone has its comment in a test file.
		seen[f.pkg] = true
		if f.syntax.Doc != nil {
			documented[f.pkg] = true
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(seen)) {
		if !documented[pkg] {
			t.Errorf("package %s has no package comment", pkg)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range tree(t) {
		if f.isTest || f.syntax.Name.Name == "main" {
			continue
		}
		for _, d := range f.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && isExportedReceiver(d) && !isPlain(d) {
					t.Errorf("%s: %s has no comment", f.at(d), d.Name.Name)
				}
			case *ast.GenDecl:
				checkSpecs(t, f, d)
			}
		}
	}
}

// checkSpecs wants a comment for each exported type, constant and variable: its own, one beside it, or one over its group.
func checkSpecs(t *testing.T, f *goFile, d *ast.GenDecl) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
				t.Errorf("%s: type %s has no comment", f.at(s), s.Name.Name)
			}
		case *ast.ValueSpec:
			if s.Names[0].IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
				t.Errorf("%s: %s has no comment", f.at(s), s.Names[0].Name)
			}
		}
	}
}

// isExportedReceiver says whether a function is none of a type that nobody outside sees.
func isExportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return unicode.IsUpper(rune(x.Name[0]))
		default:
			return false
		}
	}
}

// isPlain says whether a method is one of the standard library's interfaces, whose contract everybody knows.
func isPlain(d *ast.FuncDecl) bool {
	return d.Recv != nil && slices.Contains([]string{"String", "Error", "Unwrap", "Len", "Less", "Swap"}, d.Name.Name)
}
