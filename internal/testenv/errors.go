package testenv

import (
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
)

// ErrorKinds lists the errors that some packages, given by their folders below the module, declare:
// "pkg.XError" for a type with a method Error, "pkg.ErrX" for a variable. Of package main it takes all
// types, of the others what they export.
func ErrorKinds(tb testing.TB, folders ...string) []string {
	tb.Helper()
	var kinds []string
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(Root(tb), filepath.FromSlash(folder), "*.go"))
		if err != nil || len(files) == 0 {
			tb.Fatalf("%s: %d files, %v", folder, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				tb.Fatal(err)
			}
			for _, name := range errorsOf(tree) {
				if ast.IsExported(name) || tree.Name.Name == "main" {
					kinds = append(kinds, tree.Name.Name+"."+name)
				}
			}
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// errorsOf names the types with a method Error, or that embed error, and the variables of errors.
func errorsOf(tree *ast.File) (names []string) {
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv != nil && n.Name.Name == "Error" {
				names = append(names, baseName(n.Recv.List[0].Type))
			}
			return false
		case *ast.TypeSpec:
			if s, ok := n.Type.(*ast.StructType); ok && slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool {
				return len(f.Names) == 0 && baseName(f.Type) == "error"
			}) {
				names = append(names, n.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				if strings.HasPrefix(strings.ToLower(name.Name), "err") {
					names = append(names, name.Name)
				}
			}
		}
		return true
	})
	return names
}

func baseName(typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.Ident:
		return typ.Name
	case *ast.StarExpr:
		return baseName(typ.X)
	}
	return ""
}

// KindsIn names the types of an error and of all that it wraps, as ErrorKinds does.
func KindsIn(err error) (kinds []string) {
	if err == nil {
		return nil
	}
	kinds = []string{strings.TrimPrefix(fmt.Sprintf("%T", err), "*")}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		kinds = append(kinds, KindsIn(e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, each := range e.Unwrap() {
			kinds = append(kinds, KindsIn(each)...)
		}
	}
	return kinds
}

// ExitCodes returns the meanings of the exit codes: as the table of docs/reference.md has them, or as the lines
// after "Exit codes:" in a command's help have them.
func ExitCodes(tb testing.TB, help string) map[int]string {
	tb.Helper()
	text, row := help, regexp.MustCompile(`(?m)^  (\d+)  (.*)$`)
	if help == "" {
		text, row = Document(tb, "docs/reference.md"), regexp.MustCompile(`(?m)^\| (\d+) \| (.*) \|$`)
		_, text, _ = strings.Cut(text, "\n## Exit codes\n")
		text, _, _ = strings.Cut(text, "\n#")
	} else {
		_, text, _ = strings.Cut(text, "\nExit codes:\n")
	}
	codes := map[int]string{}
	for _, m := range row.FindAllStringSubmatch(text, -1) {
		code, err := strconv.Atoi(m[1])
		if err != nil || codes[code] != "" {
			tb.Fatalf("exit code %s is there twice", m[1])
		}
		codes[code] = m[2]
	}
	return codes
}
