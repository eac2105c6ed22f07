package role

import (
	"crypto/x509"
	"net/http"
	"strings"
	"time"

	"kedge/signer/session"
)

// connection is how the services are asked.
type connection struct {
	config session.Config
	client *session.Client
	chain  *session.Chain // nil: no role is assumed
}

// Check refuses what session would refuse. Nothing is opened or sent. The error is a
// *config.FlagError, an *ARNError or a *config.ProxyVariableError.
func (c *Config) Check() error {
	cfg := c.session
	cfg.Now = time.Now // it is not asked
	_, err := c.connect(cfg)
	return err
}

// connect makes the clients of a complete configuration; nothing is opened or sent. Errors are
// those of Check.
func (c *Config) connect(cfg session.Config) (*connection, error) {
	client, err := session.New(cfg)
	if err == nil {
		err = checkProxy(cfg, client.Endpoint())
	}
	if err != nil {
		return nil, c.settings.refused(err)
	}
	l := &connection{config: cfg, client: client}
	if len(c.chain.Roles) == 0 {
		return l, nil
	}
	if l.chain, err = session.NewChain(client, c.chain); err == nil {
		err = checkProxy(cfg, l.chain.Endpoint())
	}
	return l, c.settings.refused(err)
}

// checkProxy refuses a variable that names no proxy before a key is touched, if there is to be one
// for this address.
func checkProxy(cfg session.Config, address string) error {
	if cfg.Proxy == nil {
		return nil
	}
	request, err := http.NewRequest(http.MethodPost, address, nil)
	if err == nil {
		_, err = cfg.Proxy(request)
	}
	return err
}

// CheckFiles reads the files of the key, the certificates and the CA bundle, as far as the role needs them. Nothing in
// hardware is opened. The error is a *config.FlagError or a *config.BundleError.
func (c *Config) CheckFiles() error {
	if err := c.keys.CheckFiles(); err != nil {
		return err
	}
	_, _, err := c.roots()
	return err
}

// roots reads the CA bundle there may be; nil are the system's. unread lists those of its certificates that
// cannot be read. Where nothing is asked with TLS, it is not read unless a flag names it. The error is a *config.BundleError.
func (c *Config) roots() (pool *x509.CertPool, unread []string, err error) {
	s := &c.settings
	plain := len(s.Assumed) == 0 || strings.HasPrefix(s.STSEndpoint, "http://")
	if plain && s.CABundle == "" && c.session.Proxy == nil && strings.HasPrefix(s.Endpoint, "http://") {
		return nil, nil, nil
	}
	return c.bundle.Roots()
}
