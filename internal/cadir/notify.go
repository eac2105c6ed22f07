package cadir

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"kedge/ca"
	"kedge/internal/safefile"
)

// NotifySettings say where kedge-ca serve reports what an operator should know: copies of hosts, hosts
// that are late, and lists and certificates of authorities that are about to end.
type NotifySettings struct {
	// URL gets a POST with JSON. https, or http to this machine. Empty: nothing is reported.
	URL string `yaml:"url"`
	// SecretFile has the secret that signs each report, at least 16 bytes: a path below the CA's
	// folder. Only the CA's user may read it.
	SecretFile string `yaml:"secret_file"`
	// Timeout bounds one try. Default: 10s.
	Timeout ca.Duration `yaml:"timeout"`
	// Retries is how many more times a report is tried that was not taken, a minute later the whole
	// begins anew. Default: 3.
	Retries *int `yaml:"retries"`
}

const (
	defaultNotifyTimeout = 10 * time.Second
	defaultNotifyRetries = 3
	maxNotifyRetries     = 10
	leastSecret          = 16
	maxSecret            = 4096
)

// complete returns the settings with each default written out.
func (c NotifySettings) complete() NotifySettings {
	if c.Timeout == 0 {
		c.Timeout = ca.Duration(defaultNotifyTimeout)
	}
	if c.Retries == nil {
		c.Retries = new(defaultNotifyRetries)
	}
	return c
}

func (c NotifySettings) check() error {
	switch full := c.complete(); {
	case full.Timeout < 0 || time.Duration(full.Timeout) > time.Minute:
		return errors.New("timeout: must be positive, and not more than 1m")
	case *full.Retries < 0 || *full.Retries > maxNotifyRetries:
		return fmt.Errorf("retries: %d is not between 0 and %d", *full.Retries, maxNotifyRetries)
	case c.URL == "" && c.SecretFile != "":
		return errors.New("secret_file: there is no url to report to")
	case c.URL == "":
		return nil
	case c.SecretFile == "":
		return errors.New("secret_file: reports are signed with the secret in it; make one: openssl rand -hex 32")
	}
	return c.checkURL()
}

func (c NotifySettings) checkURL() error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("url: %q is no URL of the form https://HOST[:PORT]/PATH", c.URL)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && (u.Scheme != "http" || !ip.IsLoopback() && u.Hostname() != "localhost") {
		return errors.New("url: must be of https, or of http to this machine, such as http://127.0.0.1:9000/hook")
	}
	return nil
}

// NotifySecret reads the secret of NotifySettings. A file that other users can read or change is a
// *safefile.UnsafeError.
func (f Folder) NotifySecret(c NotifySettings) ([]byte, error) {
	path := c.SecretFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.Dir, path)
	}
	data, err := safefile.Read(path, maxSecret)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if runtime.GOOS != "windows" && info.Mode().Perm()&0o007 != 0 {
		return nil, &safefile.UnsafeError{File: path, Problem: "can be read by every user; chmod 600"}
	}
	if data = bytes.TrimSpace(data); len(data) < leastSecret {
		return nil, fmt.Errorf("%s has fewer than %d bytes, which is too few for a secret", path, leastSecret)
	}
	return data, nil
}
