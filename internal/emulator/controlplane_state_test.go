package emulator

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/emulator/iam"
)

// stateWorld is an emulator with a state folder.
func stateWorld(t *testing.T, dir string, root *authority, change ...func(*Config)) *controlWorld {
	t.Helper()
	w := newControlWorld(t, append(change, func(c *Config) {
		c.StateDir = dir
		c.TrustAnchors = []TrustAnchor{{Certificates: root.pem()}}
	})...)
	w.root = root
	return w
}

func (w *controlWorld) do(t *testing.T, method, target, body string) string {
	t.Helper()
	response, text := w.call(t, w.Administrator(), method, target, body)
	if response.StatusCode >= 300 {
		t.Fatalf("%s %s: %s", method, target, text)
	}
	return text
}

// everything is what the lists answer.
func (w *controlWorld) everything(t *testing.T) string {
	t.Helper()
	text := ""
	for _, target := range []string{"/trustanchors", "/profiles", "/crls", "/subjects", "/ListTagsForResource?resourceArn=" + w.ProfileARN()} {
		text += w.do(t, "GET", target, "") + "\n"
	}
	return text
}

// TestState_restart: a restart keeps what operations made, changed and deleted, and the
// administrator's key.
func TestState_restart(t *testing.T) {
	t.Parallel()
	dir, root := t.TempDir(), newRoot(t, caTemplate("Root"))
	w := stateWorld(t, dir, root)
	w.do(t, "POST", "/trustanchors", anchorBody(t, string(root.pem()), map[string]any{"aliasName": "a", "enabled": true, "tags": manyTags(2)}))
	w.do(t, "POST", "/profiles", `{"name":"p","roleArns":["`+w.RoleARN()+`"],"enabled":true}`)
	w.do(t, "POST", "/crls", crlBody(t, w.TrustAnchorARN(), newCRL(t, root, serial(77)), true))
	w.do(t, "POST", "/TagResource", `{"resourceArn":"`+w.ProfileARN()+`","tags":[{"key":"k","value":"v"}]}`)
	w.do(t, "PUT", "/profiles/"+idOf(w.ProfileARN())+"/mappings", `{"certificateField":"x509Subject","mappingRules":[{"specifier":"CN"}]}`)
	w.session(t, w.TrustAnchorARN(), w.ProfileARN(), root.issue(t, leafTemplate())).created(t)
	before := w.everything(t)
	flush(t, w.Emulator)
	again := stateWorld(t, dir, root)
	if after := again.everything(t); after != before {
		t.Errorf("after a restart:\n%s\nbefore:\n%s", after, before)
	}
	if again.Administrator().SecretAccessKey != w.Administrator().SecretAccessKey {
		t.Error("the administrator has another key")
	}
	template := leafTemplate()
	template.SerialNumber = serial(77)
	if got := again.session(t, again.TrustAnchorARN(), again.ProfileARN(), root.issue(t, template)).String(); got != revokedAnswer {
		t.Errorf("a CRL of before the restart: %s", got)
	}
}

func idOf(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

func crlBody(t *testing.T, anchor string, data []byte, enabled bool) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"name": "c", "trustAnchorArn": anchor, "crlData": data, "enabled": enabled})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestState_configuration: what an operation changed or deleted stays so until the configuration has
// something else.
func TestState_configuration(t *testing.T) {
	t.Parallel()
	dir, root := t.TempDir(), newRoot(t, caTemplate("Root"))
	w := stateWorld(t, dir, root)
	anchor, profile := idOf(w.TrustAnchorARN()), idOf(w.ProfileARN())
	w.do(t, "PATCH", "/trustanchor/"+anchor, `{"name":"changed"}`)
	w.do(t, "DELETE", "/profile/"+profile, "")
	w = stateWorld(t, dir, root)
	if got := w.do(t, "GET", "/trustanchors", "") + w.do(t, "GET", "/profiles", ""); !strings.Contains(got, `"name":"changed"`) || !strings.Contains(got, `"profiles":[]`) {
		t.Errorf("the configuration as before: %s", got)
	}
	w = stateWorld(t, dir, newRoot(t, caTemplate("Other")), func(c *Config) { c.Profiles = []Profile{{AcceptRoleSessionName: true}} })
	got := w.do(t, "GET", "/trustanchors", "") + w.do(t, "GET", "/profiles", "")
	if strings.Contains(got, `"changed"`) || !strings.Contains(got, `"acceptRoleSessionName":true`) {
		t.Errorf("another configuration: %s", got)
	}
	w = stateWorld(t, dir, root)
	if got := w.do(t, "GET", "/trustanchors", ""); strings.Contains(got, `"changed"`) {
		t.Errorf("a change of before the other configuration: %s", got)
	}
}

