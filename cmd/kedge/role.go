package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/signer"
	"kedge/signer/keyfile"
	"kedge/signer/session"
)

// roleFlags say who asks for the credentials of which role, and how: the flags of every
// command that gets some.
type roleFlags struct {
	settingFlags
	keyFlags
	sessionFlags
	chainFlags
	keys   *config.Keys
	client *session.Client

	// late leaves it to open to make the client, and to check with that what makes a
	// difference to the credentials: what is in a cache passed that check.
	late bool
}

func (f *roleFlags) add(flags *pflag.FlagSet) {
	f.addCertificate(flags)
	f.addPrivateKey(flags)
	f.addForeignKeys(flags)
	flags.StringVar(&f.Intermediates, "intermediates", "", "more certificates for the chain, in any order: "+inputHelp)
	f.sessionFlags.add(flags)
	f.chainFlags.add(flags)
	f.settingFlags.add(flags)
}

// prepare fills in the flags that are not given, and checks everything that can be checked
// before a key is touched.
func (f *roleFlags) prepare(cmd *cobra.Command, h host) error {
	if err := f.settle(cmd); err != nil {
		return err
	}
	return f.complete(cmd, h)
}

// complete checks the flags, once they are settled.
func (f *roleFlags) complete(cmd *cobra.Command, h host) (err error) {
	if trace := h.trace(f.debug); trace != nil && f.file != nil {
		trace("configuration %s, profile %q", f.file.Path(), f.chosen)
	}
	if f.keys, err = f.check(cmd); err != nil {
		return err
	}
	if err := needAll(cmd, "trust-anchor-arn", "profile-arn", "role-arn", "certificate"); err != nil {
		return f.advised(err)
	}
	if err := f.configure(cmd, h, h.trace(f.debug)); err != nil {
		return err
	}
	if err := f.configureChain(cmd, f.seconds); err != nil || f.late {
		return err
	}
	return f.connect()
}

// connect makes the client, and checks the rest of the flags with that; nothing is sent.
func (f *roleFlags) connect() (err error) {
	if f.client, err = f.sessionFlags.client(); err != nil {
		return err
	}
	chain, err := f.chain(f.client)
	if chain == nil || err != nil {
		return err
	}
	return f.refused(f.checkProxy(chain.Endpoint()))
}

// maxSigning is how long hardware may take for one step of a signature.
const maxSigning = 30 * time.Second

// slow says of an error that --timeout was over.
func slow(err error, timeout time.Duration) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("the key was not ready within the %s of --timeout: %w", timeout, err)
}

// finalRole is the ARN of the role that the credentials are of.
func (f *roleFlags) finalRole() string {
	if n := len(f.assumed); n > 0 {
		return f.assumed[n-1]
	}
	return f.role
}

// use says how long a role is used.
type use bool

const (
	once use = false // the identity is read and kept
	long use = true  // the identity is read again when its files change
)

// role gets the credentials of a role, a new session each time. It is safe for concurrent use,
// until it is closed.
type role struct {
	host     host
	flags    *roleFlags
	source   signer.Source
	provider aws.CredentialsProvider
	expiry   *expiryWarner // nil: nobody is told of a certificate that nears its end
}

// open loads the identity, after prepare. ctx, and --timeout, bound that: hardware can be slow.
// The error is a *keyError or a *config.BundleError. The role is to be closed.
func (f *roleFlags) open(ctx context.Context, h host, u use) (_ *role, err error) {
	var client *session.Client
	var unreachable error
	reach := func() error {
		client, unreachable = f.reach()
		return unreachable
	}
	if !f.keys.InHardware() && reach() != nil {
		return nil, unreachable
	}
	if f.noVerify {
		h.warn("--no-verify-ssl: the server is not verified; anyone on the way can take the credentials. Use --ca-bundle instead")
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	source, err := f.identity(ctx, h, u, reach, func() (time.Time, error) {
		if client == nil && reach() != nil {
			return time.Time{}, unreachable
		}
		return client.ServiceTime(context.WithoutCancel(ctx)) // it has its own limit, and is asked later, too
	})
	h.warnOfClock(f.clock)
	if unreachable != nil {
		return nil, unreachable
	}
	if err != nil {
		return nil, &keyError{slow(f.judgedBy(err), f.timeout)}
	}
	h.warn(f.keys.Warnings()...)
	chain, err := f.chain(client)
	if err != nil {
		return nil, err
	}
	r := &role{host: h, flags: f, source: source, provider: session.NewProvider(client, source)}
	if chain != nil {
		r.provider = session.NewChainProvider(chain, source)
	}
	return r, nil
}

// reach returns the client to use, with the CA bundle that it trusts.
func (f *roleFlags) reach() (*session.Client, error) {
	if f.client == nil {
		if err := f.connect(); err != nil {
			return nil, err
		}
	}
	return f.trust(f.client, f.plainChain())
}

// warnOfExpiry has warn told, once each, that the certificate nears its end by the service's clock.
func (r *role) warnOfExpiry(warn func(text string)) {
	r.expiry = &expiryWarner{warn: warn, now: r.flags.clock.Now}
}

// Retrieve asks for a new session: a role is an aws.CredentialsProvider. Its errors have
// what the hints need.
func (r *role) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := r.provider.Retrieve(ctx)
	r.host.warnOfClock(r.flags.clock)
	if _, told := errors.AsType[*signer.ValidityError](err); r.expiry != nil && !told {
		var leaf *x509.Certificate
		if id, err := r.source.Identity(ctx); err == nil {
			leaf = id.Leaf()
		}
		r.expiry.look(leaf)
	}
	if err != nil {
		return aws.Credentials{}, r.flags.explain(err)
	}
	return c, nil
}

