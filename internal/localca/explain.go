package localca

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/awsaccount"
	"kedge/internal/awsadmin"
	"kedge/internal/awsexplain"
	"kedge/internal/awsup"
	"kedge/internal/cadir"
	"kedge/internal/report"
)

// Question is why a host gets no credentials.
type Question struct {
	Name   string                 // of the host; not used with a report
	Role   string                 // its name or ARN; empty: the one that the host can get. Not used with a report
	Report *awsexplain.HostReport // nil: there is none
	Now    time.Time
}

// SeveralRolesError reports that a host can get several roles, and none of them was named.
type SeveralRolesError struct {
	Host  string
	Roles []string // ARNs
}

func (e *SeveralRolesError) Error() string {
	return fmt.Sprintf("%s can get several roles: %s", e.Host, report.FirstOf(e.Roles, report.MaxNamed, len(e.Roles)))
}

// PrepareExplanation returns what the ledger and the CA's folder have about a question; what is at AWS is to be added by
// Explain.
func (c *CA) PrepareExplanation(ctx context.Context, q Question) (*awsexplain.Input, error) {
	in := &awsexplain.Input{Now: q.Now, Report: q.Report}
	issuer, err := c.questioned(ctx, q, &in.Host)
	if err != nil {
		return nil, err
	}
	anchors, err := c.Service.Anchors(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, a := range anchors {
		in.Roots = append(in.Roots, a.Certificate)
	}
	if in.Owners, err = c.owners(ctx); err != nil {
		return nil, err
	}
	return in, c.addARNs(ctx, q, issuer, in)
}

// questioned fills in the host, and returns the name of the authority that issued its certificate; empty: it has none.
func (c *CA) questioned(ctx context.Context, q Question, h *awsexplain.Host) (issuer string, err error) {
	var used ledger.Certificate // by the report
	if h.Name = q.Name; q.Report != nil {
		h.Name = ""
		if p := q.Report.Certificate; p != nil {
			if name := p.CommonName(); issuance.CheckName(name) == nil {
				h.Name = name
			}
			if used, err = c.reported(ctx, p); err != nil {
				return "", err
			}
		}
		if used.CommonName != "" {
			h.Name = used.CommonName
		}
	}
	holder, err := c.holder(ctx, h.Name)
	if err != nil {
		return "", err
	}
	h.Name = cmp.Or(h.Name, "NAME") // to be filled in by a person
	if holder.Denied != nil {
		h.Denied = "since " + report.Time(holder.Denied.At)
		if holder.Denied.Why != "" {
			h.Denied += ": " + holder.Denied.Why
		}
	}
	h.Copied, h.Enrolled = len(holder.Clones) > 0, holder.Enrollment != nil
	cert := holder.Certificate
	if q.Report != nil {
		cert = used
	}
	if h.State = holder.State; string(cert.Fingerprint) != string(holder.Fingerprint) {
		h.State = cert.State(q.Now)
		if holder.Seq > cert.Seq {
			h.Newer = holder.Serial
		}
	}
	return c.describe(ctx, &cert, h)
}

// describe fills in what is known by the certificate of a host.
func (c *CA) describe(ctx context.Context, cert *ledger.Certificate, h *awsexplain.Host) (issuer string, err error) {
	if len(cert.DER) == 0 {
		return "", nil
	}
	if h.Certificate, err = cert.X509(); err != nil {
		return "", err
	}
	if h.Path, err = c.Service.PathOf(ctx, h.Certificate); err != nil {
		return "", err
	}
	if cert.RevokedAt != nil {
		h.RevokedAt, h.Reason = *cert.RevokedAt, cert.Reason.String()
	}
	all, err := c.Service.Authorities(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(all, func(a ledger.Authority) bool { return cert.IssuedBy(a.Certificate) })
	if i < 0 {
		return "", nil
	}
	list, err := c.Service.PublishedList(ctx, all[i])
	if _, none := errors.AsType[*ledger.NotFoundError](err); none {
		return all[i].Name, nil
	}
	if err != nil {
		return "", err
	}
	parsed, err := x509.ParseRevocationList(list)
	if err == nil {
		h.List = parsed.Number.Int64()
	}
	return all[i].Name, err
}

// reported returns the certificate in a report as the ledger has it; the zero one: it has none.
func (c *CA) reported(ctx context.Context, p *awsexplain.Presented) (ledger.Certificate, error) {
	fingerprint, err := hex.DecodeString(p.SHA256)
	if err != nil {
		return ledger.Certificate{}, nil
	}
	cert, err := c.Service.Certificate(ctx, fingerprint)
	if _, none := errors.AsType[*ledger.NotFoundError](err); none {
		return ledger.Certificate{}, nil
	}
	return cert, err
}

// holder returns the host with a name, with its newest certificate; one without a certificate if there is none.
func (c *CA) holder(ctx context.Context, name string) (found issuance.Host, err error) {
	if name == "" {
		return found, nil
	}
	for h, err := range c.Service.Hosts(ctx) {
		if err != nil {
			return found, err
		}
		if h.CommonName == name && h.Seq > found.Seq {
			found = h
		}
	}
	if found.Seq > 0 {
		return found, nil
	}
	for d, err := range c.Service.Denials(ctx) {
		if err != nil {
			return found, err
		}
		if d.Name == name {
			found.Denied = &d
		}
	}
	return found, nil
}

// addARNs adds what the host uses, by the report or else by the CA's folder and configuration.
func (c *CA) addARNs(ctx context.Context, q Question, issuer string, in *awsexplain.Input) error {
	known, err := c.folder.Places()
	if err != nil {
		return err
	}
	if q.Report != nil {
		in.Uses = q.Report.Uses
	} else if in.Uses.Role, err = c.chooseRole(ctx, q.Role, known, in); err != nil {
		return err
	}
	at := c.placeOfHost(known, in.Uses)
	var issuers []string
	if issuer != "" {
		issuers = []string{issuer}
	}
	anchor, err := c.hostAnchor(ctx, issuers, known, []*cadir.AWS{at})
	if err != nil {
		return err
	}
	in.Ours = awsexplain.ARNs{TrustAnchor: anchor.ARN, Profile: cmp.Or(at.Profile, c.Settings.Server.AWS.ProfileARN)}
	if q.Report == nil {
		in.Uses.TrustAnchor, in.Uses.Profile = in.Ours.TrustAnchor, in.Ours.Profile
	} else {
		if slices.Contains(anchor.Others, in.Uses.TrustAnchor) {
			in.Ours.TrustAnchor = in.Uses.TrustAnchor
		}
		if roles := c.rolesIn(at); len(roles) == 1 && in.Uses.Role != "" {
			in.Ours.Role = roles[0]
		}
	}
	in.Role, err = c.described(ctx, in.Uses.Role, in)
	return err
}

// placeOfHost returns what is known of the place of what a host uses: that of its trust anchor or, without one, that with
// its role; nothing, if the configuration has the role for each host, and all else. Of others it is the first place.
func (c *CA) placeOfHost(known *cadir.Places, uses awsexplain.ARNs) *cadir.AWS {
	for _, at := range known.All {
		if uses.TrustAnchor != "" && cadir.PlaceOf(uses.TrustAnchor) == at.Place() ||
			uses.TrustAnchor == "" && slices.Contains(slices.Collect(maps.Values(at.Roles)), uses.Role) {
			return at
		}
	}
	if len(known.All) == 0 || uses.TrustAnchor == "" && uses.Role != "" && uses.Role == c.Settings.Server.AWS.RoleARN {
		return new(cadir.AWS)
	}
	return known.All[0]
}

// rolesIn returns the ARNs of the roles in places, and that in the configuration.
func (c *CA) rolesIn(places ...*cadir.AWS) (all []string) {
	for _, at := range places {
		all = append(all, slices.Sorted(maps.Values(at.Roles))...)
	}
	if arn := c.Settings.Server.AWS.RoleARN; arn != "" && !slices.Contains(all, arn) {
		all = append(all, arn)
	}
	return all
}

// chooseRole returns the ARN of the role of a host: the one that is named, or that kedge-ca serve gives each host, or the
// only one, or the only one that aws.yaml or the configuration gives the host. Empty: none is known.
func (c *CA) chooseRole(ctx context.Context, named string, known *cadir.Places, in *awsexplain.Input) (string, error) {
	if named != "" {
		return roleNamed(named, known)
	}
	if arn := c.Settings.Server.AWS.RoleARN; arn != "" {
		return arn, nil
	}
	roles := c.rolesIn(known.All...)
	if len(roles) < 2 {
		return strings.Join(roles, ""), nil
	}
	var given []string
	for _, arn := range roles {
		gives, err := c.gives(ctx, arn, known, in)
		if err != nil {
			return "", err
		}
		if gives {
			given = append(given, arn)
		}
	}
	if len(given) == 1 {
		return given[0], nil
	}
	return "", &SeveralRolesError{in.Host.Name, roles}
}

// gives reports whether a host gets a role, by its hosts in aws.yaml or, if they are not known, by the configuration.
func (c *CA) gives(ctx context.Context, arn string, known *cadir.Places, in *awsexplain.Input) (bool, error) {
	for _, at := range known.All {
		for name, hosts := range at.Hosts {
			if at.Roles[name] != arn || in.Host.Certificate == nil {
				continue
			}
			selector, err := awsadmin.SelectorOf(hosts)
			return err == nil && selector.Selects(in.Host.Certificate), err
		}
	}
	d, err := c.described(ctx, arn, in)
	return d.Gives, err
}

// roleNamed returns the ARN of a role, which can be given itself; of several with the name, the person is to give it.
func roleNamed(name string, known *cadir.Places) (string, error) {
	if _, err := cadir.ParseRole(name); err == nil {
		return name, nil
	}
	var found, names []string
	for _, at := range known.All {
		names = append(names, slices.Collect(maps.Keys(at.Roles))...)
		if arn := at.Roles[name]; arn != "" {
			found = append(found, arn)
		}
	}
	switch len(found) {
	case 0:
		slices.Sort(names)
		return "", &cadir.UnknownRoleError{Name: name, Known: slices.Compact(names)}
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("--role: %d roles have the name %q: give the ARN of one of %s", len(found), name, strings.Join(found, " and "))
}

// described returns what the configuration has about the role with an ARN, and whether it gives the host the role.
func (c *CA) described(ctx context.Context, arn string, in *awsexplain.Input) (d awsexplain.Described, err error) {
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	settings, ok := c.Settings.AWS.Roles[name]
	if !ok || len(settings.FromRoles) > 0 {
		return d, nil
	}
	d.Name = name
	role, err := c.wantedRole(ctx, name, &settings, new(report.Notes))
	if err != nil || in.Host.Certificate == nil {
		return d, err
	}
	text, err := role.Trust(anyAnchor)
	if err != nil {
		return d, err
	}
	trust, err := awsadmin.ReadTrust([]byte(text))
	if err != nil {
		return d, err
	}
	d.Gives = len(awsadmin.Linter{Now: in.Now}.Decide(trust, awsadmin.SessionOf(in.Host.Certificate, anyAnchor))) == 0
	return d, nil
}

// Explain reads what is at AWS, and makes the checks. Nothing is changed, here or there.
func (c *CA) Explain(ctx context.Context, a *awsaccount.Account, in *awsexplain.Input) (*awsexplain.Explanation, error) {
	sought := awsup.Sought{ARNs: in.Uses, Roots: in.Roots}
	if in.Host.Certificate != nil {
		sought.Subject = in.Host.Certificate.Subject.String()
	}
	account, err := awsup.Look(ctx, a, sought)
	if err != nil {
		return nil, err
	}
	in.Account = *account
	if role, anchor := account.Role.Value, account.Anchor.Value; role != nil && anchor != nil {
		trust, err := awsadmin.ReadTrust([]byte(role.Trust))
		if err == nil {
			reach, err := awsadmin.Linter{Anchors: []string{anchor.ARN}, Now: in.Now}.Reach(trust, c.Service.Hosts(ctx))
			if err != nil {
				return nil, err
			}
			in.Role.Hosts = reach.Names
		}
	}
	return awsexplain.Explain(in), nil
}
