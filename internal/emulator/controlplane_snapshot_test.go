package emulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/internal/emulator/rolesanywhere"
	"kedge/internal/testenv"
)

// TestControlPlane_snapshots sends what the SDK's own snapshots of its requests have, with values
// that the model allows, and compares the members of the answer with the SDK's snapshot of it.
func TestControlPlane_snapshots(t *testing.T) {
	t.Parallel()
	dir := strings.TrimSpace(string(testenv.Run(t, ".", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/rolesanywhere")))
	for _, op := range rolesanywhere.Operations() {
		t.Run(op.Name, func(t *testing.T) {
			t.Parallel()
			request := readSnapshot(t, filepath.Join(dir, "request_snapshot", op.Name+".request.snap"))
			want := readSnapshot(t, filepath.Join(dir, "response_snapshot", op.Name+".response.snap"))
			newSnapshotWorld(t).check(t, op, request, want)
		})
	}
	entries, err := os.ReadDir(filepath.Join(dir, "request_snapshot"))
	if err != nil || len(entries) != len(rolesanywhere.Operations()) {
		t.Errorf("%d snapshots of requests: %v", len(entries), err)
	}
}

// snapshot is a request or a response: its first line, and its body.
type snapshot struct {
	line string
	body any
}

func readSnapshot(t *testing.T, path string) snapshot {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s snapshot
	head, body, _ := strings.Cut(string(data), "\n\n")
	s.line, _, _ = strings.Cut(head, "\n")
	if _, after, ok := strings.Cut(body, "\n\n"); ok { // a request: its headers
		body = after
	}
	if body = strings.TrimSpace(body); body != "" {
		if err := json.Unmarshal([]byte(body), &s.body); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	return s
}

// snapshotWorld has one resource of each kind, with every member.
type snapshotWorld struct {
	*controlWorld
	values map[string]any // of the members and placeholders of the snapshots
}

func newSnapshotWorld(t *testing.T) *snapshotWorld {
	t.Helper()
	w := &snapshotWorld{newControlWorld(t), nil}
	list := base64.StdEncoding.EncodeToString(crlPEM(newCRL(t, w.root, serial(5))))
	w.values = map[string]any{
		"name": "a name", "sourceType": "CERTIFICATE_BUNDLE", "x509CertificateData": string(w.root.pem()), "durationSeconds": 900.0, "aliasName": "an/alias",
		"sessionPolicy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, "roleArns": w.RoleARN(), "managedPolicyArns": "arn:aws:iam::aws:policy/ReadOnlyAccess",
		"trustAnchorArn": w.TrustAnchorARN(), "resourceArn": w.TrustAnchorARN(), "specifier": "CN", "threshold": 30.0, "crlData": list, "pageSize": "1",
	}
	anchor := w.make(t, "CreateTrustAnchor", "/trustanchors", map[string]any{
		"name": "a", "source": map[string]any{"sourceType": "CERTIFICATE_BUNDLE", "sourceData": map[string]any{"x509CertificateData": string(w.root.pem())}},
		"aliasName": "made", "crlDpRevocationEnabled": true, "tags": []any{map[string]any{"key": "k", "value": "v"}, map[string]any{"key": "l", "value": ""}},
	})
	profile := w.make(t, "CreateProfile", "/profiles", map[string]any{
		"name": "p", "roleArns": []any{w.RoleARN()}, "managedPolicyArns": []any{w.values["managedPolicyArns"]}, "sessionPolicy": w.values["sessionPolicy"], "aliasName": "made",
	})
	crl := w.make(t, "ImportCrl", "/crls", map[string]any{"name": "c", "crlData": list, "trustAnchorArn": w.TrustAnchorARN(), "aliasName": "made"})
	subject := w.session(t, w.TrustAnchorARN(), w.ProfileARN(), w.root.issue(t, leafTemplate())).created(t).SubjectArn
	w.values["__TrustAnchorId__"], w.values["__ProfileId__"], w.values["__CrlId__"] = anchor["trustAnchorId"], profile["profileId"], crl["crlId"]
	w.values["__SubjectId__"] = subject[strings.LastIndex(subject, "/")+1:]
	w.values["trustAnchorId"], w.values["resourceArn"] = anchor["trustAnchorId"], anchor["trustAnchorArn"]
	return w
}

func (w *snapshotWorld) make(t *testing.T, name, target string, body map[string]any) map[string]any {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	response, text := w.call(t, w.Administrator(), "POST", target, string(data))
	var made map[string]map[string]any
	if err := json.Unmarshal([]byte(text), &made); err != nil || response.StatusCode != 201 {
		t.Fatalf("%s: %s %s", name, response.Status, text)
	}
	for _, resource := range made {
		return resource
	}
	return nil
}

func (w *snapshotWorld) check(t *testing.T, op rolesanywhere.Operation, request, want snapshot) {
	method, target, _ := strings.Cut(request.line, " ")
	for placeholder, value := range w.values {
		if text, ok := value.(string); ok && strings.HasPrefix(placeholder, "__") {
			target = strings.ReplaceAll(target, placeholder, text)
		}
	}
	target = strings.NewReplacer("nextToken=__NextToken__&pageSize=1", "pageSize=10", "__ResourceArn__", w.values["resourceArn"].(string), "specifiers=__Member__", "specifiers=CN").Replace(target)
	body := ""
	if request.body != nil {
		filled := w.fill("", request.body, 0)
		if missing := difference(paths(request.body), paths(filled)); len(missing) > 0 {
			t.Errorf("the request of the test lacks %q", missing)
		}
		data, err := json.Marshal(filled)
		if err != nil {
			t.Fatal(err)
		}
		body = string(data)
	}
	w.checkMembers(t, op, request)
	response, text := w.call(t, w.Administrator(), method, target, body)
	if response.StatusCode != op.Status || response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s %s: %s %s", method, target, response.Status, text)
	}
	var got any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if want.body == nil {
		want.body = map[string]any{} // TagResource and UntagResource
	}
	w.compare(t, op, want.body, got)
	w.echoes(t, w.fill("", request.body, 0), got)
}

// checkMembers compares the members of an operation, which events have, with those that the SDK sends.
func (w *snapshotWorld) checkMembers(t *testing.T, op rolesanywhere.Operation, request snapshot) {
	t.Helper()
	sent := map[string]bool{}
	for path := range paths(request.body) {
		name, _, _ := strings.Cut(strings.ReplaceAll(path, "[]", ""), " ")
		sent[strings.TrimPrefix(name, ".")] = true
	}
	_, query, _ := strings.Cut(request.line, "?")
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		sent[name] = true
	}
	delete(sent, "")
	members := map[string]bool{}
	for _, name := range op.Members() {
		members[name] = true
	}
	// This SDK has no tipConfiguration, and its snapshots have one form of a source.
	maps.DeleteFunc(members, func(name string, _ bool) bool {
		return strings.HasPrefix(name, "tipConfiguration.") || name == "source.sourceData.acmPcaArn"
	})
	if !maps.Equal(sent, members) {
		t.Errorf("the SDK sends %v, and the members are %v", slices.Sorted(maps.Keys(sent)), slices.Sorted(maps.Keys(members)))
	}
}

// unanswered reports whether a member of an answer is rightly absent.
func unanswered(op rolesanywhere.Operation, path string) bool {
	switch {
	case strings.HasPrefix(path, ".subject.instanceProperties[]"): // CreateSession has none here
		return true
	case strings.HasPrefix(path, ".nextToken "): // the list is complete
		return true
	case strings.HasSuffix(path, ".previousAliasName string"): // types.TrustAnchorDetail, PreviousAliasName
		return !strings.HasPrefix(op.Name, "Update")
	}
	return false
}

// compare compares the members and the types of an answer with those of the SDK.
func (w *snapshotWorld) compare(t *testing.T, op rolesanywhere.Operation, want, got any) {
	t.Helper()
	for _, path := range difference(paths(want), paths(got)) {
		if !unanswered(op, path) {
			t.Errorf("the answer lacks %s", path)
		}
	}
	for _, path := range difference(paths(got), paths(want)) {
		t.Errorf("the answer has %s, which the SDK does not know", path)
	}
}

// echoes checks that what was sent is in the answer.
func (w *snapshotWorld) echoes(t *testing.T, sent, got any) {
	t.Helper()
	in, _ := sent.(map[string]any)
	out, _ := got.(map[string]any)
	for _, resource := range out {
		of, _ := resource.(map[string]any)
		for name, value := range in {
			if answered, ok := of[name]; ok && name != "notificationSettings" && fmt.Sprint(answered) != fmt.Sprint(plain(value)) {
				t.Errorf("%s: sent %v, answered %v", name, value, answered)
			}
		}
	}
}

// plain is a value as JSON has it.
func plain(value any) any {
	data, _ := json.Marshal(value)
	var result any
	_ = json.Unmarshal(data, &result)
	return result
}

// fill replaces the placeholders of a snapshot's body by values that the model allows. Of lists whose
// members must differ, n is the member's number.
func (w *snapshotWorld) fill(name string, value any, n int) any {
	switch value := value.(type) {
	case map[string]any:
		result := map[string]any{}
		for member, v := range value {
			result[member] = w.fill(member, v, n)
		}
		return result
	case []any:
		var result []any
		for i, v := range value {
			result = append(result, w.fill(name, v, i))
		}
		return result
	}
	if name == "key" || name == "tagKeys" {
		return fmt.Sprintf("key%d", n)
	}
	if known, ok := w.values[name]; ok {
		return known
	}
	return value
}

// paths returns the members of a JSON value with the types of their values, such as
// ".profile.roleArns[] string".
func paths(value any) map[string]bool {
	all := map[string]bool{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for name, v := range value {
				walk(path+"."+name, v)
			}
		case []any:
			for _, v := range value {
				walk(path+"[]", v)
			}
		default:
			all[fmt.Sprintf("%s %T", path, value)] = true
		}
	}
	walk("", value)
	return all
}

func difference(a, b map[string]bool) (only []string) {
	for path := range a {
		if !b[path] {
			only = append(only, path)
		}
	}
	slices.Sort(only)
	return only
}
