package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// commandLine are the packages that the functions of kedge and kedge-ca are about: flags, streams, the
// terminal.
func commandLine() []string { return []string{"cobra", "pflag", "cli"} }

// streams are the fields and methods of main's host, by which a function writes, reads and asks.
func streams() []string {
	return []string{"host", "Out", "Err", "Stdin", "inputs", "confirm", "say", "warn"}
}

// TestCommands: a function of kedge or kedge-ca without a flag, a stream or a prompt does not belong to
// package main, where nothing else can use it. It is of the command line if one of these holds:
//
//   - Its receiver, a parameter or a result is of cobra, pflag or internal/cli, or a type of flags.
//   - Its body names such a package, or uses the streams of host.
//   - It is a method of an error (Error, Unwrap), or of the value of a flag (a type with a method
//     Set).
//   - It is in hints.go, of which cli.Advice is made.
//
// A type of flags is host, one whose name ends in Flags or Options, one that embeds such a type, or
// one with a method that takes a *cobra.Command. An open CA, store, is none: its methods must use the
// host that it holds.
//
// What is none of these is in exceptions, or is a violation. That list only shrinks: a line for what
// is no outsider any more is a violation too.
func TestCommands(t *testing.T) {
	all := load(t)
	for pkg, exceptions := range map[string]map[string]string{"cmd/kedge-ca": exceptionsOfCA(), "cmd/kedge": exceptionsOfHost()} {
		var files []file
		for _, f := range all {
			if f.pkg == pkg {
				files = append(files, f)
			}
		}
		for _, fault := range misplaced(outsiders(files), exceptions) {
			t.Errorf("%s: %s", pkg, fault)
		}
	}
}

// exceptionsOfHost are functions of kedge without a flag or a stream that stay, with the reason.
func exceptionsOfHost() map[string]string {
	const (
		words   = "the words and columns of one command"
		helper  = "one expression of a command, with a name"
		setting = "what a setting may be, by the name of its flag"
		line    = "a command line is made, of flags"
		profile = "a profile of the AWS files, as flags name it"
		written = "update writes what it gets"
		daemon  = "how serve starts, renews and ends its roles"
		sockets = "the listeners of serve, each with its flag"
		log     = "a log is standard error"
		run     = "about this run of the program"
	)
	return map[string]string{
		"span": words, "names": words, "quoteShell": words, "profileFile.String": words,
		"needCommand": helper, "asFile": helper, "absolute": helper, "withFirst": helper, "listenOnLoopback": helper, "parseHandle": helper, "oneByOne": helper,
		"sections": setting, "refused": setting, "exclusives": setting, "excluded": setting, "wrongKind": setting, "wrongText": setting, "settingError": setting, "isPath": setting, "fromFile": setting, "secretIn": setting,
		"portable": line, "portableInput": line,
		"profileFile.beside": profile, "otherSources": profile,
		"fileWriter.Retrieve": written, "fileWriter.write": written, "fileWriter.finish": written,
		"served.stop": daemon, "stopRoles": daemon, "rolesOf": daemon, "wantedRole.late": daemon, "awaitReload": daemon, "reader.Retrieve": daemon, "reader.lookAtFiles": daemon, "reader.validity": daemon,
		"sockets.take": sockets, "sockets.close": sockets, "sockets.url": sockets, "sockets.addresses": sockets, "portOf": sockets,
		"warnHandler.Enabled": log, "warnHandler.WithAttrs": log, "warnHandler.WithGroup": log,
		"interruptible": run, "interruptibleIf": run, "clockWarning.isNew": run,
	}
}

// exceptionsOfCA are functions of kedge-ca without a flag or a stream that stay, with the reason.
func exceptionsOfCA() map[string]string {
	const (
		words  = "the words and columns of one command"
		helper = "one expression of a command, with a name"
	)
	return map[string]string{
		"oneForm":      words,
		"onlyTyped":    "which flags have no variable",
		"store.close":  "what was opened with the streams is closed here",
		"parseKeyKind": "names the flag that is wrong",
		"csrName":      helper,
		"checkOutput":  "names the flag that is wrong",
	}
}

