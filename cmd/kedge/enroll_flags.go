package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/enrollclient"
	"kedge/internal/hostdir"
	"kedge/internal/hostkeys"
)

// identityFlags say which identity of this host is meant, and how its server is reached.
type identityFlags struct {
	host
	dir, proxy string
	connection enrollclient.Connection // checked
}

func (f *identityFlags) add(flags *pflag.FlagSet, dir string) {
	flags.StringVar(&f.dir, "dir", "", dir)
	flags.StringVar(&f.proxy, "proxy", "", `URL of the proxy to use, or "none" (default: HTTPS_PROXY, unless NO_PROXY has the host)`)
}

func (f *identityFlags) check(cmd *cobra.Command) error {
	proxy, err := config.Proxy(f.proxy, config.ReadProxyVariables(f.environment.Lookup))
	if err != nil {
		return usage(cmd, err)
	}
	if f.dir != "" {
		if f.dir, err = filepath.Abs(f.dir); err != nil {
			return err
		}
	}
	f.connection = enrollclient.Connection{Proxy: proxy, Roots: f.roots, Now: f.inputs.Now, Version: cli.Version()}
	return nil
}

// roots are those for servers with public certificates.
func (f *identityFlags) roots() (*x509.CertPool, error) {
	bundle, err := config.CABundle("", f.environment)
	if err != nil {
		return nil, err
	}
	pool, _, err := bundle.Roots()
	return pool, err
}

// keysOf returns how the key of a record is opened.
func (f *identityFlags) keysOf(r hostdir.Record) (enrollclient.Keys, error) {
	return hostkeys.Of(r, f.inputs)
}

// all returns the folders of all identities of this user.
func (f *identityFlags) all() ([]string, error) {
	base, err := config.StateDir(f.environment)
	if err != nil {
		return nil, err
	}
	return hostdir.List(base)
}

// errChooseDir is returned where --dir is missing and this user has several identities.
var errChooseDir = errors.New("this user has several identities")

// one returns the folder that --dir names, or that of the only identity.
func (f *identityFlags) one() (string, error) {
	if f.dir != "" {
		return f.dir, nil
	}
	dirs, err := f.all()
	switch {
	case err != nil:
		return "", err
	case len(dirs) == 1:
		return dirs[0], nil
	case len(dirs) > 1:
		return "", fmt.Errorf("%w: %s", errChooseDir, strings.Join(dirs, ", "))
	}
	base, err := config.StateDir(f.environment)
	if err != nil {
		return "", err
	}
	return "", &hostdir.NotEnrolledError{Path: base}
}
