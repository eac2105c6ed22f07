package awskms

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// scheme is that of the URIs of go.step.sm/crypto, too.
const scheme = "awskms:"

// URI names a key in AWS KMS, or one that is to be made. It has no secret: credentials come from
// where the AWS SDKs have them.
type URI struct {
	// KeyID is the ID or the ARN of the key, or the name or the ARN of an alias. The case of letters
	// counts.
	KeyID string
	// Name is the alias of a key that is to be made, without "alias/".
	Name string
	// Region is where the key is. Empty: that of the ARN, of AWS_REGION or of the profile.
	Region string
	// Profile is the profile of ~/.aws/config that has the credentials. Empty: AWS_PROFILE.
	Profile string
}

// IsURI reports whether s is meant as a URI of a key in AWS KMS.
func IsURI(s string) bool {
	return len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme)
}

// ParseURI parses awskms:key-id=ID;region=REGION;profile=PROFILE, or with name=NAME instead of key-id for
// a key that is to be made. Values are percent-encoded where they have other characters. Errors never
// show a value.
func ParseURI(s string) (u URI, err error) {
	if !IsURI(s) {
		return URI{}, errors.New(`URI of a KMS key: it does not begin with "awskms:"`)
	}
	to := map[string]*string{"key-id": &u.KeyID, "name": &u.Name, "region": &u.Region, "profile": &u.Profile}
	seen := map[string]bool{}
	for attribute := range strings.SplitSeq(s[len(scheme):], ";") {
		name, value, ok := strings.Cut(attribute, "=")
		field := to[name]
		switch {
		case !ok || strings.ContainsAny(attribute, "?#"):
			return URI{}, errors.New("URI of a KMS key: write awskms:key-id=ID;region=REGION, with ; between the attributes")
		case name == "credentials-file":
			return URI{}, errors.New("URI of a KMS key: credentials-file is not read; set AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE, or name a profile")
		case field == nil:
			return URI{}, errors.New("URI of a KMS key: it can have key-id, name, region and profile, and nothing else; it holds no secret")
		case seen[name]:
			return URI{}, fmt.Errorf("URI of a KMS key: %s is there twice", name)
		}
		seen[name] = true
		if *field, err = url.QueryUnescape(value); err != nil || *field == "" {
			return URI{}, fmt.Errorf("URI of a KMS key: %s is empty, or not percent-encoded", name)
		}
	}
	if err := u.complete(); err != nil {
		return URI{}, fmt.Errorf("URI of a KMS key: %w", err)
	}
	return u, nil
}

// complete checks the values, and takes the region from an ARN.
func (u *URI) complete() error {
	switch {
	case u.KeyID == "" && u.Name == "":
		return errors.New("it names no key; give key-id=ID")
	case u.KeyID != "" && u.Name != "":
		return errors.New("key-id is for a key that is there, name for one that is to be made; give one of them")
	case u.Region != "" && !matches(`[a-z0-9-]+`, u.Region):
		return errors.New("region is not the name of one, such as eu-central-1")
	case u.Name != "":
		return checkName(u.Name)
	case !matches(`([A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+|arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+))`, u.KeyID):
		return errors.New("key-id is none of: the ID of a key, its ARN, alias/NAME, the ARN of an alias")
	}
	if arn := strings.Split(u.KeyID, ":"); len(arn) > 3 {
		if u.Region != "" && u.Region != arn[3] {
			return errors.New("region is another than that of the ARN")
		}
		u.Region = arn[3]
	}
	return nil
}

// checkName checks the name of a new alias: AWS KMS API Reference, CreateAlias.
func checkName(name string) error {
	if !matches(`[A-Za-z0-9/_-]{1,250}`, name) {
		return errors.New("name can have 250 letters, digits, and / _ - between them; it begins without alias/")
	}
	if strings.HasPrefix(name, "aws/") || strings.HasPrefix(name, "alias/") {
		return errors.New("name must begin neither with alias/, which is added, nor with aws/, which is for AWS")
	}
	return nil
}

func matches(pattern, s string) bool {
	return len(s) <= 2048 && regexp.MustCompile("^"+pattern+"$").MatchString(s)
}

// String returns the URI as ParseURI takes it.
func (u URI) String() string {
	var attributes []string
	for _, a := range []struct{ name, value string }{{"key-id", u.KeyID}, {"name", u.Name}, {"region", u.Region}, {"profile", u.Profile}} {
		if a.value != "" {
			attributes = append(attributes, a.name+"="+escape(a.value))
		}
	}
	return scheme + strings.Join(attributes, ";")
}

// escape leaves what an ARN is made of as people read it.
func escape(s string) string {
	return strings.NewReplacer("%3A", ":", "%2F", "/", "+", "%20").Replace(url.QueryEscape(s))
}
