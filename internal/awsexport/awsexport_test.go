package awsexport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/awsplan"
	"kedge/internal/testenv"
)

func newRoot(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// latin are texts that mean something to a shell, or to a template, of characters that IAM takes as they are.
var latin = []string{"it's", "$HOME `id` $(id) \\ \"q\" !", "two\nlines\r\n\ttab", "%{if true}${x}$${y}%%{z}%", "${aws:PrincipalTag/x509Subject/CN}", "-x", "grün <&> \u2028", ""}

// beyond is a text with a character that IAM takes by its number alone.
const beyond = "😀"

// document returns a policy with the texts.
func document(t *testing.T, more ...string) string {
	t.Helper()
	text, err := compact(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": true}, "StringLike": map[string]any{"aws:PrincipalTag/${a}": slices.Concat(latin, more)}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// newWanted is what hosts need, during a rotation.
func newWanted(t *testing.T) *awsplan.Wanted {
	t.Helper()
	root, next := newRoot(t, "Root"), newRoot(t, "Next")
	trust := func(anchor string) (string, error) {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:SourceArn":"` + anchor + `"}}}]}`, nil
	}
	return &awsplan.Wanted{
		Owners: []awsplan.Owner{awsplan.OwnerOf(root)}, Tags: map[string]string{"team": "a b"},
		Anchor:  awsplan.Anchor{Name: "kedge", Certificates: []*x509.Certificate{root, next}, Notifications: []awsplan.Notification{{Event: awsplan.EventCA, Days: 180}, {Event: awsplan.EventLeaf}}},
		Profile: awsplan.Profile{Name: "kedge", Duration: time.Hour},
		Roles: []awsplan.Role{
			{Name: "-a.b", Path: "/hosts/", For: "grün", Trust: trust, Inline: map[string]string{"-p": document(t)}, Boundary: "arn:aws:iam::111122223333:policy/edge", MaxSession: time.Hour},
			{Name: "a-b", Path: "/hosts/", Trust: trust, Attached: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::111122223333:policy/ReadOnlyAccess"}, MaxSession: 2 * time.Hour},
		},
	}
}

// TestShell: each value reaches the AWS CLI as it is, in one word, in the order of aws up.
func TestShell(t *testing.T) {
	t.Parallel()
	w := newWanted(t)
	w.Roles[0].Inline["-p"] = document(t, beyond)
	script, err := Shell(w)
	if err != nil {
		t.Fatal(err)
	}
	const recorder = `aws() {
	case "$*" in
	*generate-cli-skeleton*) echo notificationSettings; return ;;
	*" list-"*) return ;;
	*" get-role "*) echo "An error occurred (NoSuchEntity) when calling the GetRole operation" >&2; return 254 ;;
	esac
	printf '<%s>\n' "$@" >&2
	case "$2" in
	create-*) echo "arn:$2" ;;
	esac
}
`
	sh := exec.CommandContext(t.Context(), testenv.Tool(t, "bash"), "-c", recorder+script) // other tests run them by sh
	var calls strings.Builder
	sh.Stderr = &calls
	out, err := sh.Output()
	if err != nil || string(out) != "trust anchor: arn:create-trust-anchor\nrole: arn:create-role\nrole: arn:create-role\nprofile: arn:create-profile\n" {
		t.Fatalf("%v: %s\n%s", err, out, calls.String())
	}
	rest := calls.String()
	for _, want := range []string{
		"<create-trust-anchor>", "<--tags=" + mustTags(t, w, awsplan.KindAnchor, "kedge", "key"), `<--notification-settings=[{"channel":"ALL","enabled":true,"event":"CA_CERTIFICATE_EXPIRY","threshold":180},{"channel":"ALL","enabled":false,"event":"END_ENTITY_CERTIFICATE_EXPIRY","threshold":45}]>`,
		"<create-role>", "<--role-name=-a.b>", `<--assume-role-policy-document={"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:SourceArn":"arn:create-trust-anchor"}}}]}>`,
		"<--tags=" + mustTags(t, w, awsplan.KindRole, "-a.b", "Key"), "<--permissions-boundary=arn:aws:iam::111122223333:policy/edge>",
		"<put-role-policy>", "<--policy-name=-p>", "<--policy-document=" + document(t, beyond) + ">",
		"<create-role>", "<--max-session-duration=7200>", "<attach-role-policy>", "<attach-role-policy>",
		"<create-profile>", "<--duration-seconds=3600>", "<--tags=" + mustTags(t, w, awsplan.KindProfile, "kedge", "key"), "<--role-arns>\n<arn:create-role>\n<arn:create-role>\n",
	} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("no %s in\n%s", want, rest)
		}
		rest = after
	}
}

// TestShell_taken: the script goes on if AWS answers that there is no role of a name, and makes nothing if there is one or
// if it is not known.
func TestShell_taken(t *testing.T) {
	t.Parallel()
	w := newWanted(t)
	w.Roles[1].Name = "NoSuchEntity"
	script, err := Shell(w)
	if err != nil {
		t.Fatal(err)
	}
	const recorder = `aws() {
	case "$*" in
	*" list-"*) return ;;
	*"get-role --role-name=-a.b") echo "An error occurred (NoSuchEntity) when calling the GetRole operation" >&2; return 254 ;;
	*" get-role "*) ANSWER ;;
	*) echo "made" ;;
	esac
}
`
	for answer, want := range map[string]string{
		`echo "{}"`: "error: there is a role NoSuchEntity already; nothing was made",
		`echo "An error occurred (AccessDenied) when calling the GetRole operation: not authorized on role NoSuchEntity" >&2; return 254`: "on role NoSuchEntity\nerror: the AWS CLI does not answer whether there is a role NoSuchEntity; nothing was made\n",
		`echo "Could not connect to the endpoint URL" >&2; return 255`:                                                                    "Could not connect to the endpoint URL\nerror: the AWS CLI does not answer",
		`return 1`: "\nerror: the AWS CLI does not answer",
	} {
		out, err := exec.CommandContext(t.Context(), testenv.Tool(t, "sh"), "-c", strings.ReplaceAll(recorder, "ANSWER", answer)+script).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) || strings.Contains(string(out), "trust anchor: ") {
			t.Errorf("%s: %v\n%s", answer, err, out)
		}
	}
}

// TestShell_names: a profile of the name that is not of this CA is named, and stays; the script ends at one with a tag of
// this CA, also that of a former root.
func TestShell_names(t *testing.T) {
	t.Parallel()
	w := newWanted(t)
	w.Profile.Name, w.Owners = "a b's", append(w.Owners, awsplan.OwnerOf(newRoot(t, "Former")))
	script, err := Shell(w)
	if err != nil {
		t.Fatal(err)
	}
	const recorder = `aws() {
	case "$*" in
	*" list-profiles "*) printf 'arn:1\tarn:2\narn:3\n' ;;
	*" list-tags-for-resource --resource-arn=arn:1 "*) ;;
	*" list-tags-for-resource --resource-arn=arn:2 "*) echo "0123/profile/a b's" ;;
	*" list-tags-for-resource --resource-arn=arn:3 "*) echo "$OURS" ;;
	*" list-trust-anchors "*) ;;
	*) echo "made" ;;
	esac
}
`
	for _, owner := range w.Owners {
		cmd := exec.CommandContext(t.Context(), testenv.Tool(t, "sh"), "-c", recorder+script)
		cmd.Env = append(os.Environ(), "OURS="+owner.Tag(awsplan.KindProfile, w.Profile.Name))
		out, err := cmd.CombinedOutput()
		const want = "note: arn:1 has the name a b's as well, and is not of this CA: it stays as it is\nnote: arn:2 has the name a b's as well, and is not of this CA: it stays as it is\n" +
			"error: the profile a b's of this CA is there already, arn:3; nothing was made: run kedge-ca aws up, which goes on from what is there\n"
		if err == nil || string(out) != want {
			t.Errorf("%v: %s\nwant %s", err, out, want)
		}
	}
}

func mustTags(t *testing.T, w *awsplan.Wanted, kind awsplan.Kind, name, key string) string {
	t.Helper()
	value := map[string]string{"key": "value", "Key": "Value"}[key]
	own := `[{"` + key + `":"kedge-ca","` + value + `":"` + string(w.Owners[0]) + "/" + strings.ReplaceAll(string(kind), " ", "-") + "/" + name + `"},{"` + key + `":"team","` + value + `":"a b"}]`
	return own + ">"
}
