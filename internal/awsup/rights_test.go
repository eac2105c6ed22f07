package awsup

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
	"kedge/internal/awsrights"
	"kedge/internal/emulator"
	emulatediam "kedge/internal/emulator/iam"
)

// limited is an account with an operator with permissions.
func limited(t *testing.T, rights []awsrights.Statement) (*world, *awsaccount.Account) {
	t.Helper()
	document, err := awsrights.Policy(rights)
	if err != nil {
		t.Fatal(err)
	}
	user := emulator.User{ARN: "arn:aws:iam::111122223333:user/operator", AccessKeyID: "AKIAOPERATOR00000001", SecretAccessKey: "operator", Permissions: emulatediam.Permissions{Inline: map[string]string{"rights": string(document)}}}
	w := newWorld(t, func(c *emulator.Config) { c.Users = []emulator.User{user} })
	return w, w.open(t, user)
}

func scopeOf(root *x509.Certificate) awsrights.Scope {
	return awsrights.Scope{
		Partition: "aws", Account: "111122223333", Region: "eu-west-1", Owners: []awsplan.Owner{awsplan.OwnerOf(root)},
		Roles: []string{"/hosts/backup", "/hosts/batch"},
	}
}

// upTwice builds the account, and puts it in order after somebody has changed all that an update can.
func upTwice(t *testing.T, w *world, a *awsaccount.Account, root *x509.Certificate) error {
	up := func(wanted *awsplan.Wanted) (*Planned, error) {
		planned, err := Prepare(t.Context(), a, wanted)
		if err != nil {
			return nil, err
		}
		return planned.Do(t.Context(), a, func(*awsplan.Step) {})
	}
	built, err := up(twoRoles(root))
	if err != nil {
		return err
	}
	disorder(t, w.admin(t), built)
	wanted := twoRoles(root)
	wanted.Anchor.Certificates = append(wanted.Anchor.Certificates, newCA(t, "Next"))
	wanted.Roles[0].Boundary, wanted.Roles[0].MaxSession = readOnly, 3*time.Hour
	_, err = up(wanted)
	return err
}

func disorder(t *testing.T, a *awsaccount.Account, b *Planned) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	text, _ := trustOf("web-03")(b.Anchor)
	_, err := awsaccount.Call(t.Context(), a, a.IAM.UpdateAssumeRolePolicy, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("backup"), PolicyDocument: &text})
	must(err)
	_, err = awsaccount.Call(t.Context(), a, a.IAM.UntagRole, &iam.UntagRoleInput{RoleName: aws.String("batch"), TagKeys: []string{"team"}})
	must(err)
	_, err = awsaccount.Call(t.Context(), a, a.RolesAnywhere.UntagResource, &rolesanywhere.UntagResourceInput{ResourceArn: &b.Profile, TagKeys: []string{"team"}})
	must(err)
	_, err = awsaccount.Call(t.Context(), a, a.RolesAnywhere.UntagResource, &rolesanywhere.UntagResourceInput{ResourceArn: &b.Anchor, TagKeys: []string{"team"}})
	must(err)
	_, err = awsaccount.Call(t.Context(), a, a.RolesAnywhere.DisableTrustAnchor, &rolesanywhere.DisableTrustAnchorInput{TrustAnchorId: &b.Anchor})
	must(err)
	_, err = awsaccount.Call(t.Context(), a, a.RolesAnywhere.DisableProfile, &rolesanywhere.DisableProfileInput{ProfileId: &b.Profile})
	must(err)
	_, err = awsaccount.Call(t.Context(), a, a.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &b.Profile, RoleArns: b.Roles[:1], DurationSeconds: aws.Int32(900)})
	must(err)
	_, err = awsaccount.Call(t.Context(), a, a.RolesAnywhere.ResetNotificationSettings, &rolesanywhere.ResetNotificationSettingsInput{TrustAnchorId: &b.Anchor, NotificationSettingKeys: resetAll()})
	must(err)
}

