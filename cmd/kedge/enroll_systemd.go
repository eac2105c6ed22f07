package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"kedge/internal/enrollapi"
	"kedge/internal/hostdir"
	"kedge/internal/units"
)

// enrollUnderSystemd installs the units that renew certificates, and enrolls as their user. The token is
// read before, as root. An enrolled host needs none.
func (o *enrollOptions) enrollUnderSystemd(ctx context.Context) error {
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return fmt.Errorf("find out where this program is: %w", err)
	}
	installer := units.Installer{Program: program, Say: o.done}
	if err := installer.Check(); err != nil {
		return err
	}
	enrolled, err := hostdir.List(units.StateDir)
	if err != nil {
		return err
	}
	var token enrollapi.Token
	alone := len(enrolled) > 0 && !o.namesToken()
	if !alone {
		if token, err = o.readToken(); err != nil {
			return err
		}
	}
	if err := installer.Install(ctx); err != nil {
		return err
	}
	if alone {
		o.done(fmt.Sprintf("kedge-renew.timer renews what is enrolled in %s", units.StateDir))
		return nil
	}
	if err := o.checkGroup(installer); err != nil {
		return err
	}
	if err := units.Become(); err != nil {
		return err
	}
	return o.enroll(ctx, token, units.StateDir)
}

// checkGroup finds the group of --key-group, to which the user of the units must be able to give keys.
func (o *enrollOptions) checkGroup(installer units.Installer) error {
	if err := o.lookUpGroup(); err != nil || !o.access.ByGroup {
		return err
	}
	return installer.CheckGroup(o.keyGroup, o.access.Group)
}
