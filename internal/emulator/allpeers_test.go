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

// TestPeers: other clients call each operation that they and the emulator have. TestControlPlane_sdk and TestIAM_sdk do so with the
// SDK for Go.
func TestPeers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		path string // of what must be installed
		args []string
	}{
		{"JavaScript", filepath.Join(testenv.Root(t), "scripts", "peers", "node_modules", "@aws-sdk", "client-rolesanywhere"), []string{"node", "control.mjs"}},
		{"boto3", "/usr/lib/python3/dist-packages/boto3", []string{"/usr/bin/python3", "control.py", "boto3"}},
		{"AWS CLI", "/usr/lib/python3/dist-packages/awscli", []string{"/usr/bin/python3", "control.py", "aws"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(tt.path); err != nil {
				testenv.Missing(t, tt.path, "not installed; scripts/setup installs it")
			}
			newSTSWorld(t).checkPeer(t, tt.args)
		})
	}
}

// checkPeer runs a program of scripts/peers, and compares what it called with what its client has.
func (w *stsWorld) checkPeer(t *testing.T, args []string) {
	t.Helper()
	root := newRoot(t, caTemplate("Peer"))
	given, err := json.Marshal(map[string]string{
		"endpoint": w.url, "certificate": string(root.pem()), "role": w.RoleARN(),
		"crl": base64.StdEncoding.EncodeToString(crlPEM(newCRL(t, root, serial(7)))),
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), testenv.Tool(t, args[0]), args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = filepath.Join(testenv.Root(t), "scripts", "peers"), w.environment(t), strings.NewReader(string(given))
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
