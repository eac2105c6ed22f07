package session

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode/utf8"
)

// suffixes returns under which domains a partition's services stand.
//
// Source: partitions.json of the AWS SDKs. In the isolated partitions the service may not
// be there; the names are.
func suffixes(partition string) (plain, dualStack string, known bool) {
	switch partition {
	case "aws", "aws-us-gov":
		return "amazonaws.com", "api.aws", true
	case "aws-cn":
		return "amazonaws.com.cn", "api.amazonwebservices.com.cn", true
	case "aws-eusc":
		return "amazonaws.eu", "api.amazonwebservices.eu", true
	case "aws-iso":
		return "c2s.ic.gov", "api.aws.ic.gov", true
	case "aws-iso-b":
		return "sc2s.sgov.gov", "api.aws.scloud", true
	case "aws-iso-e":
		return "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", true
	case "aws-iso-f":
		return "csp.hci.ic.gov", "api.aws.hci.ic.gov", true
	}
	return "", "", false
}

// endpoint is where cfg sends its requests: the address given, or the one of partition and
// region.
func endpoint(cfg Config, partition, region string) (*url.URL, error) {
	if cfg.Endpoint != "" {
		return givenEndpoint(cfg)
	}
	suffix, dualStack, known := suffixes(partition)
	if !known {
		return nil, wrong("Endpoint", "partition %q is not known: give the endpoint of its IAM Roles Anywhere", partition)
	}
	if cfg.DualStack {
		suffix = dualStack
	}
	service := "rolesanywhere"
	if cfg.FIPS {
		service = "rolesanywhere-fips"
	}
	return &url.URL{Scheme: "https", Host: strings.Join([]string{service, region, suffix}, ".")}, nil
}

// stsEndpoint is where STS is asked: the address given, or the regional one. Its FIPS endpoints in
// aws-us-gov are the plain ones.
//
// Source: the endpoint rules of aws-sdk-go-v2/service/sts.
func stsEndpoint(cfg Config, partition, region string) (*url.URL, error) {
	if cfg.Endpoint != "" {
		return givenEndpoint(cfg)
	}
	suffix, dualStack, known := suffixes(partition)
	if !known {
		return nil, wrong("Endpoint", "partition %q is not known: give the endpoint of its STS", partition)
	}
	service := "sts"
	if cfg.FIPS && (cfg.DualStack || partition != "aws-us-gov") {
		service = "sts-fips"
	}
	if cfg.DualStack {
		suffix = dualStack
	}
	return &url.URL{Scheme: "https", Host: strings.Join([]string{service, region, suffix}, ".")}, nil
}

// givenEndpoint reads an address that was typed. A scheme is not guessed: of the two, one
// would send credentials in clear text.
func givenEndpoint(cfg Config) (*url.URL, error) {
	given := brief(cfg.Endpoint)
	if cfg.FIPS || cfg.DualStack {
		return nil, wrong("Endpoint", "endpoint %q is given: FIPS and dual stack choose between the endpoints of AWS", given)
	}
	if strings.Contains(cfg.Endpoint, "@") {
		// The value is not repeated: it may hold a password.
		return nil, wrong("Endpoint", "the endpoint has a user name in it, which the service has no use for")
	}
	if !strings.Contains(cfg.Endpoint, "://") {
		return nil, wrong("Endpoint", "endpoint %q has no scheme: put https:// before it", given)
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return nil, wrong("Endpoint", "endpoint %q is not an address like https://host", given)
	}
	if problem := badEndpoint(u, cfg); problem != "" {
		return nil, wrong("Endpoint", "endpoint %q %s", given, problem)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// badEndpoint describes what is wrong with u, as the end of a sentence about it.
func badEndpoint(u *url.URL, cfg Config) string {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Sprintf("has the scheme %.20q, not https", u.Scheme)
	case u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
		return "has no host, or a colon without a port"
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r == '%' || r >= utf8.RuneSelf }):
		return "has a host that is not sent as it is signed: write it in ASCII (xn--…), without a zone"
	case strings.ContainsAny(cfg.Endpoint, "?#"):
		return "has a query or a fragment, which an endpoint cannot have"
	case u.Scheme == "http" && !isLoopback(u.Hostname()) && !cfg.InsecureSkipVerify:
		return "would send the credentials in clear text: use https, or a loopback address"
	}
	return ""
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
