package caadvice

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/advice"
	"kedge/internal/awsaccount"
	"kedge/internal/awsadmin"
	"kedge/internal/awscrl"
	"kedge/internal/awsexplain"
	"kedge/internal/awsexport"
	"kedge/internal/cadir"
	"kedge/internal/localca"
	"kedge/internal/pemread"
	"kedge/pkcs11"
	"kedge/tpm"
)

const crlARN = "arn:aws:rolesanywhere:eu-west-1:111122223333:crl/6b656467-6500-4000-8000-000000000002"

// What an error wraps is advised on, whatever is around it; what is not known gets nothing.
func TestAdvice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rows advice.Table
		err  error
		want string // a part; empty: no advice
	}{
		{"cut", certificate(), &pemread.Error{Reason: pemread.Cut}, "copy the file again"},
		{"a key for a request", certificate(), &ca.OtherKindError{Wanted: "a certificate request", Found: "an encrypted private key"}, "openssl req -new -key FILE"},
		{"a certificate for a request", certificate(), &ca.OtherKindError{Wanted: "a certificate request", Found: "a certificate"}, "kedge-ca renew NAME"},
		{"DER for a request", certificate(), &ca.OtherKindError{Wanted: "a certificate request", Found: "something of an unknown kind"}, "BEGIN CERTIFICATE REQUEST"},
		{"a key for a certificate", certificate(), &ca.OtherKindError{Wanted: "a certificate", Found: "a private key"}, "that was issued for the key"},
		{"a request for a certificate", certificate(), &ca.OtherKindError{Wanted: "a certificate", Found: "a certificate request"}, "kedge-ca sign FILE"},
		{"a list for a certificate", certificate(), &ca.OtherKindError{Wanted: "a certificate", Found: "a revocation list"}, "openssl crl"},
		{"DER for a certificate", certificate(), &ca.OtherKindError{Wanted: "a certificate", Found: "something of an unknown kind"}, "BEGIN CERTIFICATE-"},
		{"other request", certificate(), errors.New("other"), ""},
		{"no PIN", hardware(), pkcs11.ErrPINRequired, "--key-password-from"},
		{"no auth value", hardware(), tpm.ErrAuthRequired, "--key-password-from"},
		{"locked token", hardware(), &pkcs11.PINError{Retries: pkcs11.RetriesNone}, "SO PIN"},
		{"locked TPM", hardware(), &tpm.AuthError{Locked: true}, "lockout"},
		{"no TPM", hardware(), tpm.ErrNoDevice, "device="},
		{"a copy of another", enrollment(), &ledger.ChoiceError{}, "kedge-ca hosts --json"},
		{"several keys", enrollment(), &ledger.ChoiceError{Keys: 2}, "kedge-ca token NAME --replace"},
		{"no copy", enrollment(), &ledger.NotClonedError{}, "kedge-ca hosts"},
		{"a free name", enrollment(), &ledger.FreeError{}, "kedge-ca token NAME"},
		{"held name", enrollment(), &ledger.HeldError{}, "--replace"},
		{"denied name", enrollment(), &ledger.DeniedError{}, "--undo"},
		{"refused token", enrollment(), &ledger.TokenError{}, "kedge-ca token list"},
		{"late renewal", enrollment(), &ledger.GraceError{}, "kedge-ca token NAME"},
		{"name of a server", enrollment(), &ledger.ReservedNameError{}, "leave the name out"},
		{"name of a host", enrollment(), &ledger.ReservedNameError{Server: true}, "give the server another name"},
		{"no server", enrollment(), &localca.NoServerError{}, "url: https://"},
		{"no tokens", enrollment(), &localca.NoProofError{}, "enroll.proofs"},
		{"other file", enrollment(), &localca.ServerFileError{}, "--out"},
		{"file", enrollment(), &localca.ServerFileError{Exists: true}, "--replace"},
		{"lost segment", opened(), &ledger.SegmentError{Err: fs.ErrNotExist}, "put it back from a backup of the archive, or name the folder"},
		{"lost segment of which nothing has left", opened(), &ledger.SegmentError{Err: fs.ErrNotExist, Unused: true}, "with --to, or put it back from a backup of the archive; if it is lost, nothing of it has left the database: kedge-ca ledger archive --replace-lost"},
		{"other key", hardware(), errors.New("other"), ""},
		{"character of a policy", atWork(), &awsexport.CharacterError{Character: 'Ā'}, "aws export --cli"},
		{"large template", atWork(), &awsexport.TemplateSizeError{}, "fewer roles"},
		{"a new place", atWork(), &cadir.NewPlaceError{Known: []cadir.Place{{}}}, "unless you give --new-place"},
		{"the role of another region", atWork(), &cadir.SharedRoleError{}, "a name of its own"},
		{"another account", pushed(), &localca.WrongAccountError{Want: cadir.Place{Account: "111122223333"}}, `profiles: {"111122223333": NAME}`},
		{"no trust anchor", atAWS(), awsadmin.ErrNoAnchor, "--trust-anchor ARN"},
		{"narrow pattern", atAWS(), &awsadmin.PatternError{Wide: "web-**"}, "write 'web-**'"},
		{"question mark", atAWS(), &awsadmin.PatternError{}, "list the names"},
		{"long policy", atAWS(), &awsadmin.LengthError{Length: 4096}, "--max-length 4096"},
		{"open policy", atAWS(), &awsadmin.LintError{}, "kedge-ca aws policy"},
		{"no policy", atAWS(), &awsadmin.MalformedError{Err: errors.New("x")}, "aws iam get-role"},
		{"no profile", atAWS(), awsadmin.ErrNoProfile, "aws rolesanywhere get-profile"},
		{"a cause", atAWS(), &awsexplain.CauseError{}, "on standard output"},
		{"no report", atAWS(), awsexplain.ErrNoReport, "kedge doctor --json > web-01.json"},
		{"another report", atAWS(), &awsexplain.SchemaError{}, "of one version"},
		{"several roles", atAWS(), &localca.SeveralRolesError{}, "--role NAME"},
		{"no role", atAWS(), &cadir.UnknownRoleError{}, "roles: in kedge-ca.yaml"},
		{"another role", atAWS(), &cadir.UnknownRoleError{Known: []string{"a", "b"}}, "there are a, b"},
		{"a right", inAccount(), &awsaccount.Error{Kind: awsaccount.Denied, Operation: "rolesanywhere:CreateProfile", Denial: awsaccount.Denial{Action: "iam:PassRole", Resource: "arn:x"}}, "have iam:PassRole on arn:x allowed"},
		{"some right", inAccount(), &awsaccount.Error{Kind: awsaccount.Denied, Operation: "iam:GetRole"}, "have iam:GetRole on the resource allowed"},
		{"expired credentials", inAccount(), &awsaccount.Error{Kind: awsaccount.Expired, Operation: "iam:GetRole"}, "aws sso login"},
		{"no credentials", inAccount(), &awsaccount.Error{Kind: awsaccount.NoCredentials}, "--aws-profile"},
		{"clock", inAccount(), &awsaccount.Error{Kind: awsaccount.Skew, Operation: "iam:GetRole"}, "NTP"},
		{"no list to push", pushed(), &awscrl.NoListError{Authority: "ca"}, "kedge-ca crl --issuer ca"},
		{"no trust anchor of a list", pushed(), &localca.NoAnchorError{Authority: "ca"}, "kedge-ca crl --issuer ca --trust-anchor ARN"},
		{"large list", pushed(), &awscrl.SizeError{}, "rotate to a new CA"},
		{"ledger behind AWS", Table(), &awscrl.BehindError{Err: &issuance.ForgottenError{}}, "kedge-ca aws crl push --take-list"},
		{"list of another CA", pushed(), &awscrl.ForeignError{ARN: crlARN}, "aws rolesanywhere delete-crl --crl-id " + crlARN + " --region eu-west-1"},
		{"list without tag", pushed(), &awscrl.UntaggedError{ARN: crlARN, Key: "k", Value: "v"}, "aws rolesanywhere tag-resource --resource-arn " + crlARN + " --tags key=k,value=v --region eu-west-1"},
		{"no room", pushed(), &awscrl.FullError{}, "delete-crl"},
		{"older list", pushed(), &awscrl.OlderError{Authority: "ca"}, "kedge-ca crl --issuer ca"},
		{"another list", pushed(), &awscrl.ReadBackError{}, "CloudTrail"},
		{"disabled list", pushed(), &awscrl.DisabledError{ARN: crlARN}, "aws rolesanywhere enable-crl --crl-id " + crlARN},
		{"empty answer", pushed(), &awscrl.AnswerError{}, "proxy"},
		{"unknown outcome", pushed(), &awscrl.UnknownOutcomeError{Err: errors.New("x")}, "first looks for the list"},
		{"longest policy", atAWS(), &awsadmin.LengthError{Length: 4097}, "over several roles"},
	} {
		got := tt.rows.Of(fmt.Errorf("around: %w", tt.err)).Hint
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

// Each refusal of a server has advice of its own.
func TestRefused(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{"": true}
	for _, why := range []ledger.Refusal{ledger.RefusedLogin, ledger.RefusedDatabase, ledger.RefusedFull, ledger.RefusedReadOnly, ledger.RefusedParameter, ledger.RefusedRights, ledger.RefusedTLS} {
		if got := refused(why); seen[got] {
			t.Errorf("%v: %q", why, got)
		} else {
			seen[got] = true
		}
	}
}

// A warning can be allowed by its name, once; an error cannot.
func TestLint(t *testing.T) {
	t.Parallel()
	warning := ca.Finding{Rule: "some-rule", Severity: ca.Warning}
	if got := lint([]ca.Finding{warning, warning}); strings.Count(got, "--allow some-rule") != 1 {
		t.Error(got)
	}
	if got := lint([]ca.Finding{{Rule: "x", Severity: ca.Error, Source: "RFC 5280"}, warning}); strings.Contains(got, "--allow") || !strings.Contains(got, "RFC 5280") {
		t.Error(got)
	}
	if got := lint(nil); got != "" {
		t.Error(got)
	}
}

// Of a path that can be inspected, the advice names who may use it.
func TestAccess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := access(&fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}); !strings.HasSuffix(got, "; ") {
		t.Errorf("%q", got)
	}
	for _, err := range []error{&ledger.AccessError{Path: path}, &ledger.UnmovedError{Path: path}, &cadir.AccessError{Path: path}} {
		if got := Table().Of(fmt.Errorf("read it: %w", err)).Hint; !strings.HasPrefix(got, path+" has mode 0600 and belongs to ") || !strings.HasSuffix(got, "; run it as the user of the CA") {
			t.Errorf("%T: %q", err, got)
		}
	}
	if got := Table().Of(&ledger.AccessError{Path: path, Write: true}).Hint; !strings.HasSuffix(got, "; run it as the user of the CA, where the file and its folder can be written") {
		t.Errorf("%q", got)
	}
	if got := access(errors.New("other")); got != "" {
		t.Errorf("%q", got)
	}
}
