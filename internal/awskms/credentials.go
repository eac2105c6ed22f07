package awskms

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"kedge/internal/awssdk"
)

// hanging returns where credentials come from if that may be IAM Roles Anywhere: then the certificate for
// them may be issued by the very CA whose key they open, and once it has expired neither can be renewed.
// It is empty otherwise.
//
// It sees a credential_process that runs kedge or the official helper, and endpoints on this machine, as
// kedge serve has them. It does not see credentials that a variable holds, as kedge exec sets them, nor
// which CA issued the certificate.
func hanging(c aws.Config) string {
	sources, ok := c.Credentials.(aws.CredentialProviderSource)
	if !ok {
		return ""
	}
	for _, source := range sources.ProviderSources() {
		switch source {
		case aws.CredentialSourceProfileProcess:
			if profile, ok := helperProfile(c.ConfigSources); ok {
				return fmt.Sprintf("credential_process of the profile %q", profile)
			}
		case aws.CredentialSourceHTTP:
			if awssdk.IsLocal(environment(c.ConfigSources).ContainerCredentialsEndpoint) {
				return "AWS_CONTAINER_CREDENTIALS_FULL_URI, an endpoint on this machine"
			}
		case aws.CredentialSourceIMDS:
			if awssdk.IsLocal(metadataEndpoint(c.ConfigSources)) {
				return "AWS_EC2_METADATA_SERVICE_ENDPOINT or ec2_metadata_service_endpoint, an endpoint on this machine"
			}
		}
	}
	return ""
}

// helperProfile returns the profile whose credential_process runs a helper: the one in use, or one that it
// names with source_profile.
func helperProfile(sources []any) (profile string, ok bool) {
	for _, s := range sources {
		shared, ok := s.(config.SharedConfig)
		if !ok {
			continue
		}
		for p := &shared; p != nil; p = p.Source {
			if runsHelper(p.CredentialProcess) {
				return p.Profile, true
			}
		}
	}
	return "", false
}

// runsHelper reports whether a word of a command line is the path of a program that gets credentials of
// IAM Roles Anywhere.
func runsHelper(line string) bool {
	for word := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(" \t\"'", r) }) {
		name := filepath.Base(strings.ReplaceAll(word, `\`, "/"))
		if slices.Contains([]string{"kedge", "aws_signing_helper"}, strings.TrimSuffix(strings.ToLower(name), ".exe")) {
			return true
		}
	}
	return false
}

func environment(sources []any) config.EnvConfig {
	for _, s := range sources {
		if e, ok := s.(config.EnvConfig); ok {
			return e
		}
	}
	return config.EnvConfig{}
}

// metadataEndpoint returns the endpoint of IMDS that the environment names, else the profile.
func metadataEndpoint(sources []any) string {
	for _, s := range sources {
		if named, ok := s.(interface {
			GetEC2IMDSEndpoint() (string, bool, error)
		}); ok {
			if endpoint, found, err := named.GetEC2IMDSEndpoint(); found && err == nil {
				return endpoint
			}
		}
	}
	return ""
}

func (u URI) warnings(s *service) []string {
	if s.hanging == "" {
		return nil
	}
	return []string{fmt.Sprintf("the AWS credentials for %s come from %s, and perhaps by a certificate of this CA: once that has expired, the CA cannot sign another; give the CA credentials that need no certificate of its own", u, s.hanging)}
}
