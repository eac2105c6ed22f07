package awscrl

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/internal/awsaccount"
)

// list is one at IAM Roles Anywhere.
type list struct {
	arn     string
	created time.Time
	enabled bool
	data    []byte // as it was imported: PEM or DER
	tagged  bool   // it has the tag of the CA and authority; not read by get
}

// lists returns the lists of the trust anchor, the oldest first.
func (p *Pusher) lists(ctx context.Context) (all []list, err error) {
	in := &rolesanywhere.ListCrlsInput{}
	for {
		page, err := awsaccount.Call(ctx, p.Account, p.Account.RolesAnywhere.ListCrls, in)
		if err != nil {
			return nil, err
		}
		for _, detail := range page.Crls {
			if aws.ToString(detail.TrustAnchorArn) != p.Anchor {
				continue
			}
			l := listOf(&detail)
			if l.tagged, err = p.isTagged(ctx, l.arn); err != nil {
				return nil, err
			}
			all = append(all, l)
		}
		if in.NextToken = page.NextToken; aws.ToString(page.NextToken) == "" {
			slices.SortFunc(all, func(a, b list) int {
				if n := a.created.Compare(b.created); n != 0 {
					return n
				}
				return strings.Compare(a.arn, b.arn)
			})
			return all, nil
		}
	}
}

func listOf(d *types.CrlDetail) list {
	return list{arn: aws.ToString(d.CrlArn), created: aws.ToTime(d.CreatedAt), enabled: aws.ToBool(d.Enabled), data: d.CrlData}
}

// isTagged reports whether a list has the tag of the CA and authority.
func (p *Pusher) isTagged(ctx context.Context, arn string) (bool, error) {
	out, err := awsaccount.Call(ctx, p.Account, p.Account.RolesAnywhere.ListTagsForResource, &rolesanywhere.ListTagsForResourceInput{ResourceArn: &arn})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(out.Tags, func(t types.Tag) bool {
		return p.Tag.is(aws.ToString(t.Key), aws.ToString(t.Value))
	}), nil
}

func (p *Pusher) get(ctx context.Context, arn string) (list, error) {
	out, err := awsaccount.Call(ctx, p.Account, p.Account.RolesAnywhere.GetCrl, &rolesanywhere.GetCrlInput{CrlId: &arn})
	if err != nil {
		return list{}, err
	}
	if out.Crl == nil {
		return list{}, &AnswerError{Operation: "GetCrl"}
	}
	return listOf(out.Crl), nil
}

// create imports a list. The tag is set in the same request, so that no list is without it if the answer is lost.
func (p *Pusher) create(ctx context.Context, data []byte) (arn string, err error) {
	out, err := awsaccount.Call(ctx, p.Account, p.Account.RolesAnywhere.ImportCrl, &rolesanywhere.ImportCrlInput{
		Name: &p.Name, TrustAnchorArn: &p.Anchor, CrlData: data, Enabled: aws.Bool(true),
		Tags: []types.Tag{{Key: &p.Tag.Key, Value: &p.Tag.Values[0]}},
	})
	if err != nil {
		return "", err
	}
	if out.Crl == nil {
		return "", &AnswerError{Operation: "ImportCrl"}
	}
	return aws.ToString(out.Crl.CrlArn), nil
}

func (p *Pusher) update(ctx context.Context, arn string, data []byte) error {
	_, err := awsaccount.Call(ctx, p.Account, p.Account.RolesAnywhere.UpdateCrl, &rolesanywhere.UpdateCrlInput{CrlId: &arn, CrlData: data})
	return err
}
