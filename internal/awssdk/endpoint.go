package awssdk

import (
	"net/netip"
	"net/url"
	"strings"
)

// CheckEndpoint refuses an endpoint to which requests would cross a network in the clear: whoever is on the path could
// answer in the place of AWS. nil is that of AWS. named lists the settings that can name an endpoint. The error is an *Error.
func CheckEndpoint(endpoint *string, named string) error {
	if endpoint == nil {
		return nil
	}
	u, err := url.Parse(*endpoint)
	switch {
	case err != nil || u.Hostname() == "":
		return &Error{"the endpoint in " + named + " is not a URL", nil}
	case u.Scheme == "https", u.Scheme == "http" && IsLocal(*endpoint):
		return nil
	}
	return &Error{"the endpoint in " + named + " must be https; http is for this machine only", nil}
}

// IsLocal reports whether a URL is of this machine. 169.254.170.2 and such, of ECS and EKS, are not.
func IsLocal(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return err == nil && address.IsLoopback() || strings.EqualFold(u.Hostname(), "localhost")
}
