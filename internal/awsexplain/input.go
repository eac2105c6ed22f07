package awsexplain

import (
	"crypto/x509"
	"time"

	"kedge/internal/awsplan"
)

// Input is what was read.
type Input struct {
	Now     time.Time
	Host    Host
	Uses    ARNs                // that the host uses
	Ours    ARNs                // that the folder and the configuration of the CA have; empty: not known
	Roots   []*x509.Certificate // that the trust anchor should have
	Owners  []awsplan.Owner     // the CA, by the tags of its objects
	Role    Described
	Account Account
	Report  *HostReport // of kedge doctor; nil: there is none
}

// ARNs are what a host names in CreateSession. Those of the trust anchor and the profile can be of aliases.
type ARNs struct{ TrustAnchor, Profile, Role string }

// Host is a host as the ledger has it.
type Host struct {
	Name        string
	Certificate *x509.Certificate   // that it uses, or the newest; nil: the ledger has none
	Path        []*x509.Certificate // above it, from its issuer to the root
	State       string              // of the certificate: issuance.Host.State
	RevokedAt   time.Time           // of one that is revoked
	Reason      string              // of the revocation
	Newer       string              // the serial number of a newer certificate of the host; empty: there is none
	Enrolled    bool                // by the ledger, it made its key itself, and renews from a server
	Denied      string              // since when and why it may not renew; empty: it may
	Copied      bool                // another key wanted to renew its certificate
	List        int64               // the number of the last list of its issuer; 0: there is none
}

// Described is a role in the configuration of the CA.
type Described struct {
	Name  string   // empty: the configuration does not describe it
	Gives bool     // by the configuration, the host gets it
	Hosts []string // that get the role by its trust policy as it is
}

// Account is what was read at AWS. No answer is there if the credentials are of another account.
type Account struct {
	ID      string
	Region  string
	Caller  string // ARN
	Anchor  Answer[awsplan.FoundAnchor]
	Others  Answer[[]string] // ARNs of other trust anchors with a root of the CA, where Anchor is missing
	Profile Answer[Profile]
	Role    Answer[awsplan.FoundRole]
	Lists   Answer[[]List] // of the trust anchor
	Subject Answer[Subject]
}

// Answer is what AWS has of an object.
type Answer[T any] struct {
	Value  *T     // nil: there is none
	Denied string // the right without which it was not shown, such as iam:GetRole
}

// Profile is a profile of IAM Roles Anywhere.
type Profile struct {
	awsplan.FoundProfile
	AcceptsSessionName bool
	SessionPolicy      string              // empty: none
	ManagedPolicies    []string            // ARNs
	Mapping            map[string][]string // specifiers by certificate field
}

// List is a revocation list that was imported.
type List struct {
	ARN     string
	Enabled bool
	Parsed  *x509.RevocationList // nil: it cannot be read
}

// Subject is what AWS has seen of hosts with a distinguished name.
type Subject struct {
	Enabled  bool
	LastSeen time.Time
	Failed   bool // the last request was refused
}
