package issuance

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"

	"kedge/internal/dn"
)

// subjects returns the distinguished names that text can mean, as pkix.RDNSequence prints them. RFC
// 4514 starts with the last RDN, openssl with the first, and the text does not show which program
// wrote it, so both orders are returned, and the order in which pkix.Name writes its attributes.
func subjects(text string) []string {
	name, ok := dn.Parse(text)
	if !ok {
		return nil
	}
	backward := slices.Clone(name)
	slices.Reverse(backward)
	var sorted pkix.Name
	sorted.FillFromRDNSequence(&name)
	found := []string{name.String()}
	for _, other := range []string{backward.String(), sorted.String()} {
		if !slices.Contains(found, other) {
			found = append(found, other)
		}
	}
	return found
}

// onlyCommonName returns the common name if text is a distinguished name with nothing else.
func onlyCommonName(text string) (string, bool) {
	name, ok := dn.Parse(text)
	if !ok || len(name) != 1 || len(name[0]) != 1 || !name[0][0].Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}) {
		return "", false
	}
	value, ok := name[0][0].Value.(string)
	return value, ok
}
