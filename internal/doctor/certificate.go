package doctor

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/internal/refresh"
	"kedge/internal/role"
	"kedge/signer"
	"kedge/signer/keyfile"
)

// The IDs of the checks of the certificate.
const (
	idCertificate    = "certificate"
	idRules          = "certificate-rules"
	idUsage          = "extended-key-usage"
	idSignatures     = "certificate-signatures"
	idValidity       = "certificate-validity"
	idRemaining      = "certificate-remaining"
	idPath           = "certificate-path"
	idAnchor         = "certificate-anchor"
	idHeaders        = "certificate-headers"
	idTags           = "session-tags"
	idSourceIdentity = "source-identity"
)

// certificateSteps need the leaf, which the pair shows if it can be read only once, or is on a token.
func certificateSteps() []step {
	return []step{
		{idRules, "certificate's form", idLeaf, (*Examination).judgeRules},
		{idUsage, "extended key usage", idLeaf, func(e *Examination, _ context.Context) *Finding { return judgeUsage(e.leaf) }},
		{idValidity, "validity", idLeaf, (*Examination).judgeValidity},
		{idRemaining, "time until renewal", idValidity, (*Examination).judgeRemaining},
		{idPath, "path to the CA", idPair + " " + idRules + " " + idValidity, (*Examination).judgePath},
		{idSignatures, "signatures of the path", idPath, func(e *Examination, _ context.Context) *Finding { return judgeSignatures(e.pair.identity) }},
		{idAnchor, "CA of the host", idPath, (*Examination).judgeAnchor},
		{idHeaders, "size of the headers", idPath, func(e *Examination, _ context.Context) *Finding { return judgeHeaders(e.pair.identity) }},
		{idTags, "session tags", idLeaf, func(e *Examination, _ context.Context) *Finding {
			return judgeTags(sessionTags(e.leaf), e.Settings.Profile)
		}},
		{idSourceIdentity, "source identity", idLeaf, func(e *Examination, _ context.Context) *Finding { return judgeSourceIdentity(e.leaf) }},
	}
}

// lookCertificate reads the certificates of --certificate where they are in a file or a variable, and returns
// the leaf among them. It is nil, without an error, where they can be read once or are in hardware: the pair
// shows them.
func (e *Examination) lookCertificate() (*x509.Certificate, error) {
	flags := e.Settings.KeyFlags
	in, err := config.ParseInput(flags.Certificate)
	if err != nil || keys.IsHardwareURI(flags.Certificate) {
		return nil, nil
	}
	_, isFile := in.Path()
	if _, isVariable := in.Variable(); !isVariable && !isFile {
		return nil, nil
	}
	if _, isStream := in.Descriptor(); isStream {
		return nil, nil
	}
	checked, err := config.NewKeys(flags)
	if err != nil {
		return nil, err
	}
	blob, password, err := checked.Certificate(e.Host.Host)
	if err != nil {
		return nil, &role.KeyError{Err: err}
	}
	data, err := blob.Read()
	if err != nil {
		return nil, &role.KeyError{Err: err}
	}
	certs, err := keyfile.ParseCertificates(data, password)
	if err != nil {
		return nil, &role.KeyError{Err: &signer.FileError{File: blob.Name(), Err: err}, Mistake: swapped(err)}
	}
	return role.FirstLeaf(certs), nil
}

func swapped(err error) role.Mistake {
	if errors.Is(err, keyfile.ErrNoCertificate) {
		return role.Swapped
	}
	return role.NoMistake
}

// judgeCertificate judges whether there is one.
func (e *Examination) judgeCertificate(context.Context) *Finding {
	leaf, err := e.lookCertificate()
	switch {
	case err != nil:
		return e.Advise.failure(err)
	case leaf == nil:
		return ok("it is read with the key")
	}
	e.leaf = leaf
	return ok(describe(leaf))
}

func describe(c *x509.Certificate) string {
	return fmt.Sprintf("%q of %q, serial %x, %s", c.Subject, c.Issuer, c.SerialNumber.Bytes(), signer.CertKeyKind(c))
}

// judgeRules judges the leaf by the rules of the trust model.
func (e *Examination) judgeRules(context.Context) *Finding {
	leaf := e.leaf
	problems := signer.CheckLeaf(leaf)
	if len(problems) == 0 {
		return ok("version 3, CA false, digitalSignature, SHA-256 or better, with a subject")
	}
	f := e.Advise.failure(&role.KeyError{Err: problems[0]})
	var texts []string
	for _, p := range problems {
		if rule, isRule := errors.AsType[*signer.RuleError](p); isRule {
			texts = append(texts, rule.Rule)
		}
	}
	f.Seen = fmt.Sprintf("certificate %q %s", leaf.Subject, strings.Join(texts, "; "))
	return e.issueAgain(f)
}

// renewIt adds the command by which the CA of this project renews the certificate. It is run where the CA is, unless
// this host is enrolled.
func (e *Examination) renewIt(f *Finding) *Finding {
	if e.host.pair != nil {
		return e.host.renewNow(f)
	}
	return f.run("kedge-ca renew %s", e.commonName())
}

