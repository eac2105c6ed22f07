package main

import "kedge/internal/certinfo"

// issuedJSON is a certificate that was issued, with its files, in lists.
type issuedJSON struct {
	certinfo.Certificate
	Files identityFiles `json:"files"`
}
