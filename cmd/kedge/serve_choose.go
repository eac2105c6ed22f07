package main

import (
	"fmt"
	"slices"
	"strings"

	"kedge/internal/cli"
	"kedge/internal/role"
	"kedge/internal/serve"
)

// wantedRole is one role that is to be served.
type wantedRole struct {
	name  string // in paths
	role  *role.Config
	debug bool
}

// choose finds out which roles are wanted: the one of the flags or of the profile that they name,
// else those of all profiles of the configuration. The first is the one that clients of IMDS find.
func (o *serveOptions) choose() ([]wantedRole, error) {
	if !o.several() {
		if o.first != "" {
			return nil, cli.Usagef(o.cmd, "--default %s: there is one role alone to serve, not the profiles of a configuration", o.first)
		}
		return o.chooseOne()
	}
	if o.first != "" && !slices.Contains(o.profiles(), o.first) {
		return nil, cli.Usagef(o.cmd, "--default %s: %s has the profiles %s", o.first, o.file.Path(), strings.Join(o.profiles(), ", "))
	}
	if o.name != "" {
		return nil, cli.Usagef(o.cmd, "--role-name names one role, and the configuration has %d profiles, which are served by their names: choose one with --profile", len(o.profiles()))
	}
	var all []wantedRole
	for _, profile := range o.inOrder() {
		if err := serve.CheckName(profile); err != nil {
			return nil, cli.Usagef(o.cmd, "profile %q of %s: %w", profile, o.file.Path(), err)
		}
		role, err := o.other(o.cmd, o.host, profile)
		if err != nil {
			return nil, fmt.Errorf("profile %q: %w", profile, err)
		}
		all = append(all, wantedRole{profile, role, o.debug})
	}
	return all, nil
}

// chooseAgain chooses by the configuration as it is now.
func (o *serveOptions) chooseAgain() ([]wantedRole, error) {
	before := o.file
	err := o.settingFlags.open()
	if err == nil && before != nil && o.file == nil {
		err = fmt.Errorf("the configuration %s is gone", before.Path())
	}
	if err != nil {
		o.file = before
		return nil, err
	}
	return o.choose()
}

// inOrder is the profiles, that of --default first.
func (o *serveOptions) inOrder() []string {
	names := slices.Clone(o.profiles())
	if i := slices.Index(names, o.first); i > 0 {
		return slices.Insert(slices.Delete(names, i, i+1), 0, o.first)
	}
	return names
}

// several reports whether nothing but the configuration names a role.
func (o *serveOptions) several() bool {
	if o.chosen != "" || len(o.profiles()) == 0 {
		return false
	}
	return o.said.Role == "" || strings.HasPrefix(originOf(o.cmd, "role-arn"), o.file.Path()+":")
}

func (o *serveOptions) chooseOne() ([]wantedRole, error) {
	role, err := o.one()
	if err != nil {
		return nil, err
	}
	name := o.name
	if name == "" {
		arn := role.Settings().FinalRole()
		name = arn[strings.LastIndexByte(arn, '/')+1:]
	}
	return []wantedRole{{name, role, o.debug}}, nil
}

// one is the role of the flags; where a configuration is read again, as it is now.
func (o *serveOptions) one() (*role.Config, error) {
	if o.wanted == nil || o.file == nil {
		return o.resolve(o.cmd, o.host)
	}
	return o.other(o.cmd, o.host, o.chosen)
}
