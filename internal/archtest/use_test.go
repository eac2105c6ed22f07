package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// TestUse holds the rules about names of the standard library that have their place.
func TestUse(t *testing.T) {
	rules := []struct {
		names   []string
		in      func(f file) bool // where the rule holds
		allowed func(f file) bool
		why     string
	}{
		{[]string{"os.Exit", "os.Args", "os.Stdout"}, everywhere, isMain, "only main.go ends the process or owns its streams"},
		{[]string{"os.Getenv", "os.LookupEnv", "os.Environ"}, everywhere, in("internal/config", "internal/testenv"), "one package reads the environment"},
		{[]string{"keys.Open", "keys.OpenBlob", "keys.NewSource", "keys.Create", "keys.Import", "signer.Load", "signer.NewFileSource"}, in("internal/config", "internal/settings"), nowhere, "what says where a key is opens none"},
		{[]string{"time.Now"}, in("signer", "ca", "internal/refresh"), nowhere, "time is a parameter of what decides"},
	}
	for _, f := range load(t) {
		if under(f.pkg, "scripts") || under(f.pkg, "examples") {
			continue // programs of their own
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			name := x.Name + "." + sel.Sel.Name
			for _, r := range rules {
				if slices.Contains(r.names, name) && r.in(f) && !r.allowed(f) {
					t.Errorf("%s uses %s: %s", f.fset.Position(sel.Pos()), name, r.why)
				}
			}
			return true
		})
	}
}

func everywhere(file) bool { return true }
func nowhere(file) bool    { return false }

func isMain(f file) bool {
	return strings.HasPrefix(f.pkg, "cmd/") && strings.HasSuffix(f.path, "/main.go")
}

func in(dirs ...string) func(file) bool {
	return func(f file) bool {
		return slices.ContainsFunc(dirs, func(d string) bool { return under(f.pkg, d) })
	}
}

// TestNoHiddenState: no init functions, and no package variables but sentinel errors,
// object identifiers and interface checks; and two in the tests' environment, since the tests
// of a binary have nothing else in common that could hold the server and program they share.
func TestNoHiddenState(t *testing.T) {
	for _, f := range load(t) {
		for _, decl := range f.ast.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s: init function", f.fset.Position(d.Pos()))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					checkVars(t, f, d)
				}
			}
		}
	}
}

func checkVars(t *testing.T, f file, d *ast.GenDecl) {
	t.Helper()
	for _, spec := range d.Specs {
		if typ, ok := spec.(*ast.ValueSpec).Type.(*ast.SelectorExpr); ok && typ.Sel.Name == "FS" {
			if pkg, ok := typ.X.(*ast.Ident); ok && pkg.Name == "embed" {
				continue
			}
		}
		for _, name := range spec.(*ast.ValueSpec).Names {
			lower := strings.ToLower(name.Name)
			if f.path == "internal/testenv/postgres.go" && name.Name == "shared" || f.path == "internal/testenv/softhsm.go" && name.Name == "helper" {
				continue
			}
			if name.Name != "_" && !strings.HasPrefix(lower, "err") && !strings.HasPrefix(lower, "oid") {
				t.Errorf("%s: package variable %s", f.fset.Position(name.Pos()), name.Name)
			}
		}
	}
}
