package caserver

import (
	"crypto/x509"
	"fmt"
	"maps"
	"slices"

	"kedge/internal/awsadmin"
	"kedge/internal/cadir"
	"kedge/internal/enrollapi"
)

// hostRole is a role that kedge-ca aws up has built.
type hostRole struct {
	aws   *enrollapi.AWS     // nil: hosts do not get it from here, such as while no session of it was made
	hosts *awsadmin.Selector // nil: they are not known
}

// hostAWS returns what a host with a certificate needs for sessions: what is configured, or else what kedge-ca aws up has
// built for it, in any account and region. That is the one role for it; with several there is none, since only a person
// can choose. One role alone whose hosts are not known is for all.
func hostAWS(known *cadir.Places, settings *cadir.Settings) (func(*x509.Certificate) *enrollapi.AWS, error) {
	if configured := awsOf(settings.Server.AWS); configured != nil {
		return func(*x509.Certificate) *enrollapi.AWS { return configured }, nil
	}
	roles, err := hostRoles(known, settings)
	if err != nil {
		return nil, err
	}
	if len(roles) == 1 && roles[0].hosts == nil {
		return func(*x509.Certificate) *enrollapi.AWS { return roles[0].aws }, nil
	}
	return func(cert *x509.Certificate) *enrollapi.AWS {
		var only hostRole
		for _, role := range roles {
			if role.hosts == nil || !role.hosts.Selects(cert) {
				continue
			}
			if only.hosts != nil {
				return nil
			}
			only = role
		}
		return only.aws
	}, nil
}

// hostRoles returns the roles in all accounts and regions.
func hostRoles(known *cadir.Places, settings *cadir.Settings) (all []hostRole, err error) {
	for _, at := range known.All {
		for _, name := range slices.Sorted(maps.Keys(at.Roles)) {
			role := hostRole{aws: awsOf(at.Host(settings.Server.AWS, name))}
			if hosts := at.Hosts[name]; !hosts.IsZero() {
				role.hosts, err = awsadmin.SelectorOf(hosts)
				if err != nil {
					return nil, fmt.Errorf("hosts of the role %s in %s: %w", name, at.Place(), err)
				}
			}
			all = append(all, role)
		}
	}
	return all, nil
}
