package localca

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/awsaccount"
	"kedge/internal/awscrl"
	"kedge/internal/cadir"
)

// PushNeeds lists what needs doing about lists at IAM Roles Anywhere, by what the last pushes from this folder
// recorded; it makes no request. There is something only where lists are pushed: by the configuration, or by hand
// before.
func (c *CA) PushNeeds(ctx context.Context) (needs []string, err error) {
	targets, err := c.pushTargets(ctx, nil)
	if none, ok := errors.AsType[*NoAnchorError](err); ok && c.Settings.AWS.CRL.Push {
		return []string{fmt.Sprintf("no list is pushed to AWS: %v: kedge-ca crl --issuer %s --trust-anchor ARN", none, none.Authority)}, nil
	}
	if isNothingToPush(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	records, pushed := make([]*cadir.PushRecord, len(targets)), map[string]bool{}
	for i, t := range targets {
		record, err := c.folder.PushRecord(t.authority.Name, t.place())
		if err != nil {
			needs = append(needs, err.Error())
			continue
		}
		records[i], pushed[t.authority.Name] = record, pushed[t.authority.Name] || record.ARN != ""
	}
	for i, t := range targets {
		if records[i] == nil || records[i].IsZero() && !c.Settings.AWS.CRL.Push && !pushed[t.authority.Name] {
			continue
		}
		if need := c.pushNeed(t, records[i]); need != "" {
			needs = append(needs, need)
		}
	}
	return needs, nil
}

// NewAnchorNeeds lists what needs doing so that a trust anchor that is new refuses what is revoked: it has no list yet.
// It makes no request.
func (c *CA) NewAnchorNeeds(ctx context.Context) (needs []string, err error) {
	authorities, err := c.authoritiesOf(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, a := range authorities {
		revoked, err := c.Ledger.Revoked(ctx, a.Certificate, c.now())
		if err != nil {
			return nil, err
		}
		if len(revoked) == 0 {
			continue
		}
		command := pushCommand(a.Name)
		_, err = c.Service.PublishedList(ctx, a)
		if _, none := errors.AsType[*ledger.NotFoundError](err); none {
			command = "kedge-ca crl --issuer " + a.Name + ", then " + command
		} else if err != nil {
			return nil, err
		}
		needs = append(needs, fmt.Sprintf("what %s has revoked is not refused by the new trust anchor until it has the list: %s", a.Name, command))
	}
	return needs, nil
}

func isNothingToPush(err error) bool {
	_, noList := errors.AsType[*awscrl.NoListError](err)
	_, noAnchor := errors.AsType[*NoAnchorError](err)
	return noList || noAnchor
}

// pushNeed returns what to do about the list of an authority; empty: nothing.
func (c *CA) pushNeed(t pushTarget, record *cadir.PushRecord) string {
	name := t.authority.Name
	switch {
	case !record.Failed.IsZero():
		return fmt.Sprintf("the last push of the list of %s to %s failed at %s: %s: %s", name, t.place(), record.Failed.Format(time.RFC3339), record.Failure, pushCommand(name))
	case record.ARN == "":
		return fmt.Sprintf("the list of %s was not pushed to %s yet: %s", name, t.place(), pushCommand(name))
	case record.Anchor != t.anchor.Text:
		return fmt.Sprintf("the list of %s was not pushed to the trust anchor %s yet: %s", name, t.anchor.Text, pushCommand(name))
	}
	return c.staleNeed(t, awscrl.State{ARN: record.ARN, Number: record.Number, NextUpdate: record.NextUpdate, Enabled: true})
}

func pushCommand(authority string) string { return "kedge-ca aws crl push --issuer " + authority }

// staleNeed returns what to do about a list that AWS has; empty: nothing. That the end of the CA's own list is near is
// a need of issuance.Service.Status.
func (c *CA) staleNeed(t pushTarget, at awscrl.State) string {
	name := t.authority.Name
	own, err := x509.ParseRevocationList(t.list)
	if err != nil || own.Number == nil {
		return fmt.Sprintf("the list of %s in the ledger cannot be read: kedge-ca ledger verify", name)
	}
	switch until := at.NextUpdate.UTC().Format(time.RFC3339); {
	case !at.Enabled:
		return fmt.Sprintf("the list of %s is disabled at AWS, and revokes nothing there: aws rolesanywhere enable-crl --crl-id %s --region %s", name, at.ARN, t.anchor.Region)
	case at.Number < own.Number.Int64():
		return fmt.Sprintf("AWS has list %d of %s, which is good until %s, and the CA has list %v: %s", at.Number, name, until, own.Number, pushCommand(name))
	}
	return ""
}

// ReadNeeds is PushNeeds by what IAM Roles Anywhere has: it makes requests, and changes nothing. What cannot be read
// is a need as well.
func (c *CA) ReadNeeds(ctx context.Context, account awsaccount.Config) (needs []string, err error) {
	targets, err := c.pushTargets(ctx, nil)
	if isNothingToPush(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all := c.reach(account).accounts(targets)
	for _, t := range targets {
		p, err := c.pusher(ctx, t, all)
		var at *awscrl.State
		if err == nil {
			at, err = p.State(ctx)
		}
		need := ""
		switch {
		case err != nil:
			need = fmt.Sprintf("the list of %s in %s: %v", t.authority.Name, t.place(), err)
		case at == nil:
			need = fmt.Sprintf("IAM Roles Anywhere has no list of %s in %s: %s", t.authority.Name, t.place(), pushCommand(t.authority.Name))
		default:
			need = c.staleNeed(t, *at)
		}
		if need != "" {
			needs = append(needs, need)
		}
	}
	return needs, nil
}
