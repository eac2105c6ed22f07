package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

const module = "kedge"

// file is one non-test source file.
type file struct {
	path    string // below the top folder, with slashes
	pkg     string // import path below the module: "signer/session"
	ast     *ast.File
	fset    *token.FileSet
	imports []string
}

// load parses every non-test Go file of the project.
func load(t *testing.T) []file {
	t.Helper()
	root := testenv.Root(t)
	var files []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && (base == "testdata" || base == "node_modules" || base == "build" || strings.HasPrefix(base, ".") && path != root) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		f, err := parse(path, filepath.ToSlash(rel))
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("only %d source files found under %s", len(files), root)
	}
	return files
}

func parse(path, rel string) (file, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	f := file{path: rel, pkg: strings.TrimSuffix(filepath.ToSlash(filepath.Dir(rel)), "/"), ast: tree, fset: fset}
	for _, spec := range tree.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		f.imports = append(f.imports, name)
	}
	return f, nil
}

// closure returns everything that pkg imports, directly or through packages of this module,
// each with the path by which it gets there.
func closure(files []file, pkg string) map[string]string {
	seen := map[string]string{}
	var walk func(pkg, via string)
	walk = func(pkg, via string) {
		for _, f := range files {
			if f.pkg != pkg {
				continue
			}
			for _, imp := range f.imports {
				if _, ok := seen[imp]; ok {
					continue
				}
				seen[imp] = via + " -> " + imp
				if own, ok := strings.CutPrefix(imp, module+"/"); ok {
					walk(own, seen[imp])
				}
			}
		}
	}
	walk(pkg, pkg)
	return seen
}

// under reports whether path is dir or lies below it.
func under(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