// misplaced compares the outsiders, "file function", with what is known of them.
func misplaced(found []string, exceptions map[string]string) []string {
	var faults []string
	used := map[string]bool{}
	for _, outsider := range found {
		file, name, _ := strings.Cut(outsider, " ")
		if used[name] = true; exceptions[name] == "" {
			faults = append(faults, fmt.Sprintf("%s: %s uses no flag, stream or prompt: it belongs to a package below cmd/", file, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(exceptions)) {
		if !used[name] {
			faults = append(faults, name+" is listed as an exception and is none any more")
		}
	}
	return faults
}

// TestCommands_checker: the check takes what is of the command line, and nothing else.
func TestCommands_checker(t *testing.T) {
	t.Parallel()
	const source = `package main
type host struct{ cli.Streams }
type xOptions struct { host; n int }
type keyFlags struct{ n int }
type limit int
type store struct { host host }
type y struct{ n int }
func (y) add(cmd *cobra.Command) {}
func (o *xOptions) ofOptions() {}
func (f *keyFlags) ofFlags() {}
func (l *limit) Set(string) error { return nil }
func (l *limit) String() string { return "" }
func (e *failure) Error() string { return "" }
func run(o *xOptions) {}
func newX() *cobra.Command { return nil }
func (y) besideAdd() {}
func (s *store) warns() { s.host.warn("") }
func prints(w writer) { cli.Say(w) }
func (s *store) decides() int { return 1 }
func computes(n int) int { return n }
func (e *failure) computes() {}
`
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, "x.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := outsiders([]file{{path: "cmd/kedge-ca/x.go", pkg: "cmd/kedge-ca", ast: tree, fset: fset}})
	if want := []string{"x.go store.decides", "x.go computes", "x.go failure.computes"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	faults := misplaced(got, map[string]string{"computes": "why", "other": "gone"})
	want := []string{
		"x.go: store.decides uses no flag, stream or prompt: it belongs to a package below cmd/",
		"x.go: failure.computes uses no flag, stream or prompt: it belongs to a package below cmd/",
		"other is listed as an exception and is none any more",
	}
	if !slices.Equal(faults, want) {
		t.Errorf("%q, want %q", faults, want)
	}
}

// outsiders returns the functions that are not of the command line: "file name" or "file type.name".
func outsiders(files []file) []string {
	flags, values := flagTypes(files)
	var all []string
	for _, f := range files {
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || path.Base(f.path) == "hints.go" {
				continue
			}
			recv := receiver(fn)
			if slices.Contains([]string{"Error", "Unwrap"}, fn.Name.Name) && recv != "" || slices.Contains(values, recv) {
				continue
			}
			if mentions(fn.Type, flags) || slices.Contains(flags, recv) || mentions(fn.Body, nil) {
				continue
			}
			name := fn.Name.Name
			if recv != "" {
				name = recv + "." + name
			}
			all = append(all, path.Base(f.path)+" "+name)
		}
	}
	return all
}

// flagTypes returns the names of the types of flags, and of the values of flags.
func flagTypes(files []file) (flags, values []string) {
	flags = []string{"host"}
	for _, f := range files {
		for _, decl := range f.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv != nil {
				if fn.Name.Name == "Set" {
					values = append(values, receiver(fn))
				}
				if mentions(fn.Type.Params, nil) {
					flags = append(flags, receiver(fn))
				}
			}
		}
	}
	for {
		before := len(flags)
		for _, f := range files {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if ok && !slices.Contains(flags, spec.Name.Name) && (namesFlags(spec.Name.Name) || embeds(spec.Type, flags)) {
					flags = append(flags, spec.Name.Name)
				}
				return true
			})
		}
		if len(flags) == before {
			return flags, values
		}
	}
}

func namesFlags(typ string) bool {
	return strings.HasSuffix(typ, "Flags") || strings.HasSuffix(typ, "Options")
}

// embeds reports whether a type is a struct that embeds one of types.
func embeds(typ ast.Expr, types []string) bool {
	s, ok := typ.(*ast.StructType)
	return ok && slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool {
		return len(f.Names) == 0 && slices.Contains(types, baseName(f.Type))
	})
}

// mentions reports whether a part of a function names a package of the command line, one of types,
// or, in a body, the streams.
func mentions(part ast.Node, types []string) bool {
	found := false
	_, body := part.(*ast.BlockStmt)
	ast.Inspect(part, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			found = found || ok && slices.Contains(commandLine(), x.Name) || body && slices.Contains(streams(), n.Sel.Name)
		case *ast.Ident:
			found = found || slices.Contains(types, n.Name)
		}
		return !found
	})
	return found
}

// receiver returns the name of the type that a method has, or nothing.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	return baseName(fn.Recv.List[0].Type)
}

// baseName returns the name of a type without its star, its package and its parameters.
func baseName(typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.Ident:
		return typ.Name
	case *ast.StarExpr:
		return baseName(typ.X)
	case *ast.IndexExpr:
		return baseName(typ.X)
	case *ast.SelectorExpr:
		return typ.Sel.Name
	}
	return ""
}

// TestFlags_once: a flag that both programs have with one meaning is defined once, in internal/cli: no two
// programs have one of the same name and text, and of those that cli has nobody else defines one.
func TestFlags_once(t *testing.T) {
	var found []flagAt
	for _, f := range load(t) {
		if under(f.pkg, "cmd") || f.pkg == "internal/cli" {
			found = append(found, flagsIn(f)...)
		}
	}
	defined, own := map[string]flagAt{}, map[string]bool{} // by name and text
	for _, flag := range found {
		own[flag.name] = own[flag.name] || flag.pkg == "internal/cli"
		other, twice := defined[flag.name+flag.text]
		if twice && flag.text != "" && other.pkg != flag.pkg {
			t.Errorf("%s: --%s is defined with this text at %s as well: internal/cli is the place", flag.at, flag.name, other.at)
		}
		defined[flag.name+flag.text] = flag
	}
	for _, flag := range found {
		if own[flag.name] && flag.pkg != "internal/cli" {
			t.Errorf("%s: --%s is defined in internal/cli", flag.at, flag.name)
		}
	}
	if !own["dns"] {
		t.Error("no flag was found")
	}
}

type flagAt struct{ name, text, at, pkg string }

// flagsIn returns the flags that a file defines: calls of XVar(to, "name", default, "text").
func flagsIn(f file) (flags []flagAt) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 3 {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !strings.HasSuffix(sel.Sel.Name, "Var") {
			return true
		}
		name, named := call.Args[1].(*ast.BasicLit)
		text, _ := call.Args[len(call.Args)-1].(*ast.BasicLit)
		if named && name.Kind == token.STRING {
			flag := flagAt{strings.Trim(name.Value, `"`), "", f.fset.Position(call.Pos()).String(), f.pkg}
			if text != nil {
				flag.text = text.Value
			}
			flags = append(flags, flag)
		}
		return true
	})
	return flags
}
