package awsup

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/internal/awsplan"
)

// What the services return, as awsplan has it, and the other way round.

func anchorOf(t *types.TrustAnchorDetail) awsplan.FoundAnchor {
	a := awsplan.FoundAnchor{ARN: aws.ToString(t.TrustAnchorArn), Name: aws.ToString(t.Name), Alias: aws.ToString(t.AliasName), Enabled: aws.ToBool(t.Enabled)}
	if t.Source != nil {
		if data, ok := t.Source.SourceData.(*types.SourceDataMemberX509CertificateData); ok {
			a.Certificates, a.Unreadable = certificates(data.Value)
		}
	}
	for _, n := range t.NotificationSettings {
		days := int(aws.ToInt32(n.Threshold))
		if !aws.ToBool(n.Enabled) {
			days = 0
		}
		a.Notifications = append(a.Notifications, awsplan.Notification{Event: string(n.Event), Days: days})
	}
	return a
}

// certificates reads those of a trust anchor.
func certificates(text string) (all []*x509.Certificate, unreadable bool) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return all, len(all) == 0
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, true
		}
		all = append(all, cert)
	}
}

func profileOf(t *types.ProfileDetail) awsplan.FoundProfile {
	return awsplan.FoundProfile{
		ARN: aws.ToString(t.ProfileArn), Name: aws.ToString(t.Name), Alias: aws.ToString(t.AliasName), Roles: t.RoleArns, Enabled: aws.ToBool(t.Enabled),
		Duration: time.Duration(aws.ToInt32(t.DurationSeconds)) * time.Second,
	}
}

func roleOf(r *iamtypes.Role) (*awsplan.FoundRole, error) {
	trust, err := decoded(aws.ToString(r.AssumeRolePolicyDocument))
	found := &awsplan.FoundRole{
		ARN: aws.ToString(r.Arn), Name: aws.ToString(r.RoleName), Path: aws.ToString(r.Path), Trust: trust, Tags: map[string]string{},
		MaxSession: time.Duration(aws.ToInt32(r.MaxSessionDuration)) * time.Second, Created: aws.ToTime(r.CreateDate),
	}
	for _, tag := range r.Tags {
		found.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	if r.PermissionsBoundary != nil {
		found.Boundary = aws.ToString(r.PermissionsBoundary.PermissionsBoundaryArn)
	}
	return found, err
}

// decoded returns a document: IAM gives it URL-encoded (IAM API Reference, GetRole).
func decoded(document string) (string, error) {
	text, err := url.QueryUnescape(strings.ReplaceAll(document, "+", "%2B"))
	if err != nil {
		return "", fmt.Errorf("IAM returned a policy that is not URL-encoded: %w", err)
	}
	return text, nil
}

func sourceOf(certs []*x509.Certificate) *types.Source {
	var text []byte
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return &types.Source{SourceType: types.TrustAnchorTypeCertificateBundle, SourceData: &types.SourceDataMemberX509CertificateData{Value: string(text)}}
}

func settingsOf(all []awsplan.Notification) (settings []types.NotificationSetting) {
	for _, n := range all {
		s := types.NotificationSetting{Event: types.NotificationEvent(n.Event), Enabled: aws.Bool(n.Days > 0)}
		if n.Days > 0 {
			s.Threshold = aws.Int32(int32(n.Days))
		}
		settings = append(settings, s)
	}
	return settings
}

func resourceTagsOf(tags map[string]string) (all []types.Tag) {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return all
}

func roleTagsOf(tags map[string]string) (all []iamtypes.Tag) {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, iamtypes.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return all
}

func seconds(d time.Duration) *int32 { return aws.Int32(int32(d / time.Second)) }

// orNil returns nil for an empty text, which the services take for one that is given.
func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
