package examples

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// source is the files of a package, as far as its texts are concerned.
type source struct {
	files   []*ast.File
	strings map[string]ast.Expr        // constants, and variables such as errors.New("..."): those with a name of their own
	errors  map[string][]*ast.FuncDecl // methods Error, by the name of the type
}

func sourceOf(t *testing.T, folder string) source {
	t.Helper()
	s := source{strings: map[string]ast.Expr{}, errors: map[string][]*ast.FuncDecl{}}
	paths, err := filepath.Glob(filepath.Join(testenv.Root(t), filepath.FromSlash(folder), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, f)
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if i < len(n.Values) {
						s.add(name.Name, n.Values[i])
					}
				}
			case *ast.FuncDecl:
				if n.Recv != nil && n.Name.Name == "Error" {
					name := strings.TrimPrefix(exprText(n.Recv.List[0].Type), "*")
					s.errors[name] = append(s.errors[name], n)
				}
			}
			return true
		})
	}
	return s
}

// add remembers what a name stands for, unless another function of the package has the name for something else.
func (s source) add(name string, value ast.Expr) {
	if _, twice := s.strings[name]; twice {
		value = ast.NewIdent(name) // unknown
	}
	s.strings[name] = value
}

// exprText returns a type such as *pkg.Name as it is written.
func exprText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return "*" + exprText(e.X)
	case *ast.SelectorExpr:
		return exprText(e.X) + "." + e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// text returns what an expression says, with … for what is known only when the program runs.
func (s source) text(e ast.Expr) string {
	const unknown = "…"
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.ParenExpr:
		return s.text(e.X)
	case *ast.BinaryExpr:
		return s.text(e.X) + s.text(e.Y)
	case *ast.Ident:
		if value, ok := s.strings[e.Name]; ok {
			if _, again := value.(*ast.Ident); !again {
				return s.text(value)
			}
		}
	case *ast.CallExpr:
		if name := exprText(e.Fun); slices.Contains([]string{"fmt.Sprintf", "errors.New", "fmt.Errorf"}, name) {
			text := regexp.MustCompile(`%(?:\[\d\])?[-+# 0]*\d*[a-zA-Z]`).ReplaceAllString(s.text(e.Args[0]), unknown)
			return strings.ReplaceAll(text, "%%", "%")
		}
	}
	return unknown
}

// returned returns the texts that the return statements of a function have, without empty and unknown ones.
func (s source) returned(body *ast.BlockStmt) []string {
	var all []string
	ast.Inspect(body, func(n ast.Node) bool {
		if _, inner := n.(*ast.FuncLit); inner {
			return false
		}
		if r, ok := n.(*ast.ReturnStmt); ok && len(r.Results) == 1 {
			if text := s.text(r.Results[0]); !strings.Contains(text, "\n") && regexp.MustCompile(`\pL{3}`).MatchString(text) && !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
		return true
	})
	return all
}

// advised is a row of a table of advice: errors, and what is advised for them.
type advised struct{ messages, hints []string }

// adviceIn returns the rows of a package whose error and hint have texts, by error.
func adviceIn(t *testing.T, folder string) []advised {
	t.Helper()
	table := sourceOf(t, folder)
	var rows []advised
	for _, f := range table.files {
		imports := map[string]string{}
		for _, imp := range f.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if below, ours := strings.CutPrefix(path, "kedge/"); ours {
				imports[filepath.Base(path)] = below
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			about, hints := table.row(call)
			for _, name := range about {
				pkg, kind, _ := strings.Cut(strings.TrimPrefix(name, "*"), ".")
				if imports[pkg] == "" {
					continue
				}
				of := sourceOf(t, imports[pkg])
				var messages []string
				for _, m := range of.errors[kind] {
					messages = append(messages, of.returned(m.Body)...)
				}
				if value, ok := of.strings[kind]; ok {
					messages = append(messages, of.text(value)) // of a variable
				}
				if len(messages) > 0 && len(hints) > 0 {
					rows = append(rows, advised{messages, hints})
				}
			}
			return true
		})
	}
	slices.SortFunc(rows, func(a, b advised) int {
		return cmp.Or(slices.Compare(a.messages, b.messages), slices.Compare(a.hints, b.hints))
	})
	rows = slices.CompactFunc(rows, func(a, b advised) bool { return slices.Equal(a.messages, b.messages) && slices.Equal(a.hints, b.hints) })
	if len(rows) < 5 {
		t.Errorf("%s has only %d rows with texts", folder, len(rows))
	}
	return rows
}

// row returns the errors that a call of a constructor of rows is about, as types or variables, and the hints.
func (s source) row(call *ast.CallExpr) (about, hints []string) {
	fun := call.Fun
	index, generic := fun.(*ast.IndexExpr)
	if generic {
		fun = index.X
	}
	switch name := strings.TrimPrefix(exprText(fun), "advice."); {
	case name == "Kind" && generic:
		return []string{exprText(index.Index)}, []string{s.text(call.Args[0])}
	case name == "About" && len(call.Args) == 1:
		if f, ok := call.Args[0].(*ast.FuncLit); ok {
			return []string{exprText(f.Type.Params.List[0].Type)}, s.returned(f.Body)
		}
	case name == "Any" && len(call.Args) > 1:
		for _, target := range call.Args[1:] {
			about = append(about, exprText(target))
		}
		return about, []string{s.text(call.Args[0])}
	}
	return nil, nil
}

// metricsReference is the metrics of the servers, with the help that Prometheus gets.
func metricsReference(t *testing.T) string {
	t.Helper()
	name := regexp.MustCompile(`^kedge_[a-z_]+$`)
	help := map[string]string{}
	for _, folder := range []string{"internal/serve", "internal/awskms", "internal/awscrl", "internal/caserver", "internal/refresh", "ca/enroll"} {
		s := sourceOf(t, folder)
		for _, f := range s.files {
			ast.Inspect(f, func(n ast.Node) bool {
				var parts []ast.Expr
				switch n := n.(type) {
				case *ast.CallExpr:
					parts = n.Args
				case *ast.CompositeLit:
					parts = n.Elts
				}
				if len(parts) < 2 || !name.MatchString(s.text(parts[0])) {
					return true
				}
				for _, part := range parts[1:] {
					if text := s.text(part); strings.HasSuffix(text, ".") && strings.Contains(text, " ") {
						help[s.text(parts[0])] = text
					}
				}
				return true
			})
		}
	}
	if len(help) < 20 {
		t.Errorf("only %d metrics", len(help))
	}
	var b strings.Builder
	b.WriteString("# Metrics\n\n" + generatedNote + "`kedge serve --metrics-address` and `kedge-ca serve --metrics` have them at `/metrics`, in the text format of Prometheus.\n")
	for _, of := range []struct{ title, prefix, not string }{{"kedge serve", "kedge_", "kedge_ca_"}, {"kedge-ca serve", "kedge_ca_", "-"}} {
		fmt.Fprintf(&b, "\n## %s\n\n| metric | meaning |\n|---|---|\n", of.title)
		var names []string
		for n := range help {
			if strings.HasPrefix(n, of.prefix) && !strings.HasPrefix(n, of.not) {
				names = append(names, n)
			}
		}
		slices.Sort(names)
		for _, n := range names {
			fmt.Fprintf(&b, "| `%s` | %s |\n", n, cell(help[n]))
		}
	}
	return b.String()
}
