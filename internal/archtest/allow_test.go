package archtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestAllowed: each package imports what its line in allowed lists, and nothing else.
func TestAllowed(t *testing.T) {
	files := load(t)
	for _, fault := range notAllowed(files, allowed()) {
		t.Error(fault)
	}
	for _, fault := range notReachable(files, reachable()) {
		t.Error(fault)
	}
}

// TestAllowed_checker: the check itself finds a package without a line, an import that no line
// allows, a line without a package, and what is reached through another package.
func TestAllowed_checker(t *testing.T) {
	t.Parallel()
	files := []file{
		{path: "a/a.go", pkg: "a", imports: []string{"fmt", "kedge/b", "example.com/m/v2/sub"}},
		{path: "b/b.go", pkg: "b", imports: []string{"kedge/c"}},
		{path: "c/c.go", pkg: "c"},
	}
	whole := []line{{"a", "b", "example.com/m/v2", ""}, {"b", "c", "", "few"}, {"c", "", "", ""}}
	for _, tt := range []struct {
		name  string
		lines []line
		want  []string
	}{
		{"complete", whole, nil},
		{"new package", whole[:2], []string{"c has no line in allowed: write down what it may import, and why"}},
		{"own import", []line{whole[0], {"b", "", "", "few"}, whole[2]}, []string{"b/b.go imports kedge/c, which the line of b in allowed does not list: few"}},
		{"foreign import", []line{{"a", "b", "example.com/m", ""}, whole[1], whole[2]}, nil},
		{"sister module", []line{{"a", "b", "example.com/m/v", ""}, whole[1], whole[2]}, []string{"a/a.go imports example.com/m/v2/sub, which the line of a in allowed does not list"}},
		{"line too many", append(slices.Clone(whole), line{"d", "", "", ""}), []string{"d has a line in allowed and no files"}},
		{"two lines", append(slices.Clone(whole), whole[2]), []string{"c has two lines in allowed"}},
	} {
		if got := notAllowed(files, tt.lines); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := notReachable(files, map[string]string{"a": "b c", "b": "c"}); len(got) > 0 {
		t.Error(got)
	}
	want := []string{"a -> kedge/b -> kedge/c: the line of a in reachable does not list it"}
	if got := notReachable(files, map[string]string{"a": "b"}); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// notAllowed returns what is wrong with the imports of files.
func notAllowed(files []file, lines []line) []string {
	var faults []string
	of := map[string]line{}
	for _, l := range lines {
		if _, ok := of[l.pkg]; ok {
			faults = append(faults, l.pkg+" has two lines in allowed")
		}
		of[l.pkg] = l
	}
	seen := map[string]bool{}
	for _, f := range files {
		l, ok := of[f.pkg]
		if !ok && !seen[f.pkg] {
			faults = append(faults, f.pkg+" has no line in allowed: write down what it may import, and why")
		}
		seen[f.pkg] = true
		for _, imp := range f.imports {
			if ok && !l.allows(imp) {
				fault := fmt.Sprintf("%s imports %s, which the line of %s in allowed does not list", f.path, imp, f.pkg)
				if l.why != "" {
					fault += ": " + l.why
				}
				faults = append(faults, fault)
			}
		}
	}
	for _, l := range lines {
		if !seen[l.pkg] {
			faults = append(faults, l.pkg+" has a line in allowed and no files")
		}
	}
	return faults
}

// allows reports whether a package may import what is named. The standard library is free.
func (l line) allows(imp string) bool {
	if own, ok := strings.CutPrefix(imp, module+"/"); ok {
		return slices.Contains(strings.Fields(l.own), own)
	}
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return true
	}
	return slices.ContainsFunc(strings.Fields(l.others), func(other string) bool { return under(imp, other) })
}

// notReachable returns what packages get to beyond what lines list for them.
func notReachable(files []file, lines map[string]string) []string {
	var faults []string
	for _, pkg := range slices.Sorted(maps.Keys(lines)) {
		reached := closure(files, pkg)
		for _, imp := range slices.Sorted(maps.Keys(reached)) {
			if own, ok := strings.CutPrefix(imp, module+"/"); ok && !slices.Contains(strings.Fields(lines[pkg]), own) {
				faults = append(faults, fmt.Sprintf("%s: the line of %s in reachable does not list it", reached[imp], pkg))
			}
		}
	}
	return faults
}
