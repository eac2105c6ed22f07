package main

import (
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/emulator"
)

// others makes objects of somebody else in an account, with tags as that of a CA.
type others struct {
	t       *testing.T
	account *awsaccount.Account
	owner   awsplan.Owner // the CA whose tags are copied
	root    []byte        // its certificate, as PEM
}

func (o others) anchor(tag string, certificate []byte) {
	o.t.Helper()
	_, err := awsaccount.Call(o.t.Context(), o.account, o.account.RolesAnywhere.CreateTrustAnchor, &rolesanywhere.CreateTrustAnchorInput{
		Name: aws.String("theirs"), Enabled: aws.Bool(true), Tags: []types.Tag{{Key: aws.String(awsplan.TagKey), Value: &tag}},
		Source: &types.Source{SourceType: types.TrustAnchorTypeCertificateBundle, SourceData: &types.SourceDataMemberX509CertificateData{Value: string(certificate)}},
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// role makes the role backup.
func (o others) role(tags ...iamtypes.Tag) {
	o.t.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	_, err := awsaccount.Call(o.t.Context(), o.account, o.account.IAM.CreateRole, &iam.CreateRoleInput{RoleName: aws.String("backup"), Path: aws.String("/hosts/"), AssumeRolePolicyDocument: &trust, Tags: tags})
	if err == nil {
		_, err = awsaccount.Call(o.t.Context(), o.account, o.account.IAM.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: aws.String("backup"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func tagged(value string) iamtypes.Tag {
	return iamtypes.Tag{Key: aws.String(awsplan.TagKey), Value: &value}
}

// TestAWSUp_inTheWay: what others have in the account, with our names or with copies of our tag, is named with what to
// do, and nothing is changed.
func TestAWSUp_inTheWay(t *testing.T) {
	t.Parallel()
	other := newRehearsal(t)
	other.run("init", "--no-password")
	for name, tt := range map[string]struct {
		make       func(others)
		want, hint string
	}{
		"a role of the name":    {func(o others) { o.role() }, "the name of the role backup is taken: arn:aws:iam::111122223333:role/hosts/backup is not of this CA", "choose another name for the role"},
		"our tag on their role": {func(o others) { o.role(tagged(o.owner.Tag(awsplan.KindRole, "backup"))) }, "hosts would get more than is planned: arn:aws:iam::111122223333:role/hosts/backup has the policy arn:aws:iam::aws:policy/AdministratorAccess", "take it from the role"},
		"another role's tag":    {func(o others) { o.role(tagged(o.owner.Tag(awsplan.KindRole, "web"))) }, "role/hosts/backup has the tag kedge-ca of another object of this CA", "aws iam untag-role --role-name backup --tag-keys kedge-ca"},
		"our tag on their CA":   {func(o others) { o.anchor(o.owner.Tag(awsplan.KindAnchor, "kedge"), other.read("ca/ca.pem")) }, "but certificates of another CA", "aws rolesanywhere untag-resource --resource-arn arn:aws:rolesanywhere:eu-west-1:"},
		"a role's tag on a CA":  {func(o others) { o.anchor(o.owner.Tag(awsplan.KindRole, "backup"), o.root) }, "has the tag kedge-ca of another object of this CA than the trust anchor kedge", "untag-resource"},
		"two of our own anchors": {func(o others) {
			o.anchor(o.owner.Tag(awsplan.KindAnchor, "kedge"), o.root)
			o.anchor(o.owner.Tag(awsplan.KindAnchor, "kedge"), o.root)
		}, "there are two that are the trust anchor kedge of this CA", "find out which one hosts use"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, a := newRehearsalAt(t, nil)
			x.describe(backupRoles)
			root, err := cadir.ReadCertificate(x.path("ca/ca.pem"))
			if err != nil {
				t.Fatal(err)
			}
			tt.make(others{t, a.open(t), awsplan.OwnerOf(root), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})})
			before := len(a.Calls())
			code, stdout, stderr := x.try("aws", "up", "--yes")
			if code != cli.ExitFailed || stdout != "" || !strings.Contains(stderr, tt.want) || !strings.Contains(stderr, "hint: ") || !strings.Contains(stderr, tt.hint) {
				t.Errorf("exit %d: %s", code, stderr)
			}
			for _, call := range a.Calls()[before:] {
				if !strings.HasPrefix(call.Operation, "Get") && !strings.HasPrefix(call.Operation, "List") {
					t.Errorf("it called %s", call.Operation)
				}
			}
			if _, _, stderr := x.try("aws", "status"); strings.Contains(stderr, "error:") {
				t.Errorf("aws status stops: %s", stderr)
			}
		})
	}
}

// TestAWSUp_skew: a clock of this machine that is wrong is named as such, and nothing is changed.
func TestAWSUp_skew(t *testing.T) {
	t.Parallel()
	x, _ := newRehearsalAt(t, func(c *emulator.Config) { c.Now = func() time.Time { return time.Now().Add(20 * time.Minute) } })
	x.describe(backupRoles)
	code, stdout, stderr := x.try("aws", "up", "--yes")
	if code != cli.ExitRefused || stdout != "" || !strings.Contains(stderr, "with the time of this machine's clock: it is 20m") || !strings.Contains(stderr, "hint: set the clock of this machine, by NTP") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
