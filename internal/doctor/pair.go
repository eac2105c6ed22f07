package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kedge/internal/advice"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/internal/role"
	"kedge/signer"
)

// The IDs of the checks of the key.
const (
	idHardware  = "hardware"
	idSecret    = "key-secret"
	idKey       = "private-key"
	idPair      = "key-and-certificate"
	idAlgorithm = "algorithm"
	idLeaf      = "leaf"
)

func keySteps() []step {
	return []step{
		{idCertificate, "certificate", idCertificateFile, (*Examination).judgeCertificate},
		{idHardware, "hardware", idProxy + " " + idCertificate + " " + idKeyFile + " " + idIntermediatesFile + " " + idPasswordFile, func(e *Examination, ctx context.Context) *Finding {
			e.openPair(ctx)
			return e.judgeStage(idHardware, e.describeHardware())
		}},
		{idSecret, "password or PIN", idHardware, func(e *Examination, _ context.Context) *Finding {
			return e.judgeStage(idSecret, e.describeSecret())
		}},
		{idKey, "private key", idSecret, func(e *Examination, _ context.Context) *Finding { return e.judgeStage(idKey, "it can be read") }},
		{idPair, "key and certificate", idKey + " " + idCertificate, func(e *Examination, _ context.Context) *Finding { return e.judgeStage(idPair, "they belong together") }},
		{idAlgorithm, "algorithm", idPair, (*Examination).judgeAlgorithm},
		{idLeaf, "host's certificate", idCertificate, (*Examination).judgeLeaf},
	}
}

// opened is what came of opening the pair as the commands do.
type opened struct {
	role     *role.Role
	identity *signer.Identity
	err      error
	stage    string // the ID of the check that err is about
}

// openPair opens the role: it reads key and certificate, and reaches the hardware. Nothing is signed.
func (e *Examination) openPair(ctx context.Context) {
	ctx, cancel := e.time.limit(ctx, e.Limits.Key)
	defer cancel()
	p := &e.pair
	if p.role, p.err = role.Open(ctx, e.withoutBadBundle(), e.Host, role.Once); p.err == nil {
		p.identity, p.err = p.role.Identity(ctx)
	}
	if p.err != nil {
		p.stage = e.stageOf(p.err)
		return
	}
	e.leaf = p.identity.Leaf()
}

// withoutBadBundle is the role without a CA bundle that cannot be read, which another check reports.
func (e *Examination) withoutBadBundle() *role.Config {
	bundle, err := config.CABundle(e.Settings.CABundle, e.Environment)
	if err == nil {
		_, _, err = bundle.Roots()
	}
	if err == nil {
		return e.role
	}
	s := e.Settings
	s.CABundle = ""
	env := slices.DeleteFunc(slices.Clone(e.Environment), func(v string) bool { return strings.HasPrefix(v, "AWS_CA_BUNDLE=") })
	c, err := role.NewConfig(s, env)
	if err != nil {
		return e.role
	}
	return c
}

// stageOf returns the ID of the check that an error of opening the pair is about.
func (e *Examination) stageOf(err error) string {
	switch {
	case advice.IsSecret(err):
		return idSecret
	case is[*signer.ValidityError](err): // also if the service, whose time counts, does not answer in time
		return idValidity
	case advice.IsHardware(err), anyOf(err, context.DeadlineExceeded):
		return idHardware
	case is[*signer.KeyMismatchError](err):
		return idPair
	case is[*signer.RuleError](err):
		return idPath // or the form of the leaf, which is judged apart
	}
	if checked, keysErr := config.NewKeys(e.Settings.KeyFlags); keysErr == nil && checked.InHardware() && !is[*signer.FileError](err) {
		return idHardware
	}
	return idKey
}

// is reports whether an error is, or wraps, one of a type.
func is[T error](err error) bool {
	_, found := errors.AsType[T](err)
	return found
}

// anyOf reports whether an error is one of some others.
func anyOf(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

// judgeStage judges one step of opening the pair. The steps come in the order of the checks.
func (e *Examination) judgeStage(stage, seen string) *Finding {
	if e.pair.stage != stage {
		return ok(seen)
	}
	f := e.Advise.failure(e.pair.err)
	switch {
	case stage == idHardware && keys.IsTokenURI(e.keyInput()):
		return f.run("kedge read-certificate-data --certificate pkcs11:")
	case stage == idHardware:
		return f.run("ls -l /dev/tpmrm0")
	case stage == idPair:
		return f.run("openssl x509 -in %s -noout -pubkey", e.Settings.Certificate)
	}
	return f
}

// describeHardware describes where the key is.
func (e *Examination) describeHardware() string {
	s := &e.Settings
	switch {
	case keys.IsHardwareURI(s.PrivateKey):
		return keys.WithoutSecrets(s.PrivateKey) + " was reached"
	case keys.IsHardwareURI(s.Certificate):
		return keys.WithoutSecrets(s.Certificate) + " was reached"
	case e.pair.role != nil && e.pair.role.InTPM():
		return "the key is in the TPM, which was reached"
	}
	return "none is used: the key is in a file"
}

// describeSecret describes what is known of the password, PIN or auth value. A TPM checks the auth value of a key
// when that signs.
func (e *Examination) describeSecret() string {
	if e.pair.role != nil && e.pair.role.InTPM() {
		return "an auth value, if the key has one, is not tried yet: the session shows whether it is right"
	}
	return "right, or none is needed"
}

// judgeAlgorithm judges the key's algorithm. Any that the identity has is one of the service's.
func (e *Examination) judgeAlgorithm(context.Context) *Finding {
	if e.pair.identity == nil {
		return ok("one that the service takes")
	}
	return ok(fmt.Sprintf("%s, by %s", signer.CertKeyKind(e.leaf), e.pair.identity.Algorithm()))
}

// judgeLeaf shows the certificate that is used, of those that were given.
func (e *Examination) judgeLeaf(context.Context) *Finding {
	if e.leaf == nil { // it can be read only once, or is on a token, and the pair could not be opened
		return blocked(e.pair.stage)
	}
	return ok(describe(e.leaf))
}
