package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// door is a way to issue or record past ca/issuance, which binds the ledger to what it issues and
// asks it for permission: a front end that used one could issue what no list can revoke.
type door struct {
	what  string
	found func(n ast.Node) bool
	in    func(f file) bool // where the rule holds; tests are not checked
	may   func(f file) bool // who uses it all the same
	why   string
}

func doors() []door {
	cmd := func(f file) bool { return under(f.pkg, "cmd") }
	library := in("ca/issuance", "ca/ledger", "scripts/bench", "scripts/fleet/year")
	return []door{
		{"ca.Unrecorded", selects("ca", "Unrecorded"), everywhere, library, "what it issues is in no ledger"},
		{"RecordIssued", selects("", "RecordIssued"), everywhere, func(f file) bool { return f.pkg == "ca" || library(f) }, "ca/issuance records, with the receipt"},
		{"ca.Prepared.Issue", calls("Issue", 2), everywhere, library, "it takes any recorder, or none; issuance's Issue takes the ledger of the CA"},
		{"a change of the ledger", callsPast("Record", "RecordCRL", "Import", "SetAuthorities", "WithAuthority", "Revoke", "Release", "TakeList", "DropList"), func(f file) bool { return !under(f.pkg, "ca") && usesLedger(f) }, library, "every door goes through issuance"},
		{"the ledger of a CA", callsPast("Open", "Restore", "List", "Export", "Backup", "Verify", "Authorities", "Entries", "Head", "Certificate", "Hosts", "Newest", "Count", "Describe", "Missing", "LastCRL", "NextCRL", "CRLContent", "Revoked"),
			func(f file) bool { return cmd(f) && usesLedger(f) }, asksLedger, "what may happen is asked of issuance; these look at the ledger as such"},
	}
}

// asksLedger lists the commands that are about the ledger itself, and those that open it.
func asksLedger(f file) bool {
	return slices.Contains([]string{
		"cmd/kedge-ca/store.go",          // opens it, for the service
		"cmd/kedge-ca/list.go",           // streams a million rows: no result of a service
		"cmd/kedge-ca/ledger_export.go",  // the rows as they are
		"cmd/kedge-ca/ledger_backup.go",  // a copy of the file
		"cmd/kedge-ca/ledger_verify.go",  // the entries against the tables
		"cmd/kedge-ca/ledger_restore.go", // a CA that has lost its ledger has no service
	}, f.path)
}

func usesLedger(f file) bool { return slices.Contains(f.imports, module+"/ca/ledger") }

// selects finds x.name, where x is, or ends in, of; any x if that is empty.
func selects(of string, names ...string) func(ast.Node) bool {
	return func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(names, sel.Sel.Name) {
			return false
		}
		switch x := sel.X.(type) {
		case *ast.Ident:
			return of == "" || x.Name == of
		case *ast.SelectorExpr:
			return of == "" || x.Sel.Name == of
		}
		return of == ""
	}
}

// calls finds calls of a method with a number of arguments.
func calls(method string, args int) func(ast.Node) bool {
	return func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		return ok && len(call.Args) == args && selects("", method)(call.Fun)
	}
}

// callsPast finds calls of methods of a ledger, or functions of package ledger, by their names, but
// for those of the same names that a service has.
func callsPast(names ...string) func(ast.Node) bool {
	return func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		return ok && selects("", names...)(call.Fun) && !selects("Service", names...)(call.Fun) && !selects("os", names...)(call.Fun)
	}
}

// TestDoors: every way to a certificate goes through ca/issuance.
func TestDoors(t *testing.T) {
	for _, fault := range openDoors(load(t), doors()) {
		t.Error(fault)
	}
}

// TestDoors_checker: the check finds each of them in a command that uses it.
func TestDoors_checker(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"p.Issue(ctx, ca.Unrecorded{})":      "ca.Unrecorded ca.Prepared.Issue",
		"l.RecordIssued(ctx, i)":             "RecordIssued",
		"s.Ledger.Record(ctx, i)":            "a change of the ledger",
		"s.Ledger.Revoke(ctx, r)":            "a change of the ledger",
		"l.SetAuthorities(ctx, a)":           "a change of the ledger",
		"s.Ledger.Newest(ctx, key)":          "the ledger of a CA",
		"ledger.Open(ctx, where, o)":         "the ledger of a CA",
		"leaf.Issue(ctx)":                    "",
		"s.Service.Newest(ctx)":              "",
		"s.Service.Revoke(ctx, r)":           "",
		"os.Open(path)":                      "",
		"ledger.Certificate{}.State(now)":    "",
		"w.Write(ca.SerialHex(certificate))": "",
	} {
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, "x.go", "package main\nfunc f() { "+body+" }", 0)
		if err != nil {
			t.Fatal(err)
		}
		f := file{path: "cmd/kedge-x/x.go", pkg: "cmd/kedge-x", ast: tree, fset: fset, imports: []string{"kedge/ca", "kedge/ca/ledger"}}
		var got []string
		for _, fault := range openDoors([]file{f}, doors()) {
			_, fault, _ = strings.Cut(fault, " uses ")
			what, _, _ := strings.Cut(fault, ": ")
			got = append(got, what)
		}
		for _, what := range got {
			if !strings.Contains(want, what) {
				t.Errorf("%s: %q", body, got)
			}
		}
		if len(got) == 0 && want != "" {
			t.Errorf("%s: nothing was found", body)
		}
	}
}

func openDoors(files []file, doors []door) []string {
	var faults []string
	for _, f := range files {
		for _, d := range doors {
			if !d.in(f) || d.may(f) {
				continue
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				if n != nil && d.found(n) {
					faults = append(faults, fmt.Sprintf("%s uses %s: %s", f.fset.Position(n.Pos()), d.what, d.why))
				}
				return true
			})
		}
	}
	return faults
}
