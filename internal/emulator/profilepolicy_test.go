package emulator

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/emulator/iam"
)

// TestCreateSession_profilePolicies: the session policy and the managed policies of a profile limit what its sessions
// may do.
func TestCreateSession_profilePolicies(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t, func(c *Config) {
		c.Roles = []Role{{Permissions: iam.Permissions{Inline: map[string]string{"all": allowAll}}}}
	})
	leaf := w.root.issue(t, leafTemplate())
	if _, err := w.sessionClient(t, leaf).ListProfiles(t.Context(), nil); err != nil {
		t.Errorf("without policies: %v", err)
	}
	for _, in := range []ra.UpdateProfileInput{
		{ManagedPolicyArns: []string{"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}},
		{ManagedPolicyArns: []string{}, SessionPolicy: aws.String(readPolicy)},
	} {
		in.ProfileId = aws.String(w.ProfileARN())
		if _, err := w.admin().UpdateProfile(t.Context(), &in); err != nil {
			t.Fatal(err)
		}
		_, err := w.sessionClient(t, leaf).ListProfiles(t.Context(), nil)
		wantAPIError(t, err, "AccessDeniedException", "because no session policy allows the rolesanywhere:ListProfiles action")
	}
}

// TestCreateSession_profilePolicyLimits: a session takes fewer policies than a profile may have.
func TestCreateSession_profilePolicyLimits(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	leaf := w.root.issue(t, leafTemplate())
	long := readPolicy + strings.Repeat(" ", maxSessionPolicy+1-len(readPolicy))
	arns := slices.Repeat([]string{"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}, maxPolicyARNs+1)
	for _, tt := range []struct {
		name, want string
		in         ra.UpdateProfileInput
	}{
		{"2,048 characters", "201 ", ra.UpdateProfileInput{SessionPolicy: aws.String(long[:maxSessionPolicy])}},
		{"2,049 characters", "403 AccessDeniedException: Unable to assume role for ARN.", ra.UpdateProfileInput{SessionPolicy: &long}},
		{"10 policies", "201 ", ra.UpdateProfileInput{SessionPolicy: aws.String(readPolicy), ManagedPolicyArns: arns[1:]}},
		{"11 policies", "403 AccessDeniedException: Unable to assume role for ARN.", ra.UpdateProfileInput{ManagedPolicyArns: arns}},
	} {
		tt.in.ProfileId = aws.String(w.ProfileARN())
		if _, err := w.admin().UpdateProfile(t.Context(), &tt.in); err != nil {
			t.Fatal(err)
		}
		if got := w.session(t, w.TrustAnchorARN(), w.ProfileARN(), leaf).String(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

// sessionClient returns a client with the credentials of a new session.
func (w *controlWorld) sessionClient(t *testing.T, leaf *authority) *ra.Client {
	t.Helper()
	c := w.session(t, w.TrustAnchorARN(), w.ProfileARN(), leaf).created(t).CredentialSet[0].Credentials
	return ra.New(ra.Options{
		Region: "us-east-1", BaseEndpoint: &w.url, RetryMaxAttempts: 1,
		Credentials:  credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
		HTTPSignerV4: signerAt{testNow},
	})
}
