package emulator

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kedge/internal/emulator/iam"
)

// maxFile bounds the size of a configuration and of the files it names.
const maxFile = 1 << 20

// configFile is the JSON form of a Config. Files are named relative to it, durations are
// seconds, as in the APIs of AWS.
type configFile struct {
	Region       string `json:"region"`
	Account      string `json:"account"`
	State        string `json:"state"`
	CloudTrail   string `json:"cloudTrail"` // the file of events
	TrustAnchors []struct {
		ARN          string   `json:"arn"`
		Alias        string   `json:"aliasName"`
		Certificates string   `json:"certificates"` // a PEM file
		CRLs         []string `json:"crls"`         // PEM or DER files
		Disabled     bool     `json:"disabled"`
	} `json:"trustAnchors"`
	Profiles []struct {
		ARN                   string   `json:"arn"`
		Alias                 string   `json:"aliasName"`
		RoleARNs              []string `json:"roleArns"`
		DurationSeconds       *int64   `json:"durationSeconds"`
		AcceptRoleSessionName bool     `json:"acceptRoleSessionName"`
		Disabled              bool     `json:"disabled"`
	} `json:"profiles"`
	Roles []struct {
		ARN                string         `json:"arn"`
		MaxSessionDuration *int64         `json:"maxSessionDuration"`
		TrustAnchorARNs    []string       `json:"trustAnchorArns"`
		ExternalID         string         `json:"externalId"`
		Actions            []string       `json:"actions"`
		TrustPolicy        jsontext.Value `json:"trustPolicy"` // the document, or the name of its file

		Policies            map[string]jsontext.Value `json:"policies"` // inline: documents, or the names of their files
		ManagedPolicyARNs   []string                  `json:"managedPolicyArns"`
		PermissionsBoundary string                    `json:"permissionsBoundary"` // ARN of a managed policy
	} `json:"roles"`
	Users []struct {
		ARN             string `json:"arn"`
		AccessKeyID     string `json:"accessKeyId"`
		SecretAccessKey string `json:"secretAccessKey"`

		Policies            map[string]jsontext.Value `json:"policies"` // as of roles
		ManagedPolicyARNs   []string                  `json:"managedPolicyArns"`
		PermissionsBoundary string                    `json:"permissionsBoundary"`
	} `json:"users"`
	Policies []struct {
		ARN      string         `json:"arn"`
		Document jsontext.Value `json:"document"` // the document, or the name of its file
	} `json:"policies"`
	Conditions conditionsFile `json:"conditions"`
	Faults     []string       `json:"faults"` // as ParseFault reads them
}

