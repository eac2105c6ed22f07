package awsplan

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

// anchor plans the trust anchor, and returns its ARN: that of Found.NewAnchor, if it is to be created.
func (p *planner) anchor() (string, error) {
	w := &p.w.Anchor
	all := make([]tagged, len(p.f.Anchors))
	for i, a := range p.f.Anchors {
		all[i] = tagged{a.ARN, a.Name, a.Tags, a.Alias}
	}
	at, err := p.one(KindAnchor, w.Name, all)
	if err != nil {
		return "", err
	}
	if at < 0 {
		p.noteUntagged()
		p.add(Step{
			Kind: KindAnchor, Name: w.Name, Text: "create the trust anchor " + w.Name, Diff: diffLines(nil, slices.Concat(aliasLines(p.w.Alias), describeEach("", w.Certificates), notificationLines(w.Notifications))),
			Change: CreateAnchor{Anchor: *w, Alias: p.w.Alias, Tags: p.w.TagsOf(KindAnchor, w.Name)},
		})
		return p.f.NewAnchor(), nil
	}
	found := &p.f.Anchors[at]
	p.plan.Anchor = found.ARN
	if err := p.checkCertificates(found); err != nil {
		return "", err
	}
	p.updateAnchor(found)
	p.alias(KindAnchor, all[at])
	p.retag(KindAnchor, all[at])
	return found.ARN, nil
}

// checkCertificates refuses a trust anchor that has none of the CA's keys: somebody has given it another CA, or the tag
// to the trust anchor of one.
func (p *planner) checkCertificates(found *FoundAnchor) error {
	e := &ConflictError{Reason: OtherCerts, Kind: KindAnchor, Name: found.Name, ARNs: []string{found.ARN}}
	for _, cert := range found.Certificates {
		if slices.Contains(p.w.Owners, OwnerOf(cert)) || slices.ContainsFunc(p.w.Anchor.Certificates, func(own *x509.Certificate) bool { return OwnerOf(own) == OwnerOf(cert) }) {
			return nil
		}
	}
	switch {
	case found.Unreadable:
		e.Detail = "its certificates cannot be read"
	case len(found.Certificates) == 0:
		e.Detail = "it has no certificates: its source is another, such as AWS Private CA"
	default:
		e.Detail = "certificates of another CA: " + describeAll(found.Certificates)
	}
	return e
}

func (p *planner) updateAnchor(found *FoundAnchor) {
	w := &p.w.Anchor
	if diff := diffLines(describeEach(found.Name, found.Certificates), describeEach(w.Name, w.Certificates)); !sameCertificates(found.Certificates, w.Certificates) || found.Name != w.Name {
		p.add(Step{
			Kind: KindAnchor, Name: w.Name, ARN: found.ARN, Text: fmt.Sprintf("update the trust anchor %s", w.Name), Diff: diff,
			Change: UpdateAnchor{ARN: found.ARN, Anchor: *w},
		})
	}
	if !sameNotifications(found.Notifications, w.Notifications) {
		p.add(Step{
			Kind: KindAnchor, Name: w.Name, ARN: found.ARN, Text: fmt.Sprintf("set the notifications of the trust anchor %s", w.Name),
			Diff:   diffLines(notificationLines(found.Notifications), notificationLines(w.Notifications)),
			Change: SetNotifications{ARN: found.ARN, All: w.Notifications},
		})
	}
	switch {
	case found.Enabled:
	case p.w.OnlyAnchor:
		p.note("%s, %s, is disabled, and stays so: hosts get no sessions by it; kedge-ca aws up enables it, once you agree", found.ARN, found.Name)
	default:
		p.add(Step{
			Kind: KindAnchor, Name: w.Name, ARN: found.ARN, Text: fmt.Sprintf("enable the trust anchor %s, by which hosts get sessions then", w.Name),
			Change: EnableAnchor{ARN: found.ARN},
		})
	}
}

// noteUntagged notes trust anchors that have the CA's certificate and no tag: they were registered otherwise, and hosts
// may use them.
func (p *planner) noteUntagged() {
	for _, a := range p.f.Anchors {
		if len(a.Tags[TagKey]) == 0 && slices.ContainsFunc(a.Certificates, func(c *x509.Certificate) bool { return slices.Contains(p.w.Owners, OwnerOf(c)) }) {
			p.note("%s, %s, has the certificate of this CA, but was not made by kedge-ca aws up: it stays as it is, and hosts that use it go on", a.ARN, a.Name)
		}
	}
}

func sameCertificates(a, b []*x509.Certificate) bool {
	contains := func(all []*x509.Certificate, one *x509.Certificate) bool {
		return slices.ContainsFunc(all, func(c *x509.Certificate) bool { return bytes.Equal(c.Raw, one.Raw) })
	}
	for _, c := range a {
		if !contains(b, c) {
			return false
		}
	}
	return len(a) == len(b)
}

func sameNotifications(found, wanted []Notification) bool {
	for _, n := range wanted {
		if !slices.Contains(found, n) {
			return false
		}
	}
	return true
}

func notificationLines(all []Notification) (lines []string) {
	for _, n := range all {
		lines = append(lines, describe(n))
	}
	slices.Sort(lines)
	return lines
}

func describe(n Notification) string {
	of := "certificates of hosts"
	if n.Event == EventCA {
		of = "the CA's certificates"
	}
	if n.Days == 0 {
		return "AWS does not warn of " + of
	}
	return fmt.Sprintf("AWS warns of %s %d days before they expire", of, n.Days)
}

func describeAll(certs []*x509.Certificate) string {
	var all []string
	for _, c := range certs {
		all = append(all, describeCertificate(c))
	}
	return strings.Join(all, " and ")
}

func describeCertificate(c *x509.Certificate) string {
	return fmt.Sprintf("the certificate %q, serial %x, until %s", c.Subject, c.SerialNumber, c.NotAfter.UTC().Format(time.DateOnly))
}

func describeEach(name string, certs []*x509.Certificate) []string {
	var lines []string
	if name != "" {
		lines = append(lines, "name "+name)
	}
	for _, c := range certs {
		lines = append(lines, describeCertificate(c))
	}
	return lines
}
