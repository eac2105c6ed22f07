package emulator

import (
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/emulator/policy"
	"kedge/internal/testenv"
)

// TestReadConfig_example: the example has every member of a configuration, its README describes each, and its hosts get their role.
func TestReadConfig_example(t *testing.T) {
	t.Parallel()
	source, dir := filepath.Join(testenv.Root(t), "examples", "emulator"), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "emulator.json"))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range allMembers(reflect.TypeFor[configFile]()) {
		if !strings.Contains(string(text), `"`+member+`":`) || !strings.Contains(string(readme), member+"`") {
			t.Errorf("the example or its README lacks %s", member)
		}
	}
	root := newRoot(t, caTemplate("Root"))
	if err := os.Mkdir(filepath.Join(dir, "ca"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca", "ca.pem"), root.pem(), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := ReadConfig(filepath.Join(dir, "emulator.json"))
	if err != nil {
		t.Fatal(err)
	}
	c.Log, c.Now = io.Discard, func() time.Time { return testNow }
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	made := send(t, e, newCraft(e, root.issue(t, leafTemplate())).sign(t).wire()).created(t).CredentialSet[0]
	template := leafTemplate()
	template.Subject.CommonName = "db-1"
	if got := send(t, e, newCraft(e, root.issue(t, template)).sign(t).wire()).message; got != textAssume {
		t.Errorf("another host: %s", got)
	}
	checkArchive(t, e, made.Credentials.AccessKeyID)
}

// checkArchive: the session of a host may go on to the role of another account.
func checkArchive(t *testing.T, e *Emulator, accessKeyID string) {
	t.Helper()
	who := e.find(accessKeyID)
	who.Region = e.Region()
	role := e.iam.Role("arn:aws:iam::444455556666:role/archive")
	request := chained{who, role, e.iam.AssumePolicies(e.callerOf(who)), map[string]string{"RoleSessionName": "s1"}, &tagSet{}, who.sourceIdentity(), testNow}
	if refusal := request.check(); refusal != nil {
		t.Errorf("%v: %s", refusal, refusal.Why)
	}
	request.policies = policy.Policies{}
	if refusal := request.check(); refusal == nil {
		t.Error("the other account asks for no policy of the caller")
	}
}

// allMembers returns the names of all members of a configuration.
func allMembers(of reflect.Type) (names []string) {
	switch of.Kind() {
	case reflect.Slice:
		return allMembers(of.Elem())
	case reflect.Struct:
		for field := range of.Fields() {
			names = append(names, field.Tag.Get("json"))
			names = append(names, allMembers(field.Type)...)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}
