package emulator

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/rolesanywhere"
	"kedge/internal/testenv"
)

// TestControlPlane_javaScript: the SDK for JavaScript calls each operation that it and the emulator have.
func TestControlPlane_javaScript(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testenv.Root(t), "scripts", "peers")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@aws-sdk", "client-rolesanywhere")); err != nil {
		testenv.Missing(t, "npm-peers", "not installed; scripts/setup installs it")
	}
	w := newSTSWorld(t)
	root := newRoot(t, caTemplate("JavaScript"))
	given, err := json.Marshal(map[string]string{
		"endpoint": w.url, "certificate": string(root.pem()), "role": w.RoleARN(),
		"crl": base64.StdEncoding.EncodeToString(crlPEM(newCRL(t, root, serial(7)))),
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), testenv.Tool(t, "node"), filepath.Join(dir, "control.mjs"))
	cmd.Env, cmd.Stdin = w.environment(t), strings.NewReader(string(given))
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &words)
	}
	var has struct{ RolesAnywhere, IAM, STS []string }
	if err := json.Unmarshal(out, &has); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w.checkCalled(t, has.RolesAnywhere, resourceOperations())
	w.checkCalled(t, has.IAM, iam.Operations())
	w.checkCalled(t, has.STS, slices.Collect(maps.Keys(stsOperations())))
}

func resourceOperations() (names []string) {
	for _, op := range rolesanywhere.Operations() {
		names = append(names, op.Name)
	}
	return names
}

// checkCalled checks that each operation that the client and the emulator have was called, and answered.
func (w *stsWorld) checkCalled(t *testing.T, client, here []string) {
	t.Helper()
	done := map[string]bool{}
	for _, c := range w.Calls() {
		done[c.Operation] = done[c.Operation] || c.Status < http.StatusMultipleChoices
	}
	common := slices.DeleteFunc(slices.Clone(here), func(name string) bool { return !slices.Contains(client, name) })
	if len(common) == 0 {
		t.Errorf("the client has none of %q", here)
	}
	for _, name := range common {
		if !done[name] {
			t.Errorf("%s was not called, or was refused", name)
		}
	}
}