// issueAgain is renewIt where no renewal helps: with the same key, or with the same fault. The files go into a folder
// of their own, since kedge-ca overwrites none.
func (e *Examination) issueAgain(f *Finding) *Finding {
	if e.host.pair != nil {
		return e.host.renewNow(f)
	}
	return f.run("kedge-ca issue %s --out new", e.commonName())
}

// commonName is that of the certificate, or a word to put it in the place of.
func (e *Examination) commonName() string { return cmp.Or(e.leaf.Subject.CommonName, "NAME") }

// judgeUsage: the guide does not ask for clientAuth, but several consoles and other verifiers do.
func judgeUsage(leaf *x509.Certificate) *Finding {
	if len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 {
		return ok("there is none, so that it may be used for anything")
	}
	for _, usage := range leaf.ExtKeyUsage {
		if usage == x509.ExtKeyUsageClientAuth || usage == x509.ExtKeyUsageAny {
			return ok("clientAuth")
		}
	}
	return warning("it lacks clientAuth", "have it issued with clientAuth, or without extended key usages")
}

// judgeValidity judges the leaf by this host's clock and, where the pair could be loaded all the same, by the
// service's.
func (e *Examination) judgeValidity(context.Context) *Finding {
	leaf, now := e.leaf, e.Host.Now()
	seen := fmt.Sprintf("from %s to %s", leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
	if !now.Before(leaf.NotBefore) && !now.After(leaf.NotAfter) {
		return ok(seen)
	}
	if e.pair.identity != nil {
		return warning(seen+": this host's clock is out of that, and the service's is not", "set this host's clock").run("sudo timedatectl set-ntp true")
	}
	err := error(&signer.ValidityError{Subject: leaf.Subject.String(), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Now: now})
	if errors.As(e.pair.err, new(*signer.ValidityError)) {
		err = e.pair.err
	}
	f := e.Advise.failure(&role.KeyError{Err: err})
	if now.Before(leaf.NotBefore) {
		return f.run("sudo timedatectl set-ntp true")
	}
	return e.renewIt(f)
}

// judgeRemaining judges how much of its life is left.
func (e *Examination) judgeRemaining(context.Context) *Finding {
	leaf, now := e.leaf, e.Host.Now()
	left := leaf.NotAfter.Sub(now).Round(time.Second)
	stage := refresh.StageOf(leaf.NotBefore, leaf.NotAfter, now)
	seen := fmt.Sprintf("%s left", left)
	if stage == refresh.Fresh {
		return ok(seen)
	}
	return e.renewIt(warning(fmt.Sprintf("it is %s: %s", stage, seen), "renew it"))
}

// judgePath judges the certificates that are sent along.
func (e *Examination) judgePath(context.Context) *Finding {
	if err := e.pair.err; err != nil {
		return e.Advise.failure(err)
	}
	issuer, reachesRoot := e.pair.identity.TopIssuer()
	seen := fmt.Sprintf("%d intermediates are sent, which lead to the CA %q", len(e.pair.identity.Chain()), issuer)
	var related []string
	for _, u := range e.pair.identity.Unused() {
		if u.Related {
			related = append(related, u.String())
		}
	}
	switch {
	case related != nil && !reachesRoot:
		return warning(seen+"; not sent: "+strings.Join(related, "; "), "give the right certificate of that CA with --intermediates")
	case related != nil:
		seen += "; not sent: " + strings.Join(related, "; ")
	}
	return ok(seen)
}

// judgeSignatures judges the algorithms by which the certificates that are sent were signed.
func judgeSignatures(id *signer.Identity) *Finding {
	if foreign := id.ForeignSignatures(); len(foreign) > 0 {
		return warning(strings.Join(foreign, "; "), "have it issued by a CA with an RSA, EC or ML-DSA key")
	}
	return ok("by RSA, EC or ML-DSA")
}

// judgeAnchor judges whether the path leads to a root that this host has from its CA.
func (e *Examination) judgeAnchor(context.Context) *Finding {
	id, known := e.pair.identity, e.host.pair
	if known == nil {
		return ok("no root is known here: whether the trust anchor is that CA, the session shows")
	}
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range known.Bundle {
		roots.AddCert(c)
	}
	for _, c := range id.Chain() {
		others.AddCert(c)
	}
	_, err := id.Leaf().Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: e.Host.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		issuer, _ := id.TopIssuer()
		f := failed(cli.ExitKey, fmt.Sprintf("the path leads to %q, and to no root in %s", issuer, e.host.dir), "an intermediate is missing, or the certificate is of another CA: renew it")
		return e.host.renewNow(f)
	}
	return ok("the path leads to a root that this host has from its CA")
}

// maxHeaders is the size from which headers are large: servers and proxies refuse many kilobytes.
const maxHeaders = 32 << 10

// judgeHeaders judges the size of what is sent with each request.
func judgeHeaders(id *signer.Identity) *Finding {
	size := base64.StdEncoding.EncodedLen(len(id.Leaf().Raw))
	for _, c := range id.Chain() {
		size += 1 + base64.StdEncoding.EncodedLen(len(c.Raw))
	}
	seen := fmt.Sprintf("%d bytes", size)
	if size > maxHeaders {
		return warning(seen, "proxies refuse long headers: have shorter certificates issued, with fewer names and extensions")
	}
	return ok(seen)
}
