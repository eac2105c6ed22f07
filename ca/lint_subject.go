package ca

import (
	"crypto/x509"
	"slices"
)

// subjectRules are the names of the rules about the text in a subject alone.
func subjectRules() []string {
	return []string{"common-name-length", "attribute-length", "attribute-spaces", "source-identity", "tag-characters", "tag-length"}
}

// CheckSubject checks a name for which a certificate will be requested: the subject that the profile makes of
// it must keep the lint rules that are about its text. Otherwise the error is the *[LintError] that
// [Authority.PrepareLeaf] would return. Warnings that the profile allows are none. It does not do what
// [Profile.CheckName] does.
func (p *Profile) CheckSubject(name string) error {
	sequence := p.subject.name(name).ToRDNSequence()
	cert := &x509.Certificate{Version: 3}
	cert.Subject.FillFromRDNSequence(&sequence) // rules read Names
	s := &subject{Certificate: cert, kind: leaf, tags: addTags(nil, "x509Subject/", cert.Subject)}
	var findings []Finding
	for r := range rules() {
		if slices.Contains(subjectRules(), r.name) {
			findings = append(findings, r.findings(s)...)
		}
	}
	return Refuse(cert, findings, p.allowed)
}
