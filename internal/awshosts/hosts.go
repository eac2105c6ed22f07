package awshosts

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/ca/ledger"
	"kedge/internal/awsaccount"
)

// The states of a host, the first that applies.
const (
	Unknown  = "unknown"  // a subject of which the ledger has no certificate: of another CA, or issued past the ledger
	Failing  = "failing"  // its last request was refused; known with details only
	Disabled = "disabled" // its subject was disabled
	Never    = "never"    // a valid certificate of which AWS has seen no session
	Ended    = "ended"    // a subject with certificates in the ledger, of which none is a valid one of a host
	Seen     = "seen"
)

// Host is a host as AWS and the ledger have it.
type Host struct {
	Subject  string     `json:"subject"` // RFC 2253
	State    string     `json:"state"`
	LastSeen *time.Time `json:"last_seen,omitempty"` // the last session
	Serial   string     `json:"serial,omitempty"`    // of the newest valid certificate in the ledger
	NotAfter *time.Time `json:"not_after,omitempty"` // of the same
	ARN      string     `json:"subject_arn,omitempty"`
}

// Ledger is what is asked of a ledger.
type Ledger interface {
	// ValidHosts yields the newest valid certificate of each host.
	ValidHosts(ctx context.Context) iter.Seq2[ledger.Certificate, error]
	// HasSubject reports whether there is or was a certificate with this distinguished name.
	HasSubject(ctx context.Context, subject string) (bool, error)
}

// pace is the time between two questions about single subjects (IAM Roles Anywhere User Guide, "Quotas").
const pace = time.Second

// List returns all hosts: those that need somebody first, in the order of the states, and then by subject. With
// details each subject is asked for its last request, one a second. Errors are those of the ledger and of
// awsaccount.Call.
func List(ctx context.Context, a *awsaccount.Account, l Ledger, details bool) ([]Host, error) {
	byKey := map[string]*Host{}
	for c, err := range l.ValidHosts(ctx) {
		if err != nil {
			return nil, err
		}
		byKey[key(c.Subject)] = &Host{Subject: c.Subject, State: Never, Serial: c.Serial, NotAfter: &c.NotAfter}
	}
	subjects, err := find(ctx, a)
	if err != nil {
		return nil, err
	}
	for i := range subjects {
		if err := join(ctx, l, byKey, &subjects[i]); err != nil {
			return nil, err
		}
	}
	hosts := make([]Host, 0, len(byKey))
	for _, h := range byKey {
		if details && h.State == Seen {
			if err := examine(ctx, a, h); err != nil {
				return nil, err
			}
		}
		hosts = append(hosts, *h)
	}
	order := []string{Unknown, Failing, Disabled, Never, Ended, Seen}
	slices.SortFunc(hosts, func(a, b Host) int {
		if d := slices.Index(order, a.State) - slices.Index(order, b.State); d != 0 {
			return d
		}
		return strings.Compare(a.Subject, b.Subject)
	})
	return hosts, nil
}

// join adds a subject to the hosts.
func join(ctx context.Context, l Ledger, byKey map[string]*Host, s *types.SubjectSummary) error {
	subject := aws.ToString(s.X509Subject)
	h := byKey[key(subject)]
	if h == nil {
		h = &Host{Subject: subject, State: Unknown}
		byKey[key(subject)] = h
		known, err := l.HasSubject(ctx, subject)
		if err != nil {
			return err
		}
		if known {
			h.State = Ended
		}
	} else {
		h.State = Seen
	}
	if !aws.ToBool(s.Enabled) && h.State != Unknown {
		h.State = Disabled
	}
	h.LastSeen, h.ARN = s.LastSeenAt, aws.ToString(s.SubjectArn)
	return nil
}

// key is a distinguished name without the spaces that programs write after commas.
func key(subject string) string { return strings.ReplaceAll(subject, ", ", ",") }

func find(ctx context.Context, a *awsaccount.Account) (all []types.SubjectSummary, err error) {
	for token := (*string)(nil); ; {
		out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.ListSubjects, &rolesanywhere.ListSubjectsInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		all = append(all, out.Subjects...)
		if token = out.NextToken; token == nil {
			return all, nil
		}
	}
}

// examine asks for the last request of a subject.
func examine(ctx context.Context, a *awsaccount.Account, h *Host) error {
	_, id, _ := strings.Cut(h.ARN, ":subject/")
	out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.GetSubject, &rolesanywhere.GetSubjectInput{SubjectId: &id})
	if err != nil {
		return err
	}
	if len(out.Subject.Credentials) > 0 {
		last := slices.MaxFunc(out.Subject.Credentials, func(a, b types.CredentialSummary) int { return aws.ToTime(a.SeenAt).Compare(aws.ToTime(b.SeenAt)) })
		if aws.ToBool(last.Failed) {
			h.State = Failing
		}
	}
	return a.Sleep(ctx, pace)
}
