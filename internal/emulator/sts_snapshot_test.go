package emulator

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// snapshotVersion of the SDK's STS client is the first one with answers. The tests do not link it; scripts/setup downloads it,
// and reads this line.
const snapshotVersion = "v1.52.0"

// stsSnapshot returns the body of a file of the SDK's STS client, which has the wire form of every operation.
func stsSnapshot(t *testing.T, name string) string {
	t.Helper()
	cache := strings.TrimSpace(string(testenv.Run(t, ".", "go", "env", "GOMODCACHE")))
	dir := filepath.Join(cache, "github.com", "aws", "aws-sdk-go-v2", "service", "sts@"+snapshotVersion)
	if _, err := os.Stat(dir); err != nil {
		testenv.Missing(t, "the SDK's STS client "+snapshotVersion, "not in the module cache; scripts/setup downloads it")
	}
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(content))
	return text[strings.LastIndex(text, "\n")+1:]
}

// TestSTS_snapshots: the parameters that the SDK sends are those that an operation has here, and every element of an answer is one
// that the SDK reads, and the other way round.
func TestSTS_snapshots(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	role := url.Values{
		"RoleArn": {w.RoleARN()}, "RoleSessionName": {"s1"}, "SourceIdentity": {"CN=web-1"}, "MinimumSessionTokenSize": {"1"}, "DurationSeconds": {"900"},
		"Tags.member.1.Key": {"a"}, "Tags.member.1.Value": {"b"}, "TransitiveTagKeys.member.1": {"a"}, "ExternalId": {"id"},
	}
	for operation, form := range map[string]url.Values{"AssumeRole": role, "GetCallerIdentity": {}, "GetSessionToken": {"DurationSeconds": {"900"}}} {
		checkParameters(t, operation, stsSnapshot(t, "request_snapshot/"+operation+".request.snap"))
		form.Set("Action", operation)
		form.Set("Version", stsVersion)
		response, body := w.send(t, w.signedForm(t, w.Administrator(), "sts", form))
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", operation, body)
		}
		got, want := elements(t, body), elements(t, stsSnapshot(t, "response_snapshot/"+operation+".response.snap"))
		maps.DeleteFunc(got, func(path string, _ bool) bool { return strings.Contains(path, "/ResponseMetadata") })
		if !maps.Equal(got, want) {
			t.Errorf("%s: the answer has %v, the SDK reads %v", operation, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	}
	if n := len(stsOperations()); n != 3 {
		t.Errorf("%d operations", n)
	}
}

// checkParameters compares the parameters that the SDK sends with those of an operation, and the secrets, which no event has.
func checkParameters(t *testing.T, operation, request string) {
	t.Helper()
	names, _ := stsMembers(operation)
	want := map[string]bool{"Action": true, "Version": true}
	if operation != "GetCallerIdentity" {
		names = append(slices.Clone(names), "TokenCode")
	}
	if operation == "AssumeRole" {
		names = append(names, "ProvidedContexts.member.N.ContextAssertion")
	}
	for _, name := range names {
		for _, n := range []string{".1", ".2"} { // two items of each list
			want[strings.Replace(name, ".N", n, 1)] = true
		}
	}
	sent := map[string]bool{}
	for pair := range strings.SplitSeq(request, "&") {
		name, _, _ := strings.Cut(pair, "=")
		sent[name] = true
	}
	if !maps.Equal(sent, want) {
		t.Errorf("%s: the SDK sends %v, here are %v", operation, slices.Sorted(maps.Keys(sent)), slices.Sorted(maps.Keys(want)))
	}
}

// elements returns the paths of the elements of a document.
func elements(t *testing.T, document string) map[string]bool {
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

// TestSTS_tokenSize: STS reference, MinimumSessionTokenSize.
func TestSTS_tokenSize(t *testing.T) {
	t.Parallel()
	w := newRehearsal(t)
	for _, operation := range []string{"AssumeRole", "GetSessionToken"} {
		for size, want := range map[string]string{
			"": "400 9", "0": "400 9", "400": "400 9", "401": "404 9", "4095": "4096 100", "4096": "4096 100", "4097": "ValidationError", "-1": "ValidationError", "x": "MalformedInput",
		} {
			form := url.Values{"Action": {operation}, "Version": {stsVersion}, "RoleArn": {w.RoleARN()}, "RoleSessionName": {"s1"}}
			if size != "" {
				form.Set("MinimumSessionTokenSize", size)
			}
			_, body := w.send(t, w.signedForm(t, w.Administrator(), "sts", form))
			var got struct {
				Assumed token  `xml:"AssumeRoleResult"`
				Session token  `xml:"GetSessionTokenResult"`
				Code    string `xml:"Error>Code"`
			}
			if err := xml.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if has := got.Code + got.Assumed.String() + got.Session.String(); has != want {
				t.Errorf("%s, at least %q: %s, want %s", operation, size, has, want)
			}
		}
	}
}

// token is the session token of an answer, with what the answer has about its size.
type token struct {
	Text        string `xml:"Credentials>SessionToken"`
	Size        int    `xml:"SessionTokenSize"`
	Utilization int    `xml:"SessionTokenUtilization"`
}

func (t token) String() string {
	switch {
	case t.Text == "":
		return ""
	case len(t.Text) != t.Size:
		return "another size"
	}
	return fmt.Sprintf("%d %d", t.Size, t.Utilization)
}
