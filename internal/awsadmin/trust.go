package awsadmin

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"kedge/ca"
	"kedge/internal/awsplan"
	"kedge/internal/cadir"
	"kedge/internal/emulator/policy"
)

// The most characters of a trust policy, without white space: by default, and if the quota is raised
// (IAMG reference_iam-quotas, "Role trust policy length").
const (
	DefaultTrustLength = policy.MaxTrustSize
	MaxTrustLength     = 4096
)

// Trust specifies a trust policy that gives a role to hosts, by their certificates or by the role that
// they have already.
type Trust struct {
	Hosts Hosts
	// Anchor is the ARN of the trust anchor that hosts use for CreateSession, not of an alias: a name is
	// unique only within one CA. It has no meaning with Hubs.
	Anchor string
	// Hubs are the ARNs of roles by which hosts assume this one, of another account, say. Their trust policies
	// must let in hosts of this CA alone: whoever else gets such a role with sts:SetSourceIdentity chooses the
	// source identity, and so the host.
	Hubs []string
	// MaxLength is the most characters that the account takes; 0: DefaultTrustLength. More than MaxTrustLength
	// counts as that.
	MaxLength int
}

// ErrNoAnchor is returned for a trust policy without a trust anchor: any CA that somebody registers in
// the account could name hosts.
var ErrNoAnchor = errors.New("the trust anchor of the hosts is not known here")

// LengthError reports a trust policy that IAM would refuse.
type LengthError struct{ Length, Max int }

func (e *LengthError) Error() string {
	return fmt.Sprintf("the trust policy has %d characters, and IAM takes %d", e.Length, e.Max)
}

// Policy returns the document, as JSON that ends with a newline. Each of the three actions of
// CreateSession is allowed, since each is authorized by itself (G trust-model).
//
// Along a chain there is no aws:SourceArn, and tags are passed on only if they are transitive: hosts are
// known by their source identity, which nobody can change (STS AssumeRole, SourceIdentity), and else by
// the tags of the session that assumes the role.
func (t Trust) Policy() ([]byte, error) {
	conditions, err := t.conditions()
	if err != nil {
		return nil, err
	}
	s := statement{Effect: policy.Allow, Action: []string{policy.AssumeRole, policy.TagSession, policy.SetSourceIdentity}, Condition: conditions}
	s.Principal = map[string]any{"Service": policy.RolesAnywhere}
	if len(t.Hubs) > 0 {
		s.Principal = map[string]any{"AWS": oneOrMore(t.Hubs)}
		s.Action = []string{policy.AssumeRole, policy.SetSourceIdentity}
	}
	text, err := encode(document{Version: "2012-10-17", Statement: []statement{s}})
	if err != nil {
		return nil, err
	}
	limit := min(cmp.Or(t.MaxLength, DefaultTrustLength), MaxTrustLength)
	if n := policy.Trust.Size(string(text)); n > limit {
		return nil, &LengthError{Length: n, Max: limit}
	}
	return text, nil
}

// document is a policy as JSON, in the order in which people write it.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    policy.Effect
	Principal map[string]any `json:",omitempty"`
	Action    []string
	Resource  any        `json:",omitempty"`
	Condition conditions `json:",omitempty"`
}

// conditions are operator, key and values.
type conditions map[string]map[string]any

func (c conditions) add(operator, key string, values []string) {
	if c[operator] == nil {
		c[operator] = map[string]any{}
	}
	c[operator][key] = oneOrMore(values)
}

func oneOrMore(values []string) any {
	if len(values) == 1 {
		return values[0]
	}
	return values
}

func (t Trust) conditions() (conditions, error) {
	criteria, err := t.Hosts.criteria()
	if err != nil {
		return nil, err
	}
	all := conditions{}
	if err := t.addSource(all); err != nil {
		return nil, err
	}
	for _, c := range criteria {
		operator, key := "StringEquals", "aws:PrincipalTag/"+c.tag
		if c.patterns {
			operator = "StringLike"
		}
		if c.tag == tagName && len(t.Hubs) > 0 {
			key = "aws:SourceIdentity"
			if c.values, err = sourceIdentities(c.values); err != nil {
				return nil, err
			}
		}
		all.add(operator, key, c.values)
	}
	return all, nil
}

// addSource adds the condition on the trust anchor (G trust-model: the confused deputy).
func (t Trust) addSource(all conditions) error {
	for _, hub := range t.Hubs {
		if _, err := cadir.ParseRole(hub); err != nil {
			return err
		}
	}
	switch {
	case len(t.Hubs) > 0:
		return nil
	case t.Anchor == "":
		return ErrNoAnchor
	}
	if _, err := cadir.ParseARN(t.Anchor, cadir.TrustAnchorARN); err != nil {
		return err
	}
	all.add("ArnEquals", "aws:SourceArn", []string{t.Anchor})
	return nil
}

// sourceIdentities returns what sessions of certificates with these common names have as source
// identity, in the syntax of IAM.
func sourceIdentities(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		if !isIdentity(strings.ReplaceAll(name, "*", "")) {
			return nil, &ValueError{Tag: tagName, Value: name, Err: errIdentity}
		}
		all = append(all, ca.SourceIdentity(&x509.Certificate{Subject: pkix.Name{CommonName: name}}))
	}
	return all, nil
}

var errIdentity = errors.New("a source identity has letters, digits and _+=,.@- only")

// isIdentity reports whether a source identity can have these characters (STS AssumeRole, SourceIdentity).
func isIdentity(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("_+=,.@-", r)
	})
}

// encode writes JSON with the characters that a person would write.
func encode(d document) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(d)
	return []byte(awsplan.EscapeAbove(b.String(), awsplan.MaxDocumentRune)), err
}