// hardware returns where the key is, unless that is a file.
func (r *role) hardware() *keys.Source {
	source, _ := r.source.(*keys.Source)
	return source
}

// Close lets go of the key.
func (r *role) Close() error {
	if source := r.hardware(); source != nil {
		return source.Close()
	}
	return nil
}

// identity loads it. reach is called meanwhile if hardware is to be waited for, and serviceTime if the
// certificate is out of its validity by this host's clock.
func (f *roleFlags) identity(ctx context.Context, h host, u use, reach func() error, serviceTime func() (time.Time, error)) (signer.Source, error) {
	files, err := f.keys.Files(h.inputs)
	if err != nil {
		return nil, err
	}
	files.Now, files.ServiceTime = f.clock.Now, serviceTime
	source, id, err := f.load(ctx, h, files, u, reach)
	if err != nil {
		switch {
		case swapped(files, err):
			err = &filesError{err, "are --certificate and --private-key swapped?"}
		case certificateOfCA(files, err):
			err = &filesError{err, "the certificate is that of a CA: give the one that was issued for this key"}
		}
		return nil, err
	}
	if trace := h.trace(f.debug); trace != nil {
		trace("certificate %q, serial %s, %s, with %d intermediates", id.Leaf().Subject, id.Leaf().SerialNumber, id.Algorithm(), len(id.Chain()))
		for _, unused := range id.Unused() {
			trace("not sent: %s", unused)
		}
	}
	return source, nil
}

// load returns the identity that the source gives first besides it. What is no key file of ours
// may be a key in the TPM: looked at last, since most are files.
func (f *roleFlags) load(ctx context.Context, h host, files signer.Files, u use, reach func() error) (signer.Source, *signer.Identity, error) {
	if f.keys.InHardware() {
		pair := f.keys.Pair(h.inputs, files)
		pair.Meanwhile = reach
		return f.openSource(ctx, pair, u)
	}
	source, id, err := loadFiles(ctx, files, u)
	if err == nil {
		return source, id, nil
	}
	if pair := f.keys.Pair(h.inputs, files); pair.IsTPMFile() {
		return f.openSource(ctx, pair, u)
	}
	return nil, nil, err
}

// openSource opens the key in hardware. SIGINT and SIGTERM end that properly with a TPM: killed, it
// would leave the key in one that nobody manages.
func (f *roleFlags) openSource(ctx context.Context, pair keys.Pair, u use) (signer.Source, *signer.Identity, error) {
	ctx, stop := interruptibleIf(ctx, pair.InTPM())
	defer stop()
	pair.Timeout, pair.Brief = min(f.timeout, maxSigning), u == once
	source, err := keys.NewSource(ctx, pair)
	if err != nil {
		return nil, nil, err
	}
	return source, source.Loaded(), nil
}

func loadFiles(ctx context.Context, files signer.Files, u use) (signer.Source, *signer.Identity, error) {
	if u == once {
		id, err := signer.Load(files)
		return id, id, err
	}
	source, err := signer.NewFileSource(files)
	if err != nil {
		return nil, nil, err
	}
	id, err := source.Identity(ctx)
	return source, id, err
}

// swapped tells that the certificate's input holds a key alone, or the key's certificates alone.
func swapped(files signer.Files, err error) bool {
	file, ok := errors.AsType[*signer.FileError](err)
	if !ok || files.PrivateKey.IsZero() || files.PrivateKey.Name() == files.Certificate.Name() {
		return false
	}
	return errors.Is(err, signer.ErrNoPrivateKey) ||
		file.File == files.Certificate.Name() && errors.Is(file.Err, keyfile.ErrNoCertificate)
}

// certificateOfCA tells that the key does not belong to the certificate because that is a CA's.
func certificateOfCA(files signer.Files, err error) bool {
	if _, ok := errors.AsType[*signer.KeyMismatchError](err); !ok {
		return false
	}
	data, err := files.Certificate.Read()
	if err != nil {
		return false
	}
	certs, err := keyfile.ParseCertificates(data, nil)
	return err == nil && firstLeaf(certs).IsCA
}

// explain adds what only the flags know to an error, for the hints.
func (f *roleFlags) explain(err error) error {
	if _, ok := errors.AsType[*signer.SignError](err); ok {
		return &keyError{err}
	}
	if _, ok := errors.AsType[*signer.ValidityError](err); ok {
		return &keyError{f.judgedBy(err)}
	}
	return &requestError{
		error: err, chained: len(f.assumed) > 0,
		region: f.region, trustAnchor: f.trustAnchor, profile: f.profile, role: f.role,
	}
}

// needAll refuses a command line that lacks any of the named flags, and names all of them.
func needAll(cmd *cobra.Command, names ...string) error {
	var missing []string
	for _, name := range names {
		if cmd.Flags().Lookup(name).Value.String() == "" {
			missing = append(missing, "--"+name)
		}
	}
	if missing == nil {
		return nil
	}
	return cli.Usagef(cmd, "missing %s", strings.Join(missing, ", "))
}