// TestRights: the rights are enough, no action of a statement can be left out, and each request is made by one of
// them. The emulator asks for none to make the service-linked role.
func TestRights(t *testing.T) {
	root, list := newCAWithList(t)
	for name, tt := range map[string]struct {
		rights []awsrights.Statement
		do     func(*testing.T, *world, *awsaccount.Account, *x509.Certificate) error
		unused []string // actions that no request shows
	}{
		"plan": {PlanRights(scopeOf(root)), func(t *testing.T, w *world, a *awsaccount.Account, root *x509.Certificate) error {
			w.mustUp(t, twoRoles(root))
			admin := w.admin(t)
			_, err := awsaccount.Call(t.Context(), admin, admin.IAM.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: aws.String("backup"), PolicyArn: aws.String(readOnly)})
			if err != nil {
				t.Fatal(err)
			}
			w.drop()
			_, err = Prepare(t.Context(), a, twoRoles(root))
			return err
		}, nil},
		"status": {StatusRights(scopeOf(root)), func(t *testing.T, w *world, a *awsaccount.Account, root *x509.Certificate) error {
			w.mustUp(t, twoRoles(root))
			_, _, err := FindAll(t.Context(), a, removalOf(twoRoles(root)))
			return err
		}, nil},
		"down": {DownRights(scopeOf(root)), func(t *testing.T, w *world, a *awsaccount.Account, root *x509.Certificate) error {
			built := w.mustUp(t, twoRoles(root))
			_, err := awsaccount.Call(t.Context(), w.admin(t), w.admin(t).RolesAnywhere.ImportCrl, &rolesanywhere.ImportCrlInput{
				Name: aws.String("ca"), TrustAnchorArn: &built.Anchor, CrlData: list, Tags: resourceTagsOf(map[string]string{awsplan.TagKey: awsplan.OwnerOf(root).Tag(awsplan.KindCRL, "ca")}),
			})
			if err != nil {
				t.Fatal(err)
			}
			planned, err := PrepareDown(t.Context(), a, removalOf(twoRoles(root)))
			if err != nil {
				return err
			}
			return planned.DoDown(t.Context(), a, func(*awsplan.Step) {})
		}, nil},
		"rotate": {RotateRights(scopeOf(root)), func(t *testing.T, w *world, a *awsaccount.Account, root *x509.Certificate) error {
			disorder(t, w.admin(t), w.mustUp(t, twoRoles(root)))
			wanted := twoRoles(root)
			wanted.OnlyAnchor, wanted.Anchor.Certificates = true, append(wanted.Anchor.Certificates, newCA(t, "Next"))
			planned, err := Prepare(t.Context(), a, wanted)
			if err != nil {
				return err
			}
			_, err = planned.Do(t.Context(), a, func(*awsplan.Step) {})
			return err
		}, nil},
		"up": {UpRights(scopeOf(root)), upTwice, []string{"iam:PassRole", "iam:CreateServiceLinkedRole"}},
	} {
		t.Run(name, func(t *testing.T) {
			w, a := limited(t, tt.rights)
			if err := tt.do(t, w, a, root); err != nil {
				t.Fatal(err)
			}
			for _, action := range awsrights.Actions(tt.rights) {
				_, operation, _ := strings.Cut(action, ":")
				if !slices.ContainsFunc(w.Calls(), func(c emulator.Call) bool { return c.Operation == operation }) && !slices.Contains(tt.unused, action) {
					t.Errorf("%s is allowed, and not called", action)
				}
			}
			for i, s := range tt.rights {
				for _, action := range s.Actions {
					if action == "iam:CreateServiceLinkedRole" {
						continue
					}
					left := slices.Clone(tt.rights)
					left[i].Actions = slices.DeleteFunc(slices.Clone(s.Actions), func(a string) bool { return a == action })
					left = slices.DeleteFunc(left, func(s awsrights.Statement) bool { return len(s.Actions) == 0 })
					w, a := limited(t, left)
					err := tt.do(t, w, a, root)
					if e, ok := errors.AsType[*awsaccount.Error](err); !ok || e.Kind != awsaccount.Denied || e.Denial.ActionOf(e.Operation) != action {
						t.Errorf("%s without %s: %v", s.Sid, action, err)
					}
				}
			}
		})
	}
}

// drop forgets the requests that were noted.
func (w *world) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = nil
}

// newCAWithList returns the certificate of a CA, and a list that it signed, as PEM.
func newCAWithList(t *testing.T) (*x509.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(time.Hour)}, root, key)
	if err != nil {
		t.Fatal(err)
	}
	return root, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list})
}
