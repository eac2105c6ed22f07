package role

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kedge/internal/keys"
	"kedge/signer"
	"kedge/signer/keyfile"
	"kedge/signer/session"
)

// maxSigning is how long hardware may take for one step of a signature.
const maxSigning = 30 * time.Second

// opening is a role on its way from Config to Role.
type opening struct {
	*Config
	host       Host
	use        Use
	clock      *session.Clock
	connection *connection

	reached     bool  // connection trusts what it should
	unreachable error // why it does not
}

// reach has the connection trust the CA bundle there may be. It is not asked twice.
func (o *opening) reach() error {
	if o.reached || o.unreachable != nil {
		return o.unreachable
	}
	roots, unread, err := o.roots()
	if roots != nil && err == nil {
		cfg := o.connection.config
		cfg.RootCAs, cfg.RootsUnread = roots, unread
		o.connection, err = o.connect(cfg)
	}
	o.reached, o.unreachable = err == nil, err
	return err
}

// connectEarly has the connection opened while the hardware is busy, for the one request that follows.
func (o *opening) connectEarly() error {
	err := o.reach()
	if err == nil && o.use == Once {
		cfg := o.connection.config
		cfg.HTTPClient = o.connection.client.Connect()
		o.connection, err = o.connect(cfg)
	}
	return err
}

// open loads the identity, and makes the connection ready. The time that hardware takes is used for
// that.
func (o *opening) open(ctx context.Context) (signer.Source, error) {
	if !o.keys.InHardware() && o.reach() != nil {
		return nil, o.unreachable
	}
	if o.settings.NoVerify {
		o.host.Warn("--no-verify-ssl: the server is not verified; anyone on the way can take the credentials. Use --ca-bundle instead")
	}
	source, err := o.identity(ctx)
	o.host.Skewed(o.clock.Skew())
	switch {
	case o.unreachable != nil:
		return nil, o.unreachable
	case err != nil:
		return nil, err
	case o.reach() != nil: // where nobody did meanwhile
		return nil, errors.Join(o.unreachable, closeSource(source))
	}
	for _, warning := range o.keys.Warnings() {
		o.host.Warn(warning)
	}
	return source, nil
}

// serviceTime is asked for where the certificate is out of its validity by this host's clock.
func (o *opening) serviceTime(ctx context.Context) (time.Time, error) {
	if o.reach() != nil {
		return time.Time{}, o.unreachable
	}
	return o.connection.client.ServiceTime(context.WithoutCancel(ctx)) // it has its own limit, and is asked later, too
}

// identity loads it. The error is a *KeyError.
func (o *opening) identity(ctx context.Context) (signer.Source, error) {
	files, err := o.keys.Files(o.host.Host)
	if err != nil {
		return nil, o.unusable(err, NoMistake)
	}
	files.Now, files.ServiceTime = o.clock.Now, func() (time.Time, error) { return o.serviceTime(ctx) }
	source, id, err := o.load(ctx, files)
	if err != nil {
		return nil, o.unusable(err, mistakeIn(files, err))
	}
	if trace := o.host.Trace; trace != nil {
		trace("certificate %q, serial %x, %s, with %d intermediates", id.Leaf().Subject, id.Leaf().SerialNumber.Bytes(), id.Algorithm(), len(id.Chain()))
		for _, unused := range id.Unused() {
			trace("not sent: %s", unused)
		}
	}
	return source, nil
}

// load returns the identity that the source gives first besides it. What is no key file of ours may be
// a key in the TPM: tried last, since most are files.
func (o *opening) load(ctx context.Context, files signer.Files) (signer.Source, *signer.Identity, error) {
	if o.keys.InHardware() {
		return o.openHardware(ctx, o.keys.Pair(o.host.Host, files))
	}
	source, id, err := loadFiles(ctx, files, o.use)
	if err == nil {
		return source, id, nil
	}
	if pair := o.keys.Pair(o.host.Host, files); pair.IsTPMFile() {
		return o.openHardware(ctx, pair)
	}
	return nil, nil, err
}

// openHardware opens the key in hardware, within --timeout. With a TPM, that is ended properly: killed, it
// would leave the key in one that nobody manages.
func (o *opening) openHardware(ctx context.Context, pair keys.Pair) (signer.Source, *signer.Identity, error) {
	caller := ctx
	if pair.InTPM() && o.host.Protect != nil {
		var stop context.CancelFunc
		ctx, stop = o.host.Protect(ctx)
		defer stop()
	}
	ctx, cancel := context.WithTimeout(ctx, o.settings.Timeout)
	defer cancel()
	pair.Meanwhile = o.connectEarly
	pair.Timeout, pair.Brief = min(o.settings.Timeout, maxSigning), o.use == Once
	source, err := keys.NewSource(ctx, pair)
	if err != nil {
		return nil, nil, o.late(caller, err)
	}
	return source, source.Loaded(), nil
}

// late adds to an error of hardware what ended the wait: a limit of the caller, or --timeout.
func (o *opening) late(caller context.Context, err error) error {
	switch cause := context.Cause(caller); {
	case cause != nil && errors.Is(cause, context.DeadlineExceeded):
		return fmt.Errorf("the key was not ready: %w", cause)
	case cause == nil && errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the key was not ready within the %s of --timeout: %w", o.settings.Timeout, err)
	}
	return err
}

func loadFiles(ctx context.Context, files signer.Files, u Use) (signer.Source, *signer.Identity, error) {
	if u == Once {
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

// unusable adds to an error what the hints need of the settings and the clock.
func (o *opening) unusable(err error, m Mistake) error {
	return &KeyError{Err: judgedBy(o.clock, err), Mistake: m}
}

// mistakeIn returns the mistake in how these files were given, where it is known.
func mistakeIn(files signer.Files, err error) Mistake {
	switch {
	case swapped(files, err):
		return Swapped
	case certificateOfCA(files, err):
		return CertificateOfCA
	}
	return NoMistake
}

// swapped reports whether the certificate's input holds a key alone, or the key's holds certificates alone.
func swapped(files signer.Files, err error) bool {
	file, ok := errors.AsType[*signer.FileError](err)
	if !ok || files.PrivateKey.IsZero() || files.PrivateKey.Name() == files.Certificate.Name() {
		return false
	}
	return errors.Is(err, signer.ErrNoPrivateKey) ||
		file.File == files.Certificate.Name() && errors.Is(file.Err, keyfile.ErrNoCertificate)
}

// certificateOfCA reports whether the key does not belong to the certificate because that is a CA's.
func certificateOfCA(files signer.Files, err error) bool {
	if _, ok := errors.AsType[*signer.KeyMismatchError](err); !ok {
		return false
	}
	data, err := files.Certificate.Read()
	if err != nil {
		return false
	}
	certs, err := keyfile.ParseCertificates(data, nil)
	return err == nil && FirstLeaf(certs).IsCA
}
