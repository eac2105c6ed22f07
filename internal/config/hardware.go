package config

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"

	"kedge/internal/keys"
	"kedge/signer"
)

// hardware is what only keys in hardware need.
type hardware struct {
	library       string
	reusePIN      bool
	tpmPassword   string
	noTPMPassword bool

	device, helper string
}

func newHardware(f KeyFlags) hardware {
	env := f.Environment
	if env == nil {
		env = ProcessEnvironment()
	}
	h := hardware{library: f.Library, reusePIN: f.ReusePIN, tpmPassword: f.TPMPassword, noTPMPassword: f.NoTPMPassword}
	h.device, _ = env.Lookup("TPM_DEVICE")
	h.helper, _ = env.Lookup("KEDGE_PKCS11_HELPER")
	return h
}

// parseKey takes what ParseInput takes, and URIs of keys in hardware.
func parseKey(text string) (Input, error) {
	if !keys.IsHardwareURI(text) {
		return ParseInput(text)
	}
	if err := keys.CheckURI(text); err != nil {
		return Input{}, err
	}
	return Input{kind: hardwareInput, value: text}, nil
}

// parseCertificate takes what ParseInput takes, and pkcs11: URIs.
func parseCertificate(text string) (Input, error) {
	if keys.IsHardwareURI(text) && !keys.IsTokenURI(text) {
		return Input{}, errors.New("a TPM holds no certificate: give its file here, and the key with --private-key")
	}
	return parseKey(text)
}

// InHardware reports whether the key, or the certificate, is named by a URI. A file may turn out to
// be a key in a TPM nevertheless: see keys.OpenBlob.
func (k *Keys) InHardware() bool {
	return k.keyInput().kind == hardwareInput || k.certificate.kind == hardwareInput
}

// CertificateURI is the pkcs11: URI of --certificate, or empty where that is none.
func (k *Keys) CertificateURI() string { return k.certificate.uri() }

func (in Input) uri() string {
	if in.kind != hardwareInput {
		return ""
	}
	return in.value
}

// Reference is where the private key is, for keys.Reference to open it. What can be read once is read.
func (k *Keys) Reference(h Host) (r keys.Reference, err error) {
	if r.URI = k.keyInput().uri(); r.URI == "" {
		r.Blob, err = k.keyInput().blob(h.Stdin)
	} else {
		r.Certificate, err = k.certificate.blob(h.Stdin)
	}
	return r, err
}

// Pair is the identity whose key or certificate is in hardware. files is what Files gave: what
// can be read once was read then.
func (k *Keys) Pair(h Host, files signer.Files) keys.Pair {
	p := keys.Pair{Key: k.keyInput().uri(), Certificate: k.certificate.uri(), Files: files, Options: k.Options(h)}
	if files.PrivateKey.IsZero() {
		p.Files.PrivateKey = files.Certificate
	}
	return p
}

// Options returns how a key in hardware is reached and unlocked.
func (k *Keys) Options(h Host) keys.Options {
	o := keys.Options{
		Password:    k.password.reader(h, k.keyInput().Name()),
		PIN:         k.password.given(h),
		Auth:        k.auth(h),
		Source:      readSource(h),
		Device:      k.hardware.device,
		Library:     k.hardware.library,
		Helper:      k.hardware.helper,
		ReusePIN:    k.hardware.reusePIN,
		SpareLast:   h.SpareLast,
		Environment: k.environment(),
	}
	if h.Ask != nil {
		o.Ask = func(what string) ([]byte, error) { return h.Ask(upperFirst(what)) }
	}
	return o
}

// auth gets the auth value of a TPM key that a flag names, or is nil. A handle does not show whether
// there is one, so that being told to ask counts as saying so.
func (k *Keys) auth(h Host) func() ([]byte, error) {
	switch {
	case k.hardware.tpmPassword != "":
		return func() ([]byte, error) { return []byte(k.hardware.tpmPassword), nil }
	case k.hardware.noTPMPassword:
		return func() ([]byte, error) { return nil, nil }
	case k.password.prompt:
		return sync.OnceValues(func() ([]byte, error) { return k.password.ask(h, k.keyInput().Name()) })
	}
	return k.password.given(h)
}

// given is how the secret is read that the flag names; nil where it names none, or to ask.
func (p passwordSource) given(h Host) func() ([]byte, error) {
	switch {
	case p.input.IsZero():
		return nil
	case p.input.onlyOnce():
		return sync.OnceValues(func() ([]byte, error) { return p.read(h.Stdin) })
	}
	return func() ([]byte, error) { return p.read(h.Stdin) }
}

// readSource reads what the sources in a tpm: URI name: a reference, or "prompt".
func readSource(h Host) func(ref, what string) ([]byte, error) {
	return func(ref, what string) ([]byte, error) {
		if ref == "prompt" {
			if h.Ask == nil {
				return nil, errNotAsked
			}
			return h.Ask(upperFirst(what))
		}
		in, err := ParseInput(ref)
		if err != nil {
			return nil, err
		}
		return in.readSecret(h.Stdin)
	}
}

// environment is this process's without what holds secrets; nil where nothing does.
func (k *Keys) environment() []string {
	secret := k.secretVariables()
	if secret == nil {
		return nil
	}
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.ContainsFunc(secret, func(s string) bool { return sameVariable(s, name) })
	})
}

// secretVariables are the variables that the flags refer to, and those in the place of a flag that
// has a secret in its value.
func (k *Keys) secretVariables() (names []string) {
	for _, in := range []Input{k.certificate, k.privateKey, k.intermediates, k.password.input} {
		for _, ref := range in.references() {
			if name, ok := ref.Variable(); ok {
				names = append(names, name)
			}
		}
	}
	for _, flag := range []string{"certificate", "private-key"} {
		if pin, _ := keys.Secrets(Variable(flag)); pin {
			names = append(names, VariableOf(flag))
		}
	}
	for _, flag := range []string{"pkcs8-password", "tpm-key-password"} {
		if Variable(flag) != "" {
			names = append(names, VariableOf(flag))
		}
	}
	return names
}

// References are the inputs to which the value of a flag refers: itself, or what a URI of a key in
// hardware says that secrets are in.
func References(value string) []Input {
	in, err := parseKey(value)
	if err != nil {
		return nil
	}
	return in.references()
}

func (in Input) references() (all []Input) {
	if in.kind != hardwareInput {
		return []Input{in}
	}
	_, refs := keys.Secrets(in.value)
	for _, text := range refs {
		if ref, err := ParseInput(text); err == nil {
			all = append(all, ref)
		}
	}
	return all
}

// hardwareWarnings are what of these flags endangers a PIN or an auth value.
func (k *Keys) hardwareWarnings() (warnings []string) {
	const instead = "use --key-password-from with PATH, fd:N, env:NAME, - or prompt"
	if k.hardware.tpmPassword != "" {
		warnings = append(warnings, "the password after --tpm-key-password is visible in the process list; "+instead)
	}
	said := false
	for _, in := range []Input{k.privateKey, k.certificate} {
		if in.kind != hardwareInput {
			continue
		}
		if inURI, _ := keys.Secrets(in.value); inURI && !said {
			warnings = append(warnings, "the PIN in pin-value is visible in the process list; use pin-source, or "+instead)
			said = true
		}
		for _, file := range in.references() {
			warnings = append(warnings, openToOthers("password file", file)...)
		}
	}
	return warnings
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
