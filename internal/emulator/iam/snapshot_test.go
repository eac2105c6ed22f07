package iam

import (
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// snapshotVersion of the SDK's IAM client is the first one with answers. The tests do not link it; scripts/setup downloads it,
// and reads this line.
const snapshotVersion = "v1.66.0"

// snapshot returns a file of the SDK's IAM client, which has the wire form of every operation and error.
func snapshot(t *testing.T, dir, name string) (head, body string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ = strings.Cut(string(content), "\n\n")
	if _, rest, ok := strings.Cut(body, "\n\n"); ok { // of a request, after its headers
		body = rest
	}
	return head, strings.TrimSpace(body)
}

// snapshots returns the folder of the SDK's IAM client in the module cache.
func snapshots(t *testing.T) string {
	t.Helper()
	cache := strings.TrimSpace(string(testenv.Run(t, ".", "go", "env", "GOMODCACHE")))
	dir := filepath.Join(cache, "github.com", "aws", "aws-sdk-go-v2", "service", "iam@"+snapshotVersion)
	if _, err := os.Stat(dir); err != nil {
		testenv.Missing(t, "the SDK's IAM client "+snapshotVersion, "not in the module cache; scripts/setup downloads it")
	}
	return dir
}

// TestSnapshots_request: the parameters that the SDK sends for an operation are those that are read here.
func TestSnapshots_request(t *testing.T) {
	t.Parallel()
	dir := snapshots(t)
	for name, o := range operations() {
		_, body := snapshot(t, dir, "request_snapshot/"+name+".request.snap")
		var sent []string
		for pair := range strings.SplitSeq(body, "&") {
			parameter, value, _ := strings.Cut(pair, "=")
			sent = append(sent, parameter)
			if parameter == "Action" && value != name || parameter == "Version" && value != Version {
				t.Errorf("%s: the SDK sends %s", name, pair)
			}
		}
		want := []string{"Action", "Version"}
		for _, p := range o.parameters() {
			want = append(want, p.onWire()...)
		}
		slices.Sort(sent)
		slices.Sort(want)
		if !slices.Equal(sent, want) {
			t.Errorf("%s: the SDK sends %v, here %v are read", name, sent, want)
		}
	}
}

// onWire returns the names that two items of a list, or one value, have in a request.
func (p parameter) onWire() []string {
	var all []string
	for n := 1; n <= 2; n++ {
		item := p.name + ".member." + strconv.Itoa(n)
		switch shapes()[p.shape].kind {
		case tagsShape:
			all = append(all, item+".Key", item+".Value")
		case keysShape:
			all = append(all, item)
		default:
			return []string{p.name}
		}
	}
	return all
}

// TestSnapshots_answer: every element of an answer is one that the SDK reads, and every element that the SDK
// reads is answered, but for those that IAM leaves out (API, each operation), and those that are not emulated.
func TestSnapshots_answer(t *testing.T) {
	t.Parallel()
	dir := snapshots(t)
	answers := everyAnswer(t)
	for name := range operations() {
		_, body := snapshot(t, dir, "response_snapshot/"+name+".response.snap")
		known := paths(t, body)
		got := answers[name]
		if got == nil {
			t.Errorf("%s: no answer", name)
		}
		for path := range got {
			if !known[path] && !strings.Contains(path, "/ResponseMetadata") {
				t.Errorf("%s: the SDK does not read %s", name, path)
			}
		}
		for path := range known {
			if !got[path] && !leftOut(name, path) {
				t.Errorf("%s: %s is not answered", name, path)
			}
		}
	}
}

// leftOut reports whether answers do not have an element.
func leftOut(operation, path string) bool {
	if path == operation+"Response/"+operation+"Result" { // of operations without a result
		return true
	}
	for _, part := range []string{
		"SourceRoleTemplate", "/RoleLastUsed/", "/InstanceProfiles/", "/PolicyGroups/", "/PasswordLastUsed", // not emulated
	} {
		if strings.Contains(path, part) {
			return true
		}
	}
	if strings.HasSuffix(path, "/RoleLastUsed") {
		return operation != "GetRole"
	}
	for list, parts := range map[string][]string{
		"ListRoles":                   {"/PermissionsBoundary", "/Tags"},
		"ListUsers":                   {"/PermissionsBoundary", "/Tags"},
		"ListPolicies":                {"/Description", "/Tags"},
		"ListPolicyVersions":          {"/Document"},
		"CreatePolicyVersion":         {"/Document"},
		"CreateServiceLinkedRole":     {"/PermissionsBoundary", "/Tags"},
		"ListInstanceProfilesForRole": {"/Marker"},
	} {
		if operation == list && slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(path, part) }) {
			return true
		}
	}
	return false
}

