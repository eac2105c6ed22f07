package awsaccount

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// checkEndpoint refuses an endpoint to which requests would cross a network in the clear: whoever is on the path
// could answer in the place of AWS.
func checkEndpoint(endpoint *string) error {
	if endpoint == nil {
		return nil
	}
	u, err := url.Parse(*endpoint)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("the endpoint in --endpoint-url, AWS_ENDPOINT_URL… or endpoint_url is not a URL")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("the endpoint in --endpoint-url, AWS_ENDPOINT_URL… or endpoint_url must be https; http is for this machine only")
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}
