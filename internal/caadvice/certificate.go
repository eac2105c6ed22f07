package caadvice

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/advice"
	"kedge/internal/pemread"
	"kedge/internal/safefile"
)

// certificate is about what is not issued.
func certificate() advice.Table {
	return advice.Table{
		advice.About(func(e *safefile.LeftoverError) string {
			return "find out who put it there, move " + e.File + " away, and run the same again: that makes a new key"
		}),
		advice.About(func(e *ca.LintError) string { return lint(e.Findings) }),
		advice.About(refusedSAN),
		advice.Kind[*ca.SubjectError]("make the request with UTF-8 strings (openssl: string_mask = utf8only); \"kedge-ca sign\" takes the name from --name instead"),
		advice.About(func(e *pemread.Error) string {
			if e.Reason != pemread.Cut && e.Reason != pemread.Damaged {
				return ""
			}
			return "copy the file again, as a file and not from a screen or a mail, with all of it from BEGIN to END"
		}),
		advice.About(otherKind),
		advice.About(func(e *ca.ProfileError) string {
			return fmt.Sprintf("ask for what the profile allows, or change %s of profile %q in the configuration", e.Key, e.Profile)
		}),
		advice.About(noMatch),
		advice.Kind[*issuance.RootRevocationError]("take the trust anchor away at IAM Roles Anywhere, or rotate to a new one"),
		advice.Kind[*issuance.ForgottenError]("if the ledger was restored from an older backup, take the list into it: kedge-ca crl --take-list; if it was never meant: kedge-ca crl --drop-list"),
		advice.Kind[*issuance.OddListError]("if it is not needed, move it away: it is not overwritten, since it may revoke certificates of which the ledger has no record"),
		advice.Kind[*issuance.NoBaseError]("make a complete list first, without --delta"),
	}
}

// otherKind is about a file with something else than what it is read for.
func otherKind(e *ca.OtherKindError) string {
	isKey := slices.ContainsFunc([]pemread.Kind{pemread.PrivateKey, pemread.EncryptedKey, pemread.OpenSSHKey, pemread.TPMKey, pemread.PublicKey},
		func(k pemread.Kind) bool { return e.Found == k.String() })
	if e.Wanted == pemread.Request.String() {
		switch {
		case isKey:
			return "the key stays on its host, which makes a request with it: kedge csr --private-key FILE --name NAME, or openssl req -new -key FILE -subj /CN=NAME"
		case e.Found == pemread.Certificate.String():
			return `"kedge-ca renew NAME" renews a certificate of this CA; for another the host makes a request with its key: kedge csr --private-key FILE --name NAME`
		}
		return "give the file of the request, which in PEM begins with -----BEGIN CERTIFICATE REQUEST-----"
	}
	switch {
	case isKey:
		return "give the file of the certificate that was issued for the key"
	case e.Found == pemread.Request.String():
		return "a request becomes a certificate when a CA signs it: kedge-ca sign FILE --out NAME.pem"
	case e.Found == pemread.RevocationList.String():
		return "a revocation list is printed by: openssl crl -noout -text -in FILE"
	}
	return "give the file of a certificate, which in PEM begins with -----BEGIN CERTIFICATE-----"
}

// noMatch is about a text that names no certificate.
func noMatch(e *issuance.NoMatchError) string {
	const list = "kedge-ca list shows what is in the ledger"
	switch {
	case e.Subject != "":
		return "it is of another CA, or was issued after the backup from which the ledger was restored; " + list
	case strings.HasPrefix(e.Text, "arn:"), strings.HasPrefix(e.Text, "AROA"):
		return "the host chose the name of that session: take the sourceIdentity of the same event in CloudTrail; " + list
	case e.NoFile:
		return "check the path of the file; " + list
	}
	return list
}

// refusedSAN is about a certificate request with an alternative name that cannot be.
func refusedSAN(e *ca.SANError) string {
	hint := "leave out with --drop-sans what is refused: IAM Roles Anywhere needs no subject alternative name"
	if by, ok := errors.AsType[*ca.ProfileError](e); ok {
		hint += fmt.Sprintf("; or change %s of profile %q in the configuration", by.Key, by.Profile)
	}
	return hint
}

// lint advises on what the service would refuse, or on how warnings are allowed. Errors come first.
func lint(findings []ca.Finding) string {
	has := func(rule string) bool {
		return slices.ContainsFunc(findings, func(f ca.Finding) bool { return f.Rule == rule })
	}
	switch {
	case len(findings) == 0:
		return ""
	case has("tag-characters"):
		return "IAM Roles Anywhere makes session tags of the names in a certificate and would refuse this one"
	case has("ca-ext-key-usage"), has("issuer-ext-key-usage"):
		return "have that CA certificate made again for the same key, without extended key usages or with clientAuth among them, by the CA that signed it"
	case findings[0].Severity == ca.Error:
		return "IAM Roles Anywhere would refuse it, or whoever verifies it, so it cannot be allowed; the rule is in: " + findings[0].Source
	}
	var flags []string
	for _, f := range findings {
		if flag := "--allow " + f.Rule; !slices.Contains(flags, flag) {
			flags = append(flags, flag)
		}
	}
	allow := strings.Join(flags, " ")
	if has("anchor-size") {
		return "it cannot be registered; if an intermediate with a smaller key is what will be, repeat it with " + allow
	}
	return "if that is meant, repeat it with " + allow + ", or, for leaves, list what is allowed under allow_warnings of the profile"
}
