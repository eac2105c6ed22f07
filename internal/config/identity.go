package config

import (
	"io"
	"time"

	"kedge/internal/safefile"
	"kedge/signer"
	"kedge/signer/keyfile"
)

// KeyFlags are the flags that say where key and certificate are, as typed.
type KeyFlags struct {
	Certificate   string // --certificate: certificates, and the key where PrivateKey is empty
	PrivateKey    string // --private-key
	Intermediates string // --intermediates
	PasswordFrom  string // --key-password-from: of the key's file, PIN or auth value; an input, or "prompt"
	Password      string // --pkcs8-password: the password itself, visible in the process list

	Library       string // --pkcs11-lib: path or name of the PKCS #11 module
	ReusePIN      bool   // --reuse-pin
	TPMPassword   string // --tpm-key-password: the auth value itself, visible in the process list
	NoTPMPassword bool   // --no-tpm-key-password

	// Environment has the settings that no flag has: in KEDGE_PKCS11_HELPER the path of kedge-pkcs11, in
	// TPM_DEVICE, as for the official helper, the TPM where no URI names one. nil: this process's.
	Environment Environment
}

// Host is what inputs need of the process. Ask may be nil: nobody is asked.
type Host struct {
	Stdin io.Reader
	Ask   func(prompt string) ([]byte, error) // on the terminal, never on standard input
	Now   func() time.Time
	// SpareLast tries no PIN and no auth value if a wrong one would be the last that the hardware takes.
	SpareLast bool
}

// Keys is a checked set of key flags: every reference parses, and no stream is wanted twice.
type Keys struct {
	certificate, privateKey, intermediates Input
	password                               passwordSource
	hardware                               hardware
}

// NewKeys checks the flags and reads nothing. Every error is a *FlagError.
func NewKeys(f KeyFlags) (*Keys, error) {
	k := &Keys{hardware: newHardware(f)}
	var err error
	for _, flag := range []struct {
		name, value string
		to          *Input
		parse       func(string) (Input, error)
	}{
		{"certificate", f.Certificate, &k.certificate, parseCertificate},
		{"private-key", f.PrivateKey, &k.privateKey, parseKey},
		{"intermediates", f.Intermediates, &k.intermediates, ParseInput},
	} {
		if *flag.to, err = flag.parse(flag.value); err != nil {
			return nil, &FlagError{Flag: flag.name, Err: err}
		}
	}
	if k.password, err = parsePasswordSource("key-password-from", f.PasswordFrom, f.Password); err != nil {
		return nil, err
	}
	return k, k.checkStreams()
}

// checkStreams refuses two flags that want the bytes of one stream.
func (k *Keys) checkStreams() error {
	first := map[Input]string{}
	for _, use := range []struct {
		flag string
		in   Input
	}{
		{"certificate", k.certificate},
		{"private-key", k.privateKey},
		{"intermediates", k.intermediates},
		{"key-password-from", k.password.input},
	} {
		if !use.in.onlyOnce() {
			continue
		}
		if other, taken := first[use.in]; taken {
			return flagErrorf(use.flag, "%s is read by --%s already; where one input carries both, give it to --certificate alone", use.in.Name(), other)
		}
		first[use.in] = use.flag
	}
	return nil
}

// Files reads the inputs that can be read only once and returns what signer.Load takes.
// Files are not read here but by signer, which follows their changes. What is in hardware is left
// zero.
func (k *Keys) Files(h Host) (signer.Files, error) {
	f := signer.Files{Now: h.Now}
	for _, use := range []struct {
		in Input
		to *signer.Blob
	}{
		{k.certificate, &f.Certificate},
		{k.privateKey, &f.PrivateKey},
		{k.intermediates, &f.Intermediates},
	} {
		blob, err := use.in.blob(h.Stdin)
		if err != nil {
			return signer.Files{}, err
		}
		*use.to = blob
	}
	f.Password = k.password.reader(h, k.keyInput().Name())
	return f, nil
}

// Warnings are what endangers the secrets of these flags without making them useless: one
// sentence each, to be shown once they turned out to be what they should.
func (k *Keys) Warnings() []string {
	warnings := openToOthers("private key", k.keyInput())
	warnings = append(warnings, openToOthers("password file", k.password.input)...)
	if k.password.text != "" {
		warnings = append(warnings, "the password after --pkcs8-password is visible in the process list; use --key-password-from with PATH, fd:N, env:NAME, - or prompt")
	}
	return append(warnings, k.hardwareWarnings()...)
}

// CheckFiles reads each file of these flags, for its password too, and refuses what cannot be read: a file that is
// missing, that is larger than [signer.MaxFile], or a folder. It opens no hardware, no stream and no variable, and does
// not look at what is in the files. The error is a *FlagError.
func (k *Keys) CheckFiles() error {
	for _, use := range []struct {
		flag string
		in   Input
	}{
		{"certificate", k.certificate},
		{"private-key", k.privateKey},
		{"intermediates", k.intermediates},
		{k.password.flag, k.password.input},
	} {
		path, ok := use.in.Path()
		if !ok {
			continue
		}
		data, err := safefile.ReadInput(path, signer.MaxFile)
		clear(data)
		if err != nil {
			return &FlagError{Flag: use.flag, Err: err}
		}
	}
	return nil
}

// keyInput is where the private key is.
func (k *Keys) keyInput() Input {
	if k.privateKey.IsZero() {
		return k.certificate
	}
	return k.privateKey
}

func (in Input) blob(stdin io.Reader) (signer.Blob, error) {
	if in.IsZero() || in.kind == hardwareInput {
		return signer.Blob{}, nil
	}
	if path, ok := in.Path(); ok {
		return signer.File(path), nil
	}
	data, err := in.read(stdin, signer.MaxFile)
	if err != nil {
		return signer.Blob{}, err
	}
	return signer.Bytes(in.Name(), data), nil
}

// PrivateKey is where the key is and how to get its password: for what needs no certificate.
func (k *Keys) PrivateKey(h Host) (signer.Blob, keyfile.PasswordFunc, error) {
	blob, err := k.keyInput().blob(h.Stdin)
	if err != nil {
		return signer.Blob{}, nil, err
	}
	return blob, k.password.reader(h, k.keyInput().Name()), nil
}

// Certificate is where the certificate is and how to get the password of its PKCS#12: for what
// needs no key.
func (k *Keys) Certificate(h Host) (signer.Blob, keyfile.PasswordFunc, error) {
	blob, err := k.certificate.blob(h.Stdin)
	if err != nil {
		return signer.Blob{}, nil, err
	}
	return blob, k.password.reader(h, blob.Name()), nil
}