// ReadConfig reads a configuration file and the certificates and CRLs it names:
//
//	{
//	  "region": "eu-central-1", "account": "111122223333", "state": "state", "cloudTrail": "events.json",
//	  "trustAnchors": [{"arn": "…", "aliasName": "team/ca", "certificates": "ca.pem", "crls": ["ca.crl"], "disabled": false}],
//	  "profiles": [{"arn": "…", "aliasName": "team/web", "roleArns": ["…"], "durationSeconds": 3600, "acceptRoleSessionName": false, "disabled": false}],
//	  "roles": [{"arn": "…", "maxSessionDuration": 3600, "trustAnchorArns": ["…"], "externalId": "…", "actions": ["sts:AssumeRole"]},
//	    {"arn": "…", "trustPolicy": {"Version": "2012-10-17", "Statement": […]}}, {"arn": "…", "trustPolicy": "trust.json"}],
//	  "users": [{"arn": "…", "accessKeyId": "AKIA…", "secretAccessKey": "…"}],
//	  "policies": [{"arn": "…", "document": "read.json"}],
//	  "conditions": {"requestRate": 1, "propagationDelaySeconds": 10, "staleReads": false, "lostAnswers": 0.1, "seed": 7},
//	  "faults": ["iam:lost@3", "throttle*2"]
//	}
//
// Roles and users may have policies: "policies": {"NAME": {"Version": …}, "NAME": "read.json"}, "managedPolicyArns": ["…"],
// "permissionsBoundary": "…".
// Everything may be left out, as in [Config]. A member it does not know is an *[UnknownMemberError]. The
// errors name the file; what the members mean together is checked by [New].
func ReadConfig(path string) (Config, error) {
	data, err := ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	var f configFile
	if err := json.Unmarshal(data, &f, json.RejectUnknownMembers(true)); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, configProblem(data, err))
	}
	c, err := f.config(filepath.Dir(path))
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (f configFile) config(dir string) (Config, error) {
	c := Config{Region: f.Region, Account: f.Account}
	if f.State != "" {
		c.StateDir = under(dir, f.State)
	}
	if f.CloudTrail != "" {
		c.CloudTrail = under(dir, f.CloudTrail)
	}
	for _, t := range f.TrustAnchors {
		path := under(dir, t.Certificates)
		certificates, err := ReadFile(path)
		if err != nil {
			return Config{}, err
		}
		anchor := TrustAnchor{ARN: t.ARN, Alias: t.Alias, File: path, Certificates: certificates, Disabled: t.Disabled}
		for _, name := range t.CRLs {
			list, err := ReadFile(under(dir, name))
			if err != nil {
				return Config{}, err
			}
			anchor.CRLs = append(anchor.CRLs, list)
		}
		c.TrustAnchors = append(c.TrustAnchors, anchor)
	}
	for _, p := range f.Profiles {
		duration, err := optionalSeconds(p.DurationSeconds)
		if err != nil {
			return Config{}, fmt.Errorf("durationSeconds: %w", err)
		}
		c.Profiles = append(c.Profiles, Profile{p.ARN, p.Alias, p.RoleARNs, duration, p.AcceptRoleSessionName, p.Disabled})
	}
	for _, r := range f.Roles {
		duration, err := optionalSeconds(r.MaxSessionDuration)
		if err != nil {
			return Config{}, fmt.Errorf("maxSessionDuration: %w", err)
		}
		trust, err := documentOf(dir, r.TrustPolicy, checkTrustText)
		if err != nil {
			return Config{}, fmt.Errorf("trustPolicy: %w", err)
		}
		permissions, err := permissionsOf(dir, r.Policies, r.ManagedPolicyARNs, r.PermissionsBoundary)
		if err != nil {
			return Config{}, err
		}
		c.Roles = append(c.Roles, Role{
			ARN: r.ARN, MaxSessionDuration: duration, TrustAnchorARNs: r.TrustAnchorARNs, ExternalID: r.ExternalID,
			Actions: r.Actions, TrustPolicy: trust, Permissions: permissions,
		})
	}
	if err := f.addUsers(dir, &c); err != nil {
		return c, err
	}
	return c, f.addConditions(&c)
}

// addUsers adds the users and the managed policies.
func (f configFile) addUsers(dir string, c *Config) error {
	for _, u := range f.Users {
		permissions, err := permissionsOf(dir, u.Policies, u.ManagedPolicyARNs, u.PermissionsBoundary)
		if err != nil {
			return err
		}
		c.Users = append(c.Users, User{u.ARN, u.AccessKeyID, u.SecretAccessKey, permissions})
	}
	for _, p := range f.Policies {
		document, err := documentOf(dir, p.Document, checkIdentityText)
		if err != nil {
			return fmt.Errorf("policy %s: %w", p.ARN, err)
		}
		c.Policies = append(c.Policies, iam.PolicyConfig{ARN: p.ARN, Document: document})
	}
	return nil
}

// optionalSeconds returns 0, the default, for a missing value.
func optionalSeconds(n *int64) (time.Duration, error) {
	if n == nil {
		return 0, nil
	}
	return Seconds(*n)
}

// Seconds refuses numbers that no session can have, and 0, before the multiplication overflows or
// the result is taken for a default. [New] checks the narrower limits of profiles and roles.
func Seconds(n int64) (time.Duration, error) {
	if most := int64(maxDuration / time.Second); n < 1 || n > most {
		return 0, fmt.Errorf("%d seconds is not between 1 and %d", n, most)
	}
	return time.Duration(n) * time.Second, nil
}

func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// ReadFile reads a certificate, a CRL or a configuration: at most 1 MiB, from a file or a pipe.
// Its errors name the path.
func ReadFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if kind := info.Mode().Type(); kind != 0 && kind != fs.ModeNamedPipe {
		return nil, fmt.Errorf("%s: a directory or a device, not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxFile)
	}
	return data, nil
}