// TestState_damaged: a file that was cut short, is of another version, or of another resource, stops
// the start, and the error names it.
func TestState_damaged(t *testing.T) {
	t.Parallel()
	dir, root := t.TempDir(), newRoot(t, caTemplate("Root"))
	w := stateWorld(t, dir, root)
	w.do(t, "POST", "/profiles", `{"name":"p","roleArns":[]}`)
	files, err := filepath.Glob(filepath.Join(dir, "rolesanywhere", "profile-*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"cut short":       {whole[:len(whole)-20], "it is cut short or damaged"},
		"empty":           {nil, "it is cut short or damaged"},
		"another version": {bytes.Replace(whole, []byte(`"version":1`), []byte(`"version":9`), 1), "it has the version 9; this program reads version 1"},
		"another name":    {bytes.ReplaceAll(whole, []byte(":profile/"), []byte(":profile/x")), "it is named as that of another resource"},
		"unknown member":  {bytes.Replace(whole, []byte(`"durationSeconds"`), []byte(`"duration"`), 1), "it is not a profile"},
		"bad duration":    {bytes.Replace(whole, []byte(`"durationSeconds":3600`), []byte(`"durationSeconds":1`), 1), "it is not a valid profile"},
	} {
		if err := os.WriteFile(files[0], tt.data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := New(Config{StateDir: dir, TrustAnchors: []TrustAnchor{{Certificates: root.pem()}}})
		if err == nil || !strings.Contains(err.Error(), files[0]+": "+tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

// TestState_operations: a restart keeps what operations made of the configuration, although the configuration alone
// would not fit to it any more.
func TestState_operations(t *testing.T) {
	t.Parallel()
	root, other := newRoot(t, caTemplate("Root")), newRoot(t, caTemplate("Other"))
	source := anchorBody(t, string(other.pem()), nil)
	for name, operate := range map[string]func(t *testing.T, w *controlWorld, anchor, crl string){
		"an alias that moved": func(t *testing.T, w *controlWorld, anchor, _ string) {
			w.do(t, "PATCH", "/trustanchor/"+anchor, `{"aliasName":""}`)
			w.do(t, "POST", "/trustanchors", anchorBody(t, string(other.pem()), map[string]any{"aliasName": "main"}))
		},
		"a CRL that two others replaced": func(t *testing.T, w *controlWorld, _, crl string) {
			w.do(t, "DELETE", "/crl/"+crl, "")
			w.do(t, "POST", "/crls", crlBody(t, w.TrustAnchorARN(), newCRL(t, root, serial(78)), true))
			w.do(t, "POST", "/crls", crlBody(t, w.TrustAnchorARN(), newCRL(t, root, serial(78)), true))
		},
		"a trust anchor of another CA": func(t *testing.T, w *controlWorld, anchor, _ string) {
			w.do(t, "PATCH", "/trustanchor/"+anchor, source)
		},
		"a CRL that was changed, of a trust anchor of another CA": func(t *testing.T, w *controlWorld, anchor, crl string) {
			w.do(t, "PATCH", "/crl/"+crl, `{"name":"changed"}`)
			w.do(t, "PATCH", "/trustanchor/"+anchor, source)
			w.do(t, "POST", "/crl/"+crl+"/disable", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := Config{StateDir: t.TempDir(), TrustAnchors: []TrustAnchor{{Certificates: root.pem(), Alias: "main", CRLs: [][]byte{newCRL(t, root, serial(77))}}}}
			start := func() *controlWorld {
				return newControlWorld(t, func(c *Config) { c.StateDir, c.TrustAnchors = config.StateDir, config.TrustAnchors })
			}
			w := start()
			var lists struct {
				CRLs []struct {
					ID string `json:"crlId"`
				}
			}
			if err := json.Unmarshal([]byte(w.do(t, "GET", "/crls", "")), &lists); err != nil || len(lists.CRLs) != 1 {
				t.Fatalf("%v: %v", err, lists)
			}
			operate(t, w, idOf(w.TrustAnchorARN()), lists.CRLs[0].ID)
			before := w.everything(t)
			if after := start().everything(t); after != before {
				t.Errorf("after a restart:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
}

// TestState_gone: what the configuration does not have any more is gone at the next start, in IAM and in IAM Roles Anywhere,
// and the log has a line about it; what operations made stays.
func TestState_gone(t *testing.T) {
	t.Parallel()
	dir, root := t.TempDir(), newRoot(t, caTemplate("Root"))
	const other = "arn:aws:rolesanywhere:us-east-1:111122223333:profile/other"
	bob := User{ARN: "arn:aws:iam::111122223333:user/bob", AccessKeyID: "AKIABBBBBBBBBBBBBBBB", SecretAccessKey: "secret", Permissions: iam.Permissions{Inline: map[string]string{"all": allowAll}}}
	more := func(c *Config) {
		c.Profiles = []Profile{{}, {ARN: other}}
		c.Users = []User{bob}
	}
	w := stateWorld(t, dir, root, more)
	w.do(t, "PATCH", "/profile/other", `{"name":"changed"}`)
	w.do(t, "POST", "/profiles", `{"name":"made","roleArns":[]}`)
	if response, text := w.call(t, bob, "GET", "/profiles", ""); response.StatusCode != 200 {
		t.Errorf("bob: %s", text)
	}
	var log bytes.Buffer
	w = stateWorld(t, dir, root, func(c *Config) { c.Log = &log })
	if got := w.do(t, "GET", "/profiles", ""); strings.Contains(got, "changed") || !strings.Contains(got, `"made"`) {
		t.Errorf("profiles: %s", got)
	}
	if response, text := w.call(t, bob, "GET", "/profiles", ""); response.StatusCode != 403 {
		t.Errorf("the key of a user that is gone: %s", text)
	}
	for _, name := range []string{other, bob.ARN} {
		if !strings.Contains(log.String(), name+" is gone: the configuration does not have it any more\n") {
			t.Errorf("%s is not in the log:\n%s", name, log.String())
		}
	}
	w = stateWorld(t, dir, root, more)
	if got := w.do(t, "GET", "/profiles", ""); strings.Contains(got, "changed") {
		t.Errorf("what operations had made of it is there again: %s", got)
	}
}
