package iam

import (
	"encoding/json/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// apiModel is IAM's model, as botocore has it.
type apiModel struct {
	Operations map[string]struct {
		Input struct {
			Shape string `json:"shape"`
		} `json:"input"`
	} `json:"operations"`
	Shapes map[string]modelShape `json:"shapes"`
}

type modelShape struct {
	Type     string   `json:"type"`
	Required []string `json:"required"`
	Members  map[string]struct {
		Shape string `json:"shape"`
	} `json:"members"`
	Min, Max *int
	Pattern  string   `json:"pattern"`
	Enum     []string `json:"enum"`
}

func readModel(t *testing.T) apiModel {
	t.Helper()
	python := testenv.Tool(t, "python3")
	dir := strings.TrimSpace(string(testenv.Run(t, ".", python, "-c", "import botocore, os; print(os.path.dirname(botocore.__file__))")))
	content, err := os.ReadFile(filepath.Join(dir, "data", "iam", Version, "service-2.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m apiModel
	if err := json.Unmarshal(content, &m, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestModel compares the parameters of every operation, and the constraints of their types, with the model.
func TestModel(t *testing.T) {
	t.Parallel()
	m := readModel(t)
	used := map[string]bool{}
	for name, o := range operations() {
		input := m.Shapes[m.Operations[name].Input.Shape]
		members := map[string]string{}
		for member, ref := range input.Members {
			members[member] = ref.Shape
		}
		for _, p := range o.parameters() {
			if members[p.name] != p.shape || slices.Contains(input.Required, p.name) != p.required {
				t.Errorf("%s: %+v; the model has %s, required %v", name, p, members[p.name], input.Required)
			}
			delete(members, p.name)
			used[p.shape] = true
		}
		if len(members) > 0 {
			t.Errorf("%s: the model has %v as well", name, members)
		}
	}
	used["tagKeyType"], used["tagValueType"] = true, true
	for name, s := range shapes() {
		if !used[name] {
			t.Errorf("%s is not used", name)
		}
		s.compare(t, name, m.Shapes[name])
	}
}

func (s shape) compare(t *testing.T, name string, want modelShape) {
	t.Helper()
	number := func(n *int) int {
		if n == nil {
			return 0
		}
		return *n
	}
	if s.min != number(want.Min) || s.max != number(want.Max) || !slices.Equal(s.enum, want.Enum) {
		t.Errorf("%s: %d to %d, %v; the model has %d to %d, %v", name, s.min, s.max, s.enum, number(want.Min), number(want.Max), want.Enum)
	}
	if (s.pattern == nil) != (want.Pattern == "") {
		t.Errorf("%s: pattern %v; the model has %s", name, s.pattern, want.Pattern)
	} else if s.pattern != nil {
		samePattern(t, name, s.pattern, want.Pattern)
	}
}

// samePattern compares the two on every character that AWS's patterns are about, alone and between slashes.
func samePattern(t *testing.T, name string, got *regexp.Regexp, want string) {
	t.Helper()
	other := regexp.MustCompile(`^(?:` + regexp.MustCompile(`\\u([0-9A-F]{4})`).ReplaceAllString(want, `\x{$1}`) + `)$`)
	try := []string{"", "/", "//", "/a/b/", "a/", "/a", "v1", "v0", "v12.a-b", "v1.", "v"}
	for r := rune(0); r < 0x3000; r++ {
		try = append(try, string(r), "/"+string(r), "/"+string(r)+"/", "v1."+string(r))
	}
	for _, text := range try {
		if got.MatchString(text) != other.MatchString(text) {
			t.Errorf("%s: %q matches %v; the model's pattern says %v", name, text, got.MatchString(text), other.MatchString(text))
			return
		}
	}
}