// everyAnswer performs every operation, with as much as there can be in the answers, and returns the paths of
// their elements.
func everyAnswer(t *testing.T) map[string]map[string]bool {
	t.Helper()
	s, all := newTestStore(t), map[string]map[string]bool{}
	call := func(action string, parameters ...string) {
		t.Helper()
		answer, err := do(s, admin(), action, parameters...)
		if err != nil {
			t.Fatalf("%s: %v", action, err)
		}
		if all[action] == nil {
			all[action] = map[string]bool{}
		}
		for path := range paths(t, body(t, answer)) {
			all[action][path] = true
		}
	}
	tag := []string{"Tags.member.1.Key", "a", "Tags.member.1.Value", "b", "Tags.member.2.Key", "c", "Tags.member.2.Value", "d"}
	with := func(parameters ...string) []string { return append(parameters, tag...) }
	role, user, arn := []string{"RoleName", "web"}, []string{"UserName", "bob"}, []string{"PolicyArn", policyARN("read")}
	of := func(owner []string, parameters ...string) []string { return append(slices.Clone(owner), parameters...) }
	call("CreatePolicy", with("PolicyName", "read", "PolicyDocument", testPolicy, "Description", "d")...)
	call("CreatePolicyVersion", of(arn, "PolicyDocument", testPolicy)...)
	call("CreateRole", with("RoleName", "web", "AssumeRolePolicyDocument", testTrust, "PermissionsBoundary", policyARN("read"), "Description", "d")...)
	call("CreateUser", with("UserName", "bob", "PermissionsBoundary", policyARN("read"))...)
	call("CreateServiceLinkedRole", "AWSServiceName", rolesAnywhere, "Description", "d")
	for range 2 {
		call("CreateAccessKey", user...)
	}
	for _, owner := range []struct {
		kind string
		name []string
	}{{"Role", role}, {"User", user}} {
		for _, policy := range []string{"a", "b"} {
			call("Put"+owner.kind+"Policy", of(owner.name, "PolicyName", policy, "PolicyDocument", testPolicy)...)
		}
		call("Attach"+owner.kind+"Policy", of(owner.name, arn...)...)
		call("Attach"+owner.kind+"Policy", of(owner.name, "PolicyArn", awsARN("aws", "IAMFullAccess"))...)
		call("Put"+owner.kind+"PermissionsBoundary", of(owner.name, "PermissionsBoundary", policyARN("read"))...)
		call("Tag"+owner.kind, of(owner.name, tag...)...)
		call("Get"+owner.kind, owner.name...)
		call("Get"+owner.kind+"Policy", of(owner.name, "PolicyName", "a")...)
		for _, list := range []string{"List" + owner.kind + "Policies", "ListAttached" + owner.kind + "Policies", "List" + owner.kind + "Tags"} {
			call(list, of(owner.name, "MaxItems", "1")...)
		}
		call("List"+owner.kind+"s", "MaxItems", "1")
	}
	call("UpdateRole", role...)
	call("UpdateRoleDescription", of(role, "Description", "d")...)
	call("UpdateAssumeRolePolicy", of(role, "PolicyDocument", testTrust)...)
	call("ListInstanceProfilesForRole", role...)
	call("ListPolicies", "MaxItems", "1")
	call("ListEntitiesForPolicy", arn...)
	call("ListEntitiesForPolicy", of(arn, "MaxItems", "1")...)
	call("GetPolicy", arn...)
	call("GetPolicyVersion", of(arn, "VersionId", "v1")...)
	call("ListPolicyVersions", of(arn, "MaxItems", "1")...)
	call("SetDefaultPolicyVersion", of(arn, "VersionId", "v2")...)
	call("TagPolicy", of(arn, tag...)...)
	call("ListPolicyTags", of(arn, "MaxItems", "1")...)
	call("UntagPolicy", of(arn, "TagKeys.member.1", "a")...)
	call("DeletePolicyVersion", of(arn, "VersionId", "v1")...)
	call("ListAccessKeys", of(user, "MaxItems", "1")...)
	for key := range s.current.Load().keys {
		if owner, _ := s.Key(key); owner.User.Name == "bob" {
			call("UpdateAccessKey", of(user, "AccessKeyId", key, "Status", "Inactive")...)
			call("DeleteAccessKey", of(user, "AccessKeyId", key)...)
		}
	}
	for kind, owner := range map[string][]string{"Role": role, "User": user} {
		call("Untag"+kind, of(owner, "TagKeys.member.1", "a")...)
		call("Delete"+kind+"PermissionsBoundary", owner...)
		for _, policy := range []string{"a", "b"} {
			call("Delete"+kind+"Policy", of(owner, "PolicyName", policy)...)
		}
		call("Detach"+kind+"Policy", of(owner, arn...)...)
		call("Detach"+kind+"Policy", of(owner, "PolicyArn", awsARN("aws", "IAMFullAccess"))...)
		call("Delete"+kind, owner...)
	}
	call("DeletePolicy", arn...)
	return all
}

// paths returns the paths of the elements of a document.
func paths(t *testing.T, document string) map[string]bool {
	t.Helper()
	found, path := map[string]bool{}, []string{}
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		token, err := d.Token()
		if token == nil {
			return found
		}
		if err != nil {
			t.Fatalf("%v: %s", err, document)
		}
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Local)
			found[strings.Join(path, "/")] = true
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

// TestSnapshots_error: the codes have the status that the model gives them.
func TestSnapshots_error(t *testing.T) {
	t.Parallel()
	dir := snapshots(t)
	for _, err := range []error{
		noSuchEntity(""), alreadyExists(""), deleteConflict(""), limitExceeded(""), invalidInput(""), unmodifiable(""), serviceFailure(errors.New("")),
		malformed(parseFailure(t)),
	} {
		e, _ := errors.AsType[*Error](err)
		head, text := snapshot(t, dir, "response_snapshot/"+e.Code+"Exception.error.snap")
		status, _, _ := strings.Cut(head, "\n")
		if status != strconv.Itoa(e.Status) || !strings.Contains(text, "<Code>"+e.Code+"</Code>") {
			t.Errorf("%s has the status %d; the model has %s: %s", e.Code, e.Status, status, text)
		}
	}
}
